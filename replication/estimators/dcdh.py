"""Dynamic estimator of de Chaisemartin & D'Haultfoeuille (2024), binary treatment, no covariates.

Estimand
    delta_l = mean effect of having been treated for l periods, over the units whose l-th treated
    period is in the panel and still has a unit untreated:
    DID_l = sum_i w_i [(Y_{i,F-1+l} - Y_{i,F-1}) - mean change of the units untreated until
    F-1+l] / N_l, with F the unit's first treated column and N_l the summed weights (section 3).
    Placebo l compares Y_{i,F-1-l} with Y_{i,F-1} for the units and controls of effect l.
    Average total effect: ``att = sum_l N_l DID_l / sum_l N_l``.
Event time
    Effect l is event time l-1 (the first treated period is 0) and placebo l is event time -1-l:
    both are changes from event time -1, as in the other event paths of this package. Steps are
    counted in calendar time: in a panel that skips 2007, 2008 is two steps after 2006, and a
    panel of every second year has steps of two. The command of the authors numbers the periods
    that occur and so counts a gap as one step.
Assumptions
    Parallel trends of the untreated outcome and no anticipation.
Reproduces
    Stata and R ``did_multiplegt_dyn y i t d, effects(L) placebo(P)``, its analytic errors included.

Review of Economics and Statistics 106(6): 1723-1736. With ``cluster`` the degrees of freedom
count clusters, as the authors' command does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import Details, EventSupport
from replication.core.errors import PanelError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.registration import registered
from replication.estimators.shared.cohort_comparisons import Grid, comparison_panel, on_calendar, used_units
from replication.estimators.shared.lost_cohorts import with_lost_cohorts
from replication.inference.assemble import from_scores
from replication.inference.row_table import EstimateRow


@dataclass(frozen=True, slots=True)
class HorizonEffect:
    """One effect or placebo: its point, unit scores (N,), summed weights, units, and onsets."""

    step: int
    estimate: float
    scores: Floats
    mass: float
    switchers: int
    onsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AdoptionLayout:
    """The panel with units in order of adoption, so that every comparison group is a slice.

    Attributes
    ----------
    y : (L, N) outcomes; seen : (L, N) bool; a column for every step of the calendar
    weight, order : (N,) weights, and positions of the sorted units in the panel
    start : (L + 2,) number of units that adopt before each column; column L is never.
    clusters : (N,) codes, or None where every unit is its own cluster.

    """

    y: Floats
    seen: Bools
    weight: Floats
    order: Ints
    start: Ints
    clusters: Ints | None

    def members(self, low: int, high: int, seen: Bools) -> Ints:
        """Positions of the units seen that adopt in the columns from ``low`` up to ``high``."""
        first, last = self.start[low], self.start[high]
        found: Ints = first + np.flatnonzero(seen[first:last] & (self.weight[first:last] > 0))
        return found

    def count(self, members: Ints) -> int:
        """Number of units, or of clusters, among the members."""
        if self.clusters is None:
            return members.size
        return int((np.bincount(self.clusters[members]) > 0).sum())


@registered("de Chaisemartin-D'Haultfoeuille")
def dcdh(
    panel: Panel, *, window: tuple[int, int] | None = None, inference: Inference = ANALYTIC
) -> Estimates:
    """Effects by length of treatment, placebos, and the average total effect.

    Parameters
    ----------
    panel : Panel
        Binary treatment. Units treated in the first period have no untreated past and are dropped.
    window : first and last event time; all that can be estimated if empty.

    Raises
    ------
    PanelError
        If no unit switches, no control or one cluster is left, or the window holds no event time
        that can be estimated.

    """
    panel = comparison_panel(panel, "dcdh")
    panel = used_units(panel, np.ones(len(panel.units), dtype=bool), "comparison")
    grid = on_calendar(panel)
    layout = layout_of(panel, grid)
    effects = [found for step in horizons_of(grid, window) if (found := did(layout, step))]
    after = [effect for effect in effects if effect.step >= 0]
    if not after:
        raise PanelError(
            "No effect can be estimated: in no treated period is there both a unit that has just "
            "been treated for that long and a unit still untreated, inside the window "
            f"{list(window) if window else 'of the whole panel'}. Widen the window, or add units "
            "that adopt later or never."
        )
    panel = with_effects(panel, grid, after)
    shares = np.array([effect.mass for effect in after])
    shares /= shares.sum()
    point = float(shares @ [effect.estimate for effect in after])
    score = sum(
        (share * effect.scores for share, effect in zip(shares, after, strict=True)),
        np.zeros(len(panel.units)),
    )
    return from_scores(
        panel,
        "dcdh",
        [EstimateRow("att"), *(EstimateRow("event", event_time=e.step * grid.step) for e in effects)],
        np.array([point, *(effect.estimate for effect in effects)]),
        np.column_stack([score, *(effect.scores for effect in effects)]),
        inference,
        details=Details(
            control_group="not_yet_treated",
            base_period=-grid.step,
            average="switchers",
            support=tuple(
                EventSupport(
                    effect.step * grid.step, len(effect.onsets), int(effect.switchers), float(effect.mass)
                )
                for effect in effects
            ),
        ),
    )


def with_effects(panel: Panel, grid: Grid, after: list[HorizonEffect]) -> Panel:
    """The panel with a note on the cohorts that have no effect of any length."""
    onsets = {onset for effect in after for onset in effect.onsets}
    shown = panel.cohort[np.isin(grid.onset, list(onsets))].tolist()
    why = (
        "no unit of theirs is observed in the period before adoption and in a treated one, beside "
        "a unit still untreated. They are compared with until they adopt"
    )
    return with_lost_cohorts(panel, panel, shown, why)


def horizons_of(grid: Grid, window: tuple[int, int] | None) -> list[int]:
    """Steps from adoption to try, in order, without the reference -1."""
    low, high = grid.steps(window) if window else (-grid.length, grid.length)
    low, high = max(low, -grid.length), min(high, grid.length - 1)
    return [step for step in range(low, high + 1) if step != -1]


def layout_of(panel: Panel, grid: Grid) -> AdoptionLayout:
    """Sort the units by adoption, once for all event times."""
    first = np.minimum(grid.onset, grid.length)
    order = np.argsort(first, kind="stable").astype(np.int64)
    own = panel.n_clusters == len(panel.units)
    seen = np.zeros(grid.y.shape, dtype=bool)
    seen[:, (panel.periods - grid.start) // grid.step] = panel.observed
    return AdoptionLayout(
        y=np.ascontiguousarray(grid.y[order].T),
        seen=np.ascontiguousarray(seen[order].T),
        weight=panel.unit_weight[order],
        order=order,
        start=np.searchsorted(first[order], np.arange(grid.length + 2)).astype(np.int64),
        clusters=None if own else panel.cluster[order],
    )


def did(layout: AdoptionLayout, step: int) -> HorizonEffect | None:
    """DID_l for ``step = l - 1``, or the placebo for ``step = -1 - l``.

    None if no cohort has both units and controls there.
    """
    n_periods, n_units = layout.y.shape
    length = step + 1 if step >= 0 else -step - 1
    total, mass, switchers = 0.0, 0.0, 0
    onsets: list[int] = []
    scores = np.zeros(n_units)
    for first in range(max(1, -step), n_periods - length + 1):
        target, base, compared = first - 1 + length, first - 1, first + step
        # A placebo uses the switchers and controls of the effect of the same length.
        seen = layout.seen[compared] & layout.seen[base] & layout.seen[target]
        switcher = layout.members(first, first + 1, seen)
        control = layout.members(target + 1, n_periods + 1, seen)
        if switcher.size and control.size:
            change = layout.y[compared] - layout.y[base]
            size, effect = _compare(layout, change, switcher, control, scores)
            total, mass = total + size * effect, mass + size
            switchers += switcher.size
            onsets.append(first)
    if not onsets:
        return None
    unsorted = np.empty(n_units)
    unsorted[layout.order] = scores / mass
    return HorizonEffect(step, total / mass, unsorted, mass, switchers, tuple(onsets))


def _compare(
    layout: AdoptionLayout, change: Floats, switcher: Ints, control: Ints, scores: Floats
) -> tuple[float, float]:
    """Mass and effect of one cohort; its part of the scores is added in place."""
    pooled = np.concatenate([switcher, control])
    mass = float(layout.weight[switcher].sum())
    means = []
    for own, sign in ((switcher, 1.0), (control, -1.0)):
        share = layout.weight[own] / layout.weight[own].sum()
        means.append(float(share @ change[own]))
        scores[own] += sign * mass * share * deviations(layout, change, own, pooled)
    return mass, means[0] - means[1]


def deviations(layout: AdoptionLayout, change: Floats, own: Ints, pooled: Ints) -> Floats:
    """Changes less the mean of their own group, scaled by sqrt(n / (n-1)).

    The n counts units, or clusters where the errors are clustered above the unit. A group of one
    has no spread of its own: switchers and controls are then pooled. This is the variance of the
    authors' command, conservative if effects differ between the units of a cohort.
    """
    group = own if layout.count(own) >= 2 else pooled
    size = layout.count(group)
    if size < 2:
        return change[own]
    weight = layout.weight[group]
    mean = weight @ change[group] / weight.sum()
    spread: Floats = np.sqrt(size / (size - 1)) * (change[own] - mean)
    return spread
