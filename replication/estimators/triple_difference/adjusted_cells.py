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
    inverse,
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
    adoption = np.append(design.cohorts.astype(float), np.inf)
    after, covariates = comparison_thresholds(design, cells), design.panel.covariates
    assert covariates is not None
    same, label = np.asarray(first_equal(covariates)), design.panel.label
    partitions = Partitions(design, eligible, adjustment)
    for group, cohort in enumerate(design.cohorts):
        index = cells.of(group)
        used = comparison_cohorts(design, adoption, int(cohort), after[index])
        column = same[np.minimum(cells.time[index], cells.base[index])]
        for shared in np.unique(column):
            members, theirs = index[column == shared], used[column == shared]
            pairs = Pairs(partitions, group, int(shared), cells.time[members], cells.base[members], theirs)
            for controls in np.unique(theirs, axis=0):
                own = np.flatnonzero((theirs == controls).all(axis=1))
                try:
                    points, parts = pairs.combined(np.flatnonzero(controls), own)
                except CellProblem as problem:
                    when = label(design.panel.periods[cells.time[members[own[0]]]])
                    problems.append(f"cohort {label(cohort)} in period {when} ({own.size} cells): {problem}")
                    points = np.full(own.size, np.nan)
                    parts = np.zeros((eligible.size, own.size))
                yield members[own], points, parts


class Partitions:
    """The eligible and ineligible units of each group, and the outcomes, covariates, and weights of units."""

    def __init__(self, design: ComparisonDesign, eligible: Bools, adjustment: str) -> None:
        panel = design.panel
        assert panel.covariates is not None
        self._side, self._solve = 2 * design.level + eligible, ADJUSTMENTS[adjustment]
        self._outcome, self._weight = np.ascontiguousarray(panel.y.T), panel.unit_weight
        self._covariates = panel.covariates
        self.size = eligible.size

    def units(self, group: int, eligible: bool) -> Ints:
        """Positions of the units of a partition."""
        return np.flatnonzero(self._side == 2 * group + eligible)

    def compare(
        self, treated: Ints, others: Ints, column: int, time: Ints, base: Ints
    ) -> tuple[Floats, Floats, Floats]:
        """Doubly robust differences (m,) of two partitions, and the scores of the units of either."""
        units = np.concatenate([treated, others])
        change = (self._outcome[time][:, units] - self._outcome[base][:, units]).T
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
            shared = (others**2).sum(axis=0)
            weights = np.stack([cell_weights(every, shared, cell) for cell in range(cells.size)], axis=1)
        scores = np.zeros((self._partitions.size, cells.size))
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


def cell_weights(contrasts: Sequence[Contrast], shared: Floats, cell: int) -> Floats:
    """(C,) weights of the comparison groups in one cell.

    ``shared`` (k,) are the squared scores of the ineligible units of the cohort, which all have in common.
    """
    treated = np.stack([one.treated[:, cell] for one in contrasts])
    alone = [(one.eligible[:, cell] ** 2).sum() + (one.ineligible[:, cell] ** 2).sum() for one in contrasts]
    return efficient_weights(treated @ treated.T + shared[cell] + np.diag(alone))


def efficient_weights(covariance: Floats) -> Floats:
    """(C,) weights O^-1 1 / 1' O^-1 1 of C comparison groups with covariance O."""
    scale = np.sqrt(np.diag(covariance))
    if not (scale > SINGULAR * scale.max()).all():
        raise CellProblem(NO_VARIANCE)
    bread = inverse(
        covariance / np.outer(scale, scale),
        "the covariance of the comparison groups is singular, so they cannot be weighted",
    ) / np.outer(scale, scale)
    weights: Floats = bread.sum(axis=1) / bread.sum()
    return weights
