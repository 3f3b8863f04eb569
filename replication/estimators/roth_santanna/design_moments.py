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
from replication.estimators.roth_santanna.design_weights import Cohorts, EstimandWeights
from replication.inference.cluster import members_of

# Singular values below this share of the largest count as zero, as in MASS::ginv.
SINGULAR = float(np.sqrt(np.finfo(float).eps))


@dataclass(frozen=True, slots=True)
class EstimandMoments:
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


def estimand_moments(y: Floats, loadings: Loadings, codes: Ints) -> EstimandMoments:
    """Moments of the estimands when unit i is in cohort ``codes[i]``.

    Parameters
    ----------
    y : (N, T) outcomes without gaps.
    codes : (N,) cohorts; each has as many units as in the data.
    """
    early, k = loadings.early, loadings.early.chosen.size
    total, spread = np.zeros(2 * k), np.zeros((2 * k, 2 * k))
    inner, cross = [], []
    members = members_of(codes, len(loadings.values))
    # Cohort by cohort everything stays in the processor's cache, which is twice as fast as whole
    # matrices.
    for place, (units, loading) in enumerate(zip(members, loadings.values, strict=True)):
        own = y.take(units, axis=0)
        mean = own.mean(axis=0)
        own -= mean
        values = own @ loading
        total += mean @ loading
        spread += values.T @ values / (units.size * (units.size - 1.0))
        if place >= early.first:
            before = own[:, : early.depth].T / (units.size - 1.0)
            inner.append(before @ own[:, : early.depth])
            cross.append(before @ values[:, :k])
    adjustment = adjustment_of(inner, cross, early, y.shape[0])
    return EstimandMoments(total[:k], total[k:], spread[:k, :k], spread[k:, :k], spread[k:, k:], adjustment)


@dataclass(frozen=True, slots=True)
class Earlier:
    """Periods before the first cohort of the estimands, which the adjustment uses.

    ``first`` is the place of that cohort, ``depth`` the number of periods, and ``chosen`` (K,)
    whether an estimand has an adjustment.
    """

    first: int
    depth: int
    chosen: Bools


@dataclass(frozen=True, slots=True)
class Loadings:
    """Weights of a design in the layout that its moments use, whatever the assignment.

    Attributes
    ----------
    values : (G, T, 2K) weights of theta_0 and then of X on the outcomes of each cohort.
    early : the periods of the adjustment.
    """

    values: Floats
    early: Earlier

    @classmethod
    def of(cls, found: Cohorts, weights: EstimandWeights) -> Loadings:
        """The loadings of K estimands."""
        values = np.concatenate([weights.outcome, weights.difference]).transpose(1, 2, 0)
        return cls(np.ascontiguousarray(values), earlier_periods(found, weights))


def earlier_periods(found: Cohorts, weights: EstimandWeights) -> Earlier:
    """The periods M Y of the adjustment.

    They come before the first cohort of all estimands, so that the covariance of all is one, as in
    the authors' ``return_full_vcv``. An estimand that a cohort without an earlier period is part of
    has no adjustment; a lead, which leaves such a cohort out, has one (their g_min is that of the row).
    """
    depth = np.searchsorted(found.periods, found.labels)[weights.earliest]
    chosen = np.asarray(depth > 0)
    if not chosen.any():
        return Earlier(found.labels.size, 0, chosen)
    return Earlier(int(weights.earliest[chosen].min()), int(depth[chosen].min()), chosen)


def adjustment_of(inner: list[Floats], cross: list[Floats], early: Earlier, n_units: int) -> Floats:
    """(K, K) adjustment, from M S_g M' and M S_g A_g' of the cohorts from the first one on."""
    both = np.outer(early.chosen, early.chosen)
    if not inner:
        return np.zeros(both.shape)
    stacked = np.stack(inner)
    inverse = np.linalg.pinv(stacked, rcond=SINGULAR, hermitian=True)
    slope = np.matmul(inverse, np.stack(cross)).sum(axis=0)
    return np.asarray(both * (slope.T @ stacked.mean(axis=0) @ slope / n_units))
