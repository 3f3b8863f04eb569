"""Three-way building blocks of a triple difference, and how comparison groups are combined.

Ortiz-Villavicencio & Sant'Anna (2025), equations 4.8 to 4.12. With S the period in which a unit's
group adopts, Q = 1 for eligible units, b the base period and c a group that has not adopted by t,

    DDD_c(g, t) = DR(g,1 | g,0) + DR(g,1 | c,1) - DR(g,1 | c,0),

where DR(p | q) is the doubly robust difference-in-differences of the change Y_t - Y_b of partition p
against partition q (Sant'Anna & Zhao 2020). Several comparison groups are combined by

    w = O^-1 1 / (1' O^-1 1),    O the covariance of DDD_c(g, t) over c.

Without covariates DDD_c(g, t) = D_g(t) - D_c(t), with D_s the mean change of the eligible units of
group s less that of its ineligible units. Groups are independent, O = V_g 11' + diag(V_c), and
w is proportional to 1 / V_c: no matrix is inverted.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.estimators.callaway_santanna.cell_plan import (
    GroupTimeCells,
    comparison_cohorts,
    comparison_thresholds,
)
from replication.estimators.callaway_santanna.cells_one_by_one import write_scores
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign
from replication.estimators.triple_difference.adjusted_cells import (
    NO_VARIANCE,
    Cell,
    adjusted_blocks,
)
from replication.inference.cluster import sum_by_cluster

ROUNDING = 1e-12
"""Share of the variance of levels below which that of a change is rounding."""


def triple_cells(
    design: ComparisonDesign, cells: GroupTimeCells, eligible: Bools, adjustment: str
) -> tuple[Floats, Floats, list[str]]:
    """Estimates (K,), scores by cluster (K, C), and why cells could not be estimated."""
    estimate = np.zeros(cells.time.size)
    scores = np.zeros((cells.time.size, design.panel.n_clusters))
    problems: list[str] = []
    if design.panel.covariates is None:
        found = mean_blocks(design, cells, eligible, problems)
    else:
        found = adjusted_blocks(design, cells, eligible, adjustment, problems)
    for index, points, parts in found:
        estimate[index] = points
        write_scores(scores, index, parts, design.panel.cluster)
    return estimate, scores, problems


def mean_blocks(
    design: ComparisonDesign, cells: GroupTimeCells, eligible: Bools, problems: list[str]
) -> Iterator[Cell]:
    """Cells without covariates, cohort by cohort: differences of the mean gaps of groups."""
    gaps = MeanGaps(design, eligible)
    adoption = np.append(design.cohorts.astype(float), np.inf)
    after, label = comparison_thresholds(design, cells), design.panel.label
    for group, cohort in enumerate(design.cohorts):
        index = cells.of(group)
        time, base = cells.time[index], cells.base[index]
        precision = gaps.precision(time, base, comparison_cohorts(design, adoption, cohort, after[index]))
        lost = precision.sum(axis=1) == 0
        for period in label(design.panel.periods[time[lost]]):
            problems.append(f"cohort {label(cohort)} in period {period}: {NO_VARIANCE}")
        precision[lost] = np.nan
        factor = -precision / precision.sum(axis=1, keepdims=True)
        factor[:, group] = 1.0
        yield index, *gaps.combined(time, base, factor)


class MeanGaps:
    """Mean of the eligible less that of the ineligible units of each group, by period.

    ``gap`` (S, T) are the differences, ``part`` (T, N) the influence of each unit on that of its own group,
    ``second`` (S, T, T) the sums of its products, so that the variance of a change is second_tt + second_bb
    - 2 second_tb.
    """

    def __init__(self, design: ComparisonDesign, eligible: Bools) -> None:
        self._level, count = design.level, design.cohorts.size + 1
        side, weight = 2 * design.level + eligible, design.panel.unit_weight
        share = weight / np.bincount(side, weight, 2 * count)[side]
        # Without the levels of units, variances of changes keep their digits.
        outcome = design.panel.y - design.panel.y.mean(axis=1, keepdims=True)
        mean = sum_by_cluster(share[:, None] * outcome, side)
        part = np.where(eligible, share, -share)[:, None] * (outcome - mean[side])
        self._gap = mean[1::2] - mean[::2]
        self._second = np.stack([part[design.level == s].T @ part[design.level == s] for s in range(count)])
        # Periods first, so that the units of a period lie side by side.
        self._part = np.ascontiguousarray(part.T)

    def precision(self, time: Ints, base: Ints, used: Bools) -> Floats:
        """(m, S) inverse variance of the change of each group that a cell uses; zero where it has none."""
        second = self._second
        scale = second[:, time, time] + second[:, base, base]
        variance = scale - 2 * second[:, time, base]
        found: Floats = used / np.where(variance > ROUNDING * scale, variance, np.inf).T
        return found

    def combined(self, time: Ints, base: Ints, factor: Floats) -> tuple[Floats, Floats]:
        """Estimates (m,) and scores (N, m) of sums of changes with factors (m, S)."""
        points = (factor * (self._gap[:, time] - self._gap[:, base]).T).sum(axis=1)
        scores = self._part[time] - self._part[base]
        scores *= np.nan_to_num(factor).take(self._level, axis=1)
        return points, scores.T
