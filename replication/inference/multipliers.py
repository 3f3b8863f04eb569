"""Random multipliers of clusters, and sums of scores times multipliers.

The multiplier bootstrap is that of Callaway & Sant'Anna (2021), Algorithm 1, and R ``did::mboot``; the
distributions are fair signs (Rademacher) and those of Mammen (1993) and Webb (2014).
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replication.core.arrays import Floats, Ints
from replication.core.errors import SpecError
from replication.core.spec import Inference
from replication.core.threads import side_by_side

# Multipliers are unpacked so many at a time, to stay in the memory near the processor.
ROOM = 100_000
# The eight signs that a byte holds: a fair coin costs one random bit.
SIGNS_OF_BYTE = 2 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(int) - 1


def random_bytes(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Independent bytes, from whole numbers of 64 bits as the generator gives them."""
    whole = rng.integers(0, 2**64 - 1, -(-size // 8), dtype=np.uint64, endpoint=True)
    return whole.astype("<u8", copy=False).view(np.uint8)[:size]


class PackedSigns:
    """(C, B) fair signs that are unpacked for the rows that are requested.

    Each takes one bit, since stored as numbers they would not fit into the processor cache. Rows
    that were handed out are overwritten by the next that the same thread requests.
    """

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int], dtype: type) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self._width = -(-shape[1] // 8)
        drawn = random_bytes(rng, shape[0] * self._width)
        self._bytes = drawn.reshape(shape[0], self._width)
        self._signs: NDArray[Any] = SIGNS_OF_BYTE.astype(dtype)
        self._own = threading.local()

    def take(self, rows: NDArray[np.int64], axis: int) -> NDArray[Any]:
        """(P, B) signs of some rows."""
        place = self._room(rows.size)[: rows.size]
        self._signs.take(self._bytes.take(rows, axis=axis), axis=0, out=place, mode="clip")
        return place.reshape(rows.size, -1)[:, : self.shape[1]]

    def _room(self, size: int) -> NDArray[Any]:
        """Memory for ``size`` rows or more, kept by each thread."""
        room: NDArray[Any] | None = getattr(self._own, "room", None)
        if room is None or len(room) < size:
            room = self._own.room = np.empty((size, self._width, 8), dtype=self.dtype)
        return room


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
    rows = -(-count // 4) * 4
    # Of many rows the sums are what does not fit near the processor, and are passed over less often.
    step = max(1, ROOM // factors.shape[1], count // 4)

    def product(start: int) -> NDArray[Any]:
        """(K, B) part of the sums that some columns contribute."""
        part = slice(start, start + step)
        padded = np.zeros((rows, clusters[part].size), dtype=factors.dtype)
        padded[:count] = scores[:, part]
        summed: NDArray[Any] = padded @ factors.take(clusters[part], axis=0)
        return summed

    found = np.zeros((rows, factors.shape[1]), dtype=factors.dtype)
    for summed in side_by_side(product, range(0, size, step), size * factors.shape[1]):
        found += summed
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
        return np.concatenate([-values, values])[rng.integers(0, 6, size=shape)]
    raise SpecError(f"There are no {distribution!r} multipliers. Use rademacher, mammen, or webb.")


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
