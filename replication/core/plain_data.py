"""Nested plain data, as YAML files hold them: values made plain, and the texts inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any


def plain_values(value: Any) -> Any:
    """Dataclasses as mappings, tuples and arrays as lists, numbers of numpy as numbers."""
    if is_dataclass(value):
        # ``asdict`` copies every value of a thousand specifications, which takes a second.
        return {one.name: plain_values(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain_values(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value


def texts_in(value: Any, *, keys: bool = False) -> Iterator[str]:
    """Every text inside mappings and lists, in their order; the keys of mappings as well if asked for."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        if keys and isinstance(value, Mapping):
            yield from map(str, value)
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(part, keys=keys)


def as_tuple(value: Any) -> tuple[str, ...]:
    """One name, several, or none, as a tuple."""
    return () if value is None else (value,) if isinstance(value, str) else tuple(map(str, value))
