"""Comparison groups, calendars and support shared by the cohort estimators."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import Details, EventSupport
from replication.core.dropped_units import units_dropped
from replication.core.errors import PanelError
from replication.core.panel import NEVER, Panel


def comparison_panel(panel: Panel, estimator: str, anticipation: int = 0) -> Panel:
    """The panel without units treated from its first period on; refuses a treatment intensity."""
    if panel.exposure is not None:
        raise PanelError(
            f"{estimator} takes a binary treatment that starts with the cohort; this panel has a "
            "treatment intensity. Set 'treatment: binary' and name the cohort column, or use dcdh or twfe."
        )
    require_pre_treatment(panel, anticipation)
    always = panel.first == 0
    if not always.any():
        return panel
    first = panel.written(panel.periods[0])
    why = f"they are treated in or before the first period ({first}) and have no pre-treatment period"
    return panel.keep_units(~always, units_dropped(panel.units[always], always.size, why))


def require_pre_treatment(panel: Panel, anticipation: int = 0) -> None:
    """Refuse a panel in which every treated unit is treated, or anticipates, from the first period on."""
    if panel.periods.size == 1:
        raise PanelError(
            f"The panel has one period, {panel.written(panel.periods[0])}, and an effect needs two. Check "
            "the time column and 'sample'."
        )
    treated = ~untreated_throughout(panel, anticipation)
    if not treated.any() or (panel.cohort[treated] - anticipation > panel.periods[0]).any():
        return
    span = f", or within {anticipation} periods after it" if anticipation else ""
    todo = "Reduce 'anticipation', start" if anticipation else "Start"
    raise PanelError(
        f"All {int(treated.sum())} treated units are treated in or before the first period "
        f"({panel.written(panel.periods[0])}{span}), so none of them has a pre-treatment period. "
        f"{todo} the panel earlier, or check the cohort column."
    )


def used_units(panel: Panel, used: Bools, where: str) -> Panel:
    """The panel of the units that take part; refuses a single cluster."""
    note = f"{int((~used).sum())} units that are in no {where} were dropped" if not used.all() else ""
    kept = panel.keep_units(used, note)
    if kept.n_clusters < 2:
        raise PanelError(
            f"The units that take part in a {where} are in one cluster, and clustered standard errors need "
            "at least two. Name a finer cluster column, or leave 'cluster' empty for units."
        )
    return kept


def untreated_throughout(panel: Panel, anticipation: int = 0) -> Bools:
    """(N,) units never treated, or only after the last period and its anticipation."""
    found: Bools = (panel.cohort == NEVER) | (panel.cohort > panel.periods[-1] + anticipation)
    return found


def last_adopters(panel: Panel, anticipation: int = 0) -> Bools:
    """(N,) units of the last cohort that adopts inside the panel or anticipates in it."""
    inside = ~untreated_throughout(panel, anticipation)
    last: Bools = inside & (panel.cohort == panel.cohort[inside].max(initial=NEVER))
    return last


def require_never_treated(panel: Panel, control_group: str, anticipation: int = 0) -> None:
    """Refuse ``never_treated``, which is always an explicit choice, where no unit is never treated."""
    if control_group != "never_treated" or untreated_throughout(panel, anticipation).any():
        return
    raise PanelError(
        f"'control_group' is 'never_treated', and none of the {panel.cohort.size} units in the sample is "
        "untreated throughout the panel. Leave 'control_group' out (units not yet treated are the control "
        "group), set 'control_group: last_treated' where the estimator takes it (the last cohort to adopt "
        "is the control group), or add never-treated units."
    )


def base_period_gaps(panel: Panel, cohorts: Ints, anticipation: int = 0) -> str:
    """A note on cohorts whose last period before adoption is not in the panel, or an empty string."""
    step = int(np.diff(panel.periods).min(initial=panel.periods[-1] - panel.periods[0]))
    found = []
    for cohort in cohorts.tolist():
        usual = cohort - anticipation - step
        before = panel.periods[panel.periods < cohort - anticipation]
        if before.size and before[-1] < usual:
            found.append(
                f"the panel has no period {panel.written(usual)}, so for the cohort first treated in "
                f"period {panel.written(cohort)} the base period is {panel.written(before[-1])} (event time "
                f"{int(before[-1]) - cohort})"
            )
    return "; ".join(found)


def possible_controls(panel: Panel, control_group: str) -> Bools:
    """(N,) units that may serve as a clean control while they are untreated."""
    require_never_treated(panel, control_group)
    if control_group == "never_treated":
        return untreated_throughout(panel)
    if control_group == "last_treated":
        return last_adopters(panel)
    return np.ones(panel.cohort.size, dtype=bool)


def adoption_periods(panel: Panel) -> Ints:
    """(N,) first treated period; a value beyond every period for units never treated."""
    beyond = np.iinfo(np.int64).max // 4
    return np.where(panel.cohort == NEVER, beyond, panel.cohort).astype(np.int64)


def outcomes_and_weights(panel: Panel) -> tuple[Floats, Floats]:
    """(N, T) outcomes with zero for missing, and weights that are zero where it is missing."""
    seen = panel.observed
    return np.where(seen, panel.y, 0.0), np.where(seen, panel.weight, 0.0)


def with_means(details: Details, panel: Panel) -> Details:
    """The details with the mean of the outcome over all cells, and of adopters before they adopt."""
    before = ~panel.treated & (panel.first < panel.periods.size)[:, None]
    return replace(details, mean_outcome=weighted_mean(panel), mean_pre=weighted_mean(panel, before))


def weighted_mean(panel: Panel, chosen: Bools | None = None) -> float:
    """Weighted mean of the outcome over the observed (N, T) cells, or the chosen among them."""
    y, weight = (panel.y, panel.weight) if panel.balanced else outcomes_and_weights(panel)
    weight = weight if chosen is None else weight * chosen
    total = float(weight.sum())
    return float(np.vdot(weight, y)) / total if total > 0 else float("nan")


def support_row(event_time: int, cohorts: int, units: int) -> EventSupport:
    """Cohorts and units behind one point of a path."""
    return EventSupport(int(event_time), int(cohorts), int(units))


def empty_window(window: Any, low: int, high: int) -> PanelError:
    """The refusal of a window that contains no event time with cells."""
    return PanelError(
        f"The window {list(window)} contains no event time that can be estimated beside the "
        f"reference; the panel has event times {low} to {high}. Widen the window, or leave it "
        "empty for all of them."
    )


@dataclass(frozen=True, slots=True)
class Grid:
    """The panel on an even calendar, so that a column is a step of event time.

    Attributes
    ----------
    y, weight : (N, L) outcome and weight, both zero where the outcome is missing.
    base_weight : (N, L) weight whether or not the outcome is there.
    onset : (N,) column of the first treated period; beyond L for units not treated in the panel.
    step : length of a column in units of the time variable.
    start : label of the first column.
    """

    y: Floats
    weight: Floats
    base_weight: Floats
    onset: Ints
    step: int
    start: int

    @property
    def length(self) -> int:
        """Columns."""
        return int(self.y.shape[1])

    def label(self, column: int) -> int:
        """The period of a column."""
        return int(self.start + self.step * column)

    def steps(self, window: tuple[int, int]) -> tuple[int, int]:
        """A window of event times as first and last step inside it."""
        return -(-window[0] // self.step), window[1] // self.step


def on_calendar(panel: Panel) -> Grid:
    """The panel with a column for every period between its first and its last.

    Columns are as far apart as the largest spacing that fits all periods (2 for a panel of every
    second year); adoption between two columns counts from the next.
    """
    start = int(panel.periods[0])
    step = max(int(np.gcd.reduce(np.diff(panel.periods))), 1)
    column = (panel.periods - start) // step
    y, weight = outcomes_and_weights(panel)
    shape = (len(panel.units), int(column[-1]) + 1)
    base = np.repeat(panel.weight.mean(axis=1, keepdims=True), shape[1], axis=1)
    full = [np.zeros(shape), np.zeros(shape), base]
    for target, values in zip(full, (y, weight, panel.weight), strict=True):
        target[:, column] = values
    onset = -((start - adoption_periods(panel)) // step)
    return Grid(full[0], full[1], full[2], onset, step, start)


MANY = 6
"""Cohorts named in a note; of the others it gives the number."""
WORTH = 2.0
"""Gain in treated unit-periods for which a default leaves out cohorts: below it, the composition
of the effect (every cohort) is worth more than longer horizons."""


def with_lost_cohorts(panel: Panel, adopters: Panel, shown: Iterable[int], why: str) -> Panel:
    """The panel with a note on the cohorts that the overall effect does not average.

    Parameters
    ----------
    panel : what the estimates are reported on.
    adopters : the panel of the units that might have an effect.
    shown : cohorts behind the overall effect.
    why : what they lack, the end of the sentence after ``because they``.
    """
    return replace(panel, notes=(*panel.notes, *lost_cohorts(adopters, shown, why)))


def lost_cohorts(adopters: Panel, shown: Iterable[int], why: str) -> list[str]:
    """The note; none if every cohort has an effect."""
    inside = (adopters.first > 0) & (adopters.first < adopters.periods.size)
    lost: Bools = inside & ~np.isin(adopters.cohort, np.array(list(shown), dtype=np.int64))
    if not lost.any():
        return []
    labels = [adopters.written(cohort) for cohort in np.unique(adopters.cohort[lost])]
    named = ", ".join(labels[:MANY]) + (f" and {len(labels) - MANY} more" * (len(labels) > MANY))
    return [
        f"{int(lost.sum())} units in {len(labels)} cohort{'s' * (len(labels) > 1)} ({named}) are excluded "
        f"because they {why}"
    ]


def default_horizon(reach: Ints, mass: Floats) -> int:
    """The last horizon of an effect that averages the same cohorts at every horizon.

    It is the longest that every cohort reaches, unless one late or small cohort would cut the
    effects of all the others down to its own few periods: where leaving out cohorts that cannot
    be followed for h periods gives ``WORTH`` times as many treated unit-periods in 0 to h, the h
    with the most of them is taken (of equal ones the shortest, which keeps the most cohorts).

    Parameters
    ----------
    reach : (C,) last horizon at which each cohort can be compared; at least one is 0 or more.
    mass : (C,) weight of each cohort.
    """
    horizons = np.unique(reach[reach >= 0])
    cells = [(h + 1) * mass[reach >= h].sum() for h in horizons]
    best = int(np.argmax(cells))
    return int(horizons[best if cells[best] >= WORTH * cells[0] else 0])
