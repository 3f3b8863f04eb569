"""Comparison groups, calendars and support shared by the cohort estimators."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import Details, EventSupport
from replication.core.dropped_units import units_dropped
from replication.core.errors import PanelError
from replication.core.panel import NEVER, Panel
from replication.estimators.shared.adoption_contrast import from_the_start, require_contrast, start_words


def comparison_panel(panel: Panel, estimator: str, anticipation: int = 0) -> Panel:
    """The panel without units treated from its first period on; refuses one without a contrast.

    Units that only anticipate in the first period stay; each estimator says what becomes of them.
    """
    if panel.exposure is not None:
        raise PanelError(
            f"{estimator} takes a binary treatment that starts with the cohort; this panel has a "
            "treatment intensity. Set 'treatment: binary' and name the cohort column, or use dcdh or twfe."
        )
    require_contrast(panel, anticipation)
    early = from_the_start(panel, anticipation)
    if not early.any():
        return panel
    require_contrast(panel.keep_units(~early), anticipation, early_dropped(panel, early, anticipation))
    always = from_the_start(panel)
    return panel.keep_units(~always, early_dropped(panel, always)) if always.any() else panel


def early_dropped(panel: Panel, early: Bools, anticipation: int = 0) -> str:
    """The note on units that have no untreated period."""
    why = f"they are {start_words(panel, anticipation)} and have no pre-treatment period"
    return units_dropped(panel.units[early], early.size, why)


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


NOT_YET_TREATED = (
    "(units not yet treated are then the control group), set 'control_group: last_treated' where the "
    "estimator takes it (the last cohort to adopt is then the control group)"
)
LAST_COHORT = "(the last cohort to adopt is then the control group)"
"""What an estimator compares with where ``control_group`` is left out and no unit is never treated."""


def require_never_treated(
    panel: Panel, control_group: str, anticipation: int = 0, instead: str = NOT_YET_TREATED
) -> None:
    """Refuse ``never_treated``, which is always an explicit choice, where no unit is never treated."""
    if control_group != "never_treated" or untreated_throughout(panel, anticipation).any():
        return
    raise PanelError(
        f"'control_group' is 'never_treated', and none of the {panel.cohort.size} units in the sample is "
        f"untreated throughout the panel. Leave 'control_group' out {instead}, or add never-treated units."
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
        f"The window {list(window)} contains no event time other than the reference that can "
        f"be estimated; the panel has event times {low} to {high}. Widen the window, or leave it "
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


WORTH = 2.0
"""Gain in treated unit-periods for which a default leaves out cohorts: below it, the composition
of the effect (every cohort) is worth more than longer horizons."""


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
