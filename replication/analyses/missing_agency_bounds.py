"""Bounds on the effect when part of the people live under agencies that did not report.

A county-year reports for a share c of its people and shows their rate r. The rate of the whole population is
``c r + (1 - c) k r``, with k the rate of those who did not report over the rate of those who did;
its log is ``log r + log(c + (1 - c) k)``. Only a range of k is assumed. The
coefficient is linear in the log, ``sum(v_it y_it)``, so three bounds follow:

``common``
    k is one number for all cells: the coefficients at nine values of k across the range.
``by_status``
    k is one number for cells in which the treatment is off and another where it is on: reporting
    may be selective, and the selection may change when the program starts.
``by_cell``
    k may be anything in the range in every cell. The largest coefficient takes the upper end where
    v is positive and the lower end where it is negative (Manski 1990): the sharp worst
    case.

With c near 1 the last is narrow; with much missing it is wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.identification import residual_weights
from replication.core.arrays import Bools, Floats
from replication.core.errors import SpecError
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import Spec
from replication.estimators.shared.estimation_sample import estimation_sample
from replication.estimators.shared.fixed_effects import read_effects
from replication.estimators.twfe import twfe

GRID = 9
COMMON, BY_STATUS, BY_CELL = "common", "by_status", "by_cell"
WORDS = {COMMON: "Common k", BY_STATUS: "k by activation status", BY_CELL: "Unrestricted k"}


def missing_agency_bounds(
    context: AnalysisContext,
    *,
    specs: dict[str, str],
    ranges: Sequence[Sequence[float]],
    indicator: str,
    ratio: str,
    exempt: Sequence[int] = (),
) -> pd.DataFrame:
    """Bounds for several specifications and several ranges of k.

    Parameters
    ----------
    specs : label -> specification (twfe).
    ranges : lowest and highest k of each assumption.
    indicator, ratio : columns of the coverage indicator (0 to 100) and of covered over Census
        population; the share of people who report is the smaller of the two, 1 at most.
    exempt : units whose indicator is uninformative, so that only the ratio is used.

    Returns
    -------
    DataFrame
        ``label``, ``k_low``, ``k_high``, ``assumption``, ``words`` (the assumption's short
        name), ``estimate`` (as it is), ``low``, ``high`` (bounds on the estimate), ``conf_low``,
        ``conf_high`` (lower end of the interval at the lower bound, upper end at the upper one),
        ``covered`` (mean share of people who report), ``spec_id``.
    """
    rows = []
    for label, name in specs.items():
        spec = context.spec(name)
        frame = context.frame(spec.panel)
        panel = build_panel(frame, spec)
        covered = covered_share(frame, spec, panel, indicator, ratio, exempt)
        ours = twfe(panel, trends=spec.trends, inference=spec.inference).table.iloc[0]
        for low, high in ranges:
            if not 0 <= low <= high:
                raise SpecError(f"k cannot run from {low:g} to {high:g}. Give the lower end first.")
            for assumption, words in WORDS.items():
                found = bounds(panel, spec, covered, (low, high), assumption)
                rows.append(
                    {
                        "label": label,
                        "k_low": low,
                        "k_high": high,
                        "assumption": assumption,
                        "words": words,
                        "estimate": ours["estimate"],
                        **found,
                        "covered": float(np.average(covered, weights=panel.weight)),
                        "spec_id": name,
                    }
                )
    return pd.DataFrame(rows)


def covered_share(
    frame: pd.DataFrame, spec: Spec, panel: Panel, indicator: str, ratio: str, exempt: Sequence[int]
) -> Floats:
    """(N, T) share of people under agencies that reported."""
    wide = {
        name: frame.pivot(index=spec.unit, columns=spec.time, values=name)
        .reindex(index=panel.units, columns=panel.periods)
        .to_numpy(dtype=float)
        for name in (indicator, ratio)
    }
    shown = wide[indicator] / 100
    shown[np.isin(panel.units, list(exempt))] = 1.0
    share: Floats = np.clip(np.fmin(shown, wide[ratio]), 0.0, 1.0)
    return share


def bounds(
    panel: Panel, spec: Spec, covered: Floats, span: tuple[float, float], assumption: str
) -> dict[str, float]:
    """Lowest and highest coefficient, and the interval that covers both."""
    shifts = list(extremes(panel, spec, covered, span, assumption))
    fitted = [
        twfe(replace(panel, y=panel.y + shift), trends=spec.trends, inference=spec.inference).table.iloc[0]
        for shift in shifts
    ]
    low = min(fitted, key=lambda row: row["estimate"])
    high = max(fitted, key=lambda row: row["estimate"])
    return {
        "low": low["estimate"],
        "high": high["estimate"],
        "conf_low": low["conf_low"],
        "conf_high": high["conf_high"],
    }


def extremes(
    panel: Panel, spec: Spec, covered: Floats, span: tuple[float, float], assumption: str
) -> list[Floats]:
    """Shifts of the log outcome among which the lowest and the highest coefficient are."""
    low, high = (shift_of(covered, k) for k in span)
    v = linear_weights(panel, spec)
    if assumption == BY_CELL:
        return [np.where(v > 0, low, high), np.where(v > 0, high, low)]
    grid = [shift_of(covered, k) for k in np.linspace(*span, GRID)]
    if assumption == COMMON:
        effect = [float((v * shift).sum()) for shift in grid]
        return [grid[int(np.argmin(effect))], grid[int(np.argmax(effect))]]
    on = panel.dose > 0
    chosen = [_best(grid, v, cells, pick) for pick in (np.argmin, np.argmax) for cells in (~on, on)]
    return [chosen[0] + chosen[1], chosen[2] + chosen[3]]


def _best(grid: list[Floats], v: Floats, cells: Bools, pick: Any) -> Floats:
    """The shift of the grid, on some cells only, with the lowest or highest sum."""
    sums = [float((v * shift)[cells].sum()) for shift in grid]
    return np.where(cells, grid[int(pick(sums))], 0.0)


def shift_of(covered: Floats, k: float) -> Floats:
    """``log(c + (1 - c) k)``."""
    inside = covered + (1 - covered) * k
    if (inside <= 0).any():
        raise SpecError(
            f"{int((inside <= 0).sum())} cells report for no population, and with k = {k:g} nothing is "
            "left of their rate. Use a sample in which everyone reports something."
        )
    return np.log(inside)


def linear_weights(panel: Panel, spec: Spec) -> Floats:
    """(N, T) weights v with coefficient = ``sum(v y)``."""
    effects = read_effects(panel, spec.trends)
    sample = estimation_sample(panel, effects)
    found = np.zeros(panel.y.shape)
    found[np.ix_(sample.units, sample.periods)] = residual_weights(sample, effects)[1]
    return found
