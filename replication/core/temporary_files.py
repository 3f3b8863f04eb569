"""Temporary files of interrupted writes: their names, and their removal.

A result is written under a temporary name first. The name begins with a dot and ends in ``.tmp``,
so that no pattern such as ``*.csv`` finds it, and it carries the machine and the process that
writes, so that another process can tell a write that is under way from one that was killed.
"""

from __future__ import annotations

import os
import platform
import re
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

ABANDONED_AFTER: Final = 86_400.0
"""Seconds after which a temporary file of another machine, whose processes cannot be seen, is
taken to be abandoned: no single file takes a day to write."""
LONGEST_STEM: Final = 80
"""Bytes of the result's name that are kept; a file name may have 255 bytes in all."""
TEMPORARY: Final = re.compile(r"\..*\.(?P<host>[0-9a-f]{8})-(?P<process>\d{1,10})-[0-9a-f]{8}\.tmp")


def temporary_name(name: str) -> str:
    """A name of its own for a file that this process is about to write as ``name``."""
    stem = name.encode()[:LONGEST_STEM].decode(errors="ignore")
    return f".{stem}.{_host()}-{os.getpid()}-{os.urandom(4).hex()}.tmp"


def remove_temporary_files(folders: Iterable[Path]) -> list[Path]:
    """Remove the temporary files that killed processes left in some folders.

    Parameters
    ----------
    folders : iterable of Path
        Folders to look into, but not below; one that does not exist contains nothing.

    Returns
    -------
    list of Path
        The files that were removed. Files that a living process is writing are left alone.
    """
    swept = []
    for place in _temporaries(folders):
        with suppress(OSError):
            if _abandoned(place):
                place.unlink()
                swept.append(place)
    return swept


def with_folders_below(folders: Iterable[Path]) -> Iterator[Path]:
    """The folders and all folders below them."""
    for folder in folders:
        for place, _, _ in os.walk(folder):
            yield Path(place)


def visible_paths(paths: Iterable[Path], below: Path) -> list[Path]:
    """The paths, sorted, without those that are hidden or lie in a hidden folder under ``below``.

    ``Path.glob`` finds names that begin with a dot, which the shell's patterns do not: temporary
    files of a killed write, lock files of an editor, the records of a file manager.
    """
    return sorted(
        path for path in paths if not any(part.startswith(".") for part in path.relative_to(below).parts)
    )


def _temporaries(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        with suppress(OSError), os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name.endswith(".tmp")]
            yield from (Path(folder, name) for name in names if TEMPORARY.fullmatch(name))


def _abandoned(place: Path) -> bool:
    found = TEMPORARY.fullmatch(place.name)
    if found is None:
        return False
    if found["host"] == _host() and not _alive(int(found["process"])):
        return True
    return time.time() - place.stat().st_mtime > ABANDONED_AFTER


def _alive(process: int) -> bool:
    if os.name == "nt":
        # There the signal 0 ends a process; only the age of a file can be judged.
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@cache
def _host() -> str:
    """The machine in eight characters; a checksum, as a host name may be long or have dots."""
    return f"{zlib.crc32(platform.node().encode()):08x}"
