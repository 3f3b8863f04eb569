"""Placebo rollouts: the activation dates of the program are permuted across states.

Every draw keeps the outcomes as they are and assigns each state's schedule of activation to another
state, drawn without replacement; inside a state the schedule goes to its counties in random order.
Counties of a state stay together, so the draws are as coarse as the actual rollout. The
effect of a placebo rollout is zero by construction, and a draw depends only on its number: neither
the order of draws nor the number of processes matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from replication.core.arrays import Ints
from replication.core.errors import PanelError, SpecError
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import Inference, Spec
from replication.estimators.estimate_spec import estimate
from replication.estimators.registry import ENTRIES
from replication.inference.block_permutation import matched_units, ranked_blocks

COLUMNS: Final = ["draw", "spec_id", "cluster", "estimate", "std_error", "critical"]
SHIFTS: Final = (
    "twfe",
    "event_study",
    "callaway_santanna",
    "sun_abraham",
    "imputation",
    "two_stage",
    "etwfe",
    "stacked",
    "local_projections",
)
"""Estimators that are linear in the outcome and recover a constant effect exactly: an effect
that is added to the outcomes moves the estimate by as much and leaves its standard error unchanged."""


@dataclass(frozen=True)
class Placebo:
    """Design of a placebo simulation.

    Attributes
    ----------
    specs : tuple of Spec
    clusters : columns by which standard errors are clustered, one after the other.
    blocks : column across whose values schedules are permuted.
    seed : int
    """

    specs: tuple[Spec, ...]
    clusters: tuple[str, ...]
    blocks: str
    seed: int

    def __post_init__(self) -> None:
        for spec in self.specs:
            if spec.estimator not in SHIFTS or spec.family != "gaussian":
                raise SpecError(
                    f"{spec.id}: the power of {spec.estimator} ({spec.family}) cannot be computed from "
                    "placebo draws, because an effect does not just move its estimate. Use one of "
                    f"{', '.join(SHIFTS)} with family gaussian."
                )
        if not (self.specs and self.clusters):
            raise SpecError(
                f"A placebo simulation needs specifications and clusters; {len(self.specs)} and "
                f"{len(self.clusters)} were given. Name at least one of each."
            )


@dataclass(frozen=True)
class Subject:
    """A specification with one clustering, ready to be drawn."""

    spec: Spec
    cluster: str
    panel: Panel
    blocks: tuple[Ints, ...]


def placebo_subjects(plan: Placebo, frames: Mapping[str, pd.DataFrame]) -> list[Subject]:
    """Every specification with every clustering, its panel built once.

    Parameters
    ----------
    frames : name of a cleaned panel -> frame.
    """
    found = []
    for spec in plan.specs:
        for cluster in plan.clusters:
            one = replace(spec, cluster=(cluster,), inference=_quick(spec))
            panel = build_panel(frames[spec.panel], one)
            found.append(Subject(one, cluster, panel, _blocks(panel, frames[spec.panel], plan, one)))
    return found


def draw_placebos(plan: Placebo, ready: Sequence[Subject], draws: Iterable[int]) -> pd.DataFrame:
    """Estimates of the numbered draws.

    Returns
    -------
    DataFrame
        ``draw``, ``spec_id``, ``cluster``, ``estimate``, ``std_error``, ``critical`` (the number
        of standard errors to the end of the interval); missing where a draw leaves nothing to compare.
    """
    rows = [_row(number, subject, plan.seed) for number in draws for subject in ready]
    return pd.DataFrame(rows, columns=COLUMNS)


def placebo_order(blocks: Sequence[Ints], seed: int, draw: int) -> Ints:
    """(N,) positions of the units whose adoption each unit gets in the draw."""
    rng = np.random.default_rng([seed, draw])
    order = np.empty(sum(block.size for block in blocks), dtype=np.int64)
    for own, drawn in zip(blocks, rng.permutation(len(blocks)), strict=True):
        # In the order of adoption, early counties would stay early and retain their characteristics.
        order[rng.permutation(own)] = matched_units(own.size, blocks[drawn])
    return order


def _row(draw: int, subject: Subject, seed: int) -> list[Any]:
    panel = subject.panel.reassigned(placebo_order(subject.blocks, seed, draw))
    name = [draw, subject.spec.id, subject.cluster]
    try:
        row = estimate(panel, subject.spec).rows("att").iloc[0]
    except PanelError:
        return [*name, np.nan, np.nan, np.nan]
    std_error = float(row["std_error"])
    critical = (row["conf_high"] - row["estimate"]) / std_error
    return [*name, float(row["estimate"]), std_error, float(critical)]


def _quick(spec: Spec) -> Inference:
    """Inference whose draws are needed for the standard error itself and not only for bands or p-values."""
    if ENTRIES[spec.estimator].own(spec).resampled or spec.inference.method == "bootstrap":
        return spec.inference
    return replace(spec.inference, method="analytic", draws=1)


def _blocks(panel: Panel, frame: pd.DataFrame, plan: Placebo, spec: Spec) -> tuple[Ints, ...]:
    """Positions of the units of each block, in order of adoption."""
    if plan.blocks not in frame.columns:
        raise SpecError(
            f"{spec.id}: its panel has no column {plan.blocks!r} across whose values "
            "schedules could be permuted. Name another column as 'blocks'."
        )
    of_unit = frame.drop_duplicates(spec.unit).set_index(spec.unit, drop=False)[plan.blocks]
    codes = pd.factorize(of_unit.loc[panel.units], sort=True)[0].astype(np.int64)
    return tuple(ranked_blocks(panel, codes))
