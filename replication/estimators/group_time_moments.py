"""Errors of many cells from second moments by cohort, without the score of any cell.

With units as clusters the variance of a cell is a quadratic form in the (T, T) second moments of
its cohort and of its comparison pool, and the scores of the R averages are one matrix product a
cohort. N units, K cells and T periods then cost N T (T + R) operations, not N K, and memory for
N R numbers.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from replication.estimators.aggregation import LinearMap
from replication.estimators.group_time_draws import CohortSums
from replication.results import Floats, Ints


def cell_errors(sums: CohortSums) -> Floats:
    """(K,) standard errors of the cells, units being the clusters."""
    cells = sums.cells
    own, pool = cohort_moments(sums), pool_moments(sums)
    variance = _change(own, cells.level, cells.time, cells.base)
    variance += _change(pool, sums.pool_of, cells.time, cells.base)
    variance[cells.reference] = 0.0
    return np.sqrt(np.maximum(np.nan_to_num(variance), 0.0))


def _change(moments: Floats, which: Ints, time: Ints, base: Ints) -> Floats:
    """(K,) variances of the difference of two entries."""
    total: Floats = moments[which, time, time] + moments[which, base, base]
    return total - 2 * moments[which, time, base]


def cohort_moments(sums: CohortSums) -> Floats:
    """(H, T, T) covariances of the means of each cohort by period."""
    size, n_periods = sums.mean.shape
    moments = np.full((size - 1, n_periods, n_periods), np.nan)
    for level in range(size - 1):
        part = slice(sums.bounds[level], sums.bounds[level + 1])
        if sums.size[level] > 0:
            centred = sums.total[:, part] - np.outer(sums.mean[level], sums.mass[part])
            moments[level] = centred @ centred.T / sums.size[level] ** 2
    return moments


def pool_moments(sums: CohortSums) -> Floats:
    """(J, T, T) covariances of the means of each comparison pool by period."""
    size, n_periods = sums.mean.shape
    raw = np.zeros((size, n_periods, n_periods))
    cross, squares = np.zeros((size, n_periods)), np.zeros(size)
    for level in range(size):
        part = slice(sums.bounds[level], sums.bounds[level + 1])
        total, mass = sums.total[:, part], sums.mass[part]
        raw[level], cross[level], squares[level] = total @ total.T, total @ mass, mass @ mass
    from_here = [np.cumsum(table[::-1], axis=0)[::-1] for table in (raw, cross, squares)]
    moments = np.full((len(sums.pools), n_periods, n_periods), np.nan)
    for place, (first, without) in enumerate(sums.pools):
        if not sums.pool_size[place] > 0:
            continue
        second, line, square = (table[first] for table in from_here)
        if without >= 0:
            second, line = second - raw[without], line - cross[without]
            square = square - squares[without]
        shift = np.outer(line, sums.pool_mean[place])
        centre = square * np.outer(sums.pool_mean[place], sums.pool_mean[place])
        moments[place] = (second - shift - shift.T + centre) / sums.pool_size[place] ** 2
    return moments


def scores_of_averages(sums: CohortSums, averages: LinearMap) -> Floats:
    """(R, C) scores of the averages for given cohort sizes, units being the clusters."""
    n_periods = sums.total.shape[0]
    own = _by_period(sums, averages, sums.cells.level, len(sums.size) - 1)
    pool = -_by_period(sums, averages, sums.pool_of, len(sums.pools))
    scores = np.zeros((averages.share.shape[0], sums.cluster.size))
    weight, constant = np.zeros((len(scores), n_periods)), np.zeros(len(scores))
    for level in range(len(sums.size)):
        for place, (first, _) in enumerate(sums.pools):
            if first == level and sums.pool_size[place] > 0:
                part = pool[:, place] / sums.pool_size[place]
                weight, constant = weight + part, constant + part @ sums.pool_mean[place]
        used, shift = weight, constant
        if level < own.shape[1] and sums.size[level] > 0:
            part = own[:, level] / sums.size[level]
            used, shift = used + part, shift + part @ sums.mean[level]
        for place, (_, without) in enumerate(sums.pools):
            if without == level:
                part = pool[:, place] / sums.pool_size[place]
                used, shift = used - part, shift - part @ sums.pool_mean[place]
        units = slice(sums.bounds[level], sums.bounds[level + 1])
        scores[:, sums.cluster[units]] = used @ sums.total[:, units] - np.outer(
            shift, sums.mass[units]
        )
    return scores


def _by_period(sums: CohortSums, averages: LinearMap, which: Ints, count: int) -> Floats:
    """(R, count, T) weight of each mean in each average."""
    cells, n_periods = sums.cells, sums.total.shape[0]
    number = np.arange(cells.time.size)
    moves = sparse.csr_matrix(
        (
            np.repeat([1.0, -1.0], number.size),
            (np.tile(number, 2), np.concatenate([which * n_periods + cells.time,
                                                 which * n_periods + cells.base])),
        ),
        shape=(number.size, count * n_periods),
    )  # fmt: skip
    dense: Floats = (averages.share @ moves).toarray()
    return dense.reshape(-1, count, n_periods)
