"""Normal laws that are cut off: truncated and folded quantiles, boxes, directions on a sphere.

Everything is deterministic: integrals over more than two dimensions use the rank-one lattice with
generators sqrt(prime) (Richtmyer), not random numbers.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize, special

from replication.results import Floats

PRIMES = np.array([
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193,
    197, 199, 211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271, 277, 281, 283, 293, 307,
    311, 313, 317, 331, 337, 347, 349, 353, 359, 367, 373, 379, 383, 389, 397, 401, 409, 419, 421,
])  # fmt: skip
LATTICE = 16381
ANGLES = 1024


def truncated_quantile(p: float, low: Floats, high: Floats) -> Floats:
    """Quantile p of a standard normal cut to [low, high], exact in either tail."""
    flip = low > 0
    a, b = np.where(flip, -high, low), np.where(flip, -low, high)
    below = np.where(flip, p, 1 - p)
    with np.errstate(divide="ignore"):
        share = np.logaddexp(
            np.log(below) + special.log_ndtr(a), np.log1p(-below) + special.log_ndtr(b)
        )
    value = np.clip(special.ndtri_exp(share), a, b)
    quantile: Floats = np.where(flip, -value, value)
    return quantile


def folded_quantile(p: float, mean: float) -> float:
    """Quantile p of ``|Z + mean|``, Z standard normal."""
    mean = abs(mean)
    low, high = max(mean + special.ndtri(p) - 1, 0.0), mean + special.ndtri((1 + p) / 2) + 1
    return float(
        optimize.brentq(lambda x: folded_cdf(x, mean) - p, low, high, xtol=1e-13, rtol=1e-13)
    )


def folded_cdf(x: float, mean: float) -> float:
    """``P(|Z + mean| <= x)``."""
    return float(special.ndtr(x - mean) - special.ndtr(-x - mean))


def lattice(dimension: int) -> Floats:
    """(LATTICE, dimension) points that fill the unit cube evenly, folded to be periodic."""
    points = (np.arange(1, LATTICE + 1)[:, None] * np.sqrt(PRIMES[:dimension])) % 1.0
    folded: Floats = np.clip(np.abs(2 * points - 1), 1e-15, 1 - 1e-15)
    return folded


def directions(dimension: int) -> Floats:
    """Unit vectors spread evenly over the sphere of ``dimension``."""
    if dimension == 1:
        return np.array([[1.0], [-1.0]])
    if dimension == 2:
        angle = 2 * np.pi * (np.arange(ANGLES) + 0.5) / ANGLES
        return np.column_stack([np.cos(angle), np.sin(angle)])
    normal = special.ndtri(lattice(dimension))
    unit: Floats = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    return unit


def box_moments(mean: Floats, root: Floats, half: Floats) -> tuple[float, Floats]:
    """Probability that ``X ~ N(mean, root root')`` is in ``|X| <= half``, and E[X] given that.

    Separation of variables (Genz 1992) on a lattice: the coordinates are drawn one after the
    other from truncated normals, and the products of the truncated masses are the weights.

    Parameters
    ----------
    root : (K, K) lower triangular Cholesky factor.

    """
    u = lattice(mean.size)
    z, weight = np.empty_like(u), np.ones(len(u))
    for k in range(mean.size):
        centre = mean[k] + z[:, :k] @ root[k, :k]
        low = special.ndtr((-half[k] - centre) / root[k, k])
        mass = special.ndtr((half[k] - centre) / root[k, k]) - low
        weight *= mass
        z[:, k] = special.ndtri(np.clip(low + u[:, k] * mass, 1e-300, 1 - 1e-16))
    probability = float(weight.mean())
    return probability, mean + root @ (weight @ z / weight.sum())
