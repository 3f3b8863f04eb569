"""Estimates and variances under random treatment timing, from cohort means and covariances.

Notation of Roth & Sant'Anna (2023): with cohort means Ybar_g and covariances S_g of N_g units,

    theta_0 = sum_g A_g Ybar_g,   X = sum_g A0_g Ybar_g,   theta(beta) = theta_0 - beta X,
    beta* = Var(X)^-1 Cov(X, theta_0)   with   Cov(a, b) = sum_g a_g S_g b_g' / N_g.

``Neyman`` is the variance of theta(beta) by these sums, which leaves out that effects differ
between units and so is too large on average. The adjusted variance (their sigma_**) subtracts the
part of this heterogeneity that outcomes before the first adoption M Y explain:

    (1/N) (sum_g b_g)' Sbar (sum_g b_g),   b_g = (M S_g M')^+ M S_g A_g',
    Sbar the mean of M S_g M' over the cohorts from the first with a weight on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.estimators.design_weights import Cohorts, Weights

# Singular values below this share of the largest count as zero, as in MASS::ginv.
SINGULAR = float(np.sqrt(np.finfo(float).eps))


@dataclass(frozen=True, slots=True)
class Moments:
    """Points and covariances of K estimands and of their X.

    Attributes
    ----------
    level, difference : (K,) theta_0 and X.
    level_variance, cross, difference_variance : (K, K) Cov(theta_0, theta_0), Cov(X, theta_0)
        and Cov(X, X).
    adjustment : (K, K) what the adjusted variance subtracts.

    """

    level: Floats
    difference: Floats
    level_variance: Floats
    cross: Floats
    difference_variance: Floats
    adjustment: Floats

    def efficient_beta(self) -> Floats:
        """(K,) beta*; zero where no cohort has a period before adoption."""
        own, shared = np.diag(self.difference_variance), np.diag(self.cross)
        return np.asarray(np.divide(shared, own, out=np.zeros_like(own), where=own > 0))

    def estimate(self, beta: Floats) -> Floats:
        """(K,) theta(beta)."""
        return self.level - beta * self.difference

    def neyman(self, beta: Floats) -> Floats:
        """(K, K) conservative covariance of theta(beta)."""
        mixed = beta[:, None] * self.cross
        own = np.outer(beta, beta) * self.difference_variance
        return self.level_variance - mixed - mixed.T + own

    def adjusted(self, beta: Floats) -> tuple[Floats, Bools]:
        """(K, K) adjusted covariance, and the (K,) rows for which it is that of Neyman.

        An adjustment that would leave nothing of a variance is not made.
        """
        neyman = self.neyman(beta)
        kept = np.asarray(np.diag(self.adjustment) >= np.diag(neyman))
        return neyman - self.adjustment * np.outer(~kept, ~kept), kept


def moments(y: Floats, found: Cohorts, weights: Weights, codes: Ints) -> Moments:
    """Moments of the estimands when unit i is in cohort ``codes[i]``.

    Parameters
    ----------
    y : (N, T) outcomes without gaps.
    codes : (N,) cohorts; each has as many units as in ``found``.

    """
    rows = y[np.argsort(codes, kind="stable")]
    starts = np.cumsum(found.sizes) - found.sizes
    loadings = np.concatenate([weights.outcome, weights.difference]).transpose(1, 2, 0)
    values = np.empty((len(rows), loadings.shape[2]))
    for start, size, loading in zip(starts, found.sizes, loadings, strict=True):
        np.matmul(rows[start : start + size], loading, out=values[start : start + size])
    mean = np.add.reduceat(values, starts, axis=0) / found.sizes[:, None]
    level, difference = np.split(mean.sum(axis=0), 2)
    values -= np.repeat(mean, found.sizes, axis=0)
    adjustment = adjustments(rows, values[:, : level.size], found, weights, starts)
    values *= np.repeat(1 / np.sqrt(found.sizes * (found.sizes - 1.0)), found.sizes)[:, None]
    spread = values.T @ values
    k = level.size
    return Moments(level, difference, spread[:k, :k], spread[k:, :k], spread[k:, k:], adjustment)


def adjustments(rows: Floats, values: Floats, found: Cohorts, weights: Weights, starts: Ints) -> Floats:
    """(K, K) adjustment of the variance, from (N, T) outcomes and (N, K) values less their means.

    Units are sorted by cohort. M takes the periods before the first cohort of all estimands, so
    that their covariance is one, as in the authors' ``return_full_vcv``; an estimand that a cohort
    without an earlier period is part of has no adjustment.
    """
    n_rows = values.shape[1]
    depth = np.searchsorted(found.periods, found.labels)[weights.earliest]
    chosen = np.flatnonzero(depth > 0)
    adjustment = np.zeros((n_rows, n_rows))
    if not chosen.size:
        return adjustment
    first = int(weights.earliest[chosen].min())
    before = rows[:, : int(depth[chosen].min())]
    inner, cross = pre_treatment_covariances(before, values[:, chosen], found.sizes[first:], starts[first:])
    inverse = np.linalg.pinv(inner, rcond=SINGULAR, hermitian=True)
    slope = np.matmul(inverse, cross).sum(axis=0)
    total = slope.T @ inner.mean(axis=0) @ slope / found.sizes.sum()
    adjustment[np.ix_(chosen, chosen)] = total
    return adjustment


def pre_treatment_covariances(
    before: Floats, values: Floats, sizes: Ints, starts: Ints
) -> tuple[Floats, Floats]:
    """(G', P, P) covariances of earlier outcomes by cohort, and (G', P, K) with the values."""
    depth = before.shape[1]
    inner = np.empty((sizes.size, depth, depth))
    cross = np.empty((sizes.size, depth, values.shape[1]))
    for place, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        own = before[start : start + size]
        own = own - own.mean(axis=0)
        inner[place] = own.T @ own / (size - 1)
        cross[place] = own.T @ values[start : start + size] / (size - 1)
    return inner, cross
