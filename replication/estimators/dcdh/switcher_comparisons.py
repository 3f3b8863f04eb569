"""DID_l: switchers of one date and direction against units of their group that have not switched yet."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.panel import Panel
from replication.estimators.dcdh.treatment_paths import TreatmentPaths
from replication.estimators.shared.cohort_comparisons import Grid

DIRECTIONS = {"all": (1, -1), "in": (1,), "out": (-1,)}
"""Switchers by the key ``switchers``."""


@dataclass(frozen=True, slots=True)
class HorizonEffect:
    """One effect or placebo.

    Attributes
    ----------
    step : event time in steps; effect l is l - 1, placebo l is -1 - l.
    estimate, scores : the point, and (N,) scores whose squares add up to its variance.
    mass, switchers : summed weights, and positions of the units in the panel.
    onsets : columns of their switches.
    total, last : mean change of treatment summed from the switch to effect l, and in its period.
    gradient : (G, K) weight of the covariates of each group in the point.
    """

    step: int
    estimate: float
    scores: Floats
    mass: float
    switchers: Ints
    onsets: tuple[int, ...]
    total: float
    last: float
    gradient: Floats


@dataclass(frozen=True, slots=True)
class SwitchGroup:
    """Units of one group that switch in one column in one direction: a slice of the layout."""

    group: int
    onset: int
    direction: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class SwitchLayout:
    """The panel with units in order of group and switch, so that every comparison group is a slice.

    Attributes
    ----------
    y, x : (L, N) outcomes and (K, L, N) covariates; a column for every step of the calendar
    seen : (L, N) cells with an outcome and a positive weight
    change, total : (L, N) distance from the baseline treatment, and its sum over columns
    weight, order, dose : (N,) weights, positions in the panel, codes of the dose at the switch
    start : (G, L + 2) first unit of each group that switches in each column or later.
    switches : in order of group and column
    clusters : (N,) codes, or None where every unit is its own cluster.
    """

    y: Floats
    x: Floats
    seen: Bools
    change: Floats
    total: Floats
    weight: Floats
    order: Ints
    dose: Ints
    start: Ints
    switches: list[SwitchGroup]
    clusters: Ints | None

    def members(self, low: int, high: int, columns: tuple[int, int, int]) -> Ints:
        """Positions from ``low`` up to ``high`` of the units seen in all three columns."""
        first, second, third = (self.seen[column, low:high] for column in columns)
        return low + np.flatnonzero(first & second & third)

    def count(self, members: Ints) -> int:
        """Number of units, or of clusters, among the members."""
        if self.clusters is None:
            return members.size
        return int((np.bincount(self.clusters[members]) > 0).sum())


def layout_of(panel: Panel, grid: Grid, paths: TreatmentPaths, switchers: str) -> SwitchLayout:
    """Sort the units by group and switch, once for all event times."""
    first = np.minimum(grid.onset, grid.length)
    order = np.lexsort((paths.first_dose, -paths.direction, first, paths.group)).astype(np.int64)
    weight = panel.unit_weight[order]
    column = (panel.periods - grid.start) // grid.step
    seen = np.zeros(grid.y.shape, dtype=bool)
    seen[:, column] = panel.observed
    covariates = np.zeros((0, *panel.y.shape)) if panel.covariates is None else panel.covariates
    x = np.zeros((len(covariates), grid.length, len(order)))
    x[:, column] = np.nan_to_num(covariates[:, order]).swapaxes(1, 2)
    change = np.ascontiguousarray(paths.change[order].T)
    own = panel.n_clusters == len(panel.units)
    key = paths.group[order] * (grid.length + 1) + first[order]
    edges = np.arange(int(paths.group.max()) + 1)[:, None] * (grid.length + 1) + np.arange(grid.length + 2)
    return SwitchLayout(
        y=np.ascontiguousarray(grid.y[order].T),
        x=x,
        seen=np.ascontiguousarray((seen[order] & (weight > 0)[:, None]).T),
        change=change,
        total=change.cumsum(axis=0),
        weight=weight,
        order=order,
        dose=paths.first_dose[order],
        start=np.searchsorted(key, edges).astype(np.int64),
        switches=switches_of(paths, order, first, grid.length, DIRECTIONS[switchers]),
        clusters=None if own else panel.cluster[order],
    )


def switches_of(
    paths: TreatmentPaths, order: Ints, first: Ints, length: int, directions: tuple[int, ...]
) -> list[SwitchGroup]:
    """Slices of the sorted units that switch at once, in the directions that are asked for."""
    keys = np.array([paths.group, first, paths.direction])[:, order]
    group, onset, direction = keys
    edges = np.flatnonzero((np.diff(keys) != 0).any(axis=0)) + 1
    bounds = [0, *edges.tolist(), len(order)]
    found = [
        SwitchGroup(int(group[low]), int(onset[low]), int(direction[low]), low, high)
        for low, high in pairwise(bounds)
    ]
    return [one for one in found if one.onset < length and one.direction in directions]


def did(layout: SwitchLayout, step: int) -> HorizonEffect | None:
    """DID_l for ``step = l - 1``, or the placebo for ``step = -1 - l``.

    None if no switch has both units and controls there.
    """
    n_periods, n_units = layout.y.shape
    length = step + 1 if step >= 0 else -step - 1
    total, mass, units, onsets = 0.0, 0.0, [], []
    scores, gradient = np.zeros(n_units), np.zeros((len(layout.start), len(layout.x)))
    for one in layout.switches:
        if not max(1, -step) <= one.onset <= n_periods - length:
            continue
        target, base, compared = one.onset - 1 + length, one.onset - 1, one.onset + step
        # A placebo uses the switchers and controls of the effect of the same length.
        columns = (compared, base, target)
        switcher = layout.members(one.low, one.high, columns)
        control = layout.members(layout.start[one.group, target + 1], layout.start[one.group, -1], columns)
        if switcher.size and control.size:
            size, effect, slope = _compare(layout, columns, one.direction, switcher, control, scores)
            total, mass = total + size * effect, mass + size
            gradient[one.group] += size * slope
            units.append((switcher, target))
            onsets.append(one.onset)
    if not onsets:
        return None
    sums = [
        sum(float(layout.weight[own] @ table[at, own]) for own, at in units) / mass
        for table in (layout.total, layout.change)
    ]
    unsorted = np.empty(n_units)
    unsorted[layout.order] = scores / mass
    behind = layout.order[np.concatenate([own for own, _ in units])]
    dates = tuple(dict.fromkeys(onsets))
    return HorizonEffect(step, total / mass, unsorted, mass, behind, dates, sums[0], sums[1], gradient / mass)


def _compare(
    layout: SwitchLayout,
    columns: tuple[int, int, int],
    direction: int,
    switcher: Ints,
    control: Ints,
    scores: Floats,
) -> tuple[float, float, Floats]:
    """Mass, effect and weight of the covariates of one switch; its scores are added in place."""
    compared, base, _ = columns
    pooled = np.concatenate([switcher, control])
    mass = float(layout.weight[switcher].sum())
    effect, slope = 0.0, np.zeros(len(layout.x))
    change = np.zeros(len(layout.weight))
    change[pooled] = layout.y[compared][pooled] - layout.y[base][pooled]
    for own, sign in ((switcher, float(direction)), (control, -float(direction))):
        share = layout.weight[own] / layout.weight[own].sum()
        effect += sign * float(share @ change[own])
        if len(slope):
            slope += sign * ((layout.x[:, compared][:, own] - layout.x[:, base][:, own]) @ share)
        spread = spreads(layout, change, own, pooled) if own is switcher else None
        spread = deviations(layout, change, own, pooled) if spread is None else spread
        scores[own] += sign * mass * share * spread
    return mass, effect, slope


def spreads(layout: SwitchLayout, change: Floats, own: Ints, pooled: Ints) -> Floats | None:
    """Deviations of switchers from those that switch to the same dose; None if all do."""
    dose = layout.dose[own]
    edges = np.flatnonzero(np.diff(dose)) + 1
    if not edges.size:
        return None
    found = deviations(layout, change, pooled, pooled)[: own.size]
    bounds = [0, *edges.tolist(), own.size]
    for low, high in pairwise(bounds):
        # Continuous doses are mostly alone, so that a loop over them all would cost more than the rest.
        if high - low > 1 and layout.count(own[low:high]) > 1:
            found[low:high] = deviations(layout, change, own[low:high], pooled)
    return found


def deviations(layout: SwitchLayout, change: Floats, own: Ints, pooled: Ints) -> Floats:
    """Changes less the mean of their own group, scaled by sqrt(n / (n-1)).

    The n counts units, or clusters where the standard errors are clustered above the unit. A group of one
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
