"""Clustered variances, one-way and multiway, and their small-sample correction."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from replication.core.arrays import Floats, Ints
from replication.core.panel import Panel

# A table of all values in a range beats sorting while the range is not much longer.
FEW_VALUES = 16


def sum_by_cluster(scores: Floats, codes: Ints) -> Floats:
    """(G, K) sums of ``scores`` (N, K) over the G clusters in ``codes`` (N,).

    Parameters
    ----------
    scores : (N, K) scores of the units, or (N,).
    codes : (N,) clusters, numbered from 0.

    Returns
    -------
    (G, K) array
        Sums over the units of each cluster.
    """
    groups = int(codes.max()) + 1
    if groups == codes.size:
        ordered = np.empty_like(scores)
        ordered[codes] = scores
        return ordered
    # One entry per column: in this form there is nothing to sort.
    indicator = sparse.csc_array(
        (np.ones(codes.size), codes, np.arange(codes.size + 1)), shape=(groups, codes.size)
    )
    return np.asarray(indicator @ scores)


def small_sample_factor(n_clusters: int, n_obs: int, n_params: int) -> float:
    """``G/(G-1) * (N-1)/(N-K)``, the convention of reghdfe and fixest.

    ``n_params`` (K) leaves out effects that are nested in the clusters
    (``effects.absorbed_parameters``).
    """
    return n_clusters / (n_clusters - 1) * (n_obs - 1) / (n_obs - n_params)


def influence_factor(panel: Panel, small_sample: str) -> float:
    """Factor of the variance of an influence function: G/(G-1), or 1.

    One where the units are the clusters, as in R ``did``, ``did2s`` and ``didimputation``, and
    where ``small_sample`` is ``none``, which gives their numbers with clusters above the units too.
    """
    groups = panel.n_clusters
    counted = small_sample == "clusters" and groups < len(panel.units)
    return groups / (groups - 1) if counted else 1.0


def multiway_variance(scores: Floats, dimensions: Sequence[Ints]) -> Floats:
    """(K, K) variance of Cameron, Gelbach & Miller (2011), without any correction.

    Parameters
    ----------
    scores : (M, K)
        One row per observation, scaled so that the one-way variance is ``S'S`` of the sums.
    dimensions : sequence of (M,) codes
        Clustering dimensions; every intersection enters with alternating sign.
    """
    total = np.zeros((scores.shape[1], scores.shape[1]))
    for size in range(1, len(dimensions) + 1):
        for chosen in itertools.combinations(dimensions, size):
            sums = sum_by_cluster(scores, intersection_codes(chosen))
            total += (-1) ** (size + 1) * sums.T @ sums
    return total


def intersection_codes(dimensions: Sequence[Ints]) -> Ints:
    """Codes 0 .. of the observed combinations of several clusterings."""
    return dimensions[0] if len(dimensions) == 1 else distinct_rows(dimensions)[1]


def distinct_rows(columns: Sequence[Ints]) -> tuple[Ints, Ints]:
    """Distinct rows of several (N,) columns of integers, in ascending order, without sorting rows.

    Returns
    -------
    first : (G,) the first row of each kind
    codes : (N,) the kind of each row, 0 .. G-1
    """
    codes = dense_codes(columns[0])
    for column in columns[1:]:
        other = dense_codes(column)
        codes = dense_codes(codes * (int(other.max()) + 1) + other)
    first = np.empty(int(codes.max()) + 1, dtype=np.int64)
    first[codes[::-1]] = np.arange(codes.size)[::-1]
    return first, codes


def dense_codes(values: Ints) -> Ints:
    """(N,) codes 0 .. G-1 of the distinct values in ascending order."""
    low, high = int(values.min()), int(values.max())
    if high - low > FEW_VALUES * values.size:
        return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)
    place = values - low
    seen = np.zeros(high - low + 1, dtype=bool)
    seen[place] = True
    return (np.cumsum(seen) - 1)[place]


def count_codes(codes: Ints) -> int:
    """Number of distinct codes."""
    return int(np.count_nonzero(np.bincount(codes)))


def order_of_codes(codes: Ints) -> Ints:
    """(N,) places of codes 0 .. G-1 in ascending order, those of equal codes as they come."""
    # Codes of 16 bits or fewer are sorted by counting, in a tenth of the time.
    return np.argsort(codes.astype(np.min_scalar_type(codes.max(initial=0))), kind="stable")


def members_of(codes: Ints, groups: int = 0) -> list[Ints]:
    """Positions of the members of each group, for codes 0 .. G-1; at least ``groups`` of them."""
    return np.split(order_of_codes(codes), np.cumsum(np.bincount(codes, minlength=groups))[:-1])
