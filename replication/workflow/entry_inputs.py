"""Digests of the results and files that an entry of a study names, for its fingerprint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from replication.core.fingerprints import file_digest
from replication.core.plain_data import texts_in
from replication.core.temporary_files import visible_paths
from replication.report.folders import Folders

PLACES = ("clean/", "analyses/", "tables/", "raw/")


def named_inputs(entry: Mapping[str, Any], folders: Folders) -> list[str]:
    """Digests of the saved specifications and of the files that an entry names anywhere.

    Specifications may be named by a pattern; a file by ``clean/``, ``analyses/``, ``tables/`` or ``raw/``.
    """
    return [file_digest(path) for path in sorted(set(_named_files(entry, folders)))]


def named_specs(entry: Mapping[str, Any], folders: Folders) -> set[str]:
    """Ids of the saved specifications that an entry names anywhere."""
    return {path.parent.name for path in _named_files(entry, folders) if path.name == "spec.yaml"}


def _named_files(entry: Mapping[str, Any], folders: Folders) -> Iterator[Path]:
    for text in sorted(set(texts_in(entry, keys=True))):
        if text.startswith(PLACES):
            if folders.source(text).is_file():
                yield folders.source(text)
        elif _is_pattern(text):
            place = folders.tables / "specs"
            yield from visible_paths(place.glob(f"{text}/spec.yaml"), place)


def _is_pattern(text: str) -> bool:
    return bool(text) and all(letter.isalnum() or letter in "_-.*?" for letter in text)
