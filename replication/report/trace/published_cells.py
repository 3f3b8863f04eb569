"""What each cell of a table of published values shows: the published value, ours, or their difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from replication.report.report_context import Context
from replication.report.report_data import read_source
from replication.report.study_config import Entry
from replication.report.table_document import TableDocument
from replication.report.tables import published_table
from replication.report.trace.shown_values import FIRST, Grid, ShownValue, of_result, text_value

OF_PUBLISHED = (
    "published",
    "estimate",
    "difference",
    "std_error_difference",
    "coefficient_equal",
    "std_error_equal",
)
"""Columns of a table of published values and those of its CSV."""


def published(entry: Entry, document: TableDocument, context: Context) -> Grid:
    """Published values, ours, and their differences."""
    grid: Grid = []
    for place, (options, row) in enumerate(zip(entry.options["rows"], document.rows, strict=True)):
        found = document.data.iloc[place]
        name = str(found["spec_id"])
        cells = []
        for quantity, cell in zip(OF_PUBLISHED, row.cells, strict=False):
            value = found[quantity]
            if quantity == "published":
                shown = _published(cell, found, options, entry, context)
            elif not any(cell):
                shown = text_value(cell)
            elif quantity == "estimate" and not name:
                shown = _of_analysis(cell, found, options["ours"], context)
            elif quantity == "estimate":
                shown = of_result(cell, context.results.get(name), options.get("row", "att"), quantity)
            else:
                verdict = published_table.YES_NO.get(value) if quantity.endswith("_equal") else value
                shown = ShownValue(cell, "difference", verdict, quantity=quantity, specification=name)
                shown = replace(shown, row=options.get("row", "att"))
            cells.append(replace(shown, data=(place, quantity)) if any(cell) else shown)
        grid.append(cells)
    return grid


def _of_analysis(cell: tuple[str, ...], found: Any, ours: Mapping[str, Any], context: Context) -> ShownValue:
    """An estimate that an analysis has beside a published value."""
    source = str(ours["source"])
    line = _line(read_source(context.folders, source), ours["where"])
    origin = "analysis" if source.startswith("analyses/") else "file"
    numbers = found["estimate"], found["std_error"]
    return ShownValue(cell, origin, *numbers, quantity="estimate", source=source, line=line)


def _line(frame: pd.DataFrame, where: Mapping[str, Any]) -> int:
    """The first line of a file whose columns have the values."""
    fits = [
        all(str(row[key]) in map(str, values) for key, values in where.items()) for _, row in frame.iterrows()
    ]
    return fits.index(True) + FIRST


def _published(
    cell: tuple[str, ...], found: Any, options: Mapping[str, Any], entry: Entry, context: Context
) -> ShownValue:
    """The published value with where it was read."""
    where: Mapping[str, Any] = options.get("where") or {}
    source = entry.options.get("source", "") if where else ""
    line, place = None, ""
    if source:
        frame = read_source(context.folders, source, text=True)
        line = _line(frame, where)
        record = frame.iloc[line - FIRST]
        place = ", ".join(f"{key} {record[key]}" for key in ("table", "column", "page") if record.get(key))
    about = {
        "publication": options.get("heading") or entry.options.get("publication", ""),
        "source": source,
        "place": place,
        "secondary": bool(found["secondary"]),
        "note": str(found["note"]),
    }
    return ShownValue(
        cell,
        "published",
        found["published"],
        found["published_std_error"] or None,
        quantity="published",
        source=source,
        line=line,
        published={key: value for key, value in about.items() if value != ""},
    )
