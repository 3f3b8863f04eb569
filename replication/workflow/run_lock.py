"""The lock of a run: one run at a time, identified while it is alive, and released when it is killed."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from replication.core.errors import InputError

FOLDER = ".snakemake"
RUN_LOCK = "replication.lock"
OWNER = "owner.json"
PATIENCE = 5.0
"""Seconds that a run which is just ending is waited for."""


class RunningError(InputError):
    """Another run is at work in the same project."""


@contextmanager
def only_run(root: Path) -> Iterator[None]:
    """Lock the project for this run.

    The system releases the lock when the process ends, however it ends.

    Raises
    ------
    RunningError
        If another run holds it; its process, command and start are named.
    """
    place = root / FOLDER / RUN_LOCK
    place.parent.mkdir(exist_ok=True)
    with place.open("a+", encoding="utf-8") as handle:
        if not _acquired(handle.fileno()):
            handle.seek(0)
            raise RunningError(running_text(root, _parsed(handle.read())))
        handle.seek(0)
        handle.truncate()
        handle.write(json.dumps(this_process()))
        handle.flush()
        recover_snakemake(root)
        yield


def _acquired(descriptor: int) -> bool:
    """Whether the lock was acquired; the end of a dying process that still holds it is awaited."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        else:
            return True


def recover_snakemake(root: Path) -> None:
    """Remove Snakemake's own lock where the process that took it is gone.

    Raises
    ------
    RunningError
        If that process is alive, or on another machine.
    """
    locks = root / FOLDER / "locks"
    end = time.monotonic() + PATIENCE
    while locks.is_dir() and any(locks.iterdir()):
        place = root / FOLDER / OWNER
        owner = _parsed(place.read_text(encoding="utf-8")) if place.is_file() else {}
        if not lives(owner) and not (owner := _snakemake_in(root)):
            shutil.rmtree(locks)
            print("An earlier run was killed; its lock is removed and its incomplete outputs are made again.")
        elif time.monotonic() > end or owner.get("host") != socket.gethostname():
            raise RunningError(running_text(root, owner))
        else:
            time.sleep(0.1)


def note_owner(root: Path) -> None:
    """Note who holds Snakemake's lock; called by the Snakefile once it is held."""
    (root / FOLDER / OWNER).write_text(json.dumps(this_process()), encoding="utf-8")


def this_process() -> dict[str, Any]:
    """Identity of this process across machines."""
    import psutil

    me = psutil.Process()
    return _identity(me.pid, me.create_time(), me.cmdline())


def _identity(pid: int, started: float, command: list[str] | None) -> dict[str, Any]:
    host = socket.gethostname()
    return {"pid": pid, "started": started, "host": host, "command": " ".join(command or [])}


def lives(owner: dict[str, Any]) -> bool:
    """Whether a process that was noted is still there; one on another machine counts as alive."""
    import psutil

    if not owner:
        return False
    if owner.get("host") != socket.gethostname():
        return True
    try:
        process = psutil.Process(int(owner["pid"]))
        # Process numbers are reused; start times are not. The clock of the start has 10 ms steps.
        same = abs(process.create_time() - float(owner["started"])) < 1
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, KeyError, ValueError):
        return False


def running_text(root: Path, owner: dict[str, Any]) -> str:
    """One paragraph about a run that is at work."""
    host = owner.get("host", socket.gethostname())
    where = "" if host == socket.gethostname() else f" on {host}"
    started = time.strftime("%H:%M:%S", time.localtime(float(owner.get("started", time.time()))))
    who = f"process {owner.get('pid', '?')}{where} ({owner.get('command', 'unknown')}), started at {started}"
    away = (
        f" If that machine is gone, remove {FOLDER}/locks and run again."
        if where
        else f" Wait until it has ended, or stop it: `kill {owner.get('pid', 'PID')}`."
    )
    return f"another run is at work in {root}: {who}. Two runs would write the same files.{away}"


def _snakemake_in(root: Path) -> dict[str, Any]:
    """A Snakemake that works in the project and has not noted itself yet; empty if there is none."""
    import psutil

    for process in psutil.process_iter(["pid", "cmdline", "cwd", "create_time"]):
        known = process.info
        found = _identity(known["pid"], known["create_time"], known["cmdline"])
        if found["pid"] != os.getpid() and "snakemake" in found["command"] and known["cwd"] == str(root):
            return found
    return {}


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
