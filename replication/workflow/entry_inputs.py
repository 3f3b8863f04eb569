"""Digests of the results and files that an entry of a study names, for its fingerprint."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from replication.core.fingerprints import file_digest
from replication.core.plain_data import texts_in
from replication.core.result_files import RECORDED
from replication.report.folders import Folders

PLACES = ("clean/", "analyses/", "tables/", "raw/")


@dataclass
class NamedInputs:
    """Digests of what entries name, each file read once."""

    folders: Folders
    _known: dict[Path, str] = field(default_factory=dict)

    def digests(self, entry: Mapping[str, Any]) -> list[str]:
        """Digests of the saved specifications and of the files that an entry names anywhere.

        Specifications may be named by a pattern; a file by ``clean/``, ``analyses/``, ``tables/``, or
        ``raw/``.
        """
        return [self._digest(path) for path in sorted(set(_named_files(entry, self.folders)))]

    def _digest(self, path: Path) -> str:
        if path not in self._known:
            self._known[path] = file_digest(path)
        return self._known[path]


def named_specs(entry: Mapping[str, Any], folders: Folders) -> set[str]:
    """Ids of the saved specifications that an entry names anywhere."""
    return {path.parent.name for path in _named_files(entry, folders) if path.name == RECORDED}


def _named_files(entry: Mapping[str, Any], folders: Folders) -> Iterator[Path]:
    for text in sorted(set(texts_in(entry, keys=True))):
        if text.startswith(PLACES):
            if folders.source(text).is_file():
                yield folders.source(text)
        elif _is_pattern(text):
            place = folders.tables / "specs"
            records = (place / name / RECORDED for name in _named(text, place))
            yield from (path for path in records if path.is_file())


def _named(text: str, place: Path) -> list[str]:
    """Names of folders in a place that fit a pattern, or the one name that it is."""
    if "*" not in text and "?" not in text:
        return [] if text.startswith(".") else [text]
    return fnmatch.filter(_folders(place, place.stat().st_mtime_ns), text) if place.is_dir() else []


@cache
def _folders(place: Path, _: int) -> list[str]:
    """What lies in a folder, whose time changes with it."""
    return sorted(path.name for path in place.iterdir() if not path.name.startswith("."))


def _is_pattern(text: str) -> bool:
    return bool(text) and all(letter.isalnum() or letter in "_-.*?" for letter in text)
