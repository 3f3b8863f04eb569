"""A table as Markdown (GitHub's pipe tables)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from replication.display.fitted_notes import NOTES
from replication.display.formatting import SIMULATED_WARNING, one_line, typeset
from replication.report.table_document import TableDocument, TableRow

SPECIAL = {"|": r"\|", "*": r"\*", "_": r"\_", "<": "&lt;", ">": "&gt;", "`": r"\`", "#": r"\#"}
ENDING = re.compile("--(!?>)")
"""What ends a comment in Markdown and HTML; two hyphens alone do not."""
RULE = {"l": ":--", "c": ":-:", "r": "--:"}


def escape(text: str) -> str:
    """Text as it is printed, in which nothing is read as markup."""
    escaped = "".join(SPECIAL.get(letter, letter) for letter in one_line(typeset(text)))
    # A sign with a space after it opens no tag, and p-values are read in plain text too.
    return escaped.replace("&lt; ", "< ")


def markdown(document: TableDocument) -> str:
    """The table and its note; details, specifications and versions in a comment."""
    parts = [f"**{escape(document.title)}**", ""]
    if document.simulated:
        parts += [f"> {SIMULATED_WARNING}", ""]
    parts += [*_head(document), *_body(document), ""]
    parts += [f"*{NOTES}* {escape(note)}" for note in document.notes]
    return "\n".join([*parts, "", "<!--", *map(commented, document.record()), "-->", ""])


def commented(line: str) -> str:
    """A line inside a comment: what would end it is broken up; options such as ``--set`` stay."""
    return ENDING.sub(r"-- \1", line)


def _head(document: TableDocument) -> list[str]:
    """One head per column: what stands above it, top to bottom."""
    levels = [[head.text for head in headings for _ in range(head.span)] for headings in document.headings]
    columns = zip(*levels, strict=True)
    names = ["<br>".join(escape(text) for text in texts if text) for texts in columns]
    rules = [RULE[kind] for kind in document.align]
    return [_line(escape(document.stub), names), _line(":--", rules)]


def _body(document: TableDocument) -> list[str]:
    lines = []
    for section in document.sections:
        if section.heading:
            lines.append(_line(f"*{escape(section.heading)}*", [""] * len(document.align)))
        lines += [_row(row) for row in section.rows]
    return lines


def _row(row: TableRow) -> str:
    return _line(escape(row.label), ["<br>".join(escape(line) for line in cell) for cell in row.cells])


def _line(first: str, cells: Sequence[str]) -> str:
    return f"| {' | '.join([first, *cells])} |"
