"""One file, several specifications: every combination of ``vary``, for each of ``columns``."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import yaml

from replication.core.errors import SpecError
from replication.core.files import parse_yaml, yaml_fault
from replication.core.limits import MOST_CHARACTERS, MOST_SPECIFICATIONS, RECORD, LimitError, shortened

GRID: Final = ("vary", "columns")
NAMING: Final = ("id", "label")
"""Keys of an entry of ``columns`` that name it; all others replace keys of the specification."""


SAVED: Final = "spec:\n"
"""First line of the record of a saved result, whose specification stands below it."""


def in_study(path: Path) -> str:
    """A specification file of a study as messages name it: ``studies/<study>/specs/<file>``."""
    place = next(folder for folder in path.parents if folder.name == "specs")
    return path.relative_to(place.parents[2]).as_posix()


def read_spec_file(path: Path, source: str = "") -> dict[str, Any]:
    """The keys, unchecked, of a specification file, or of the specification inside a saved result.

    Parameters
    ----------
    source : what messages call it; its path if empty.
    """
    source = source or str(path)
    try:
        with path.open(encoding="utf-8") as file:
            first = file.readline(len(SAVED))
            times = RECORD if first == SAVED else 1
            text = first + file.read(MOST_CHARACTERS * times + 1)
    except FileNotFoundError:
        raise SpecError(f"There is no specification file {source}. Check the path.") from None
    except (OSError, ValueError) as error:
        raise SpecError(f"The specification {source} cannot be read as UTF-8 text: {error}.") from None
    try:
        data = parse_yaml(text, times)
    except LimitError as error:
        raise SpecError(
            f"{source} is refused: {error}. No specification needs as much; check that this is the "
            "right file, and write out what aliases repeat."
        ) from None
    except yaml.YAMLError as error:
        raise SpecError(yaml_fault(source, text, error)) from None
    if not isinstance(data, dict):
        what = {list: "contains a list", str: "contains text", type(None): "is empty"}.get(type(data))
        what = what or f"contains the single value {data!r}"
        several = " Several go in one file with 'vary' or 'columns' (`replication explain`), or one per file."
        raise SpecError(
            f"{source} {what}; a specification is a mapping with keys such as id, outcome, and estimator."
            f"{several if isinstance(data, list) else ''}"
        )
    return _set_keys(data["spec"]) if first == SAVED and isinstance(data["spec"], dict) else data


def _set_keys(saved: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a saved specification that are not empty: every default is written out in it."""
    return {
        key: _set_keys(value) if isinstance(value, Mapping) else value
        for key, value in saved.items()
        if value is not None and (key, value) != ("cluster", [])
    }


def expand(data: Mapping[str, Any], source: str = "the specification") -> Iterator[dict[str, Any]]:
    """The specifications that a file spans; their ids are the id of the file with what differs appended.

    Parameters
    ----------
    data : mapping
        The keys of a file. ``vary`` maps keys to lists, of which every combination is taken. ``columns``
        lists chosen combinations, each a mapping of keys to values with an ``id`` (appended; the values
        if there is none) and a ``label`` (the title). With both, every combination for every column.
    source : str
        What messages call it.

    Raises
    ------
    SpecError
        If ``vary`` is no mapping to lists, ``columns`` no list of mappings, if they span too many
        specifications, or give two of them one id, so that the second would overwrite the first.
    """
    vary, columns = _vary(data, source), _columns(data, source)
    count = math.prod(len(values) for values in vary.values()) * len(columns)
    if count > MOST_SPECIFICATIONS:
        raise SpecError(
            f"{source}: {_named(data)} spans {count:,} specifications, and {MOST_SPECIFICATIONS:,} are the "
            "most that one file may contain. Shorten its lists, or write several files."
        )
    base = {key: value for key, value in data.items() if key not in GRID}
    seen: dict[str, dict[Any, Any]] = {}
    for column, combination in itertools.product(columns, itertools.product(*vary.values())):
        variant: dict[str, Any] = deepcopy(base)
        overrides = {key: value for key, value in column.items() if key not in NAMING}
        chosen = overrides | dict(zip(vary, combination, strict=True))
        for key, value in chosen.items():
            _assign(variant, key, deepcopy(value), source)
        if column.get("label") is not None:
            variant["title"] = column["label"]
        if any(data.get(key) for key in GRID) and "id" in base:
            own = [column["id"]] if column.get("id") is not None else list(overrides.values())
            name = "__".join([str(base["id"]), *(_slug(value) for value in (*own, *combination))])
            if name in seen:
                raise SpecError(
                    f"{source}: the combinations {shortened(seen[name])} and {shortened(chosen)} of "
                    f"{_named(data)} both get the id {shortened(name)}, so one would overwrite the "
                    "other: in ids other characters than letters, digits, '_', '.' and '-' become '-'. "
                    "Rename the columns or write two specifications."
                )
            seen[name] = chosen
            variant["id"] = name
        yield variant


def _named(data: Mapping[str, Any]) -> str:
    return " and ".join(repr(key) for key in GRID if data.get(key))


def _vary(data: Mapping[str, Any], source: str) -> Mapping[str, list[Any]]:
    vary = {} if data.get("vary") is None else data["vary"]
    if not isinstance(vary, Mapping) or not all(
        isinstance(key, str) and isinstance(values, list) and values for key, values in vary.items()
    ):
        raise SpecError(f"{source}: 'vary' maps keys to non-empty lists of values.")
    return vary


def _columns(data: Mapping[str, Any], source: str) -> list[Mapping[str, Any]]:
    """The chosen combinations; one without any change where there are none."""
    columns = data.get("columns")
    if columns is None:
        return [{}]
    if (
        not isinstance(columns, list)
        or not columns
        or not all(
            isinstance(column, Mapping) and column and all(isinstance(key, str) for key in column)
            for column in columns
        )
    ):
        raise SpecError(
            f"{source}: 'columns' is a list of combinations, each a mapping of keys to values, such as "
            "`columns: [{id: weighted, label: Weighted, weights: population}]`."
        )
    for key in GRID:
        if any(key in column for column in columns):
            raise SpecError(f"{source}: {key!r} is inside 'columns'. Write it beside 'columns'.")
    return columns


def _assign(target: dict[str, Any], key: str, value: Any, source: str) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        inner = target.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise SpecError(
                f"{source}: 'vary' or 'columns' has the key {shortened(key)}, and {shortened(parent)} is "
                f"{shortened(inner)}, which contains no keys. Leave it out above, or write its keys "
                "there."
            )
        target = inner
    target[last] = value


def _slug(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "-".join(_slug(part) for part in value) or "none"
    if isinstance(value, Mapping):
        return "-".join(f"{key}-{_slug(part)}" for key, part in value.items()) or "all"
    text = "none" if value is None else str(value)
    return "".join(letter if letter.isalnum() or letter in "_-." else "-" for letter in text)


def flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Keys with dots in place of mappings inside one another, as ``vary`` names them."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found
