"""Rows of a group-time result as linear functions of the clusters: scores, covariance, draws.

A cell is a difference of changes of two means, and an average of cells is a weighted sum of such
means by period. On balanced panels the score of a unit of cohort h on R rows is therefore
``A_h y + c_h w``, with y its T weighted outcomes less the cohort mean and w its weight: the same
(R, T + 1) matrix for all units of the cohort. Covariances then need the second moments of each
cohort only, draws its sums, and no score of any cell is formed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.estimators.callaway_santanna.aggregation import LinearMap
from replication.estimators.callaway_santanna.cohort_sums import BLOCK, CohortSums, Table
from replication.inference.cluster import sum_by_cluster
from replication.inference.multipliers import Factors, drawn_sums


class ScoredRows:
    """Rows whose (R, C) scores are there."""

    def __init__(self, scores: Floats) -> None:
        self._scores = scores
        self.clusters: Ints = np.arange(scores.shape[1])

    def first(self, count: int) -> ScoredRows:
        """The first rows alone."""
        return ScoredRows(self._scores[:count])

    def scores(self) -> Floats:
        """The scores themselves."""
        return self._scores

    def covariance(self) -> Floats:
        """From the scores."""
        return np.asarray(self._scores @ self._scores.T)

    def draws(self, factors: Factors) -> Table:
        """From the scores, in the precision of the factors."""
        return drawn_sums(self._scores, self.clusters, factors)


class CohortRows:
    """Rows on a balanced panel with constant weights and without covariates.

    Parameters
    ----------
    matrices : for each cohort (R, T + 1), see ``influence_loadings``; small-sample factor included.
    """

    def __init__(self, sums: CohortSums, matrices: Sequence[Floats]) -> None:
        self._sums = sums
        self._loadings = matrices
        n_clusters = sums.design.panel.n_clusters
        self.clusters: Ints = sums.cluster if sums.one_each else np.arange(n_clusters)

    def first(self, count: int) -> CohortRows:
        """The first rows alone."""
        if count == len(self._loadings[0]):
            return self
        return CohortRows(self._sums, [matrix[:count] for matrix in self._loadings])

    def scores(self) -> Floats:
        """Cohort by cohort, added up where clusters span cohorts."""
        return self._every_score

    @cached_property
    def _every_score(self) -> Floats:
        """Kept, because the covariance and the draws of a long path both start from it."""
        columns = np.empty((len(self._loadings[0]), self._sums.cluster.size))
        for level, matrix in enumerate(self._loadings):
            np.matmul(matrix, self._sums.centered(level), out=columns[:, self._sums.groups(level)])
        if self._sums.one_each:
            return columns
        return np.ascontiguousarray(sum_by_cluster(columns.T, self._sums.cluster).T)

    def covariance(self) -> Floats:
        """From moments by cohort, where clusters do not span cohorts."""
        sums, size = self._sums, self._loadings[0].shape[1]
        # Cohorts with fewer units than periods are summed faster unit by unit.
        if not sums.one_each or size * len(self._loadings) > sums.cluster.size:
            scores = self.scores()
            return np.asarray(scores @ scores.T)
        moments = (outcomes @ outcomes.T for outcomes in map(sums.centered, range(len(sums.size))))
        half = [matrix @ moment for matrix, moment in zip(self._loadings, moments, strict=True)]
        return np.asarray(np.hstack(half) @ np.hstack(self._loadings).T)

    def draws(self, factors: Factors) -> Table:
        """From sums by cohort, in the precision of the factors."""
        sums = [
            drawn_sums(self._sums.centered(level), self._sums.cluster[self._sums.groups(level)], factors)
            for level in range(len(self._loadings))
        ]
        matrix = np.hstack(self._loadings).astype(factors.dtype)
        drawn: Table = matrix @ np.vstack(sums)
        return drawn


Rows = ScoredRows | CohortRows
"""R rows, small-sample factor included."""


def influence_loadings(sums: CohortSums, rows: LinearMap, factor: float) -> Iterator[Floats]:
    """``A_h`` and ``c_h`` (R, T + 1) of the module's formula, cohort after cohort.

    ``rows`` holds shares (R, K) of the cells and tilts (R, H + 1) of the cohort sizes, which are
    estimated too; ``factor`` is that of the scores. The comparison pools that a cohort is in are
    those that start at or before it and do not leave it out.
    """
    own = _by_period(sums, rows, sums.cells.level, len(sums.size) - 1)
    pool = -_by_period(sums, rows, sums.pool_of, len(sums.pools))
    weight, constant = np.zeros((len(pool), pool.shape[2])), np.zeros(len(pool))
    for level in range(len(sums.size)):
        used, shift = weight, constant
        for place, (first, without) in enumerate(sums.pools):
            if level not in (first, without) or not sums.pool_size[place] > 0:
                continue
            part = pool[:, place] / sums.pool_size[place]
            moved = part @ sums.pool_mean[place]
            if first == level:
                weight, constant = weight + part, constant + moved
                used, shift = used + part, shift + moved
            else:
                used, shift = used - part, shift - moved
        mean = sums.mean[level] if sums.size[level] > 0 else np.zeros(pool.shape[2])
        left = rows.tilt[:, level] - (shift - used @ mean)
        if level < own.shape[1] and sums.size[level] > 0:
            used = used + own[:, level] / sums.size[level]
        yield factor * np.column_stack([used, left])


def _by_period(sums: CohortSums, rows: LinearMap, which: Ints, count: int) -> Floats:
    """(R, count, T) weight of each mean in each row."""
    share, cells, n_periods = rows.share, sums.cells, sums.total.shape[0]
    row = np.repeat(np.arange(share.shape[0]), np.diff(share.indptr))
    cell: Ints = share.indices.astype(np.int64)
    value: Floats = share.data
    start: Ints = (row * count + which[cell]) * n_periods
    place: list[Ints] = [start + cells.time[cell], start + cells.base[cell]]
    moved: list[Floats] = [value, -value]
    if sums.slope is not None:
        trend = (-value * sums.elapsed[cell])[:, None] * sums.slope[cells.level[cell]]
        place.append((start[:, None] + np.arange(n_periods)).ravel())
        moved.append(trend.ravel())
    size = share.shape[0] * count * n_periods
    total = np.bincount(np.concatenate(place), np.concatenate(moved), size)
    return np.asarray(total, dtype=np.float64).reshape(-1, count, n_periods)


def cell_std_errors(sums: CohortSums) -> Floats:
    """(K,) standard errors of the cells, however many there are."""
    if not sums.one_each or sums.slope is not None:
        return _std_errors_of_shared_clusters(sums)
    cells, pool, which = sums.cells, pool_moments(sums), sums.pool_of
    variance = pool[which, cells.time, cells.time] + pool[which, cells.base, cells.base]
    variance -= 2 * pool[which, cells.time, cells.base]
    for level in range(len(sums.size) - 1):
        index = cells.of(level)
        outcomes = sums.centered(level)[:-1]
        change = outcomes[cells.time[index]] - outcomes[cells.base[index]]
        with np.errstate(invalid="ignore", divide="ignore"):
            variance[index] += (change**2).sum(axis=1) / sums.size[level] ** 2
    variance[cells.reference] = 0.0
    return np.sqrt(np.maximum(np.nan_to_num(variance), 0.0))


def _std_errors_of_shared_clusters(sums: CohortSums) -> Floats:
    """The same from the influence of each cluster, some clusters at a time."""
    n_clusters = sums.design.panel.n_clusters
    square = np.zeros(sums.cells.time.size)
    for start in range(0, n_clusters, BLOCK):
        means = sums.influence(np.eye(n_clusters, min(BLOCK, n_clusters - start), -start))
        for level in range(len(means.own)):
            index, scores = sums.cells_of(means, level)
            square[index] += np.nan_to_num((scores**2).sum(axis=1))
    return np.sqrt(square)


def pool_moments(sums: CohortSums) -> Floats:
    """(J, T, T) covariances of the means of each comparison pool by period."""
    size, n_periods = sums.mean.shape
    raw = np.zeros((size, n_periods, n_periods))
    cross, squares = np.zeros((size, n_periods)), np.zeros(size)
    for level in range(size):
        total, mass = sums.total[:, sums.groups(level)], sums.mass[sums.groups(level)]
        raw[level], cross[level], squares[level] = total @ total.T, total @ mass, mass @ mass
    from_here = [np.cumsum(table[::-1], axis=0)[::-1] for table in (raw, cross, squares)]
    moments = np.full((len(sums.pools), n_periods, n_periods), np.nan)
    for place, (first, without) in enumerate(sums.pools):
        if not sums.pool_size[place] > 0:
            continue
        second, linear, square = (table[first] for table in from_here)
        if without >= 0:
            second, linear = second - raw[without], linear - cross[without]
            square = square - squares[without]
        shift = np.outer(linear, sums.pool_mean[place])
        center = square * np.outer(sums.pool_mean[place], sums.pool_mean[place])
        moments[place] = (second - shift - shift.T + center) / sums.pool_size[place] ** 2
    return moments
