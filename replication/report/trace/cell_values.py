"""What each cell of a printed table shows: its unrounded value and where that is from.

Every cell of a kind of table without an entry in ``READERS`` is traced to its row of the table's data, or to
the table's own description.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from replication.core.estimates import row_labels
from replication.report import facts
from replication.report.report_context import Context
from replication.report.report_data import Saved, read_source
from replication.report.study_config import Entry
from replication.report.table_document import TableDocument, TableRow
from replication.report.tables import estimators_table, frame_table
from replication.report.tables import table_statistics as statistics
from replication.report.tables.table_columns import read_blocks, read_columns
from replication.report.trace.published_cells import published
from replication.report.trace.shown_values import FIRST, Grid, ShownValue, of_result, source_lines, text_value

Reader = Callable[[Entry, TableDocument, Context], Grid]


def table_cells(entry: Entry, document: TableDocument, context: Context) -> Grid:
    """What the cells of a table show, one list a row."""
    return READERS.get(entry.kind, described)(entry, document, context)


def described(entry: Entry, document: TableDocument, context: Context) -> Grid:
    """Cells of a kind that says nothing about itself: as printed."""
    return [[text_value(cell) for cell in row.cells] for row in document.rows]


def regression(entry: Entry, document: TableDocument, context: Context) -> Grid:
    """Estimates and statistics of a regression table."""
    columns = read_columns(entry, context)
    blocks = read_blocks(entry, columns, context)
    wanted = entry.options.get("rows", [{"row": "att"}])
    every = [[saved for block in blocks if (saved := block.results[place])] for place in range(len(columns))]
    grid: Grid = []
    for number, section in enumerate(document.sections):
        own = number < len(blocks)
        for place, row in enumerate(section.rows):
            results = blocks[number].results if own else [found[0] if found else None for found in every]
            if own and place < len(wanted):
                cells = [
                    _estimate(cell, saved, wanted[place]["row"])
                    for cell, saved in zip(row.cells, results, strict=True)
                ]
            else:
                cells = [
                    _statistic(row, cell, saved, column.truth, entry, context)
                    for cell, saved, column in zip(row.cells, results, columns, strict=True)
                ]
            grid.append([_placed(cell, document.data) for cell in cells])
    return grid


def _estimate(cell: tuple[str, ...], saved: Saved | None, row: str) -> ShownValue:
    found = None if saved is None else saved.find(row)
    return text_value(cell) if saved is None or found is None else of_result(cell, saved, row, "estimate")


STORED = {"mean": "mean_outcome"}
"""Statistics and the columns of a table's CSV that hold them."""


def _statistic(
    row: TableRow,
    cell: tuple[str, ...],
    saved: Saved | None,
    truth: float | None,
    entry: Entry,
    context: Context,
) -> ShownValue:
    """A row below the estimates, found by its label."""
    if saved is None or not any(cell):
        return text_value(cell)
    blank = ShownValue(cell, "specification", specification=saved.spec_id, row="att")
    study = context.study
    for item in (*entry.options.get("statistics", statistics.DEFAULT), "controls", "truth"):
        if isinstance(item, Mapping):
            if item["label"] == row.label:
                return _extra(blank, item, saved, context)
        elif item == "truth" and row.label == statistics.LABELS["truth"]:
            return ShownValue(cell, "description", truth, quantity="truth")
        elif item != "absorbed" and row.label == study.labels.get(item, statistics.LABELS[item]):
            value = _of_statistic(item, saved, entry, context)
            return replace(blank, value=value, quantity=STORED.get(item, item))
    names = {facts.effect_label(name, saved, study): name for name in facts.absorbed(saved)}
    return replace(blank, value="Yes" if row.label in names else "No", quantity="absorbed")


def _of_statistic(name: str, saved: Saved, entry: Entry, context: Context) -> Any:
    if name in ("n_obs", "n_units", "n_clusters"):
        return saved.rows.column(name)[0]
    numbers: dict[str, Callable[[], Any]] = {
        "mean": lambda: saved.details.mean_outcome,
        "pre_mean": lambda: saved.details.mean_pre,
        "p_value": lambda: (saved.find("att") or {}).get("p_value"),
        "pretrend": lambda: facts.pretrend_p(saved),
        "controls": lambda: len(statistics.controls(saved, entry)),
    }
    return numbers[name]() if name in numbers else statistics.MAKERS[name](saved, context)


def _extra(blank: ShownValue, item: Mapping[str, Any], saved: Saved, context: Context) -> ShownValue:
    if "detail" in item:
        return replace(blank, value=facts.number(saved, item["detail"]), quantity=item["detail"])
    source, column = item["source"], item["column"]
    frame = read_source(context.folders, source, ["spec_id", column])
    rows = frame.index[frame["spec_id"] == saved.spec_id]
    return replace(
        blank,
        origin="file",
        value=frame.loc[rows[0], column],
        quantity=column,
        source=source,
        line=int(rows[0]) + FIRST,
    )


