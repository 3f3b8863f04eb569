"""The trace of one cell or point, and files with the traces of whole tables and figures.

The shape of the files is ``trace_schema.json``.
"""

from __future__ import annotations

import difflib
import importlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from replication.core.details_record import plain
from replication.core.errors import SpecError, nearest
from replication.core.files import write_text
from replication.core.study_folder import read_description, study_folders
from replication.display.formatting import listed
from replication.report.figures import FIGURES
from replication.report.folders import Folders
from replication.report.report_context import Context
from replication.report.study_config import Entry, load_study
from replication.report.tables import build
from replication.report.tables.table_statistics import ENGINE_FILE
from replication.report.trace.cell_values import table_cells
from replication.report.trace.expected_values import ExpectedValues
from replication.report.trace.figure_points import figure_points, point_keys
from replication.report.trace.inputs_and_code import Provenance
from replication.report.trace.shown_values import ShownValue
from replication.report.trace.trace_keys import Key, cell_key, column_keys, find, row_keys
from replication.report.trace.traced_entry import ANALYSIS, FILE, Trace, Traced

FEW_ENTRIES = 10
"""So many tables and figures are all named where one is not found."""


class StudyTraces:
    """Traces of one study.

    Parameters
    ----------
    root : the project's folder.
    folder : ``studies/<study>``.
    stars : whether tables print significance stars.
    """

    def __init__(self, root: Path, folder: Path, *, stars: bool = False) -> None:
        description = read_description(folder)
        self.study = load_study(folder)
        self.context = Context.of(self.study, Folders.under(root, self.study.id), stars=stars)
        self.provenance = Provenance(root, folder, description.data, self.context)
        self.expected = ExpectedValues(folder / "expected")
        self.engine = _second_engine(self.context.folders.tables / ENGINE_FILE)

    def traced(self, entry: Entry) -> Traced:
        """What every cell of a table or every point of a figure shows."""
        if entry in self.study.tables:
            document = build(entry, self.context)
            grid = table_cells(entry, document, self.context)
            return Traced(entry, False, row_keys(document), column_keys(document), grid, len(document.data))
        frame = importlib.import_module(FIGURES[entry.kind]).collect(entry, self.context)
        points = [[shown] for shown in figure_points(entry, frame, self.context)]
        return Traced(entry, True, point_keys(entry, frame), (), points, len(frame))

    def trace(self, traced: Traced, row: Key, column: Key | None, shown: ShownValue) -> Trace:
        """The trace of one cell."""
        cell = self.cell(traced, shown)
        shared = self.shared([shown])
        kind = "figure" if traced.points else "table"
        return Trace(self.study.id, traced.entry.id, kind, row, column, shown, cell, shared)

    def shared(self, every: Sequence[ShownValue]) -> dict[str, dict[str, Any]]:
        """What these cells refer to, each described once."""
        specifications = {shown.specification for shown in every if shown.specification}
        known = set(self.context.results.ids)
        sources = {shown.source for shown in every if shown.source}
        return self.provenance.shared(sorted(specifications & known), sorted(sources))

    def cell(self, traced: Traced, shown: ShownValue) -> dict[str, Any]:
        """A cell as plain data."""
        place, _, rest = shown.source.partition("/")
        source = self.context.folders.source(shown.source) if shown.source else None
        found = {
            "printed": list(shown.printed),
            "origin": ANALYSIS if shown.origin == FILE and place == "analyses" else shown.origin,
            "value": shown.value,
            "std_error": shown.std_error,
            "interval": shown.interval,
            "numbers": shown.numbers,
            "quantity": shown.quantity,
            "specification": shown.specification,
            "row": shown.row,
            ANALYSIS: Path(rest).stem if place == "analyses" else "",
            FILE: source.relative_to(self.provenance.root).as_posix() if source else "",
            "line": shown.line,
            "published": shown.published,
            "second_engine": self.engine.get((shown.specification, shown.row))
            if shown.quantity in ("estimate", "second_engine_difference")
            else None,
            "expected": self.expected.of(shown, traced.file, traced.length),
        }
        if traced.points and found["expected"]:
            # Thousands of points would repeat the name of their own file.
            found["expected"] = {key: found["expected"][key] for key in ("value", "equal")}
        kept = {
            key: value for key, value in found.items() if not _nothing(value) or key in ("printed", "value")
        }
        return _finite(plain(kept))  # type: ignore[no-any-return]

    def file(self, traced: Traced) -> dict[str, Any]:
        """All traces of a table or figure as plain data."""
        cells = list(traced.cells())
        return {
            "study": self.study.id,
            "id": traced.entry.id,
            "kind": "figure" if traced.points else "table",
            "title": self.study.heading(traced.entry.title),
            "rows": _named(traced.rows),
            "columns": _named(traced.columns),
            "shared": _finite(self.shared([shown for _, _, shown in cells])),
            "cells": {cell_key(row, column): self.cell(traced, shown) for row, column, shown in cells},
        }


