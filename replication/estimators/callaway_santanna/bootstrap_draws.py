"""Bootstrap of cells and averages: multipliers of the scores, and clusters drawn with replacement.

What is kept of the multiplier draws is that of each average, the largest absolute t-value among the cells,
and where asked for the interquartile range of each cell. Where cells are many, those of a cohort
are drawn, looked at and let go before the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.spec import Inference
from replication.core.threads import side_by_side
from replication.estimators.callaway_santanna.aggregation import LinearMap, Plan, average_points
from replication.estimators.callaway_santanna.cohort_sums import BLOCK, CohortSums, Table
from replication.estimators.callaway_santanna.influence import CohortRows, Rows
from replication.inference.bands import interquartile_std_errors
from replication.inference.multipliers import cluster_factors, drawn_sums


@dataclass(frozen=True, slots=True)
class Drawn:
    """Draws of the averages (R, B), largest t-value of the cells (B,) and their standard errors (K,)."""

    averages: Table
    largest: Floats
    cell_std_error: Floats


def draw_rows(every: Rows, cell_std_error: Floats, n_clusters: int, inference: Inference) -> Drawn:
    """Draws of the averages and of the cells (K,) that follow them, at once.

    Parameters
    ----------
    cell_std_error : (K,) analytic standard errors; ``inference.method == "multiplier"`` replaces them by the
        interquartile range of the draws over that of the normal distribution.
    """
    precision = np.float32 if isinstance(every, CohortRows) else np.float64
    draws = every.draws(cluster_factors(n_clusters, inference, precision))
    count = len(draws) - cell_std_error.size
    std_errors, largest = _looked_at(draws[count:], cell_std_error, inference)
    return Drawn(draws[:count], largest, std_errors)


def draw_many(
    sums: CohortSums, averages: LinearMap, cell_std_error: Floats, n_clusters: int, inference: Inference
) -> Drawn:
    """The same without all draws of all cells at once; no small-sample factor."""
    means = sums.influence(cluster_factors(n_clusters, inference, np.float32))
    drawn = averages.tilt @ means.mass
    largest, std_errors = np.zeros(inference.draws), cell_std_error.copy()

    def of_cohort(level: int) -> tuple[Ints, Table, Floats, Floats]:
        """Cells of a cohort, their part of the averages, standard errors, and largest t-values."""
        index, values = sums.cells_of(means, level)
        part = averages.share[:, index] @ values
        return index, part, *_looked_at(values, cell_std_error[index], inference)

    for index, part, std_error, value in side_by_side(
        of_cohort, range(len(means.own)), n_clusters * inference.draws
    ):
        drawn += part
        std_errors[index] = std_error
        np.maximum(largest, value, out=largest)
    return Drawn(drawn, largest, std_errors)


def draw_scores(
    scores: Floats, averages: Rows, cell_std_error: Floats, factor: float, inference: Inference
) -> Drawn:
    """The same from the (K, C) scores of the cells, of which no other copy is made.

    ``factor`` is that of the scores, already in the averages and the standard errors.
    """
    n_clusters = scores.shape[1]
    factors = cluster_factors(n_clusters, inference, np.float32)
    drawn = averages.draws(factors)
    cells = drawn_sums(scores, np.arange(n_clusters), factors)
    cells *= factors.dtype.type(factor)
    std_errors, largest = _looked_at(cells, cell_std_error, inference)
    return Drawn(drawn, largest, std_errors)


def cluster_draws(sums: CohortSums, plan: Plan, inference: Inference) -> Floats:
    """(B, R + K) averages and cells in B resamples of the clusters, the procedure redone."""
    cells, blocks = sums.cells, []
    for counts in resampling_counts(sums.design.panel.n_clusters, inference):
        means = sums.reweighted(np.ascontiguousarray(counts.T))
        estimate = np.zeros((cells.time.size, len(counts)))
        for level in range(len(means.own)):
            index, values = sums.cells_of(means, level)
            estimate[index] = values
        averages = average_points(plan, cells.level, estimate.T, means.mass.T)
        blocks.append(np.concatenate([averages, estimate.T], axis=1))
    return np.concatenate(blocks)


def resampling_counts(n_clusters: int, inference: Inference) -> Iterator[Floats]:
    """Blocks of (B, C) counts: how often each cluster is in a resample of C clusters."""
    rng = np.random.default_rng(inference.seed)
    share = np.full(n_clusters, 1.0 / n_clusters)
    for start in range(0, inference.draws, BLOCK):
        size = min(BLOCK, inference.draws - start)
        yield rng.multinomial(n_clusters, share, size=size).astype(float)


def _looked_at(values: Table, std_error: Floats, inference: Inference) -> tuple[Floats, Floats]:
    """Standard errors (k,) of cells, and (B,) largest t-values of their draws (k, B); unknown ones are 0.

    The draws become t-values in place.
    """
    known = np.isfinite(std_error) & (std_error > 0)
    values[~known] = 0.0
    if inference.method == "multiplier":
        std_error = np.where(known, interquartile_std_errors(values.T), std_error)
    scale = np.where(known, std_error, np.inf).astype(values.dtype)
    if not known.any():
        return std_error, np.zeros(values.shape[1])
    values /= scale[:, None]
    return std_error, np.abs(values, out=values).max(axis=0)
