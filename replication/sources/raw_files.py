"""Paths of a study's raw files, for its cleaning recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from replication.core.errors import SourceError
from replication.sources import manifest

Place = Callable[[str], Path]


def finder(root: Path) -> Place:
    """A function from the id of a source to the path of its file."""
    files = {source.id: source for source in manifest.load_manifest(root)}

    def place(name: str) -> Path:
        """Path of a source; a ``SourceError`` if it is missing."""
        path = manifest.locate(files[name], root)
        if path is None:
            raise SourceError(f"data_raw/{files[name].path} is missing. To get it: {files[name].how}")
        return path

    return place


def typed_table(root: Path, name: str) -> Path:
    """Where a small table typed from a publication lies."""
    return root / "data_raw" / "typed" / f"{name}.csv"
