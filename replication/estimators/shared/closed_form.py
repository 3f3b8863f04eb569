"""Projecting effects out of balanced panels with one weight per unit, in closed form.

Projections on the two sides of the matrix commute there, so means of rows, linear trends within rows and
weighted means of columns are taken off one after the other. ``absorb.Eliminated`` gives the same
residuals for any other panel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from replication.core.arrays import Floats, Ints


class ClosedForm:
    """Balanced panel, one weight per unit.

    Parameters
    ----------
    weight : (N,) positive
    periods : (T,) labels, the variable of the trends
    levels : (N,) codes of the period effects' strata
    slopes : (N,) codes of groups with trends, nested in ``levels``; None for no trends
    each : whether every unit has a trend of its own
    """

    def __init__(self, weight: Floats, periods: Ints, levels: Ints, slopes: Ints | None, each: bool) -> None:
        self._means = _group_means(weight, levels)
        self._levels = levels
        self._slopes = None if slopes is None or each else slopes
        self._slope_means = None if self._slopes is None else _group_means(weight, self._slopes)
        self._each = each
        centered = periods - periods.mean()
        self._trend = centered / np.sqrt(centered @ centered) if periods.size > 1 else centered

    def residual(self, z: Floats) -> Floats:
        """(N, T) residuals of ``z``."""
        z = z - z.mean(axis=1, keepdims=True)
        if self._each:
            z -= np.outer(z @ self._trend, self._trend)
        means = self._means @ z
        z -= means if len(means) == 1 else means[self._levels]
        if self._slope_means is not None and self._slopes is not None:
            slope = (self._slope_means @ (z @ self._trend))[self._slopes]
            z -= np.outer(slope, self._trend)
        return z


def _group_means(weight: Floats, codes: Ints) -> sparse.csr_matrix | Floats:
    """(S, N) matrix that takes weighted means of rows by group."""
    total = np.bincount(codes, weight)
    if total.size == 1:
        single: Floats = (weight / total[0])[None, :]
        return single
    place = (codes, np.arange(codes.size))
    return sparse.csr_matrix((weight / total[codes], place), shape=(total.size, codes.size))


def closed_form_codes(
    levels: Sequence[Ints], slopes: Sequence[Ints], each: bool
) -> tuple[Ints, Ints | None] | None:
    """Strata of the period effects and of the trends if they are nested, else None.

    Coarser strata within finer ones add nothing and are left out.
    """
    finest = _finest(levels)
    if finest is None or each or not slopes:
        return None if finest is None else (finest, None)
    trends = _finest(slopes)
    if trends is None or _finest([finest, trends]) is None:
        return None
    redundant = nests(trends, finest)
    return finest, None if redundant else trends


def _finest(partitions: Sequence[Ints]) -> Ints | None:
    """The grouping that is nested in all the others, if there is one."""
    candidate = max(partitions, key=lambda codes: int(codes.max()))
    return candidate if all(nests(other, candidate) for other in partitions) else None


def nests(coarse: Ints, fine: Ints) -> bool:
    """Whether every group of ``fine`` lies in one group of ``coarse``."""
    if coarse is fine:
        return True
    owner = np.zeros(int(fine.max()) + 1, dtype=np.int64)
    owner[fine] = coarse
    return bool((owner[fine] == coarse).all())
