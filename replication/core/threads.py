"""Single-threaded linear algebra, and reuse of the memory that an estimate frees."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[Any]:
    """A context in which the linear algebra of numpy and scipy uses one thread.

    Several threads add in another order and round otherwise, so that results would depend on the
    number of cores. The matrices of an estimate are so small that threads slow them down, tenfold
    where the cores are busy; specifications are estimated side by side in processes instead.
    """
    limited: AbstractContextManager[Any] = _libraries().limit(limits=1, user_api="blas")
    return limited


@cache
def _libraries() -> ThreadpoolController:
    """The libraries, found once: looking for them takes longer than a small estimate."""
    import scipy.linalg  # noqa: F401  so that its library is among them

    return ThreadpoolController()


# In bytes, more than the largest array of a county-month estimate.
LARGEST = 16 << 20


@cache
def keep_freed_memory() -> None:
    """Have arrays of up to 16 MB reuse memory that was freed, at no cost to the peak.

    The C library of Linux hands freed memory back to the system above a bound, and every estimate
    then asks for the same pages again: half the time of two-way effects on a county-month panel.
    The bound follows the largest block that was ever freed, so one that is never read moves it.
    Elsewhere this does nothing.
    """
    np.empty(LARGEST, dtype=np.uint8)
