"""What is up to date: digests of all that a result depends on, kept beside the results.

Everything that is kept because nothing changed goes by this module: estimates, analyses, tables,
figures, the check by a second engine, and placebo draws. A fingerprint is taken *before* its inputs are
read, so that an input that changes meanwhile makes the result stale and never the other way round.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ASIDE = ".incomplete"


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def files_digest(paths: Iterable[Path]) -> str:
    """Digest of the names and contents of files; a file that is not there counts as such."""
    lines = [f"{path.name} {file_digest(path) if path.is_file() else 'absent'}" for path in paths]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def fingerprint(*parts: Any) -> str:
    """Digest of plain data: everything that one result depends on."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Ledger:
    """A file that notes the fingerprint of every result of a kind, and the files that it wrote.

    Attributes
    ----------
    place : the file, in the folder that the names of files are relative to.
    entries : id of a result -> ``{"fingerprint": ..., "files": [...]}``
    """

    place: Path
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, place: Path) -> Ledger:
        """The ledger as it was last written; empty if there is none, or none that can be read."""
        found = (_entries(path) for path in (place, _aside(place)))
        return cls(place, next((entries for entries in found if entries is not None), {}))

    def is_current(self, name: str, found: str) -> bool:
        """Whether a result has this fingerprint and all its files are there."""
        entry = self.entries.get(name)
        return entry is not None and entry["fingerprint"] == found and not self._missing(entry)

    def missing(self) -> list[Path]:
        """Files that were written and are not there anymore."""
        return [path for entry in self.entries.values() for path in self._missing(entry)]

    def note(self, name: str, found: str, files: Iterable[Path]) -> None:
        """Enter a result that was just made."""
        base = self.place.parent
        names = [Path(os.path.relpath(path, base)).as_posix() for path in files]
        self.entries[name] = {"fingerprint": found, "files": names}

    def write(self, keep: Iterable[str]) -> None:
        """Write the entries of these results, in this order, and forget the others."""
        self._write(self.place, keep)
        _aside(self.place).unlink(missing_ok=True)

    def write_aside(self, keep: Iterable[str]) -> None:
        """The same for a step that failed: the ledger itself, which says that all is made, is taken away."""
        self._write(_aside(self.place), keep)
        self.place.unlink(missing_ok=True)

    def _write(self, path: Path, keep: Iterable[str]) -> None:
        from replication.core.files import write_text

        self.entries = {name: self.entries[name] for name in keep if name in self.entries}
        write_text(path, json.dumps(self.entries, indent=1) + "\n")

    def _missing(self, entry: Mapping[str, Any]) -> list[Path]:
        base = self.place.parent
        return [base / name for name in entry["files"] if not (base / name).is_file()]


def renew(
    place: Path,
    wanted: Mapping[str, str],
    files: Callable[[str], Sequence[Path]],
    make: Callable[[Sequence[str]], Iterable[str]],
) -> tuple[int, int]:
    """Make the results that are not current, and note each as it is made.

    What was made before a failure stays noted and is not made again.

    Parameters
    ----------
    place : file of the ledger
    wanted : id of a result -> its fingerprint
    files : what a result writes
    make : makes the results of some ids and yields each id when its files are written

    Returns
    -------
    (made, kept) : how many results were made, and how many were up to date.
    """
    ledger = Ledger.read(place)
    stale = [name for name, found in wanted.items() if not ledger.is_current(name, found)]
    try:
        for name in make(stale):
            ledger.note(name, wanted[name], files(name))
    except BaseException:
        ledger.write_aside(keep=wanted)
        raise
    ledger.write(keep=wanted)
    return len(stale), len(wanted) - len(stale)


def set_aside_if_incomplete(place: Path) -> list[Path]:
    """Take a ledger away whose files are not all there, and return those that are missing.

    Snakemake goes by the ledger of a step with many outputs: without it the step runs again, finds the
    fingerprints in the ledger that was set aside, and makes what is missing alone.
    """
    if place.is_file() and _entries(place) is None:
        # Written by an older version, or damaged: nothing that it says can be relied on.
        place.unlink()
    missing = Ledger.read(place).missing() if place.is_file() else []
    if missing:
        place.replace(_aside(place))
    return missing


def _entries(path: Path) -> dict[str, dict[str, Any]] | None:
    """What a ledger's file holds; None if it cannot be read as a ledger."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(found, dict) and all(
        isinstance(entry, dict) and isinstance(entry.get("files"), list) and "fingerprint" in entry
        for entry in found.values()
    )
    return found if whole else None


def _aside(place: Path) -> Path:
    return place.with_name(place.name + ASIDE)