def trace_cell(
    root: Path, table: str, row: str, column: str, *, study: str | None = None, stars: bool = False
) -> Trace:
    """The trace of one cell of a table.

    Parameters
    ----------
    root : the project's folder.
    table : its id, ``<study>/<id>`` where several studies have one of that id.
    row, column : key, or label as printed, or its beginning, in any case.

    Raises
    ------
    SpecError
        If there is no such table, row or column; the message lists what there is.
    """
    traces, entry = find_entry(root, table if study is None else f"{study}/{table}", stars=stars)
    return trace_in(traces, traces.traced(entry), row, column)


def trace_point(root: Path, figure: str, point: str, *, study: str | None = None) -> Trace:
    """The trace of one point of a figure; parameters and errors are those of ``trace_cell``."""
    traces, entry = find_entry(root, figure if study is None else f"{study}/{figure}")
    return trace_in(traces, traces.traced(entry), point, None)


def trace_in(traces: StudyTraces, traced: Traced, row: str, column: str | None) -> Trace:
    """The trace of a cell of a table, or of a point of a figure, which has no column."""
    name = traced.entry.id
    if traced.points != (column is None):
        wrong = (
            f"{name} is a figure. Name one of its points: replication trace {name} POINT."
            if traced.points
            else f"{name} is a table. Name a row and a column: replication trace {name} ROW COLUMN."
        )
        raise SpecError(wrong)
    key = find(traced.rows, row, "point" if traced.points else "row")
    line = traced.grid[traced.rows.index(key)]
    if column is None:
        return traces.trace(traced, key, None, line[0])
    other = find(traced.columns, column, "column")
    return traces.trace(traced, key, other, line[traced.columns.index(other)])


def find_entry(root: Path, name: str, *, stars: bool = False) -> tuple[StudyTraces, Entry]:
    """The table or figure of a name, which may begin with its study."""
    wanted, _, own = name.rpartition("/")
    folders = {folder.name: folder for folder in study_folders(root)}
    entries = {
        f"{study}/{entry['id']}": study
        for study, folder in folders.items()
        for part in ("tables", "figures")
        for entry in read_description(folder).data.get(part, [])
    }
    fits = [full for full in entries if full == name or (not wanted and full.endswith(f"/{own}"))]
    if len(fits) != 1:
        if fits:
            raise SpecError(f"{len(fits)} studies have {name!r}. Name one: {', '.join(fits)}.")
        raise SpecError(f"There is no table or figure {name!r}{_known(own, list(entries))}")
    traces = StudyTraces(root, folders[entries[fits[0]]], stars=stars)
    every = (*traces.study.tables, *traces.study.figures)
    return traces, next(entry for entry in every if entry.id == own)


def _known(own: str, entries: Sequence[str]) -> str:
    """The end of a refusal: all tables and figures where they are few, else the one of the closest name."""
    names = {full.rpartition("/")[2]: full for full in entries}
    if len(entries) <= FEW_ENTRIES:
        return f"{nearest(own, names)}. This project has {listed(entries) or 'none'}."
    close = difflib.get_close_matches(own, names, n=3, cutoff=0.0)
    return f". The closest of {len(entries)} are {listed(names[one] for one in close)}."


def write_traces(
    root: Path, folder: Path, *, studies: Sequence[str] | None = None, stars: bool = False
) -> list[Path]:
    """Write ``<folder>/<study>/<table or figure>.json`` with all traces; returns the files.

    Parameters
    ----------
    studies : ids of the studies; every one with results if None.
    """
    written = []
    for place in study_folders(root):
        ran = (root / "tables" / place.name / "specs").is_dir()
        if place.name not in studies if studies is not None else not ran:
            continue
        traces = StudyTraces(root, place, stars=stars)
        for entry in (*traces.study.tables, *traces.study.figures):
            path = folder / place.name / f"{entry.id}.json"
            text = json.dumps(traces.file(traces.traced(entry)), ensure_ascii=False, separators=(",", ":"))
            write_text(path, text + "\n")
            written.append(path)
    return written


def _second_engine(path: Path) -> dict[tuple[str, str], dict[str, float]]:
    """Coefficient from independent software and its difference from ours, by specification and row."""
    if not path.is_file():
        return {}
    frame = pd.read_csv(path, dtype={"spec_id": str})
    rows = frame[["spec_id", "term", "second", "difference"]].itertuples(index=False)
    return {(spec, term): {"value": second, "difference": apart} for spec, term, second, apart in rows}


def _named(keys: Sequence[Key]) -> list[dict[str, str]]:
    return [{"key": key.key, "label": key.label, "heading": key.heading} for key in keys]


def _nothing(value: Any) -> bool:
    empty = isinstance(value, str | dict | list) and not value
    return value is None or empty or (isinstance(value, float) and math.isnan(value))


def _finite(value: Any) -> Any:
    """Plain data without NaN and infinity, which JSON does not have: null, and a text."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    if value in (float("inf"), float("-inf")):
        return "infinity" if value > 0 else "-infinity"
    return value
