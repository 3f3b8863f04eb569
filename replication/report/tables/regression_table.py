"""Regression tables: specifications in columns, standard errors in parentheses below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from replication.display import formatting
from replication.display.fitted_notes import Fact
from replication.report import facts
from replication.report.report_context import Context, versions_of_results
from replication.report.report_data import Saved
from replication.report.study_config import Entry
from replication.report.table_document import Section, TableDocument, TableRow, table_cell
from replication.report.tables import table_notes as notes
from replication.report.tables import table_statistics
from replication.report.tables.note_places import Shown, columns_concerned, named_specs
from replication.report.tables.table_columns import (
    Column,
    TableBlock,
    column_heads,
    read_blocks,
    read_columns,
)

OPTIONS = {
    "properties": {
        "digits": {"$ref": "#/$defs/digits"},
        "columns": {
            "type": "array",
            "minItems": 1,
            "description": "Specification ids, {spec, label}, or {heading, columns}.",
            "items": {
                "type": ["string", "object"],
                "additionalProperties": False,
                "properties": {
                    "spec": {"type": "string"},
                    "label": {"$ref": "#/$defs/label"},
                    "truth": {"type": "number"},
                    "heading": {"type": "string", "description": "Heading over several columns."},
                    "columns": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": ["string", "object"],
                            "additionalProperties": False,
                            "properties": {
                                "spec": {"type": "string"},
                                "label": {"$ref": "#/$defs/label"},
                                "truth": {"type": "number"},
                            },
                        },
                    },
                },
            },
        },
        "panels": {
            "type": "array",
            "minItems": 1,
            "description": (
                "Blocks of rows with their own specifications, one per column; 'columns' then only has "
                "headings and labels."
            ),
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["heading", "specs"],
                "properties": {
                    "heading": {"type": "string", "description": "Such as 'Panel A. Index crimes'."},
                    "specs": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": ["string", "null"]},
                        "description": "One specification id per column; empty for a blank cell.",
                    },
                },
            },
        },
        "rows": {
            "type": "array",
            "minItems": 1,
            "description": (
                "Estimates shown, top to bottom; if empty, the overall effect under the study's label of the "
                "treatment."
            ),
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["row", "label"],
                "properties": {"row": {"$ref": "#/$defs/row"}, "label": {"$ref": "#/$defs/label"}},
            },
        },
        "statistics": {
            "type": "array",
            "description": (
                "Rows below the estimates: names, or {label, detail} for a field of the result's details, or "
                "{label, source, column} for a CSV with a spec_id column."
            ),
            "items": {
                "type": ["string", "object"],
                "additionalProperties": False,
                "required": ["label"],
                "properties": {
                    "label": {"$ref": "#/$defs/label"},
                    "detail": {
                        "type": "string",
                        "description": "Field of the result's details or extras; dots reach into it.",
                    },
                    "source": {"$ref": "#/$defs/source"},
                    "column": {"type": "string", "description": "Column of the source."},
                    "digits": {"$ref": "#/$defs/digits"},
                },
            },
        },
    }
}

ESTIMATE = "Estimate"


def build(entry: Entry, context: Context) -> TableDocument:
    """A table with one specification per column.

    With ``panels``, the estimates of each panel are in a block of their own; statistics that
    are equal in all panels are printed once, at the foot.
    """
    columns = read_columns(entry, context)
    blocks = read_blocks(entry, columns, context)
    shown = [
        Shown(block.heading, f"({column.number})", saved)
        for block in blocks
        for column, saved in zip(columns, block.results, strict=True)
        if saved is not None
    ]
    printed, details = table_notes(entry, shown, context)
    return context.document(
        entry,
        headings=column_heads(columns),
        sections=tuple(sections(entry, columns, blocks, context)),
        align="c" * len(columns),
        notes=printed,
        details=details,
        specs=named_specs(shown),
        versions=versions_of_results(one.saved for one in shown),
        data=data(entry, columns, blocks, context),
    )


def sections(
    entry: Entry, columns: Sequence[Column], blocks: Sequence[TableBlock], context: Context
) -> list[Section]:
    """Estimates and statistics of each block, then those common to all blocks."""
    results = [saved for block in blocks for saved in block.results]
    truths = [column.truth for column in columns] * len(blocks)
    own, common = table_statistics.by_block(
        table_statistics.rows(entry, results, truths, context), len(columns)
    )
    found = [
        Section((*estimate_rows(entry, block, context), *below), block.heading)
        for block, below in zip(blocks, own or [[]] * len(blocks), strict=True)
    ]
    return [*found, Section(tuple(common))] if common else found


def estimate_rows(entry: Entry, block: TableBlock, context: Context) -> list[TableRow]:
    """Estimates with their standard errors below."""
    digits = entry.options.get("digits", 3)
    requested = requested_rows(entry, block.results, context)
    refuse_unknown(block, requested)
    return [
        TableRow(
            row["label"],
            tuple(
                estimate_cell(None if saved is None else saved.find(row["row"]), digits, context)
                for saved in block.results
            ),
        )
        for row in requested
    ]


def requested_rows(
    entry: Entry, results: Sequence[Saved | None], context: Context
) -> Sequence[Mapping[str, Any]]:
    """Rows of estimates: those of the entry, or the overall effect under the name of the treatment.

    The name is the study's label of the treatment column (``binary`` for adoption dates); ``Estimate``
    where there is none or where results of a block have different treatments.
    """
    if "rows" in entry.options:
        return list(entry.options["rows"])
    treatments = {str(saved.spec.get("treatment") or "binary") for saved in results if saved is not None}
    label = context.study.labels.get(treatments.pop(), "") if len(treatments) == 1 else ""
    return [{"row": "att", "label": formatting.sentence(label).rstrip(".") or ESTIMATE}]


def refuse_unknown(block: TableBlock, requested: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a row that no column has, which is likely a typing error."""
    results = [saved for saved in block.results if saved is not None]
    for row in requested:
        if results and not any(saved.find(row["row"]) for saved in results):
            results[0].row(row["row"])


