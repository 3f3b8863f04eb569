"""A trial of the estimate that ``replication check`` proposes: what it would be refused with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from replication.checks.panel_findings import Finding
from replication.core.errors import InputError
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import Inference, Spec
from replication.estimators.estimate_spec import estimate, refuse_unusable, require_variation
from replication.estimators.registry import ENTRIES
from replication.inference.unsupported_statistics import FEWEST_DRAWS, draws_needed, require_draws

PLACEHOLDER: Final = "replication_no_outcome"
"""Column of noise where no outcome is named: what an estimate needs besides is looked at all the same."""
MOST_VALUES: Final = 600_000
"""Outcomes and covariates of a panel that is estimated in about a second."""
REFITTED: Final = ("bootstrap", "permutation")
"""Methods of inference that estimate anew in every draw."""


def with_placeholder(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a column that takes the place of the outcome."""
    return frame.assign(**{PLACEHOLDER: np.random.default_rng(0).normal(size=len(frame))})


def attempt(frame: pd.DataFrame, spec: Spec, outcomes: Sequence[str]) -> tuple[str, Panel | None]:
    """Why an estimate is refused (empty if it is not), and the panel where it could be built."""
    panel: Panel | None = None
    try:
        for name in outcomes or [PLACEHOLDER]:
            one = replace(spec, outcome=name)
            panel = build_panel(frame, one)
            _try(panel, one)
    except InputError as error:
        told = str(error).replace(f", {PLACEHOLDER}", "").replace(repr(PLACEHOLDER), "that you name")
        return told, panel
    return "", panel


def _try(panel: Panel, spec: Spec) -> None:
    """Estimate, with few draws where any are needed; a large panel is examined without an estimate."""
    entry = ENTRIES[spec.estimator]
    refuse_unusable(spec, entry)
    resampled = entry.own(spec).resampled or spec.inference.method == "bootstrap"
    require_draws(spec.inference, resampled=resampled)
    if _is_large(panel):
        require_variation(panel)
        return
    estimate(panel, replace(spec, inference=_with_few_draws(spec.inference)))


def _is_large(panel: Panel) -> bool:
    return panel.y.size * (1 + len(panel.covariate_names)) > MOST_VALUES


def _with_few_draws(inference: Inference) -> Inference:
    """The fewest draws that are not refused; none of a method that estimates anew in each."""
    draws = min(inference.draws, max(FEWEST_DRAWS, draws_needed(2, inference.level)))
    method = "analytic" if inference.method in REFITTED else inference.method
    return replace(inference, draws=draws, method=method)


def unchecked(panel: Panel, spec: Spec) -> list[Finding]:
    """What was not tried, so that the estimate may be refused after all."""
    if _is_large(panel):
        return [
            Finding(
                f"Not checked: whether {spec.estimator} can estimate an effect on this panel, because with "
                f"{panel.y.size:,} unit-periods the estimate may take a while"
            )
        ]
    if spec.inference.method in REFITTED:
        return [
            Finding(
                f"Not checked: whether `inference.method: {spec.inference.method}`, which estimates anew in "
                "every draw, can be used"
            )
        ]
    return []
