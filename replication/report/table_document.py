"""One shape for every table; ``latex``, ``html`` and ``markdown`` write it, a CSV holds its data.

The writers are our own, each about a hundred lines. great-tables draws one estimate a cell and no
LaTeX document that compiles by itself, repeats 8 kB of style with every table and numbers its
HTML at random; maketables takes a second to import and builds on it. ``Estimates`` keeps the
hooks of maketables for readers who want Word.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from replication import __version__
from replication.core.files import write_text
from replication.report.spreadsheet import write_spreadsheet

MADE_WITH = f"replication {__version__}"
ENDINGS = ("tex", "html", "md", "csv")
HEAD_WIDTH = 18


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of one or several columns."""

    text: str
    span: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its name and one cell a column, each of one line or more."""

    label: str
    cells: tuple[tuple[str, ...], ...]

    @property
    def height(self) -> int:
        """Lines of the tallest cell."""
        return max((len(cell) for cell in self.cells), default=1) or 1


@dataclass(frozen=True, slots=True)
class Section:
    """Rows between two rules, with a heading where there is one."""

    rows: tuple[Row, ...]
    heading: str = ""


@dataclass(frozen=True, slots=True)
class TableDocument:
    """A table as it is printed, and the numbers behind it.

    Attributes
    ----------
    headings : rows of column heads, each spanning all columns but the first.
    stub : head of the first column.
    align : one of ``l``, ``c``, ``r`` a column, the first column left out.
    specs : (column, id) of the specifications, printed below the table.
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
    specs: tuple[tuple[str, str], ...] = ()
    versions: str = MADE_WITH
    simulated: bool = False

    @property
    def rows(self) -> list[Row]:
        """All rows, top to bottom."""
        return [row for section in self.sections for row in section.rows]

    def column_widths(self) -> list[int]:
        """Characters of the widest line of each column, the first column included."""
        widths = [max([len(self.stub), *(len(row.label) for row in self.rows)], default=0)]
        single = [heads for heads in self.headings if all(head.span == 1 for head in heads)]
        for index in range(len(self.align)):
            heads = [len(line) for row in single for line in folded(row[index].text)]
            lines = [len(line) for row in self.rows for line in row.cells[index]]
            widths.append(max([*heads, *lines], default=0))
        return widths


def folded(text: str) -> list[str]:
    """A column head in lines of a bearable width."""
    return textwrap.wrap(text, HEAD_WIDTH, break_long_words=False) or [""]


def cell(*lines: str) -> tuple[str, ...]:
    """A cell of several lines; empty lines at its end are left out."""
    kept = list(lines)
    while len(kept) > 1 and not kept[-1]:
        kept.pop()
    return tuple(kept)


def spanning(texts: Sequence[str]) -> tuple[Heading, ...]:
    """Heads of neighbouring columns with the same text joined into one."""
    joined: list[Heading] = []
    for text in texts:
        if joined and joined[-1].text == text:
            joined[-1] = Heading(text, joined[-1].span + 1)
        else:
            joined.append(Heading(text))
    return tuple(joined)


def write_document(document: TableDocument, folder: Path) -> list[Path]:
    """Write a table as LaTeX, HTML, Markdown and CSV; returns the paths."""
    from replication.report.html_table import table_page
    from replication.report.latex_table import latex
    from replication.report.markdown_table import markdown

    writers = {"tex": latex, "html": table_page, "md": markdown}
    paths = [folder / f"{document.id}.{ending}" for ending in ENDINGS]
    for path, (ending, writer) in zip(paths, writers.items(), strict=False):
        assert path.suffix == f".{ending}"
        write_text(path, writer(document))
    write_spreadsheet(paths[-1], document.data.assign(made_with=MADE_WITH))
    return paths