IN_WORDS = ("absorbed", "controls", "weights")
"""Statistics that a table's CSV lists by the names of columns and the table words, counts or ticks off."""


def _placed(shown: ShownValue, data: pd.DataFrame) -> ShownValue:
    """With the row of the table's data that has the same result, if it has the quantity."""
    if not shown.specification or shown.quantity not in data.columns or shown.quantity in IN_WORDS:
        return shown
    same = (data["spec_id"] == shown.specification).to_numpy()
    rows = (same & [name == shown.row for name in row_labels(data)]).nonzero()[0]
    places = rows if shown.quantity in OF_ROW.values() else same.nonzero()[0]
    return replace(shown, data=(int(places[0]), shown.quantity)) if len(places) else shown


SAME = ("estimate", "std_error", "p_value", "n_obs", "n_units", "n_clusters")
OF_ROW = {"interval": "conf_low", "band": "band_low", **{name: name for name in SAME}}
"""Columns of a table of estimators and those of saved estimates."""


def estimators(entry: Entry, document: TableDocument, context: Context) -> Grid:
    """One specification a row."""
    blocks = estimators_table.read_blocks(entry, context)
    lines = [line for _, block in blocks for line in block]
    columns = estimators_table.shown_columns(entry, lines)
    grid: Grid = []
    for place, (line, row) in enumerate(zip(lines, document.rows, strict=True)):
        # ``att`` or ``event:2``.
        label = row_labels(pd.DataFrame([line["found"]]))[0]
        cells = [
            _of_line(name, cell, line, label, context) for name, cell in zip(columns, row.cells, strict=True)
        ]
        grid.append([replace(cell, data=(place, cell.quantity)) if cell.quantity else cell for cell in cells])
    return grid


def _of_line(
    name: str, cell: tuple[str, ...], line: Mapping[str, Any], row: str, context: Context
) -> ShownValue:
    saved = line["saved"]
    if name == "truth":
        return ShownValue(cell, "description" if any(cell) else "empty", line["truth"], quantity="truth")
    if name in OF_ROW:
        shown = of_result(cell, saved, row, OF_ROW[name])
        ends = {"interval": ("conf_low", "conf_high"), "band": ("band_low", "band_high")}.get(name)
        return shown if ends is None else replace(shown, interval=tuple(line["found"][end] for end in ends))
    blank = ShownValue(cell, "specification", specification=saved.spec_id, row=row)
    if name == "mean":
        return replace(blank, value=saved.details.mean_outcome, quantity="mean_outcome")
    if not any(cell):
        return text_value(cell)
    return replace(blank, value=facts.control_group(saved, context.study), quantity="control_group")


def of_frame(entry: Entry, document: TableDocument, context: Context) -> Grid:
    """Rows of a file; an analysis that kept the specification of a row leads to it as well."""
    columns, _ = frame_table.flat(entry)
    frame, source = document.data, entry.options["source"]
    order = list(range(len(frame)))
    if "group" in entry.options:
        parts = frame.reset_index(drop=True).groupby(entry.options["group"], sort=False)
        order = [place for _, part in parts for place in part.index]
    lines = source_lines(context.folders, source, frame)
    whole = read_source(context.folders, source)
    grid: Grid = []
    for place, row in zip(order, document.rows, strict=True):
        record = frame.iloc[place]
        name, of_spec = _estimated(whole, lines[place])
        grid.append(
            [
                ShownValue(
                    cell,
                    "file",
                    record[column["name"]],
                    record[column["std_error"]] if "std_error" in column else None,
                    (record[column["name"]], record[column["high"]]) if "high" in column else None,
                    quantity=column["name"],
                    specification=name,
                    row=of_spec,
                    source=source,
                    line=lines[place],
                    data=(place, column["name"]),
                )
                for column, cell in zip(columns[1:], row.cells, strict=True)
            ]
        )
    return grid


def _estimated(whole: pd.DataFrame, line: int | None) -> tuple[str, str]:
    """The specification and the row of its estimates that a line of a file was made from; empty if none."""
    if line is None or "spec_id" not in whole.columns:
        return "", ""
    record = whole.iloc[line - FIRST]
    name = record["spec_id"]
    return ("", "") if pd.isna(name) else (str(name), str(record.get("row", "att")))


READERS: dict[str, Reader] = {
    "regression": regression,
    "estimators": estimators,
    "frame": of_frame,
    "published": published,
}
