r"""Tests of moment inequalities with linear nuisance parameters, and their confidence sets.

Andrews, Roth & Pakes (2023, Review of Economic Studies 90(6)) as used by Rambachan & Roth (2023,
Review of Economic Studies 90(5), section 3 and Appendix D). Under the restriction, for some effects
:math:`\tau` with :math:`l'\tau = \theta`,

.. math:: |D_t \delta| \le \kappa(\delta), \quad t = 1..T, \qquad \delta = \beta - (0, \tau),

with :math:`\kappa(\delta) = \bar M v'\delta` (relative magnitudes) or :math:`M` (smoothness). The
statistic is the linear program
:math:`\hat\eta(\theta) = \min_{\eta, \tau} \eta` subject to every inequality being violated by at
most :math:`\eta` standard deviations. General software solves it anew, with its dual, at every
:math:`\theta` of a grid. Here the dual can be written down: its extreme rays are

* :math:`c = D_{post}^{-T} l` with the signs of the inequalities that c selects, which is the
  largest effect that the restriction allows, minus :math:`\theta`;
* the same with all signs reversed;
* both inequalities of one t, which says :math:`-2 \kappa \le 0`;

scaled so that they weigh the standard deviations to one. So :math:`\hat\eta` is a maximum of a
few linear functions of :math:`\theta`, the truncation points of the conditional test are ratios of
them, and no solver is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from replication.core.arrays import Bools, Floats, Ints
from replication.inference.sensitivity.normal_distributions import (
    chi_square_tail,
    directions,
    truncated_quantile,
)

GRID = 121
ZOOM = 201
ROUNDS = 3
TINY = 1e-12


@dataclass(frozen=True, slots=True)
class MomentInequalities:
    r"""J inequalities ``loading beta - slope theta - offset <= 0``, scaled.

    Attributes
    ----------
    loading : (J, K)
    slope, offset : (J,)
    """

    loading: Floats
    slope: Floats
    offset: Floats


@dataclass(frozen=True, slots=True)
class Restriction:
    r"""``|differences delta| <= slack' delta + bound``, and ``rows delta <= bound`` besides.

    Attributes
    ----------
    differences : (T, K) one row per period after the reference, invertible on its last T columns.
    slack : (K,) zero after the reference.
    rows : (R, K) further inequalities that involve no period after the reference.
    """

    differences: Floats
    slack: Floats
    bound: float
    rows: Floats


def dual_rays(restriction: Restriction, weights: Floats, variance: Floats) -> MomentInequalities:
    """Extreme rays of the dual, for the target ``weights`` (T,)."""
    differences, slack, bound = restriction.differences, restriction.slack, restriction.bound
    above, below = differences - slack, -differences - slack
    sd_above, sd_below = _sd(above, variance), _sd(below, variance)
    c = np.linalg.solve(differences[:, -weights.size :].T, weights)
    rise, fall, size = np.maximum(c, 0), np.maximum(-c, 0), np.abs(c).sum()
    loading = np.vstack(
        [rise @ above + fall @ below, rise @ below + fall @ above, above + below, restriction.rows]
    )
    scale = np.concatenate(
        [
            [rise @ sd_above + fall @ sd_below, rise @ sd_below + fall @ sd_above],
            sd_above + sd_below,
            _sd(restriction.rows, variance),
        ]
    )
    flat = np.zeros(len(loading) - 2)
    slope = np.concatenate([[1.0, -1.0], flat])
    offset = np.concatenate([[size, size], np.full(weights.size, 2.0), flat[weights.size :] + 1])
    kept = scale > TINY * scale.max()
    loading, slope, offset, scale = loading[kept], slope[kept], offset[kept], scale[kept]
    return MomentInequalities(loading / scale[:, None], slope / scale, bound * offset / scale)


def least_favorable_value(found: MomentInequalities, variance: Floats, size: float) -> float:
    """Quantile ``1 - size`` of the largest of the J moments when all of them bind.

    With ``R`` the radius and ``u`` the direction of the normal vector behind the moments, the
    tail is ``E_u P(R > c / h(u))`` with ``h`` the largest moment in direction ``u``, and ``R^2``
    is chi-squared: one smooth average instead of simulated draws.
    """
    covariance = found.loading @ variance @ found.loading.T
    values, vectors = np.linalg.eigh(covariance)
    kept = values > 1e-10 * values.max()
    root = vectors[:, kept] * np.sqrt(values[kept])
    rank = int(kept.sum())
    reach = (directions(rank) @ root.T).max(axis=1)
    reach, share = reach[reach > 0], (reach > 0).mean()
    if not share > size:
        return 0.0

    # Two bounds on the quantile: that of the moment with the largest variance, and Bonferroni or Scheffe.
    sd = np.sqrt(np.diag(covariance).max())
    least = -sd * special.ndtri(size)
    most = min(
        -sd * special.ndtri(size / len(covariance)), np.sqrt(special.chdtri(rank, size) * values.max())
    )

    def excess(part: float) -> float:
        """Log of the probability beyond the root of ``part most^2``, less that of the size."""
        tail = chi_square_tail(part * (most / reach) ** 2, rank).mean() * share
        return float(np.log(tail / size))

    # The logarithm is almost linear in the square: the secant method needs five evaluations.
    start = {"x0": min(least / most, 1.0) ** 2, "x1": 1.001}
    part = optimize.root_scalar(excess, method="secant", xtol=1e-13, rtol=1e-13, **start).root
    return float(most * np.sqrt(part))


def accepted_values(
    found: MomentInequalities,
    estimate: Floats,
    variance: Floats,
    theta: Floats,
    size: float,
    first: float,
    critical: float,
) -> Bools:
    """(n,) whether the test keeps each ``theta``.

    Parameters
    ----------
    size, first : size of the test, and of its first (least favorable) stage; 0 for none.
    critical : critical value of the first stage; infinite for none.
    """
    value = (found.loading @ estimate - found.offset)[:, None] - found.slope[:, None] * theta
    binding = value.argmax(axis=0)
    eta = value[binding, np.arange(theta.size)]
    covariance = found.loading @ variance @ found.loading.T
    own = np.diag(covariance)[binding]
    moving = own > TINY * max(float(np.diag(covariance).max()), np.finfo(float).tiny)
    sd = np.sqrt(np.where(moving, own, 1.0))
    low, high = _truncation(value, covariance[:, binding] / sd**2, eta)
    high = np.minimum(high, critical)
    inside = (low <= eta) & (eta <= high)
    quantile = truncated_quantile(1 - (size - first) / (1 - first), low / sd, high / sd)
    rejected = inside & (eta / sd > np.maximum(quantile, 0.0))
    kept: Bools = ~np.where(moving, rejected, eta > 0) & (eta <= critical)
    return kept


def confidence_set(
    found: Sequence[MomentInequalities], estimate: Floats, variance: Floats, level: float
) -> tuple[float, float]:
    """Smallest interval around all ``theta`` that one of the restrictions ``found`` keeps.

    The conditional test with a least favorable first stage of size ``(1 - level) / 10`` (the
    hybrid C-LF of the paper). NaN if nothing is kept.
    """
    searches = [_search(one, estimate, variance, 1 - level) for one in found]
    kept = [one for one in searches if one is not None]
    if not kept:
        return np.nan, np.nan
    return _end(kept, 0, -1), _end(kept, -1, 1)


@dataclass(frozen=True, slots=True)
class _Search:
    """The test of one restriction, and a grid with the places of the values that it keeps."""

    accepted: Callable[[Floats], Bools]
    grid: Floats
    kept: Ints

    def bracket(self, which: int, outward: int) -> tuple[float, float]:
        """The first or last value that is kept, and its neighbor outward."""
        place = int(self.kept[which])
        return float(self.grid[place]), float(self.grid[min(max(place + outward, 0), GRID - 1)])


def _search(found: MomentInequalities, estimate: Floats, variance: Floats, size: float) -> _Search | None:
    """The values on a grid that one restriction keeps; None if there are none."""
    first = size / 10
    critical = least_favorable_value(found, variance, first)
    constant = found.loading @ estimate - found.offset
    if (constant[found.slope == 0] > critical).any():
        return None
    up, down = found.slope > 0, found.slope < 0
    low = float(((constant - critical)[up] / found.slope[up]).max())
    high = float(((constant - critical)[down] / found.slope[down]).min())
    if low > high:
        return None

    def accepted(theta: Floats) -> Bools:
        """Whether the test keeps each ``theta``."""
        return accepted_values(found, estimate, variance, theta, size, first, critical)

    grid = np.linspace(low, high, GRID)
    kept = np.flatnonzero(accepted(grid))
    return _Search(accepted, grid, kept) if kept.size else None


def _end(searches: Sequence[_Search], which: int, outward: int) -> float:
    """The outermost value that one of the restrictions keeps, of those whose bracket can hold it."""
    brackets = [one.bracket(which, outward) for one in searches]
    farthest = max(outward * inner for inner, _ in brackets)
    ends = [
        _refined(one.accepted, *bracket)
        for one, bracket in zip(searches, brackets, strict=True)
        if outward * bracket[1] >= farthest
    ]
    return outward * max(outward * end for end in ends)


def _refined(accepted: Callable[[Floats], Bools], inner: float, outer: float) -> float:
    """The value next to ``outer`` that is kept, on ever finer grids from ``inner`` on, which is kept."""
    for _ in range(ROUNDS if inner != outer else 0):
        finer = np.linspace(inner, outer, ZOOM)
        last = int(np.flatnonzero(accepted(finer)).max())
        inner, outer = float(finer[last]), float(finer[min(last + 1, ZOOM - 1)])
    return inner


def _truncation(value: Floats, regression: Floats, eta: Floats) -> tuple[Floats, Floats]:
    """Range of the binding moment in which it stays the largest, given the rest."""
    gap = 1 - regression
    free = np.abs(gap) > 1e-9
    ratio = (value - regression * eta) / np.where(free, gap, 1.0)
    low: Floats = np.where(free & (gap > 0), ratio, -np.inf).max(axis=0)
    high: Floats = np.where(free & (gap < 0), ratio, np.inf).min(axis=0)
    # The binding moment is its own limit but for rounding.
    return np.minimum(low, eta), np.maximum(high, eta)


def _sd(rows: Floats, variance: Floats) -> Floats:
    sd: Floats = np.sqrt(np.maximum(np.einsum("ik,kl,il->i", rows, variance, rows), 0.0))
    return sd
