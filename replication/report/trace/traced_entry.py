"""The trace of one printed number, and a table or figure with what every cell shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from replication.report.study_config import Entry
from replication.report.trace.shown_values import ShownValue
from replication.report.trace.trace_keys import Key

ANALYSIS, FILE = "analysis", "file"


@dataclass(frozen=True, slots=True)
class Trace:
    """Where one printed number comes from.

    Attributes
    ----------
    study, name, kind : of the table (``table``) or figure (``figure``).
    row, column : keys of the cell; a point of a figure has no column.
    shown : what the cell shows, unrounded.
    cell : the same as plain data, with ``second_engine`` and ``expected`` where there are such values.
    shared : descriptions of all that the cell refers to (``trace_schema.json``).
    """

    study: str
    name: str
    kind: str
    row: Key
    column: Key | None
    shown: ShownValue
    cell: Mapping[str, Any]
    shared: Mapping[str, Mapping[str, Any]]

    @property
    def value(self) -> Any:
        """The number with full digits."""
        return self.shown.value

    @property
    def command(self) -> str:
        """The command that computes the number; empty for what was typed or published."""
        for kind, name in (("specifications", "specification"), ("analyses", ANALYSIS)):
            if name in self.cell:
                return str(self.shared[kind][self.cell[name]]["command"])
        made_by = self.shared["files"].get(self.cell.get(FILE, ""), {}).get("made_by", "")
        place, _, name = made_by.partition(":")
        return str(self.shared["recipes"][name]["command"]) if place == "recipe" else ""


@dataclass(frozen=True)
class Traced:
    """A table or figure with what every cell shows.

    Attributes
    ----------
    points : whether it is a figure, whose rows are points and which has no columns.
    length : rows of the file of its numbers.
    """

    entry: Entry
    points: bool
    rows: Sequence[Key]
    columns: Sequence[Key]
    grid: Sequence[Sequence[ShownValue]]
    length: int

    @property
    def file(self) -> str:
        """Its numbers below ``expected/``."""
        return f"{'figures' if self.points else 'tables'}/{self.entry.id}.csv"

    def cells(self) -> Iterator[tuple[Key, Key | None, ShownValue]]:
        """Every cell with its keys."""
        columns: Sequence[Key | None] = [None] if self.points else self.columns
        for row, line in zip(self.rows, self.grid, strict=True):
            for column, shown in zip(columns, line, strict=True):
                yield row, column, shown
