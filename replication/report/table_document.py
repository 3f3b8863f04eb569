"""One shape for every table; ``latex``, ``html`` and ``markdown`` write it, a CSV holds its data.

The writers are our own, each about a hundred lines. great-tables draws one estimate per cell and no
LaTeX document that compiles by itself, repeats 8 kB of style with every table and numbers its
HTML at random; maketables takes a second to import and builds on it. ``Estimates`` keeps the
hooks of maketables for readers who want Word.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from replication import __version__

MADE_WITH = f"replication {__version__}"
HEAD_WIDTH = 18


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of one or several columns."""

    text: str
    span: int = 1


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row: its name and one cell per column, each of one line or more."""

    label: str
    cells: tuple[tuple[str, ...], ...]

    @property
    def height(self) -> int:
        """Lines of the tallest cell."""
        return max((len(cell) for cell in self.cells), default=1) or 1


@dataclass(frozen=True, slots=True)
class Section:
    """Rows between two rules, with a heading where there is one."""

    rows: tuple[TableRow, ...]
    heading: str = ""


@dataclass(frozen=True, slots=True)
class TableDocument:
    """A table as it is printed, and the numbers behind it.

    Attributes
    ----------
    headings : rows of column heads, each spanning all columns but the first.
    stub : head of the first column.
    align : one of ``l``, ``c``, ``r`` a column, the first column left out.
    notes : the printed note, a paragraph each.
    details : statements for which the note has no room; recorded in the files, not printed.
    specs : (column, id) of the specifications; recorded in the files, not printed.
    data : what the CSV holds, unrounded.
    """

    id: str
    study: str
    title: str
    headings: tuple[tuple[Heading, ...], ...]
    sections: tuple[Section, ...]
    align: str
    data: pd.DataFrame = field(repr=False)
    stub: str = ""
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    specs: tuple[tuple[str, str], ...] = ()
    versions: str = MADE_WITH
    simulated: bool = False

    @property
    def rows(self) -> list[TableRow]:
        """All rows, top to bottom."""
        return [row for section in self.sections for row in section.rows]

    def record(self) -> list[str]:
        """What is recorded with the table: details, specifications and versions, one line each."""
        named = "; ".join(f"{column} {name}".strip() for column, name in self.specs)
        return [
            *self.details,
            *([f"Specifications: {named}."] if named else []),
            f"Made with {self.versions}.",
        ]

    def column_widths(self) -> list[int]:
        """Characters of the widest line of each column, the first column included."""
        widths = [max([len(self.stub), *(len(row.label) for row in self.rows)], default=0)]
        single = [heads for heads in self.headings if all(head.span == 1 for head in heads)]
        for index in range(len(self.align)):
            heads = [len(line) for row in single for line in folded_head(row[index].text)]
            lines = [len(line) for row in self.rows for line in row.cells[index]]
            widths.append(max([*heads, *lines], default=0))
        return widths


def folded_head(text: str) -> list[str]:
    """A column head in lines of a bearable width."""
    return textwrap.wrap(text, HEAD_WIDTH, break_long_words=False) or [""]


def table_cell(*lines: str) -> tuple[str, ...]:
    """A cell of several lines; empty lines at its end are left out."""
    kept = list(lines)
    while len(kept) > 1 and not kept[-1]:
        kept.pop()
    return tuple(kept)


def spanning_heads(texts: Sequence[str]) -> tuple[Heading, ...]:
    """Heads of neighboring columns with the same text joined into one."""
    joined: list[Heading] = []
    for text in texts:
        if joined and joined[-1].text == text:
            joined[-1] = Heading(text, joined[-1].span + 1)
        else:
            joined.append(Heading(text))
    return tuple(joined)
