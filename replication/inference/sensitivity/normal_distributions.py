"""Restricted normal distributions: truncated and folded quantiles, boxes, directions on a sphere.

Everything is deterministic: integrals over more than two dimensions use Sobol's sequence, no random
numbers.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import optimize, special

from replication.core.arrays import Floats

POINTS = 14  # a power of two
ANGLES = 1024


def truncated_quantile(p: float, low: Floats, high: Floats) -> Floats:
    """Quantile p of a standard normal cut to [low, high], exact in either tail."""
    flip = low > 0
    a, b = np.where(flip, -high, low), np.where(flip, -low, high)
    below = np.where(flip, p, 1 - p)
    with np.errstate(divide="ignore"):
        share = np.logaddexp(np.log(below) + special.log_ndtr(a), np.log1p(-below) + special.log_ndtr(b))
    value = np.clip(special.ndtri_exp(share), a, b)
    quantile: Floats = np.where(flip, -value, value)
    return quantile


def folded_quantile(p: float, mean: float) -> float:
    """Quantile p of ``|Z + mean|``, Z standard normal."""
    mean = abs(mean)
    low, high = max(mean + special.ndtri(p) - 1, 0.0), mean + special.ndtri((1 + p) / 2) + 1
    return float(optimize.brentq(lambda x: folded_cdf(x, mean) - p, low, high, xtol=1e-13, rtol=1e-13))


def folded_cdf(x: float, mean: float) -> float:
    """``P(|Z + mean| <= x)``."""
    return float(special.ndtr(x - mean) - special.ndtr(-x - mean))


def chi_square_quantile(p: float, freedom: int) -> float:
    """Quantile p of the chi-square distribution, without loading scipy.stats for it."""
    return float(2 * special.gammaincinv(freedom / 2, p))


def chi_square_tail(square: Floats, freedom: int) -> Floats:
    """``P(X > square)`` for a chi-square X with whole degrees of freedom, in an array of any shape.

    The finite sum for whole degrees of freedom (Abramowitz & Stegun 1964, 26.4.4 and 26.4.5) takes a fifth of
    the time of ``scipy.special.chdtrc``, in which confidence sets spent nine tenths of theirs.
    """
    # Far beyond the range of exp, and short of infinity, which times zero would be no number.
    half, odd = np.minimum(square / 2, 1e6), freedom % 2
    term = np.exp(-half)
    tail = np.zeros_like(half)
    if odd:
        root = np.sqrt(half)
        tail, term = special.erfc(root), term * root / special.gamma(1.5)
    for count in range(freedom // 2):
        tail = tail + term
        term = term * half / (count + 1 + odd / 2)
    return tail


@cache
def even_points(dimension: int) -> Floats:
    """(2^POINTS, dimension) points of Sobol's sequence, moved off the faces of the unit cube; read-only."""
    # Few calls need them, and scipy.stats takes a third of a second to load.
    from scipy.stats import qmc

    points: Floats = qmc.Sobol(dimension, scramble=False).random_base2(POINTS)
    points += 0.5 / len(points)
    points.setflags(write=False)
    return points


@cache
def directions(dimension: int) -> Floats:
    """Unit vectors spread evenly over the sphere of ``dimension``; read-only."""
    if dimension == 1:
        unit = np.array([[1.0], [-1.0]])
    elif dimension == 2:
        angle = 2 * np.pi * (np.arange(ANGLES) + 0.5) / ANGLES
        unit = np.column_stack([np.cos(angle), np.sin(angle)])
    else:
        normal = special.ndtri(even_points(dimension))
        unit = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    unit.setflags(write=False)
    return unit


def box_moments(mean: Floats, root: Floats, half: Floats) -> tuple[float, Floats]:
    """Probability that ``X ~ N(mean, root root')`` is in ``|X| <= half``, and E[X] given that.

    Separation of variables (Genz 1992) on even points: the coordinates are drawn one after
    the other from truncated normals, and the products of the truncated masses are the weights.

    Parameters
    ----------
    root : (K, K) lower triangular Cholesky factor.
    """
    u = even_points(mean.size)
    z, weight = np.empty_like(u), np.ones(len(u))
    for k in range(mean.size):
        center = mean[k] + z[:, :k] @ root[k, :k]
        low = special.ndtr((-half[k] - center) / root[k, k])
        mass = special.ndtr((half[k] - center) / root[k, k]) - low
        weight *= mass
        z[:, k] = special.ndtri(np.clip(low + u[:, k] * mass, 1e-300, 1 - 1e-16))
    probability = float(weight.mean())
    return probability, mean + root @ (weight @ z / weight.sum())
