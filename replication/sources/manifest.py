"""The manifest of raw files: ``data_raw/sources.yaml``, and the state of each on this machine."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import string
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

import yaml

from replication.core.errors import SourceError, nearest
from replication.core.files import parse_yaml
from replication.core.limits import shortened
from replication.sources.checksums import complaint
from replication.sources.manifest_shape import entries, require_kinds
from replication.sources.verified_bytes import Promised

if TYPE_CHECKING:
    import pandas as pd

MANIFEST: Final = "data_raw/sources.yaml"
MIRROR: Final = "REPLICATION_MIRROR"
State = Literal["present", "verified", "missing", "damaged"]


@dataclass(frozen=True, slots=True)
class Source:
    """One raw file, or one data set inside an installed package.

    Attributes
    ----------
    id : short name, unique.
    path : place of the file under ``data_raw``, with forward slashes; empty for a package.
    publisher, citation, license : who made it, how to cite it, on what terms it comes.
    doi : digital object identifier, without address.
    years : first and last year, or the only one.
    redistributable : whether the terms let others pass the file on.
    url : address from which it may be fetched by machine; None where a person has to do it.
    sha256, git_blob : checksum of the bytes; a file has at least one of them.
    size : bytes.
    studies : names under which the file is asked for.
    how : how a person obtains it.
    package, version : installed package that carries the data, and the version the numbers were made with.
    """

    id: str
    path: str
    publisher: str
    citation: str
    doi: str | None
    years: tuple[int, ...]
    license: str
    redistributable: bool
    url: str | None
    sha256: str | None
    git_blob: str | None
    size: int | None
    studies: tuple[str, ...]
    how: str
    package: str | None = None
    version: str | None = None


_OPTIONAL: Final = {"path", "doi", "url", "sha256", "git_blob", "size", "package", "version"}
_KEYS: Final = tuple(field.name for field in fields(Source))
_DIGITS: Final = {"sha256": 64, "git_blob": 40}


def load_manifest(root: Path) -> list[Source]:
    """Every source that ``root/data_raw/sources.yaml`` lists, in its order.

    Raises
    ------
    SourceError
        If the manifest is missing, is not YAML, misses or mistypes a key, names a file without
        a checksum, or uses an id or a path twice.
    """
    path = root / MANIFEST
    try:
        data = parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SourceError(
            f"This project has no raw files (no {MANIFEST}), so there is nothing to list. If it should have "
            "some, run from the folder of the project or restore that file."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise SourceError(f"{path}: not a manifest with the key 'groups' ({reason}).") from error
    sources = [_source(path, group, file) for group, file in entries(path, data)]
    _require_distinct(path, [source.id for source in sources], "id")
    _require_distinct(path, [source.path for source in sources if source.path], "path")
    return sources


def of_study(sources: list[Source], study: str | None) -> list[Source]:
    """The sources of one study, or all of them where ``study`` is None.

    Raises
    ------
    SourceError
        If no source belongs to a study of that name.
    """
    if study is None:
        return sources
    chosen = [source for source in sources if study in source.studies]
    if not chosen:
        known = sorted({name for source in sources for name in source.studies})
        raise SourceError(
            f"No source belongs to a study called {study!r}{nearest(study, known)}. Known are: "
            f"{', '.join(known)}."
        )
    return chosen


def locate(source: Source, root: Path) -> Path | None:
    """Path of the source on this machine: ``data_raw`` first, then the mirror folder.

    The mirror is the folder that the environment variable REPLICATION_MIRROR names. For a
    package the answer is its folder.
    """
    if source.package is not None:
        spec = importlib.util.find_spec(source.package)
        return Path(spec.origin).parent if spec and spec.origin else None
    places = [folder / source.path for folder in raw_folders(root)]
    return next((place for place in places if place.is_file()), None)


def state_of(source: Source, root: Path) -> tuple[State, str]:
    """State of a source and, where something is to be done, what.

    ``verified`` has the bytes (or the version of the package) stated in the manifest, ``present`` is
    a package of another version, ``damaged`` has other bytes, ``missing`` is not there.
    """
    place = locate(source, root)
    if place is None:
        return "missing", source.how
    if source.package is not None:
        return _package_state(source)
    wrong = complaint(place, source)
    if wrong is None:
        return "verified", ""
    return "damaged", f"{place}: {wrong}. Remove the file, then: {source.how}"


def status(root: Path, study: str | None = None) -> pd.DataFrame:
    """One row per source: ``id``, ``file``, ``state``, ``todo`` (empty where nothing is to do).

    Parameters
    ----------
    root : folder of the project.
    study : only the sources of this study.
    """
    # The Snakefile reads the manifest too, and has no use for pandas.
    import pandas as pd

    rows = [
        (source.id, source.path or f"package {source.package}", *state_of(source, root))
        for source in of_study(load_manifest(root), study)
    ]
    return pd.DataFrame(rows, columns=["id", "file", "state", "todo"])


def promises(root: Path) -> Promised:
    """Manifest entries of the raw files present on this machine, by path.

    A project whose panels are all ready needs no manifest; none of its raw files is verified then.
    """
    found = {}
    for source in load_manifest(root) if (root / MANIFEST).exists() else []:
        place = None if source.package is not None else locate(source, root)
        if place is not None:
            found[place] = source
    return Promised(found, tuple(raw_folders(root)))


def raw_folders(root: Path) -> list[Path]:
    """``data_raw``, then the folder that the environment variable REPLICATION_MIRROR names."""
    mirror = os.environ.get(MIRROR)
    return [root / "data_raw", *([Path(mirror)] if mirror else [])]


def require_verified(sources: list[Source], root: Path) -> None:
    """Refuse raw files that do not match the manifest, before they are used.

    Raises
    ------
    SourceError
        Naming the first such file, what is wrong with it and what to do.
    """
    states = [state_of(source, root) for source in sources]
    damaged = [todo for state, todo in states if state == "damaged"]
    if damaged:
        others = f" {len(damaged) - 1} more files are damaged." if len(damaged) > 1 else ""
        raise SourceError(f"{damaged[0].rstrip('.')}.{others} `replication data status` lists every file.")


def _package_state(source: Source) -> tuple[State, str]:
    installed = importlib.metadata.version(str(source.package))
    if installed == source.version:
        return "verified", ""
    return "present", f"version {installed}; the expected numbers were made with version {source.version}"


def _source(path: Path, group: dict[str, Any], file: dict[str, Any]) -> Source:
    """One entry: the file's keys over the group's, with the placeholders of its texts filled."""
    known = {key: value for key, value in group.items() if key != "files"} | file
    label = f"{path}, source {shortened(known.get('id', '?'))}"
    require_kinds(label, known)
    known["years"] = tuple(known.get("years") or ())
    known["studies"] = tuple(known.get("studies") or ())
    filling = known | {
        "name": PurePosixPath(known.get("path", "")).name,
        "year": known["years"][-1] if known["years"] else "",
    }
    values: dict[str, Any] = {}
    for key in _KEYS:
        if key not in known and key not in _OPTIONAL:
            raise SourceError(f"{label}: the key {key!r} is missing. Add it to the file or group.")
        value = known.get(key, "" if key == "path" else None)
        values[key] = _filled(label, key, value, filling) if isinstance(value, str) else value
    _require_known_keys(label, group, known)
    if values["url"]:
        values["url"] = quote(values["url"], safe=":/%")
    source = Source(**values)
    _require_proof(label, source)
    return source


def _require_proof(label: str, source: Source) -> None:
    """Refuse a file without a checksum, or with one that is no hexadecimal digest."""
    if source.package is None and not (source.path and (source.sha256 or source.git_blob)):
        raise SourceError(f"{label}: a file needs 'path' and one of 'sha256' and 'git_blob'.")
    for key, digits in _DIGITS.items():
        value = getattr(source, key)
        if value is not None and not re.fullmatch(f"[0-9a-f]{{{digits}}}", str(value)):
            raise SourceError(
                f"{label}: {key!r} must be {digits} hexadecimal digits in lower case, and is "
                f"{value!r}. Put it in quotes if YAML takes it for a number."
            )


def _filled(label: str, key: str, value: str, filling: dict[str, Any]) -> str:
    try:
        return value.format_map(filling)
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        raise SourceError(
            f"{label}: {key!r} has a placeholder that nothing fills ({error}): {value!r}."
        ) from error


def _require_known_keys(label: str, group: dict[str, Any], known: dict[str, Any]) -> None:
    """Refuse a key that is neither a field of a source nor a placeholder of the group."""
    texts = [value for value in group.values() if isinstance(value, str)]
    try:
        used = {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}
    except ValueError as error:
        raise SourceError(f"{label}: a text has a brace that does not end ({error}).") from error
    for key in known:
        if key not in used.union(_KEYS):
            raise SourceError(f"{label}: unknown key {key!r}{nearest(key, _KEYS)}.")


def _require_distinct(path: Path, values: list[str], name: str) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise SourceError(f"{path}: the {name} {twice[0]!r} is used more than once.")
