"""Bounds on the size of a specification, above any genuine file and below any decompression bomb.

A few lines of YAML can stand for billions of values (an alias of an alias of an alias), a nesting
beyond the recursion limit, or a number with more digits than can be printed. They are counted on
the stream of events, before anything is built of them.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from replication.core.errors import SpecError

MOST_CHARACTERS: Final = 4_000_000
"""Characters of a YAML file; the longest of the package has 132,000."""
MOST_NODES: Final = 200_000
"""Keys and values of a YAML file, those that aliases repeat counted each time; the largest of the
package has 8,000, and a permutation of 999 draws that is saved with its estimate 2,000."""
DEEPEST: Final = 50
"""Lists and mappings inside one another; the deepest of the package has 9."""
RECORD: Final = 25
"""Times that a record which the package wrote itself may be as large: a permutation keeps a number
per draw."""
MOST_DIGITS: Final = 40
"""Characters of a number; a float has 24 at most, and Python prints no integer above 4,300."""
LARGEST_INTEGER: Final = 2**53
"""Whole numbers up to here are exact in every column and every calculation."""
MOST_SPECIFICATIONS: Final = 20_000
"""Specifications that one ``vary`` may span; ten thousand take an hour."""
LONGEST_VALUE: Final = 200
"""Characters of a value in a message."""
LONGEST_ID: Final = 200
"""Characters of an id, which names a folder: file systems take 255 bytes."""
DEVICES: Final = frozenset(
    ["CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))]
)
"""Names that Windows keeps for devices, with any ending and in any case."""


class LimitError(yaml.YAMLError):
    """A YAML text is beyond what a file of this package can need."""


def require_bounded(text: str, loader: Any, times: int = 1) -> None:
    """Refuse a YAML text that is too long, too deep or too large once its aliases are followed.

    Parameters
    ----------
    text : str
        The text; errors of its syntax are left to the loader where they come first.
    loader : type
        Loader whose parser gives the events.
    times : int
        Factor on the limits of length and number.

    Raises
    ------
    LimitError
        With the limit and what exceeds it.
    """
    if len(text) > MOST_CHARACTERS * times:
        raise LimitError(f"it has more than {MOST_CHARACTERS * times:,} characters")
    nodes = _Count(MOST_NODES * times)
    for event in yaml.parse(text, Loader=loader):
        nodes.take(event)


class _Count:
    """Nodes so far, and those below every anchor."""

    def __init__(self, most: int) -> None:
        self.most, self.total = most, 0
        self.sizes: dict[str, int] = {}
        self.open: list[tuple[str | None, int]] = []

    def take(self, event: Any) -> None:
        """Count one event."""
        if isinstance(event, yaml.CollectionStartEvent):
            self._add(1, event)
            self.open.append((event.anchor, self.total - 1))
            if len(self.open) > DEEPEST:
                raise LimitError(
                    f"lists and mappings lie inside one another more than {DEEPEST} deep, {_line(event)}"
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self.open.pop()
            if anchor is not None:
                self.sizes[anchor] = self.total - before
        elif isinstance(event, yaml.AliasEvent):
            self._add(self._aliased(event), event)
        elif isinstance(event, yaml.ScalarEvent):
            self._add(1, event)
            if event.anchor is not None:
                self.sizes[event.anchor] = 1

    def _aliased(self, event: Any) -> int:
        if any(anchor == event.anchor for anchor, _ in self.open):
            raise LimitError(f"the alias *{event.anchor} refers to itself, {_line(event)}")
        return self.sizes.get(event.anchor, 1)

    def _add(self, nodes: int, event: Any) -> None:
        self.total += nodes
        if self.total > self.most:
            raise LimitError(
                f"it contains more than {self.most:,} keys and values, aliases counted each time, "
                f"{_line(event)}"
            )


def _line(event: Any) -> str:
    mark = event.start_mark
    return f"on line {mark.line + 1}" if mark is not None else "somewhere"


def require_portable(name: str, key: str, source: str) -> None:
    """Refuse a name that some file system cannot give to a file or folder.

    Raises
    ------
    SpecError
        For a name of a device of Windows, one that ends in a dot, and one that is too long.
    """
    if reason := unportable(name):
        other = ", or shorter values under 'vary'" if len(name) > LONGEST_ID else ""
        raise SpecError(
            f"{source}: {key!r} is {shortened(name)}, which cannot name a file, because {reason}. Choose "
            f"another name{other}."
        )


def unportable(name: str) -> str:
    """The reason why a name cannot be that of a file or folder on some file system; empty if it can."""
    if name.partition(".")[0].upper() in DEVICES:
        return "Windows reserves it for a device"
    if name.endswith("."):
        return "Windows removes the final period"
    if len(name) > LONGEST_ID:
        return f"it has {len(name)} characters, and file systems allow {LONGEST_ID}"
    return ""


def shortened(value: Any) -> str:
    """A value as it is written in a message; the middle of a long one is left out."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} too large to be printed"
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 20]} ... {text[-15:]}"
