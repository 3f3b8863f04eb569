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
from replication.inference.cluster import sum_by_cluster

NO_VARIANCE = "the change of the comparison groups has no variance, by which they are weighted"

ROUNDING = 1e-12
"""Share of the variance of levels below which that of a change is rounding."""

Cell = tuple[Ints, Floats, Floats]
"""Positions of m cells, their estimates (m,) and scores (N, m)."""


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
        scores[index] = sum_by_cluster(parts, design.panel.cluster).T
    return estimate, scores, problems


def mean_blocks(
    design: ComparisonDesign, cells: GroupTimeCells, eligible: Bools, problems: list[str]
) -> Iterator[Cell]:
    """Cells without covariates, cohort by cohort: differences of the mean gaps of groups.

    ``gap`` (S, T) is the mean of the eligible less that of the ineligible units of each group,
    ``part`` (N, T) the influence of each unit on the gap of its own group, ``second`` (S, T, T) the
    sums of its products, so that the variance of a change is second_tt + second_bb - 2 second_tb.
    """
    level, count = design.level, design.cohorts.size + 1
    side = 2 * level + eligible
    weight = design.panel.unit_weight
    share = weight / np.bincount(side, weight, 2 * count)[side]
    # Without the levels of units, variances of changes keep their digits.
    outcome = design.panel.y - design.panel.y.mean(axis=1, keepdims=True)
    mean = sum_by_cluster(share[:, None] * outcome, side)
    part = np.where(eligible, share, -share)[:, None] * (outcome - mean[side])
    gap = mean[1::2] - mean[::2]
    second = np.stack([part[level == group].T @ part[level == group] for group in range(count)])
    adoption = np.append(design.cohorts.astype(float), np.inf)
    after, label = comparison_thresholds(design, cells), design.panel.label
    for group in range(count - 1):
        index = cells.of(group)
        time, base = cells.time[index], cells.base[index]
        used = comparison_cohorts(design, adoption, design.cohorts[group], after[index])
        scale = second[:, time, time] + second[:, base, base]
        variance = scale - 2 * second[:, time, base]
        precision = used / np.where(variance > ROUNDING * scale, variance, np.inf).T
        cohort = f"cohort {label(design.cohorts[group])} in period"
        unweighted = label(design.panel.periods[time[precision.sum(axis=1) == 0]])
        problems += [f"{cohort} {period}: {NO_VARIANCE}" for period in unweighted]
        precision[precision.sum(axis=1) == 0] = np.nan
        combined = precision / precision.sum(axis=1, keepdims=True)
        change = (gap[:, time] - gap[:, base]).T
        points = change[:, group] - (combined * change).sum(axis=1)
        factor = -combined
        factor[:, group] = 1.0
        yield index, points, np.nan_to_num(factor.T[level] * (part[:, time] - part[:, base]))


def adjusted_blocks(
    design: ComparisonDesign, cells: GroupTimeCells, eligible: Bools, adjustment: str, problems: list[str]
) -> Iterator[Cell]:
    """Cells with covariates; those of a cohort that share covariates and comparison groups together."""
    adoption = np.append(design.cohorts.astype(float), np.inf)
    after, covariates = comparison_thresholds(design, cells), design.panel.covariates
    assert covariates is not None
    same = first_equal(covariates)
    for group, cohort in enumerate(design.cohorts):
        index = cells.of(group)
        used = comparison_cohorts(design, adoption, int(cohort), after[index])
        column = np.asarray(same)[np.minimum(cells.time[index], cells.base[index])]
        keys, which = np.unique(np.column_stack([used, column]), axis=0, return_inverse=True)
        for place, key in enumerate(keys):
            members = index[which.ravel() == place]
            try:
                solver = Block(design, eligible, adjustment, cells, members, int(key[-1]))
                points, parts = solver.combined(group, np.flatnonzero(key[:-1]))
            except CellProblem as problem:
                label = design.panel.label
                when = label(design.panel.periods[cells.time[members[0]]])
                problems.append(f"cohort {label(cohort)} in period {when} ({members.size} cells): {problem}")
                yield members, np.full(members.size, np.nan), np.zeros((eligible.size, members.size))
                continue
            yield members, points, parts


class Block:
    """m cells of one cohort that share comparison groups and covariates."""

    def __init__(
        self,
        design: ComparisonDesign,
        eligible: Bools,
        adjustment: str,
        cells: GroupTimeCells,
        members: Ints,
        column: int,
    ) -> None:
        panel = design.panel
        assert panel.covariates is not None
        self._level, self._eligible, self._solve = design.level, eligible, ADJUSTMENTS[adjustment]
        self._change = panel.y[:, cells.time[members]] - panel.y[:, cells.base[members]]
        self._x, self._weight = panel.covariates[:, :, column].T, panel.unit_weight

    def combined(self, group: int, controls: Ints) -> tuple[Floats, Floats]:
        """Estimates (m,) and scores (N, m) over the comparison groups ``controls``."""
        own, own_scores = self._difference(group, (group, False))
        points, scores = [], []
        for control in controls:
            first, first_scores = self._difference(group, (int(control), True))
            second, second_scores = self._difference(group, (int(control), False))
            points.append(own + first - second)
            scores.append(own_scores + first_scores - second_scores)
        if len(points) == 1:
            return points[0], scores[0]
        table, stack = np.stack(points), np.stack(scores)
        weights = np.stack([efficient_weights(stack[:, :, cell]) for cell in range(table.shape[1])], axis=1)
        return (weights * table).sum(axis=0), np.einsum("cm,cnm->nm", weights, stack)

    def _difference(self, group: int, other: tuple[int, bool]) -> tuple[Floats, Floats]:
        treated = (self._level == group) & self._eligible
        used = treated | ((self._level == other[0]) & (self._eligible == other[1]))
        data = Comparison(self._change[used], treated[used], standardized(self._x[used]), self._weight[used])
        points, parts = self._solve(data)
        scores = np.zeros(self._change.shape)
        scores[used] = parts
        return points, scores


def efficient_weights(scores: Floats) -> Floats:
    """(C,) weights O^-1 1 / 1' O^-1 1 from the scores (C, N) of C comparison groups."""
    covariance = scores @ scores.T
    scale = np.sqrt(np.diag(covariance))
    if not (scale > SINGULAR * scale.max()).all():
        raise CellProblem(NO_VARIANCE)
    bread = inverse(
        covariance / np.outer(scale, scale),
        "the covariance of the comparison groups is singular, so they cannot be weighted",
    ) / np.outer(scale, scale)
    weights: Floats = bread.sum(axis=1) / bread.sum()
    return weights
