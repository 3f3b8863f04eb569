"""Group-time cells one comparison at a time: covariates, gaps, and weights that change.

Equal to the sums by cohort (``cohort_sums.CohortSums``) where both apply, and slower. Cells of
a cohort that share comparison units, covariates and weights are estimated together: with a
universal base and covariates that do not change, one propensity score serves all periods after
adoption.

* Covariates are those of the earlier of the two periods (R ``did`` 2.5).
* Weights are those of the earlier period (``fix_weights`` none), of the base period or of the
  first period; with ``varying`` each period's mean has its own weights.
* With gaps, a comparison is over the units observed in both of its periods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.errors import PanelError, SpecError
from replication.core.threads import side_by_side
from replication.estimators.callaway_santanna.cell_plan import (
    GroupTimeCells,
    comparison_cohorts,
    comparison_thresholds,
)
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign, complete_cells
from replication.estimators.callaway_santanna.doubly_robust import (
    ADJUSTMENTS,
    CellProblem,
    Comparison,
    standardized,
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Cells (positions) of one cohort that share units (N,), covariates and weights (columns)."""

    cells: Ints
    own: Bools
    other: Bools
    covariate_column: int
    weight_column: int


def general_scores(
    design: ComparisonDesign, cells: GroupTimeCells, adjustment: str, fix_weights: str
) -> tuple[Floats, Floats, list[str]]:
    """Estimates (K,), scores by cluster (K, C), and why cells could not be estimated."""
    panel = design.panel
    estimate = np.zeros(cells.time.size)
    scores = np.zeros((cells.time.size, panel.n_clusters))
    problems: list[str] = []
    solve = _solver(design, cells, adjustment, fix_weights)

    def of_batch(batch: Batch) -> list[str]:
        """Fill in the cells of a batch; why they could not be estimated."""
        used = batch.own | batch.other
        try:
            estimate[batch.cells], part = solve(batch, used)
        except CellProblem as problem:
            estimate[batch.cells] = np.nan
            return [f"{_named(design, cells, cell)}: {problem}" for cell in batch.cells]
        write_scores(scores, batch.cells, part, panel.cluster[used])
        return []

    size = panel.y.shape[0] * cells.time.size
    for found in side_by_side(of_batch, batches(design, cells, fix_weights), size):
        problems += found
    return estimate, scores, problems


def write_scores(scores: Floats, cells: Ints, part: Floats, cluster: Ints) -> None:
    """Write the scores (n, m) of m cells into those of all cells (K, C), summed by cluster (n,)."""
    for cell, own in zip(cells, part.T, strict=True):
        scores[cell] = np.bincount(cluster, own, scores.shape[1])


def batches(design: ComparisonDesign, cells: GroupTimeCells, fix_weights: str) -> Iterator[Batch]:
    """Cells that can be estimated together, cohort by cohort."""
    panel = design.panel
    complete = complete_cells(panel)
    gaps = not complete.all()
    same_x = first_equal(panel.covariates) if panel.covariates is not None else None
    same_w = first_equal(panel.weight[None])
    after = comparison_thresholds(design, cells)
    for level, cohort in enumerate(design.cohorts):
        own = design.level == level
        groups: dict[tuple[int, ...], list[int]] = {}
        rank = np.searchsorted(np.append(design.cohorts, np.inf), after, side="right")
        for cell in cells.of(level):
            earlier = min(cells.time[cell], cells.base[cell])
            weights = _weight_column(design, cells, cell, fix_weights)
            key = (
                rank[cell] if design.comparison == "not_yet_treated" else 0,
                earlier if same_x is None else same_x[earlier],
                same_w[weights],
                *((cells.time[cell], cells.base[cell]) if gaps else ()),
            )
            groups.setdefault(tuple(int(part) for part in key), []).append(int(cell))
        for (_, column, weights, *pair), members in groups.items():
            seen = complete[:, pair].all(axis=1) if gaps else np.ones(own.size, dtype=bool)
            other = comparison_cohorts(design, design.adoption, int(cohort), after[members[:1]])[0]
            yield Batch(np.array(members), own & seen, other & seen, column, weights)


def _weight_column(design: ComparisonDesign, cells: GroupTimeCells, cell: int, fix_weights: str) -> int:
    if fix_weights == "first_period":
        return 0
    if fix_weights == "base_period":
        before = design.panel.periods + design.anticipation < design.cohorts[cells.level[cell]]
        return int(np.flatnonzero(before)[-1])
    return int(min(cells.time[cell], cells.base[cell]))


def first_equal(values: Floats) -> Ints:
    """(T,) first column of (K, N, T) values that equals the column; missing equals missing."""
    first = np.arange(values.shape[2])
    for column in range(1, first.size):
        for other in np.unique(first[:column]):
            if np.array_equal(values[:, :, column], values[:, :, other], equal_nan=True):
                first[column] = other
                break
    return first


