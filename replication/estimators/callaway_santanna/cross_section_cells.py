"""Group-time cells from repeated cross-sections: rows of two periods, one comparison at a time.

Callaway & Sant'Anna (2021), appendix B; R ``did::att_gt(panel = FALSE)``. Clusters should hold the level at
which treatment was assigned; a row that is its own cluster counts as independent of all others.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.errors import PanelError
from replication.estimators.callaway_santanna.cell_plan import GroupTimeCells, comparison_thresholds
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign
from replication.estimators.callaway_santanna.cross_section_adjustment import (
    SECTION_ADJUSTMENTS,
    Sections,
    section_means,
)
from replication.estimators.callaway_santanna.doubly_robust import CellProblem, standardized

MOST_SCORES = 100_000_000
"""Scores of all cells by cluster: 3 GB and 15 seconds."""


def individuals_of(design: ComparisonDesign) -> ComparisonDesign:
    """The individuals whose period is kept, each with its weight in every column.

    Cohorts are sized by the weights of the first column.
    """
    there: Bools = np.asarray(design.panel.observed.any(axis=1))
    design = design if there.all() else design.keep(there)
    panel = design.panel
    own = np.take_along_axis(panel.weight, panel.observed.argmax(axis=1)[:, None], axis=1)
    return replace(design, panel=replace(panel, weight=np.broadcast_to(own, panel.weight.shape)))


def cross_section_scores(
    design: ComparisonDesign, cells: GroupTimeCells, adjustment: str
) -> tuple[Floats, Floats, list[str]]:
    """Estimates (K,), scores by cluster (K, C), and why cells could not be estimated.

    Raises
    ------
    PanelError
        If there are more scores than fit, as where every individual is a cluster.
    """
    require_few_scores(cells.time.size, design.panel.n_clusters)
    people = Individuals(design, adjustment)
    estimate = np.zeros(cells.time.size)
    scores = np.zeros((cells.time.size, design.panel.n_clusters))
    problems, after, label = [], comparison_thresholds(design, cells), design.panel.label
    for cell in np.flatnonzero(~cells.reference):
        level, time, base = int(cells.level[cell]), int(cells.time[cell]), int(cells.base[cell])
        try:
            estimate[cell], index, part = people.cell(level, time, base, float(after[cell]))
        except CellProblem as problem:
            estimate[cell] = np.nan
            when = label(design.panel.periods[time])
            problems.append(f"cohort {label(design.cohorts[level])} in period {when}: {problem}")
            continue
        scores[cell] = np.bincount(design.panel.cluster[index], part, scores.shape[1])
    return estimate, scores, problems


def require_few_scores(cells: int, clusters: int) -> None:
    """Refuse more scores than fit."""
    if cells * clusters > MOST_SCORES:
        raise PanelError(
            f"{cells:,} group-time cells of {clusters:,} clusters take {cells * clusters / 1e6:,.0f} million "
            f"scores; at most {MOST_SCORES // 10**6} million fit. Name the level at which treatment was "
            "assigned in 'cluster': individuals of one state are not independent."
        )


class Individuals:
    """The individuals of a design, by period."""

    def __init__(self, design: ComparisonDesign, adjustment: str) -> None:
        panel = design.panel
        column = panel.observed.argmax(axis=1)
        each = np.arange(column.size)
        order = np.argsort(column, kind="stable")
        ends = np.cumsum(np.bincount(column, minlength=panel.periods.size))
        self._of_period: list[Ints] = np.split(order, ends[:-1])
        self._design, self._solve = design, SECTION_ADJUSTMENTS[adjustment]
        y, self._weight = panel.y[each, column], panel.weight[each, column]
        # A level common to all changes nothing but digits; a constant outcome becomes exactly zero.
        self._y = (y - y[0]) - (y - y[0]).mean()
        self._x = None if panel.covariates is None else panel.covariates[:, each, column].T

    def cell(self, level: int, time: int, base: int, after: float) -> tuple[float, Ints, Floats]:
        """Estimate, the n rows of one comparison, and their scores (n,)."""
        design = self._design
        index = np.concatenate([self._of_period[base], self._of_period[time]])
        adoption, treated = design.adoption[index], design.level[index] == level
        never = design.comparison == "never_treated"
        used = treated | (np.isinf(adoption) if never else adoption > after)
        later = np.repeat([False, True], [self._of_period[base].size, self._of_period[time].size])[used]
        index, treated = index[used], treated[used]
        self._require_four(treated, later, self._weight[index])
        y, weight = self._y[index], self._weight[index]
        if self._x is None:
            estimate, part = section_means(Sections(y, y[:, None], weight, treated, later))
        else:
            x = standardized(self._x[index])
            estimate, part = self._solve(Sections(y, x, weight, treated, later))
        return estimate, index, part

    def _require_four(self, treated: Bools, later: Bools, weight: Floats) -> None:
        size = np.bincount(2 * treated + later, weight, 4)
        if not (size > 0).all():
            side, when = divmod(int(np.argmin(size)), 2)
            who, where = ("treated" if side else "comparison"), ("period" if when else "base period")
            raise CellProblem(f"there are no {who} rows in the {where}")
