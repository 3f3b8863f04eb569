"""Details as plain data and back: what ``saved_results`` writes into ``spec.yaml``."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from replication.core.details import Details
from replication.core.errors import SpecError

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
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _needed(kind: Any) -> dict[str, None]:
    """Fields without a default, in their order."""
    every = fields(kind)
    names = (one.name for one in every if one.default is MISSING and one.default_factory is MISSING)
    return dict.fromkeys(names)


@cache
def _form(hint: Any) -> tuple[bool, Any, tuple[Any, ...]]:
    """Whether an annotation is a dataclass, else what it is made of."""
    return is_dataclass(hint), get_origin(hint), get_args(hint)


@cache
def _kept(kind: type) -> dict[str, frozenset[Any]]:
    """Field -> types whose values are taken as they are."""
    return {
        name: frozenset(get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,))
        for name, hint in _hints(kind).items()
    }


def _built(kind: Any, record: Any, place: str, where: str) -> Any:
    if not isinstance(record, Mapping):
        raise SpecError(NOT_READ.format(where=where, what=f"contain no fields at {place!r}"))
    hints, kept, needed = _hints(kind), _kept(kind), _needed(kind)
    if not record.keys() <= hints.keys():
        unknown = next(name for name in record if name not in hints)
        raise SpecError(NOT_READ.format(where=where, what=f"have the unknown field '{place}.{unknown}'"))
    if not needed.keys() <= record.keys():
        absent = next(name for name in needed if name not in record)
        raise SpecError(NOT_READ.format(where=where, what=f"lack the field '{place}.{absent}'"))
    return kind(
        **{
            name: value if type(value) in kept[name] else _read(hints[name], value, f"{place}.{name}", where)
            for name, value in record.items()
        }
    )


def _read(hint: Any, value: Any, place: str, where: str) -> Any:
    """A value as its annotation asks: nested dataclasses, tuples, mappings, numbers, text."""
    if type(value) is hint:
        return value
    is_record, origin, kinds = _form(hint)
    if is_record:
        return _built(hint, value, place, where)
    if origin in (Union, types.UnionType):
        return _one_of(kinds, value, place, where)
    if origin is tuple and isinstance(value, list):
        of = [kinds[0]] * len(value) if kinds[-1] is Ellipsis else kinds
        if len(of) == len(value):
            return tuple(_read(kind, part, place, where) for kind, part in zip(of, value, strict=True))
    elif origin is not tuple and origin is not None and isinstance(value, Mapping):
        return {str(key): _read(kinds[1], part, f"{place}.{key}", where) for key, part in value.items()}
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise SpecError(NOT_READ.format(where=where, what=f"contain {str(value)[:40]!r} at {place!r}"))


def _one_of(kinds: tuple[Any, ...], value: Any, place: str, where: str) -> Any:
    """A value of one of several kinds; whole numbers stay whole where they may."""
    if value is None and type(None) in kinds:
        return None
    if type(value) in kinds:
        return value
    other = [kind for kind in kinds if kind not in (type(None), bool, int, str)]
    return _read(other[0] if other else kinds[0], value, place, where)
