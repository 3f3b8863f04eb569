"""The columns of a regression table: which specification, under which heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from replication.core.errors import SpecError
from replication.report.report_context import Context
from replication.report.report_data import Saved
from replication.report.study_config import Entry
from replication.report.table_document import Heading, spanning_heads


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heads, and its result where the table has no panels."""

    number: int
    heading: str
    label: str
    spec: str | None
    truth: float | None


@dataclass(frozen=True, slots=True)
class TableBlock:
    """Rows of one panel: a heading and one result (or none) per column."""

    heading: str
    results: tuple[Saved | None, ...]


def read_columns(entry: Entry, context: Context) -> list[Column]:
    """The columns of an entry, left to right."""
    options = entry.options
    if "columns" not in options:
        if "panels" not in options:
            raise SpecError("it has neither 'columns' nor 'panels'. Add 'columns'.")
        count = len(options["panels"][0]["specs"])
        return [Column(number, "", "", None, None) for number in range(1, count + 1)]
    columns: list[Column] = []
    for item in options["columns"]:
        inner = item["columns"] if isinstance(item, Mapping) and "columns" in item else [item]
        heading = item.get("heading", "") if isinstance(item, Mapping) else ""
        for one in inner:
            columns.append(_column(one, len(columns) + 1, heading, entry, context))
    return columns


def _column(item: Any, number: int, heading: str, entry: Entry, context: Context) -> Column:
    values: dict[str, Any] = {"spec": item} if isinstance(item, str) else dict(item)
    spec = values.get("spec")
    if spec is None and "panels" not in entry.options:
        raise SpecError(
            f"column {number} names no specification. Write its id, or "
            "{spec: id, label: text}, or {heading: text, columns: [ids]}."
        )
    label = values.get("label")
    if label is None:
        label = "" if spec is None else default_label(context.results.get(spec), context)
    return Column(number, heading, label, spec, values.get("truth", context.study.truth))


def default_label(saved: Saved, context: Context) -> str:
    """The title of the specification, else the label of its outcome."""
    title = saved.spec.get("title")
    return str(title) if title else context.study.outcome(str(saved.spec["outcome"])).label


def read_blocks(entry: Entry, columns: Sequence[Column], context: Context) -> list[TableBlock]:
    """The panels of an entry, top to bottom; one without heading where there are none."""
    get = context.results.get
    if "panels" not in entry.options:
        return [TableBlock("", tuple(get(column.spec) for column in columns if column.spec))]
    blocks = []
    for panel in entry.options["panels"]:
        if len(panel["specs"]) != len(columns):
            raise SpecError(
                f"the panel {panel['heading']!r} names "
                f"{len(panel['specs'])} specifications for {len(columns)} columns. List one per "
                "column, null for an empty cell."
            )
        found = tuple(None if name is None else get(name) for name in panel["specs"])
        blocks.append(TableBlock(panel["heading"], found))
    return blocks


def column_heads(columns: Sequence[Column]) -> tuple[tuple[Heading, ...], ...]:
    """Rows of column heads: groups, labels (where there are any) and numbers."""
    rows = []
    if any(column.heading for column in columns):
        rows.append(spanning_heads([column.heading for column in columns]))
    if any(column.label for column in columns):
        rows.append(tuple(Heading(column.label) for column in columns))
    return (*rows, tuple(Heading(f"({column.number})") for column in columns))
