"""Order of estimates, with ties up to rounding ordered by name."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from replication.core.arrays import Ints

# Two ways to the same number (imputation and two-stage points) differ in the last digits, and
# which of them is larger changes from one processor to another.
EQUAL = 1e-9


def ranks(values: Iterable[float]) -> Ints:
    """Ranks 0 .. in ascending order; neighbors within 1e-9 of the largest value share one."""
    found = np.array(list(values), dtype=float)
    order = np.argsort(found, kind="stable")
    apart = np.diff(found[order], prepend=found[order][:1])
    rank = np.empty(found.size, dtype=np.int64)
    rank[order] = np.cumsum(~(apart <= EQUAL * np.nanmax(np.abs(found), initial=0.0)))
    return rank
