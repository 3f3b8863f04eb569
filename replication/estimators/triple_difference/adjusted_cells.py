"""Cells of a triple difference with covariates.

The comparison of the eligible units of a cohort with one other partition has the same units, covariates,
and weights in all periods in which the covariates are the same ones, so it is estimated once for all of
them. With a_c the score of eligible units of the cohort in the comparison with group c, and b_c, d_c those
of the eligible and ineligible units of group c, the score of DDD_c(g, t) is a_c, that of the ineligible
units of the cohort (the same for all c), b_c, and d_c on four sets of units that do not overlap. The
covariance of two comparison groups therefore needs the units of the cohort only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.threads import side_by_side
from replication.estimators.callaway_santanna.cell_plan import (
    GroupTimeCells,
    comparison_cohorts,
    comparison_thresholds,
)
from replication.estimators.callaway_santanna.cells_one_by_one import first_equal
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign
from replication.estimators.callaway_santanna.doubly_robust import (
    ADJUSTMENTS,
    SINGULAR,
    CellProblem,
    Comparison,
    standardized,
)

NO_VARIANCE = "the change of the comparison groups has no variance, by which they are weighted"

Cell = tuple[Ints, Floats, Floats]
"""Positions of m cells, their estimates (m,) and scores (N, m)."""
Known = TypeVar("Known")


def adjusted_blocks(
    design: ComparisonDesign, cells: GroupTimeCells, eligible: Bools, adjustment: str, problems: list[str]
) -> Iterator[Cell]:
    """Cells with covariates; those of a cohort that share covariates and comparison groups together."""
    covariates = design.panel.covariates
    assert covariates is not None
    partitions, same = Partitions(design, eligible, adjustment), first_equal(covariates)
    adoption = np.append(design.cohorts.astype(float), np.inf)
    after = comparison_thresholds(design, cells)

    def of_cohort(group: int) -> tuple[list[Cell], list[str]]:
        """Cells of a cohort, and why some could not be estimated."""
        index = cells.of(group)
        used = comparison_cohorts(design, adoption, int(design.cohorts[group]), after[index])
        column = same[np.minimum(cells.time[index], cells.base[index])]
        blocks: list[Cell] = []
        reasons: list[str] = []
        for shared in np.unique(column):
            members, theirs = index[column == shared], used[column == shared]
            pairs = Pairs(partitions, group, int(shared), cells.time[members], cells.base[members], theirs)
            for own, controls in alike(theirs):
                try:
                    points, parts = pairs.combined(controls, own)
                except CellProblem as problem:
                    reasons.append(f"{named(design, cells, members[own])}: {problem}")
                    points, parts = np.full(own.size, np.nan), np.zeros((eligible.size, own.size))
                blocks.append((members[own], points, parts))
        return blocks, reasons

    size = eligible.size * cells.time.size
    for blocks, reasons in side_by_side(of_cohort, range(design.cohorts.size), size):
        problems += reasons
        yield from blocks


def alike(used: Bools) -> Iterator[tuple[Ints, Ints]]:
    """Cells that are compared with the same groups, and these groups, from (m, S)."""
    for controls in np.unique(used, axis=0):
        yield np.flatnonzero((used == controls).all(axis=1)), np.flatnonzero(controls)


def named(design: ComparisonDesign, cells: GroupTimeCells, members: Ints) -> str:
    """Cells by their cohort, their first period, and their number."""
    label, first = design.panel.label, members[0]
    cohort = label(design.cohorts[cells.level[first]])
    period = label(design.panel.periods[cells.time[first]])
    return f"cohort {cohort} in period {period} ({members.size} cells)"


class Partitions:
    """The eligible and ineligible units of each group, and the outcomes, covariates, and weights of units."""

    def __init__(self, design: ComparisonDesign, eligible: Bools, adjustment: str) -> None:
        panel = design.panel
        assert panel.covariates is not None
        self._solve, side = ADJUSTMENTS[adjustment], 2 * design.level + eligible
        ends = np.cumsum(np.bincount(side, minlength=2 * design.cohorts.size + 2))
        self._units: list[Ints] = np.split(np.argsort(side, kind="stable"), ends[:-1])
        self._outcome, self._weight = panel.y, panel.unit_weight
        self._covariates = panel.covariates
        self.size = eligible.size

    def units(self, group: int, eligible: bool) -> Ints:
        """Positions of the units of a partition."""
        return self._units[2 * group + eligible]

    def compare(
        self, treated: Ints, others: Ints, column: int, time: Ints, base: Ints
    ) -> tuple[Floats, Floats, Floats]:
        """Doubly robust differences (m,) of two partitions, and the scores of the units of either."""
        units = np.concatenate([treated, others])
        outcome = self._outcome[units]
        change = outcome[:, time] - outcome[:, base]
        x = standardized(self._covariates[:, units, column].T)
        first = np.arange(units.size) < treated.size
        points, scores = self._solve(Comparison(change, first, x, self._weight[units]))
        return points, scores[: treated.size], scores[treated.size :]


@dataclass(frozen=True, slots=True)
class Contrast:
    """DDD_c(g, t) of k cells: points (k,), and scores of three partitions (units, k); see the module."""

    cells: Ints
    points: Floats
    treated: Floats
    eligible: Floats
    ineligible: Floats

    def at(self, cells: Ints) -> Contrast:
        """The same of some of the cells."""
        place = np.searchsorted(self.cells, cells)
        sides = (self.treated, self.eligible, self.ineligible)
        return Contrast(cells, self.points[place], *(scores[:, place] for scores in sides))


class Pairs:
    """m cells of one cohort with the same covariates, and each comparison group by itself.

    Parameters
    ----------
    group, column : positions of the cohort and of the period of the covariates.
    time, base : (m,)
    used : (m, S) groups that each cell is compared with.
    """

    def __init__(
        self, partitions: Partitions, group: int, column: int, time: Ints, base: Ints, used: Bools
    ) -> None:
        self._partitions, self._column = partitions, column
        self._time, self._base, self._used = time, base, used
        self._treated, self._other = partitions.units(group, True), partitions.units(group, False)
        self._own: tuple[Floats, Floats, Floats] | CellProblem | None = None
        self._contrasts: dict[int, Contrast | CellProblem] = {}

    def combined(self, controls: Ints, cells: Ints) -> tuple[Floats, Floats]:
        """Estimates (k,) and scores (N, k) of k cells over the comparison groups that they share."""
        every = [self._contrast(int(control)).at(cells) for control in controls]
        others = self._own_comparison()[2][:, cells]
        weights = np.ones((len(every), cells.size))
        if len(every) > 1:
            weights = efficient_weights(covariance_of(every, (others**2).sum(axis=0))).T
        # Units side by side, in which order they are added up by cluster.
        scores = np.zeros((cells.size, self._partitions.size)).T
        scores[self._other] = others
        for control, one, weight in zip(controls.tolist(), every, weights, strict=True):
            scores[self._treated] += weight * one.treated
            scores[self._partitions.units(control, True)] = weight * one.eligible
            scores[self._partitions.units(control, False)] = weight * one.ineligible
        points = np.stack([one.points for one in every])
        return (weights * points).sum(axis=0), scores

    def _contrast(self, control: int) -> Contrast:
        """The triple difference with one comparison group, in all cells that use it."""
        if control not in self._contrasts:
            try:
                self._contrasts[control] = self._estimated(control)
            except CellProblem as problem:
                self._contrasts[control] = problem
        return found(self._contrasts[control])

    def _estimated(self, control: int) -> Contrast:
        own, own_treated, _ = self._own_comparison()
        cells = np.flatnonzero(self._used[:, control])
        sides = [self._compared(self._partitions.units(control, side), cells) for side in (True, False)]
        (first, first_treated, first_other), (second, second_treated, second_other) = sides
        return Contrast(
            cells,
            own[cells] + first - second,
            own_treated[:, cells] + first_treated - second_treated,
            first_other,
            -second_other,
        )

    def _own_comparison(self) -> tuple[Floats, Floats, Floats]:
        """Eligible against ineligible units of the cohort itself, in every cell."""
        if self._own is None:
            try:
                self._own = self._compared(self._other, np.arange(self._time.size))
            except CellProblem as problem:
                self._own = problem
        return found(self._own)

    def _compared(self, others: Ints, cells: Ints) -> tuple[Floats, Floats, Floats]:
        time, base = self._time[cells], self._base[cells]
        return self._partitions.compare(self._treated, others, self._column, time, base)


def found(known: Known | CellProblem) -> Known:
    """What was estimated; raises the problem that prevented it, each time that it is asked for."""
    if isinstance(known, CellProblem):
        raise known
    return known


def covariance_of(contrasts: Sequence[Contrast], shared: Floats) -> Floats:
    """(k, C, C) covariance of C comparison groups in k cells.

    ``shared`` (k,) are the squared scores of the ineligible units of the cohort, which all have in common.
    """
    treated = np.stack([one.treated.T for one in contrasts], axis=1)
    alone = [(one.eligible**2).sum(axis=0) + (one.ineligible**2).sum(axis=0) for one in contrasts]
    covariance: Floats = treated @ treated.transpose(0, 2, 1) + shared[:, None, None]
    each = np.arange(len(contrasts))
    covariance[:, each, each] += np.stack(alone, axis=1)
    return covariance


def efficient_weights(covariance: Floats) -> Floats:
    """(k, C) weights O^-1 1 / 1' O^-1 1 of C comparison groups with covariance O, for k cells (k, C, C)."""
    scale = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    if not (scale > SINGULAR * scale.max(axis=1, keepdims=True)).all():
        raise CellProblem(NO_VARIANCE)
    units = scale[:, :, None] * scale[:, None, :]
    values, vectors = np.linalg.eigh(covariance / units)
    if not (values[:, 0] > SINGULAR * values[:, -1]).all():
        raise CellProblem("the covariance of the comparison groups is singular, so they cannot be weighted")
    bread = (vectors / values[:, None, :]) @ vectors.transpose(0, 2, 1) / units
    weights: Floats = bread.sum(axis=2) / bread.sum(axis=(1, 2))[:, None]
    return weights
