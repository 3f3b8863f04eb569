"""The last complete run: while no file that it read or wrote has changed, there is nothing to do.

Reading the rules and the studies takes Snakemake and this package three seconds. A run that leaves everything
up to date therefore notes the inode, size, and times of every file that it read or wrote. If all of them are
the same, the next run ends at once; in every other case Snakemake decides.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

from replication.core.code_digest import PACKAGE
from replication.core.files import write_text
from replication.sources.manifest import MIRROR

NOTE = ".snakemake/last_run.json"
READ = ("studies", "data_raw", "config.yaml", "Snakefile", "environment.yaml")
WRITTEN = ("data_clean", "tables", "figures", "report")
MOST_FILES = 50_000
"""Files that are looked at; with more (a mirror that is a whole disk) Snakemake is asked every time."""


def closing_if_unchanged(root: Path) -> str:
    """The closing report of the last complete run; empty if there is none, or anything changed since."""
    try:
        noted = json.loads((root / NOTE).read_text(encoding="utf-8"))
        read, written, closing = noted["read"], noted["written"], str(noted["closing"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    # What is written is many more files, and is looked at only where it decides.
    same = read and written and read == state_read(root) and written == state_written(root)
    return closing if same else ""


def note_run(root: Path, before: str, closing: str) -> None:
    """Note that everything is up to date, unless what was read has changed since before the run.

    Parameters
    ----------
    before : ``state_read`` before the run.
    closing : what the next run prints if it has nothing to do.
    """
    read = state_read(root)
    if read == before:
        noted = {"read": read, "written": state_written(root), "closing": closing}
        write_text(root / NOTE, json.dumps(noted))
    else:
        (root / NOTE).unlink(missing_ok=True)


def state_read(root: Path) -> str:
    """State of what a run reads: studies, raw files and their mirror, settings, rules, code, libraries.

    Empty if there are too many files to look at.
    """
    mirror = os.environ.get(MIRROR, "")
    libraries = sysconfig.get_path("purelib")
    places = [*(root / name for name in READ), PACKAGE, *([Path(mirror)] if mirror else [])]
    # A library that is installed or removed changes the folder that it lies in.
    found = _states(root, places)
    return _digest(itertools.chain([sys.version, mirror, _state(Path(libraries).stat())], found))


def state_written(root: Path) -> str:
    """State of what a run writes."""
    return _digest(_states(root, (root / name for name in WRITTEN)))


def _states(root: Path, places: Iterable[Path]) -> Iterator[str]:
    for place in places:
        if place.is_file():
            yield f"{os.path.relpath(place, root)} {_state(place.stat())}"
        elif place.is_dir():
            real = os.path.realpath(place)
            yield from _files_below(real, real, {real})
        else:
            yield f"{os.path.relpath(place, root)} absent"


def _files_below(folder: str, real: str, seen: set[str]) -> Iterator[str]:
    """Path and state of every file below a folder but the bytecode of Python; links are followed once.

    Parameters
    ----------
    real : the path of the folder without links.
    seen : such paths of the folders so far.
    """
    try:
        with os.scandir(folder) as entries:
            inside = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield f"{folder} {error.errno}"
        return
    for entry in inside:
        try:
            if not entry.is_dir():
                yield f"{entry.path} {_state(entry.stat())}"
                continue
            inner = os.path.realpath(entry.path) if entry.is_symlink() else f"{real}/{entry.name}"
            if entry.name != "__pycache__" and inner not in seen:
                seen.add(inner)
                yield from _files_below(entry.path, inner, seen)
        except OSError as error:
            yield f"{entry.path} {error.errno}"


def _state(found: os.stat_result) -> str:
    """Inode, size, and times; the second time is set by the system and cannot be set back."""
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


def _digest(lines: Iterator[str]) -> str:
    found = list(itertools.islice(lines, MOST_FILES + 1))
    if len(found) > MOST_FILES:
        return ""
    return hashlib.sha256("\n".join(found).encode("utf-8", "surrogateescape")).hexdigest()