def require_both_sides(weight: Floats, batch: Batch) -> None:
    """A cell needs treated and comparison units with weight (N,)."""
    for name, side in (("treated", batch.own), ("comparison", batch.other)):
        if not weight[side].any():
            raise CellProblem(f"no {name} unit is observed in both periods with a weight")


Solver = Callable[[Batch, Bools], tuple[Floats, Floats]]


def _solver(design: ComparisonDesign, cells: GroupTimeCells, adjustment: str, fix_weights: str) -> Solver:
    """The function that estimates the cells of a batch."""
    panel = design.panel
    # Periods first, so that the units of a period lie side by side.
    outcome, weights = np.ascontiguousarray(panel.y.T), np.ascontiguousarray(panel.weight.T)
    covariates = (
        None if panel.covariates is None else np.ascontiguousarray(panel.covariates.transpose(2, 0, 1))
    )
    if fix_weights == "varying" and covariates is not None:
        raise SpecError(
            "'fix_weights: varying' weights the two periods of a comparison differently, and "
            "then a unit has no one weight in the regression on covariates. Use 'none', "
            "'base_period', or 'first_period', or leave out the covariates."
        )

    def solve(batch: Batch, used: Bools) -> tuple[Floats, Floats]:
        """Estimates and scores of the cells of a batch."""
        require_both_sides(weights[batch.weight_column], batch)
        if fix_weights == "varying":
            return own_period_weights(design, cells, batch, used)
        time, base = cells.time[batch.cells], cells.base[batch.cells]
        units, own = np.flatnonzero(used), batch.own[used]
        change = (outcome[time] - outcome[base]).take(units, axis=1).T
        weight = weights[batch.weight_column].take(units)
        if covariates is None:
            return two_by_two(change, weight, own, ~own)
        x = standardized(covariates[batch.covariate_column].take(units, axis=1).T)
        return ADJUSTMENTS[adjustment](Comparison(change, own, x, weight))

    return solve


def two_by_two(change: Floats, weight: Floats, own: Bools, other: Bools) -> tuple[Floats, Floats]:
    """Differences (k,) of weighted means of the changes (n, k) of two sides, and scores (n, k).

    Cells without weight on a side get a missing estimate and scores of zero.
    """
    estimate, scores = np.zeros(change.shape[1]), np.zeros(change.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        for side, sign in ((own, 1.0), (other, -1.0)):
            share = weight[side] / weight[side].sum()
            mean = share @ change[side]
            estimate += sign * mean
            scores[side] += sign * share[:, None] * (change[side] - mean)
    scores[:, ~np.isfinite(estimate)] = 0.0
    return estimate, scores


def own_period_weights(
    design: ComparisonDesign, cells: GroupTimeCells, batch: Batch, used: Bools
) -> tuple[Floats, Floats]:
    """Difference of means in which each period has its own weights (``fix_weights`` varying)."""
    panel = design.panel
    total, scores = np.zeros(batch.cells.size), np.zeros((int(used.sum()), batch.cells.size))
    for columns, sign in ((cells.time[batch.cells], 1.0), (cells.base[batch.cells], -1.0)):
        level, weight = panel.y[np.ix_(used, columns)], panel.weight[np.ix_(used, columns)]
        estimate = np.zeros(columns.size)
        for side, direction in ((batch.own[used], 1.0), (batch.other[used], -1.0)):
            share = weight * side[:, None] / weight[side].sum(axis=0)
            mean = (share * level).sum(axis=0)
            estimate += direction * mean
            scores += sign * direction * share * (level - mean)
        total += sign * estimate
    return total, scores


def _named(design: ComparisonDesign, cells: GroupTimeCells, cell: int) -> str:
    label = design.panel.label
    cohort = label(design.cohorts[cells.level[cell]])
    return f"cohort {cohort} in period {label(design.panel.periods[cells.time[cell]])}"


def require_some_estimate(estimate: Floats, problems: list[str]) -> None:
    """Refuse where no cell at all could be estimated."""
    if problems and not (np.isfinite(estimate) & (estimate != 0)).any():
        raise PanelError(
            f"None of the {len(problems)} group-time cells can be estimated; for example, {problems[0]}. "
            f"{remedy_of(problems[0])}"
        )


def remedy_of(problem: str) -> str:
    """What to do where cells have a problem."""
    if "collinear" in problem:
        return "Remove covariates until none is a combination of the others."
    if any(word in problem for word in ("propensity", "trimmed")):
        return "Use fewer covariates, or 'adjustment: outcome_regression', which needs no propensity score."
    return "Check the cohort column, the weights, and 'sample'."
