"""Details as plain data and back: what ``saved_results`` writes into ``spec.yaml``."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, partial
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from replication.core.details import Details
from replication.core.errors import SpecError

Reader = Callable[[Any, str, str], Any]
"""Value, its place in the details, their file -> the value as it is annotated."""
UNIONS = (Union, types.UnionType)
NOT_READ = (
    "{where} was not written by this version of the package: its details {what}. Estimate the specification "
    "again, which replaces the file."
)


def plain(value: Any) -> Any:
    """Plain numbers, strings, lists and mappings, for YAML; of dataclasses what is no default."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            one.name: plain(getattr(value, one.name))
            for one in fields(value)
            if not _is_default(getattr(value, one.name), one)
        }
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def details_of(record: Any, where: str) -> Details:
    """The details that ``plain`` wrote.

    Raises
    ------
    SpecError
        For a field that is unknown or missing, or a value of another kind.
    """
    if not isinstance(record, Mapping):
        raise SpecError(NOT_READ.format(where=where, what="are missing"))
    found: Details = _built(Details, record, "details", where)
    return found


def _is_default(value: Any, one: Any) -> bool:
    default = one.default if one.default_factory is MISSING else one.default_factory()
    if default is MISSING:
        return False
    if isinstance(value, float) and math.isnan(value):
        return isinstance(default, float) and math.isnan(default)
    return type(value) is type(default) and bool(value == default)


@cache
def _needed(kind: Any) -> dict[str, None]:
    """Fields without a default, in their order."""
    every = fields(kind)
    names = (one.name for one in every if one.default is MISSING and one.default_factory is MISSING)
    return dict.fromkeys(names)


@cache
def _readers(kind: type) -> dict[str, tuple[frozenset[Any], Reader]]:
    """Field -> types whose values are taken as they are, and what reads others."""
    return {
        name: (frozenset(get_args(hint) if get_origin(hint) in UNIONS else (hint,)), _reader(hint))
        for name, hint in get_type_hints(kind).items()
    }


@cache
def _reader(hint: Any) -> Reader:
    """What reads a value as its annotation asks: a dataclass, tuple, mapping, number, or text."""
    origin, kinds = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        return partial(_built, hint)
    if origin in UNIONS:
        return partial(_one_of, kinds)
    if origin is tuple:
        return partial(_tuple, kinds)
    return partial(_single, hint) if origin is None else partial(_mapping, kinds[1])


def _built(kind: Any, record: Any, place: str, where: str) -> Any:
    if not isinstance(record, Mapping):
        raise SpecError(NOT_READ.format(where=where, what=f"contain no fields at {place!r}"))
    readers, needed = _readers(kind), _needed(kind)
    if not record.keys() <= readers.keys():
        unknown = next(name for name in record if name not in readers)
        raise SpecError(NOT_READ.format(where=where, what=f"have the unknown field '{place}.{unknown}'"))
    if not needed.keys() <= record.keys():
        absent = next(name for name in needed if name not in record)
        raise SpecError(NOT_READ.format(where=where, what=f"lack the field '{place}.{absent}'"))
    found = {}
    for name, value in record.items():
        kept, reader = readers[name]
        found[name] = value if type(value) in kept else reader(value, f"{place}.{name}", where)
    return kind(**found)


def _tuple(kinds: tuple[Any, ...], value: Any, place: str, where: str) -> tuple[Any, ...]:
    if isinstance(value, list):
        if kinds[-1] is Ellipsis:
            reader = _reader(kinds[0])
            return tuple([reader(part, place, where) for part in value])
        if len(kinds) == len(value):
            return tuple(_reader(kind)(part, place, where) for kind, part in zip(kinds, value, strict=True))
    raise _unreadable(value, place, where)


def _mapping(kind: Any, value: Any, place: str, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _unreadable(value, place, where)
    return {str(key): _reader(kind)(part, f"{place}.{key}", where) for key, part in value.items()}


def _one_of(kinds: tuple[Any, ...], value: Any, place: str, where: str) -> Any:
    """A value of one of several kinds; whole numbers stay whole where they may."""
    if value is None and type(None) in kinds:
        return None
    if type(value) in kinds:
        return value
    other = [kind for kind in kinds if kind not in (type(None), bool, int, str)]
    return _reader(other[0] if other else kinds[0])(value, place, where)


def _single(kind: type, value: Any, place: str, where: str) -> Any:
    if type(value) is kind:
        return value
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise _unreadable(value, place, where)


def _unreadable(value: Any, place: str, where: str) -> SpecError:
    return SpecError(NOT_READ.format(where=where, what=f"contain {str(value)[:40]!r} at {place!r}"))
