"""Group-time cells: which are estimated, and from which base period (``cohort_sums`` estimates them).

Callaway & Sant'Anna (2021), Journal of Econometrics 225(2), equations 2.6 and 4.2. Without
covariates

    ATT(g, t) = E[Y_t - Y_b | G = g] - E[Y_t - Y_b | C],

with b the base period of the cell and C the comparison units, so that every cell is a difference
of weighted cohort means, and the influence of unit i on it, divided by N, is

    w_i 1{G_i = g} (D_i - m_g) / W_g  -  w_i 1{i in C} (D_i - m_C) / W_C,   D_i = Y_it - Y_ib.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign


@dataclass(frozen=True, slots=True)
class GroupTimeCells:
    """The K cells (g, t): position of the cohort, columns of period and base period.

    ``reference`` marks cells whose period is their base: zero by construction.
    """

    level: Ints
    time: Ints
    base: Ints
    reference: Bools

    def of(self, level: int) -> Ints:
        """Positions of the estimated cells of one cohort."""
        return np.flatnonzero((self.level == level) & ~self.reference)


def plan_cells(design: ComparisonDesign, base_period: str) -> GroupTimeCells:
    """All cells, by cohort and period.

    The base is the last period before adoption less anticipation; with ``varying`` the cells
    before it use the period just before their own.
    """
    periods = design.panel.periods
    column = np.arange(periods.size)
    parts = []
    for level, cohort in enumerate(design.cohorts):
        before = periods + design.anticipation < cohort
        last = int(np.flatnonzero(before)[-1])
        base = np.full(column.size, last)
        if base_period == "varying":
            base = np.where(before, column - 1, last)
        first = 1 if base_period == "varying" else 0
        parts.append(np.column_stack([np.full(column.size, level), column, base])[first:])
    level, time, base = np.concatenate(parts).T.astype(np.int64)
    return GroupTimeCells(level, time, base, time == base)


def comparison_thresholds(design: ComparisonDesign, cells: GroupTimeCells) -> Floats:
    """(K,) comparison units of a cell adopt after this period."""
    later = np.maximum(cells.time, cells.base)
    return (design.panel.periods[later] + design.anticipation).astype(float)


def comparison_cohorts(design: ComparisonDesign, adoption: Floats, cohort: int, after: Floats) -> Bools:
    """(K, P) whether each of P adoption dates is a comparison in each of K cells of a cohort."""
    if design.comparison == "never_treated":
        return np.broadcast_to(np.isinf(adoption), (after.size, adoption.size))
    later: Bools = (adoption > after[:, None]) & (adoption != cohort)
    return later
