"""Reuse of the memory that an estimate frees."""

from __future__ import annotations

from functools import cache

import numpy as np

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
