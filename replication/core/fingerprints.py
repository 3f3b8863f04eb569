"""Fingerprints of all inputs of a result, stored beside the results, decide what is up to date.

Everything that is reused while unchanged relies on this module: estimates, analyses, tables,
figures, the check by independent software, and placebo draws. A fingerprint is taken *before* its inputs are
read, so that an input that changes meanwhile makes the result stale and never the reverse.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEPT = ".kept"


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

    Snakemake goes by this file, removes it before a step runs and puts it nowhere when the step fails. What
    is known about single results is therefore stored in a second one, which no other process touches.

    Attributes
    ----------
    place : the file, in the folder that the names of files are relative to.
    entries : id of a result -> ``{"fingerprint": ..., "files": [...], "sha256": [...]}``
    """

    place: Path
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, place: Path) -> Ledger:
        """Recorded fingerprints of the results; empty if no step ran, or its notes cannot be read."""
        return cls(place, _entries(_kept(place)) or {})

    def is_current(self, name: str, found: str) -> bool:
        """Whether a result has this fingerprint and all its files are there."""
        entry = self.entries.get(name)
        return entry is not None and entry["fingerprint"] == found and not self._missing(entry)

    def files(self) -> list[Path]:
        """All files that were written."""
        return [path for entry in self.entries.values() for path in self._places(entry)]

    def missing(self) -> list[Path]:
        """Files that were written and are not there anymore."""
        return [path for entry in self.entries.values() for path in self._missing(entry)]

    def changed(self) -> list[Path]:
        """Files that hold other bytes than those that were written."""
        return [
            path
            for entry in self.entries.values()
            # A ledger of an older version has no digests.
            for path, digest in zip(self._places(entry), entry.get("sha256", ()), strict=False)
            if path.is_file() and file_digest(path) != digest
        ]

    def note(self, name: str, found: str, files: Iterable[Path]) -> None:
        """Enter a result that was just made."""
        base, places = self.place.parent, list(files)
        names = [Path(os.path.relpath(path, base)).as_posix() for path in places]
        digests = [file_digest(path) for path in places]
        self.entries[name] = {"fingerprint": found, "files": names, "sha256": digests}

    def keep(self, names: Iterable[str]) -> None:
        """Keep the entries of these results, in this order, and drop the others."""
        self.entries = {name: self.entries[name] for name in names if name in self.entries}
        self._write(_kept(self.place))

    def write(self, keep: Iterable[str]) -> None:
        """Write the ledger and mark the step as done."""
        self.keep(keep)
        self._write(self.place)

    def _write(self, path: Path) -> None:
        from replication.core.files import write_text

        write_text(path, json.dumps(self.entries, indent=1) + "\n")

    def _missing(self, entry: Mapping[str, Any]) -> list[Path]:
        return [path for path in self._places(entry) if not path.is_file()]

    def _places(self, entry: Mapping[str, Any]) -> list[Path]:
        return [Path(os.path.normpath(self.place.parent / name)) for name in entry["files"]]


def renew(
    place: Path,
    requested: Mapping[str, str],
    files: Callable[[str], Sequence[Path]],
    make: Callable[[Sequence[str]], Iterable[str]],
) -> tuple[int, int]:
    """Make the results that are not current, and note each as it is made.

    What was made before a failure stays noted and is not made again.

    Parameters
    ----------
    place : file of the ledger
    requested : id of a result -> its fingerprint
    files : what a result writes
    make : makes the results of some ids and yields each id when its files are written

    Returns
    -------
    (made, kept) : how many results were made, and how many were up to date.
    """
    ledger = Ledger.read(place)
    stale = [name for name, found in requested.items() if not ledger.is_current(name, found)]
    try:
        for name in make(stale):
            ledger.note(name, requested[name], files(name))
    finally:
        ledger.keep(requested)
    ledger.write(keep=requested)
    return len(stale), len(requested) - len(stale)


def remove_if_incomplete(place: Path) -> list[Path]:
    """Remove a ledger whose files are not all there, and return those that are missing.

    Without it Snakemake runs the step again, and the step makes only what is missing.
    """
    if not place.is_file():
        return []
    missing = Ledger.read(place).missing()
    if missing or _entries(_kept(place)) is None:
        # The second case: written by an older version, or damaged.
        place.unlink()
    return missing


def _entries(path: Path) -> dict[str, dict[str, Any]] | None:
    """Content of a ledger's file; None if it cannot be read as a ledger."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(found, dict) and all(
        isinstance(entry, dict) and isinstance(entry.get("files"), list) and "fingerprint" in entry
        for entry in found.values()
    )
    return found if whole else None


def _kept(place: Path) -> Path:
    return place.with_name(place.name + KEPT)