def estimate_cell(found: Any, digits: int, context: Context) -> tuple[str, ...]:
    """``-0.057`` over ``(0.019)``; one line for fixed values, empty where there is none."""
    if found is None:
        return ("",)
    mark = formatting.stars(found["p_value"]) if context.stars else ""
    std_error = formatting.fixed(found["std_error"], digits)
    return table_cell(
        formatting.fixed(found["estimate"], digits) + mark, f"({std_error})" if std_error else ""
    )


def table_notes(
    entry: Entry, shown: Sequence[Shown], context: Context
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The printed note and its details: the entry's own words, then what the results record."""
    return notes.printed(
        [
            *(Fact(notes.CELLS, note) for note in entry.notes),
            *notes.sample_notes(shown, context),
            notes.differing(shown, "controls", lambda saved: _controls(entry, saved, context)),
            *notes.design_notes(shown, context),
            notes.weights_note(shown, context),
            notes.inference_note(shown, context),
            notes.other_errors(shown, context),
            Fact(notes.ERRORS, notes.STARS_NOTE if context.stars else ""),
            software_note(shown, context),
        ]
    )


def software_note(shown: Sequence[Shown], context: Context) -> Fact:
    """Whether independent software reproduces the coefficients, and which were not checked."""
    differences = [table_statistics.engine_difference(one.saved, context) for one in shown]
    missing = [one for one, difference in zip(shown, differences, strict=True) if pd.isna(difference)]
    if len(missing) == len(shown):
        return Fact(notes.ERRORS, "")
    bound = formatting.tiny(np.nanmax(differences)).removeprefix("< ")
    checked = f"Coefficients agree with linearmodels or statsmodels to {bound}"
    left = f"; not checked: {columns_concerned(shown, missing)}" if missing else ""
    return Fact(notes.ERRORS, f"{checked}{left}.")


def data(
    entry: Entry, columns: Sequence[Column], blocks: Sequence[TableBlock], context: Context
) -> pd.DataFrame:
    """One row per cell: the whole estimate, unrounded, and the statistics of its column."""
    lines = []
    for block in blocks:
        for requested in requested_rows(entry, block.results, context):
            for column, saved in zip(columns, block.results, strict=True):
                found = None if saved is None else saved.find(requested["row"])
                if saved is not None and found is not None:
                    place = {
                        "panel": block.heading,
                        "row": requested["label"],
                        "column": column.number,
                        "heading": column.heading,
                        "label": column.label,
                    }
                    lines.append({**place, **found, **_about(entry, saved, context)})
    return pd.DataFrame(lines)


def _controls(entry: Entry, saved: Saved, context: Context) -> str:
    labels = context.study.labels
    return ", ".join(labels.get(name, name) for name in table_statistics.controls(saved, entry))


def _about(entry: Entry, saved: Saved, context: Context) -> dict[str, Any]:
    return {
        "mean_outcome": saved.details.mean_outcome,
        "absorbed": "; ".join(facts.absorbed(saved)),
        "controls": "; ".join(table_statistics.controls(saved, entry)),
        "weights": saved.spec.get("weights") or "",
        "clusters": facts.clusters(saved, context.study),
        "second_engine_difference": table_statistics.engine_difference(saved, context),
    }
