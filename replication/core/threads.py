"""Single-threaded linear algebra."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

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
