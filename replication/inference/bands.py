"""Critical values of simultaneous (sup-t) bands, by multiplier bootstrap or normal draws.

Montiel Olea & Plagborg-Moller (2019), Journal of Applied Econometrics 34(1); the bootstrap is
that of Callaway & Sant'Anna (2021), Algorithm 1, and R ``did::mboot``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from replication.core.arrays import Floats, Ints
from replication.core.errors import SpecError
from replication.core.spec import Inference

# Multipliers are unpacked so many at a time, to stay in the memory near the processor.
ROOM = 100_000
# Interquartile range of the normal distribution.
NORMAL_RANGE = float(special.ndtri(0.75) - special.ndtri(0.25))
# The eight signs that a byte holds: a fair coin costs one random bit.
SIGNS_OF_BYTE = 2 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(int) - 1


def random_bytes(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Independent bytes, from whole numbers of 64 bits as the generator gives them."""
    whole = rng.integers(0, 2**64 - 1, -(-size // 8), dtype=np.uint64, endpoint=True)
    return whole.astype("<u8", copy=False).view(np.uint8)[:size]


class PackedSigns:
    """(C, B) fair signs that are unpacked for the rows that are requested.

    Each takes one bit, since stored as numbers they would not fit into the processor cache. Rows
    that were handed out are overwritten by the next that are requested.
    """

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int], dtype: type) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self._width = -(-shape[1] // 8)
        drawn = random_bytes(rng, shape[0] * self._width)
        self._bytes = drawn.reshape(shape[0], self._width)
        self._signs: NDArray[Any] = SIGNS_OF_BYTE.astype(dtype)
        rows = min(shape[0], max(1, ROOM // shape[1]))
        self._room: NDArray[Any] = np.empty((rows, self._width, 8), dtype=dtype)

    def take(self, rows: NDArray[np.int64], axis: int) -> NDArray[Any]:
        """(P, B) signs of some rows."""
        if rows.size > len(self._room):
            self._room = np.empty((rows.size, self._width, 8), dtype=self.dtype)
        place = self._room[: rows.size]
        self._signs.take(self._bytes.take(rows, axis=axis), axis=0, out=place, mode="clip")
        return place.reshape(rows.size, -1)[:, : self.shape[1]]


Factors = NDArray[Any] | PackedSigns
"""(C, B) factors of C clusters in B draws."""


def cluster_factors(n_clusters: int, inference: Inference, dtype: type) -> Factors:
    """(C, B) multipliers; the same numbers in single and double precision."""
    rng, shape = np.random.default_rng(inference.seed), (n_clusters, inference.draws)
    if inference.multiplier == "rademacher":
        return PackedSigns(rng, shape, dtype)
    return multipliers(rng, inference.multiplier, shape).astype(dtype)


def drawn_sums(scores: NDArray[Any], clusters: Ints, factors: Factors) -> NDArray[Any]:
    """(K, B) sums of scores (K, P) times the factors of their clusters (P,), some at a time."""
    count, size = scores.shape
    # Products with rows in multiples of four take half the time.
    padded = np.zeros((-(-count // 4) * 4, size), dtype=factors.dtype)
    padded[:count] = scores
    found = np.zeros((len(padded), factors.shape[1]), dtype=factors.dtype)
    step = max(1, ROOM // factors.shape[1])
    for start in range(0, size, step):
        part = slice(start, start + step)
        found += padded[:, part] @ factors.take(clusters[part], axis=0)
    return found[:count]


def multipliers(rng: np.random.Generator, distribution: str, shape: tuple[int, int]) -> Floats:
    """Independent draws with mean 0 and variance 1: ``rademacher``, ``mammen`` or ``webb``.

    Parameters
    ----------
    rng : of the draws.
    distribution : ``rademacher``, ``mammen`` (1993) or ``webb`` (2014).
    shape : clusters by draws.

    Raises
    ------
    SpecError
        If the distribution is none of these.

    """
    if distribution == "rademacher":
        size = shape[0] * shape[1]
        fair = SIGNS_OF_BYTE.astype(np.float64).take(random_bytes(rng, -(-size // 8)), axis=0)
        return fair.reshape(-1)[:size].reshape(shape)
    if distribution == "mammen":
        root = np.sqrt(5.0)
        low = rng.random(shape) < (root + 1) / (2 * root)
        return np.asarray(np.where(low, (1 - root) / 2, (1 + root) / 2), dtype=np.float64)
    if distribution == "webb":
        values = np.sqrt(np.array([0.5, 1.0, 1.5]))
        drawn: Floats = np.concatenate([-values, values])[rng.integers(0, 6, size=shape)]
        return drawn
    raise SpecError(f"There are no {distribution!r} multipliers. Use rademacher, mammen or webb.")


def multiplier_draws(scores: Floats, inference: Inference) -> Floats:
    """(B, K) draws of ``sum_g v_g S_gk`` over multipliers v, from (G, K) cluster sums of scores.

    Columns of unit length are multiplied in single precision: the error of a draw is below 1e-5
    standard errors, that of a quantile from 1,000 draws is 0.05.

    Parameters
    ----------
    scores : (G, K) sums of the influence of each cluster on K estimates, in units of the estimates.
    inference : ``draws`` B, ``seed`` and ``multiplier``.

    Returns
    -------
    (B, K) array
        Draws in units of the estimates.

    """
    scale = np.sqrt(np.einsum("gk,gk->k", scores, scores))
    unit = (scores / np.where(scale > 0, scale, 1.0)).T
    factors = cluster_factors(len(scores), inference, np.float32)
    draws: Floats = drawn_sums(unit, np.arange(len(scores)), factors).T * scale
    return draws


def sup_t(draws: Floats, scale: Floats | float, level: float) -> float:
    """Quantile over the B draws of the largest ``|draw| / scale`` among the K columns.

    Parameters
    ----------
    draws : (B, K) deviations of the estimates.
    scale : (K,) standard errors, or one for all.
    level : confidence level, such as 0.95.

    Returns
    -------
    float
        The critical value c of the band: estimate plus and minus c standard errors.

    """
    return quantiles({"": largest_t(draws, scale)}, level)[""]


def largest_t(draws: Floats, scale: Floats | float) -> Floats:
    """(B,) largest ``|draw| / scale`` among the K columns of (B, K) draws."""
    largest: Floats = np.abs(draws / scale).max(axis=1)
    return largest


def quantiles(largest: Mapping[str, Floats], level: float) -> dict[str, float]:
    """Quantile of the (B,) largest t-values of each path, as ``numpy.quantile`` interpolates.

    That function takes ten times as long over a thousand values.
    """
    found = {}
    for term, values in largest.items():
        ranked = np.sort(values)
        place = level * (ranked.size - 1)
        low = int(place)
        low_value, high_value = ranked[low], ranked[min(low + 1, ranked.size - 1)]
        between = float(low_value + (high_value - low_value) * (place - low))
        # Missing values come last.
        found[term] = np.nan if np.isnan(ranked[-1]) else between
    return found


def studentized_critical_value(value: float, n_clusters: int) -> float:
    """The ``sup_t`` value if every draw were divided by its own standard error, not a common one.

    Signs do not change squares: the variance of the G scores of a draw T (in standard errors) is
    ``(G - T^2) / (G - 1)`` times that of the estimate. The ratio increases in T, so its quantile
    is a function of that of T. With very few clusters it is infinite. For other multipliers and for
    resampled clusters it is an approximation.

    Parameters
    ----------
    value : the ``sup_t`` value of sign draws over a common standard error.
    n_clusters : G.

    Returns
    -------
    float
        ``value sqrt((G - 1) / (G - value^2))``; infinite where ``value^2 >= G``.

    """
    room = n_clusters - value**2
    return float(value * np.sqrt((n_clusters - 1) / room)) if room > 0 else np.inf


def interquartile_std_errors(draws: Floats) -> Floats:
    """(K,) standard errors: interquartile range of (B, K) draws over that of the normal distribution.

    Quartiles are the values at ranks ``ceil(B / 4)`` and ``ceil(3 B / 4)``, as in R ``did``.
    """
    size = len(draws)
    low, high = -(-size // 4) - 1, -(-3 * size // 4) - 1
    # Sorting is faster than partitioning at two ranks. Missing draws come last and make standard errors
    # missing.
    ranked = np.sort(draws.T, axis=1)
    spread = np.where(np.isnan(ranked[:, -1]), np.nan, ranked[:, high] - ranked[:, low])
    std_errors: Floats = spread / NORMAL_RANGE
    return std_errors


def gaussian_critical_value(variance: Floats, inference: Inference) -> float:
    """The same quantile from normal draws with covariance ``variance`` (K, K).

    Parameters
    ----------
    variance : (K, K) covariance of the estimates.
    inference : ``draws``, ``seed`` and ``level``.

    Returns
    -------
    float
        Critical value of the uniform band, in standard errors.

    """
    scale = np.sqrt(np.diag(variance))
    values, vectors = np.linalg.eigh(variance / np.outer(scale, scale))
    root = vectors * np.sqrt(np.maximum(values, 0))
    rng = np.random.default_rng(inference.seed)
    draws = rng.standard_normal((inference.draws, scale.size)) @ root.T
    return float(np.quantile(np.abs(draws).max(axis=1), inference.level))
