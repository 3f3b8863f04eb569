"""Any CSV that cleaning or estimation wrote, with labeled columns and formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from replication.core.errors import SpecError
from replication.display import formatting
from replication.display.fitted_notes import Fact
from replication.report.report_context import Context, versions_of_results
from replication.report.report_data import read_source
from replication.report.study_config import Entry
from replication.report.table_document import (
    Heading,
    Section,
    TableDocument,
    TableRow,
    spanning_heads,
    table_cell,
)
from replication.report.tables import table_notes

OPTIONS = {
    "required": ["source", "columns"],
    "shared": ["source", "where"],
    "properties": {
        "group": {"type": "string", "description": "Column whose values head blocks of rows."},
        "columns": {
            "type": "array",
            "minItems": 1,
            "description": (
                "The first is the row's name. {name, label, format, digits}, or {heading, columns}."
            ),
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string", "description": "Column of the file."},
                    "label": {"$ref": "#/$defs/label"},
                    "format": {"$ref": "#/$defs/format"},
                    "digits": {"$ref": "#/$defs/digits"},
                    "mark_above": {"$ref": "#/$defs/mark_above"},
                    "high": {"$ref": "#/$defs/high"},
                    "std_error": {"$ref": "#/$defs/std_error"},
                    "names": {"$ref": "#/$defs/names"},
                    "heading": {"type": "string"},
                    "columns": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["name"],
                            "properties": {
                                "name": {"type": "string"},
                                "label": {"$ref": "#/$defs/label"},
                                "format": {"$ref": "#/$defs/format"},
                                "digits": {"$ref": "#/$defs/digits"},
                                "mark_above": {"$ref": "#/$defs/mark_above"},
                                "high": {"$ref": "#/$defs/high"},
                                "std_error": {"$ref": "#/$defs/std_error"},
                            },
                        },
                    },
                },
            },
        },
    },
}

Format = Callable[[Any, int], str]


def _text(value: Any, digits: int) -> str:
    return "" if pd.isna(value) else str(value)


FORMATS: dict[str, Format] = {
    "text": _text,
    "identifier": lambda value, digits: formatting.identifier(value),
    "integer": lambda value, digits: formatting.integer(value),
    "adaptive": lambda value, digits: formatting.adaptive(value),
    "number": formatting.fixed,
    "p_value": lambda value, digits: formatting.probability(value),
    "percent": lambda value, digits: formatting.fixed(100 * value, digits),
}


def build(entry: Entry, context: Context) -> TableDocument:
    """The rows of a file, its first column naming them."""
    columns, groups = flat(entry)
    names = [column[key] for column in columns for key in ("name", "high", "std_error") if key in column]
    needed = [*names, *([entry.options["group"]] if "group" in entry.options else [])]
    frame = read_source(context.folders, entry.options["source"], needed, where=entry.options.get("where"))
    labels = [column.get("label", context.study.label(column["name"])) for column in columns]
    heads: list[tuple[Heading, ...]] = [tuple(Heading(label) for label in labels[1:])]
    if any(groups):
        heads.insert(0, spanning_heads(groups[1:]))
    marked = [
        f"{formatting.DAGGER} above {column['mark_above']:g} in absolute value ({label})."
        for column, label in zip(columns, labels, strict=True)
        if "mark_above" in column
    ]
    source = f"Source: {context.folders.shown(entry.options['source'])}."
    printed, details = table_notes.printed(
        [
            *(Fact(table_notes.CELLS, note) for note in (*entry.notes, *marked)),
            Fact(table_notes.SOURCE, source),
        ]
    )
    return context.document(
        entry,
        headings=tuple(heads),
        sections=tuple(sections(entry, columns, named(columns, frame, context))),
        align="".join("l" if kind_of(column) == "text" else "r" for column in columns[1:]),
        stub=labels[0],
        notes=printed,
        details=details,
        versions=versions_of_results([]),
        data=frame[list(dict.fromkeys(needed))],
    )


def named(columns: list[dict[str, Any]], frame: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The rows with names in place of codes, where a column asks for them; other values stay."""
    for column in columns:
        if "names" in column:
            options = column["names"]
            known = read_source(context.folders, options["source"], [options["from"], options["to"]])
            names = dict(zip(known[options["from"]], known[options["to"]], strict=True))
            shown = [names.get(value, value) for value in frame[column["name"]]]
            frame = frame.assign(**{column["name"]: shown})
    return frame


def flat(entry: Entry) -> tuple[list[dict[str, Any]], list[str]]:
    """Columns without nesting, and the heading that stands above each."""
    columns: list[dict[str, Any]] = []
    groups: list[str] = []
    for item in entry.options["columns"]:
        inner = item.get("columns", [item])
        if any("name" not in column for column in inner):
            raise SpecError(
                "a column has neither 'name' nor 'columns'. Name the column of the file that it shows."
            )
        columns += inner
        groups += [item.get("heading", "")] * len(inner)
    return columns, groups


def kind_of(column: Mapping[str, Any]) -> str:
    """The format of a column."""
    return str(column.get("format", "text"))


def printed(column: Mapping[str, Any], value: Any) -> str:
    """One cell."""
    default = 1 if kind_of(column) == "percent" else 3
    try:
        shown = FORMATS[kind_of(column)](value, column.get("digits", default))
        bound = column.get("mark_above")
        above = bound is not None and pd.notna(value) and abs(value) > bound
    except (TypeError, ValueError):
        raise SpecError(
            f"the column {column['name']!r} must be printed as "
            f"{kind_of(column)} but contains {value!r}. Use 'format: text'."
        ) from None
    return shown + (formatting.DAGGER if above else "")


def sections(entry: Entry, columns: list[dict[str, Any]], frame: pd.DataFrame) -> list[Section]:
    """All rows, or one block per value of the grouping column, in the order of the file."""
    group = entry.options.get("group")
    if group is None:
        return [Section(_rows(columns, frame))]
    return [Section(_rows(columns, part), str(value)) for value, part in frame.groupby(group, sort=False)]


def _rows(columns: list[dict[str, Any]], frame: pd.DataFrame) -> tuple[TableRow, ...]:
    records = frame.to_dict("records")
    return tuple(
        TableRow(
            printed(columns[0], record[columns[0]["name"]]), tuple(cell(one, record) for one in columns[1:])
        )
        for record in records
    )


def cell(column: Mapping[str, Any], record: Mapping[Any, Any]) -> tuple[str, ...]:
    """A number, a number with its standard error below, or an interval."""
    shown = printed(column, record[column["name"]])
    if "high" in column:
        high = printed(column, record[column["high"]])
        return table_cell(f"[{shown}, {high}]" if shown and high else "")
    below = printed(column, record[column["std_error"]]) if "std_error" in column else ""
    return table_cell(shown, f"({below})" if below else "")
