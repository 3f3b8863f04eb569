"""Child processes that end with their parent, their start method, and the cores that a process may use."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Final, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

_DEATH_SIGNAL: Final = 1  # PR_SET_PDEATHSIG of Linux
SECONDS = 0.5
"""Seconds between two checks of the parent, where the system gives no signal."""

_forked = False
_unused: Callable[[int], int] | None = None


def pool_context() -> BaseContext:
    """How worker processes start.

    A step that was forked from the process that serves the run has every import already and no thread
    of its own; its workers are forked in turn. Anywhere else they start anew, as libraries may have threads.
    """
    return multiprocessing.get_context("fork" if _forked else "spawn")


def mark_forked(unused: Callable[[int], int] | None = None) -> None:
    """Note that this process was forked before it had any thread.

    Parameters
    ----------
    unused : how many cores of the run no other step of it uses at the moment, but for so many others.
    """
    global _forked, _unused
    _forked, _unused = True, unused


def unused_cores(*, others: int = 0) -> int:
    """Cores that this step of a run may use because no other step does now, its own included; else one.

    Parameters
    ----------
    others : so many of the other steps end before this one, and do not count.
    """
    return max(1, min(cores(), _unused(others))) if _unused else 1


def cores_to_itself() -> int:
    """``cores()``, or one if this process works beside others of the same run."""
    return 1 if _forked or multiprocessing.parent_process() is not None else cores()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_processes(function: Callable[[Part], Result], parts: Sequence[Part], most: int) -> list[Result]:
    """Results of the parts in their order, in at most ``most`` processes; in this one where one is enough."""
    workers = min(most, len(parts))
    if workers < 2:
        return [function(part) for part in parts]
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(workers, mp_context=pool_context(), initializer=die_with_parent) as pool:
        return list(pool.map(function, parts))


def die_with_parent(parent: int | None = None) -> None:
    """End this process as soon as the one that started it is gone, however that one ended.

    On Linux the kernel sends the signal; elsewhere a thread checks twice a second.

    Parameters
    ----------
    parent : that process, as it knew itself before it forked: it may be gone by now.
    """
    parent = parent or os.getppid()
    if not ask_for_signal():
        _watch((parent,))
    elif os.getppid() != parent:
        # The parent ended before the signal was requested.
        os._exit(1)


def ask_for_signal() -> bool:
    """Have the kernel kill this process with its parent; whether it can."""
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL) == 0)
    except (OSError, AttributeError):
        return False


def die_with_ancestors() -> None:
    """End this process as soon as its parent or that one's parent is gone.

    Snakemake starts a shell and the shell starts the step: when Snakemake is killed the shell lives on.
    """
    parent = os.getppid()
    _watch((parent, parent_of(parent)))


def parent_of(pid: int) -> int:
    """The process that started another one; 0 if that cannot be known."""
    try:
        # The name, in parentheses, may hold anything.
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _watch(ancestors: tuple[int, ...]) -> None:
    threading.Thread(target=_end_after, args=(ancestors,), daemon=True, name="watchdog").start()


def _end_after(ancestors: tuple[int, ...]) -> None:
    while _chain(len(ancestors)) == ancestors:
        time.sleep(SECONDS)
    os._exit(1)


def _chain(length: int) -> tuple[int, ...]:
    found = (os.getppid(),)
    return found if length == 1 else (*found, parent_of(found[0]))
