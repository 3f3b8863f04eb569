"""Validation of ``data_raw/sources.yaml``: groups of files, types of the keys, and relative paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from replication.core.errors import SourceError
from replication.core.limits import shortened

TEXTS: Final = (
    "id",
    "path",
    "publisher",
    "citation",
    "doi",
    "license",
    "url",
    "sha256",
    "git_blob",
    "how",
    "package",
    "version",
)


def entries(path: Path, data: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every file of a manifest with its group, in their order.

    Raises
    ------
    SourceError
        If the manifest is no mapping of groups that list files.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("groups"), list):
        raise SourceError(f"{path}: not a manifest with the key 'groups', a list of groups.")
    found = []
    for number, group in enumerate(data["groups"], start=1):
        files = group.get("files") if isinstance(group, Mapping) else None
        if not isinstance(files, list) or not all(isinstance(file, Mapping) for file in files):
            raise SourceError(f"{path}: group {number} has no list 'files' of files with their keys. Add it.")
        found += [(dict(group), dict(file)) for file in files]
    for group, file in found:
        for key in (*group, *file):
            if not isinstance(key, str):
                raise SourceError(f"{path}: the key {shortened(key)} is not text. Correct it.")
    return found


def require_kinds(label: str, values: Mapping[str, Any]) -> None:
    """Refuse a key whose value is of another kind, and a path that leads out of ``data_raw``.

    Raises
    ------
    SourceError
        Naming the source, the key and its value.
    """
    kinds: dict[str, tuple[str, Callable[[Any], bool]]] = {
        **dict.fromkeys(TEXTS, ("text", lambda value: isinstance(value, str))),
        "years": ("a list of years", lambda value: _all(value, int)),
        "studies": ("a list of names", lambda value: _all(value, str)),
        "size": ("a number of bytes", lambda value: type(value) is int and value >= 0),
        "redistributable": ("true or false", lambda value: isinstance(value, bool)),
    }
    for key, (kind, fits) in kinds.items():
        value = values.get(key)
        if value is not None and not fits(value):
            raise SourceError(f"{label}: {key!r} is {shortened(value)} where {kind} belongs.")
    place = PurePosixPath(values.get("path") or "")
    if place.is_absolute() or ".." in place.parts or "\0" in str(place):
        raise SourceError(f"{label}: 'path' is {shortened(str(place))}, which does not lie inside data_raw.")


def _all(value: Any, kind: type) -> bool:
    return isinstance(value, list | tuple) and all(type(part) is kind for part in value)
