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

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.estimators.roth_santanna.design_weights import Cohorts, EstimandWeights

# Singular values below this share of the largest count as zero, as in MASS::ginv.
SINGULAR = float(np.sqrt(np.finfo(float).eps))
ROUNDING = 1e-12
"""Share of a mean below which deviations from it are rounding: their inverse would be as large as nothing
that is measured."""
MOST_NUMBERS = 8_000_000
"""Numbers in the covariances, and in the codes, of the assignments that are computed together."""
IN_CACHE = 64_000
"""Numbers (half a megabyte) that stay in the memory next to the processor from one step to the next."""


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
    return next(drawn_moments(y, loadings, [codes]))


def drawn_moments(y: Floats, loadings: Loadings, drawn: Iterable[Ints]) -> Iterator[EstimandMoments]:
    """Moments under one assignment of the cohorts after the other.

    Parameters
    ----------
    y : (N, T) outcomes without gaps.
    drawn : (N,) cohorts of the units; each has as many units as in the data.
    """
    size = max(1, MOST_NUMBERS // max(loadings.values.shape[2] ** 2, len(y)))
    every = iter(drawn)
    while block := list(itertools.islice(every, size)):
        yield from _block(y, loadings, block)


def _block(y: Floats, loadings: Loadings, drawn: list[Ints]) -> Iterator[EstimandMoments]:
    """Moments under some assignments, cohort by cohort: the products of its loadings with the outcomes of
    all units then stay in the processor's cache for all assignments.
    """
    early, k = loadings.early, loadings.early.chosen.size
    count, cohorts, depth = len(drawn), len(loadings.values), early.depth
    total, spread = np.zeros((count, 2 * k)), np.zeros((count, 2 * k, 2 * k))
    slope, within = np.zeros((count, depth, k)), np.zeros((count, depth, depth))
    for place, (own, units) in enumerate(zip(loadings.values, members_by_draw(drawn, cohorts), strict=True)):
        values = y @ own if count > cohorts else None
        size = units.shape[1]
        inner, cross = np.zeros((count, depth, depth)), np.zeros((count, depth, k))
        step = max(1, IN_CACHE // (size * own.shape[1]))
        for some in (slice(start, start + step) for start in range(0, count, step)):
            part = y[units[some]] @ own if values is None else values.take(units[some], axis=0)
            mean, covariance = cohort_covariances(part, 2 * k)
            total[some] += mean[:, : 2 * k]
            spread[some] += covariance[:, : 2 * k, : 2 * k] / size
            inner[some], cross[some] = covariance[:, 2 * k :, 2 * k :], covariance[:, 2 * k :, :k]
        if place >= early.first:
            slope += np.linalg.pinv(inner, rcond=SINGULAR, hermitian=True) @ cross
            within += inner / (cohorts - early.first)
    both = np.outer(early.chosen, early.chosen) / len(y)
    adjustment = both * (slope.transpose(0, 2, 1) @ within @ slope)
    for own_total, own_spread, own_adjustment in zip(total, spread, adjustment, strict=True):
        yield EstimandMoments(
            own_total[:k],
            own_total[k:],
            own_spread[:k, :k],
            own_spread[k:, :k],
            own_spread[k:, k:],
            own_adjustment,
        )


def members_by_draw(drawn: list[Ints], cohorts: int) -> list[Ints]:
    """(B, N_g) units of each cohort under B assignments, in which it has the same size."""
    # Codes of 16 bits or fewer are sorted by counting, in a tenth of the time.
    codes = np.stack([own.astype(np.min_scalar_type(cohorts)) for own in drawn])
    ends = np.cumsum(np.bincount(drawn[0], minlength=cohorts))[:-1]
    return np.split(np.argsort(codes, axis=1, kind="stable"), ends, axis=1)


def cohort_covariances(part: Floats, early: int) -> tuple[Floats, Floats]:
    """Means and covariances of weighted outcomes, draw by draw.

    Parameters
    ----------
    part : (B, n, F) weighted outcomes of a cohort's units under B assignments; deviations are left in it.
    early : the first of the columns that are periods of the adjustment.

    Returns
    -------
    (B, F) and (B, F, F).
    """
    mean = part.mean(axis=1)
    part -= mean[:, None]
    covariance = part.transpose(0, 2, 1) @ part
    covariance /= part.shape[1] - 1.0
    # Of a period in which all units of the cohort are alike, nothing is left but rounding.
    variance = np.diagonal(covariance, axis1=1, axis2=2)[:, early:]
    varying = variance > (ROUNDING * mean[:, early:]) ** 2
    covariance[:, early:] *= varying[:, :, None]
    covariance[:, :, early:] *= varying[:, None]
    return mean, covariance


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
    values : (G, T, 2K + M) what each cohort's outcomes are multiplied by: the weights of theta_0, those of X,
        and the M periods of the adjustment.
    early : the periods of the adjustment.
    """

    values: Floats
    early: Earlier

    @classmethod
    def of(cls, found: Cohorts, weights: EstimandWeights) -> Loadings:
        """The loadings of K estimands."""
        early = earlier_periods(found, weights)
        k, cohorts, periods = weights.outcome.shape
        values = np.zeros((cohorts, periods, 2 * k + early.depth))
        values[:, :, : 2 * k] = np.concatenate([weights.outcome, weights.difference]).transpose(1, 2, 0)
        values[:, np.arange(early.depth), 2 * k + np.arange(early.depth)] = 1.0
        return cls(values, early)


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
