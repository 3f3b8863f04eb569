"""Single-threaded linear algebra, draws side by side, and reuse of the memory that an estimate frees."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from replication.core.processes import cores_to_itself

if TYPE_CHECKING:
    from concurrent.futures import Future

Part = TypeVar("Part")
Result = TypeVar("Result")
SMALL = 1_000_000
"""Numbers to pass over below which threads cost more than they save."""


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


def side_by_side(function: Callable[[Part], Result], parts: Iterable[Part], size: int) -> Iterator[Result]:
    """Results of the parts in their order, computed on all cores that the process has to itself.

    Every part is computed as it would be alone, so the results do not depend on the number of cores.
    No more results are held than there are threads. ``size``, numbers that the work passes over (draws
    times clusters, or units times cells), tells whether threads are worth their start.
    """
    if size < SMALL:
        yield from map(function, parts)
        return
    with one_thread():
        yield from _in_threads(function, parts, cores_to_itself())


def _in_threads(function: Callable[[Part], Result], parts: Iterable[Part], workers: int) -> Iterator[Result]:
    if workers == 1:
        yield from map(function, parts)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Result]] = deque()
        for part in parts:
            waiting.append(pool.submit(function, part))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


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
