"""What sensitivity analyses are asked: window, level, and lists of numbers, checked with their remedies."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeGuard

import numpy as np

from replication.core.errors import InputError


class SensitivityError(InputError):
    """A path cannot carry the sensitivity analysis that was asked of it."""


def require_window(window: object) -> None:
    """Refuse a window that is not a first and a last event time."""
    if window is None:
        return
    if not isinstance(window, tuple | list) or len(window) != 2 or not all(map(_is_whole, window)):
        raise SensitivityError(
            "'window' must be the first and the last event time, such as (-4, 4), or None for all; got "
            f"{window!r}."
        )
    if window[0] > window[1]:
        raise SensitivityError(f"The window [{window[0]}, {window[1]}] ends before it starts. Swap the two.")


def require_level(level: object) -> None:
    """Refuse a confidence level that is not a number between 0 and 1."""
    if is_number(level) and 0 < level < 1:
        return
    example = f"{level / 100:g}" if is_number(level) and 1 < level < 100 else "0.95"
    raise SensitivityError(f"'level' must be above 0 and below 1; got {level!r}. Use {example}.")


def require_numbers(values: object, name: str, example: str) -> None:
    """Refuse what is not a list of numbers, or is an empty one."""
    if (
        not isinstance(values, Collection)
        or isinstance(values, str | Mapping)
        or not all(map(is_number, values))
    ):
        raise SensitivityError(f"{name!r} must be a list of numbers, such as {example}; got {values!r}.")
    if not len(values):
        raise SensitivityError(
            f"{name!r} is an empty list. Leave it out for the default, or pass a list such as {example}."
        )


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number, infinite and missing ones included; true and false are none."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
