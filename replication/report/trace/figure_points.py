"""What each point of a figure shows: a row of the file beside it, named by its columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from replication.display.formatting import identifier
from replication.report.report_context import Context
from replication.report.study_config import Entry
from replication.report.trace.shown_values import ShownValue, source_lines
from replication.report.trace.trace_keys import Key, unique

HEADINGS = ("panel_title", "panel", "group", "method", "measure")
"""Columns that say in which part of a figure a point is; an option of the figure may name others."""
NAMES = (
    "series",
    "label",
    "state",
    "kind",
    "treated",
    "comparison",
    "m",
    "date",
    "time",
    "year",
    "event_time",
    "fips",
)
"""Columns that name a point there."""
OPTIONS = ("panel", "group", "x")
"""Options of a figure whose values are columns that name a point."""
VALUES = ("estimate", "mean", "share", "power", "value", "conf_low")
"""Columns that hold what is drawn, the first that there is; the options ``y`` and ``value`` come before."""
WHOLE = ("specification_curve",)
"""Figures with one specification a point, whose id is its name."""


def point_keys(entry: Entry, frame: pd.DataFrame) -> list[Key]:
    """Keys of the points of a figure, in the order of the file beside it."""
    if entry.kind in WHOLE:
        return unique(("", str(name)) for name in frame["spec_id"])
    options = [str(entry.options[name]) for name in OPTIONS if name in entry.options]
    have = [name for name in dict.fromkeys((*HEADINGS, *NAMES, *options)) if name in frame.columns]
    # Numbers of panels and series are repeated by their titles.
    have = [name for name in have if not (name in ("panel", "series") and "panel_title" in frame.columns)]
    heads = [name for name in have if name in HEADINGS]
    names = [name for name in have if name not in heads]
    if not names:
        heads, names = [], heads
    return unique(zip(_joined(frame, heads), _joined(frame, names), strict=True))


def figure_points(entry: Entry, frame: pd.DataFrame, context: Context) -> list[ShownValue]:
    """What the points of a figure show, in the order of the file beside it."""
    value = value_column(entry, frame)
    source = entry.options.get("source", "")
    lines: Sequence[int | None] = [None] * len(frame)
    if source:
        lines = source_lines(context.folders, source, frame, entry.options.get("rename"))
    records = [{str(key): one for key, one in record.items()} for record in frame.to_dict("records")]
    return [
        _point(record, value, source, line, place, entry)
        for place, (record, line) in enumerate(zip(records, lines, strict=True))
    ]


def value_column(entry: Entry, frame: pd.DataFrame) -> str:
    """The column that holds what is drawn."""
    asked = [str(entry.options[name]) for name in ("y", "value") if isinstance(entry.options.get(name), str)]
    columns = [str(name) for name in frame.columns]
    return next(name for name in (*asked, *VALUES, *columns) if name in columns)


def _point(
    record: dict[str, Any], value: str, source: str, line: int | None, place: int, entry: Entry
) -> ShownValue:
    name = str(record.get("spec_id") or "")
    row = ""
    if name and not source:
        row = f"event:{record['event_time']:g}" if "event_time" in record else entry.options.get("row", "att")
    ends = ("conf_low", "conf_high")
    interval = tuple(record[end] for end in ends) if set(ends) <= set(record) else None
    known = {value, "std_error", "spec_id", *ends}
    return ShownValue(
        (),
        "file" if source else "specification",
        record[value],
        record.get("std_error"),
        interval if interval and any(pd.notna(end) for end in interval) else None,
        value,
        name if name != "nan" else "",
        row,
        source,
        line,
        data=(place, value),
        numbers={key: one for key, one in record.items() if key not in known and pd.notna(one)},
    )


def _joined(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """The texts of several columns in one, empty ones left out."""
    columns = [[identifier(value) for value in frame[name].tolist()] for name in names]
    rows = zip(*columns, strict=True) if columns else [()] * len(frame)
    return [" ".join(word for word in row if word) for row in rows]
