"""Regression tables: specifications in columns, standard errors in parentheses below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from replication.report import facts, text
from replication.report.config import Entry
from replication.report.context import Context, versions
from replication.report.document import Row, Section, TableDocument, cell
from replication.report.saved import Saved
from replication.report.tables import notes, statistics
from replication.report.tables.columns import Block, Column, heads, read_blocks, read_columns

OVERALL = ({"row": "att", "label": "Estimate"},)


def build(entry: Entry, context: Context) -> TableDocument:
    """A table with one specification a column.

    With ``panels``, the estimates of each panel stand in a block of their own; statistics that
    are equal in all panels are printed once, at the foot.
    """
    columns = read_columns(entry, context)
    blocks = read_blocks(entry, columns, context)
    named = [
        (f"({column.number})" if len(blocks) == 1 else f"{block.heading} ({column.number})", saved)
        for block in blocks
        for column, saved in zip(columns, block.results, strict=True)
        if saved is not None
    ]
    results = [saved for _, saved in named]
    return TableDocument(
        id=entry.id,
        study=context.study.id,
        title=context.study.heading(entry.title),
        headings=heads(columns),
        sections=tuple(sections(entry, columns, blocks, context)),
        align="c" * len(columns),
        notes=tuple(table_notes(entry, named, context)),
        specs=tuple((name, saved.spec_id) for name, saved in named),
        versions=versions(results),
        simulated=context.study.simulated,
        data=data(entry, columns, blocks, context),
    )


def sections(
    entry: Entry, columns: Sequence[Column], blocks: Sequence[Block], context: Context
) -> list[Section]:
    """Estimates and statistics of each block, then what all blocks have in common."""
    truths = [column.truth for column in columns]
    below = [statistics.rows(entry, block.results, truths, context) for block in blocks]
    common = statistics.shared(below)
    labels = {row.label for row in common}
    found = []
    for block, own in zip(blocks, below, strict=True):
        shown = [] if len(blocks) == 1 else [row for row in own if row.label not in labels]
        found.append(Section((*estimate_rows(entry, block, context), *shown), block.heading))
    return [*found, Section(tuple(common))] if common else found


def estimate_rows(entry: Entry, block: Block, context: Context) -> list[Row]:
    """Estimates with their standard errors below."""
    digits = entry.options.get("digits", 3)
    wanted = entry.options.get("rows", OVERALL)
    refuse_unknown(entry, block, wanted)
    return [
        Row(
            row["label"],
            tuple(
                estimate_cell(None if saved is None else saved.find(row["row"]), digits, context)
                for saved in block.results
            ),
        )
        for row in wanted
    ]


def refuse_unknown(entry: Entry, block: Block, wanted: Sequence[dict[str, Any]]) -> None:
    """Refuse a row that no column has; a blank line would hide a slip of the pen."""
    results = [saved for saved in block.results if saved is not None]
    for row in wanted:
        if results and not any(saved.find(row["row"]) for saved in results):
            results[0].row(row["row"])


def estimate_cell(found: Any, digits: int, context: Context) -> tuple[str, ...]:
    """``-0.057`` over ``(0.019)``; one line for fixed values, empty where there is none."""
    if found is None:
        return ("",)
    mark = text.stars(found["p_value"]) if context.stars else ""
    error = text.fixed(found["std_error"], digits)
    return cell(text.fixed(found["estimate"], digits) + mark, f"({error})" if error else "")


def table_notes(entry: Entry, named: Sequence[tuple[str, Saved]], context: Context) -> list[str]:
    """The entry's own notes, then what the results say about themselves."""
    results = [saved for _, saved in named]
    shown = entry.options.get("statistics", statistics.DEFAULT)
    engines = [statistics.engine_difference(saved, context) for saved in results]
    second = "engine" in shown and any(pd.notna(value) for value in engines)
    found = [
        *entry.notes,
        notes.inference_note(results, context),
        notes.weights_note(results),
        *notes.comparison_notes(results, context),
        *notes.sample_notes(named),
        statistics.ENGINE_NOTE if second else "",
        notes.STARS_NOTE if context.stars else "",
    ]
    return [note for note in found if note]


def data(
    entry: Entry, columns: Sequence[Column], blocks: Sequence[Block], context: Context
) -> pd.DataFrame:
    """One row a cell: the whole estimate, unrounded, and the statistics of its column."""
    lines = []
    for block in blocks:
        for wanted in entry.options.get("rows", OVERALL):
            for column, saved in zip(columns, block.results, strict=True):
                found = None if saved is None else saved.find(wanted["row"])
                if saved is not None and found is not None:
                    place = {"panel": block.heading, "row": wanted["label"],
                             "column": column.number, "heading": column.heading,
                             "label": column.label}  # fmt: skip
                    lines.append({**place, **found, **_about(saved, context)})
    return pd.DataFrame(lines)


def _about(saved: Saved, context: Context) -> dict[str, Any]:
    return {
        "mean_outcome": facts.mean_outcome(saved),
        "absorbed": "; ".join(facts.absorbed(saved)),
        "weights": saved.spec.get("weights") or "",
        "clusters": facts.clusters(saved, context.study),
        "second_engine_difference": statistics.engine_difference(saved, context),
    }
