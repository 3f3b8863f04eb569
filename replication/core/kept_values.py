"""Values that are made from files, and kept in memory for as long as the files are the same."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value")


def while_unchanged(
    digest: Callable[[Path], str],
) -> Callable[[Callable[[Path], Value]], Callable[[Path], Value]]:
    """Keep what a function makes of a path until the digest of the path is another one.

    The digest is taken before and after: what was made while a file was being edited is not kept. Callers
    share the value and leave it as it is.
    """

    def decorate(function: Callable[[Path], Value]) -> Callable[[Path], Value]:
        """The function with a memory of the last value of each path."""
        kept: dict[Path, tuple[str, Value]] = {}

        @functools.wraps(function)
        def remembering(path: Path) -> Value:
            """The kept value, or a new one where the digest has changed."""
            before = digest(path)
            if path in kept and kept[path][0] == before:
                return kept[path][1]
            value = function(path)
            if digest(path) == before:
                kept[path] = (before, value)
            return value

        return remembering

    return decorate
