"""The rows below the estimates of a regression table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from replication.display import formatting
from replication.report import facts
from replication.report.report_context import Context
from replication.report.report_data import Saved, read_source
from replication.report.study_config import Entry
from replication.report.table_document import TableRow, table_cell

DEFAULT = ("n_obs", "n_units", "n_clusters", "mean", "absorbed", "weights", "clusters")
LABELS = {
    "n_obs": "Observations",
    "n_units": "Units",
    "n_clusters": "Clusters",
    "mean": "Mean of dependent variable",
    "pre_mean": "Pre-treatment mean of dependent variable",
    "weights": "Weights",
    "clusters": "Clustered by",
    "estimator": "Estimator",
    "outcome": "Outcome",
    "p_value": "p-value",
    "pretrend": "Pre-trend test, p-value",
    "control_group": "Control group",
    "truth": "True effect",
    "controls": "Controls",
}
ENGINE_FILE = "second_engine.csv"

Maker = Callable[[Saved, Context], str]


def clusters_counted(saved: Saved, context: Context) -> str:
    """The number of clusters; empty where standard errors are not clustered."""
    return _count("n_clusters")(saved, context) if facts.clusters(saved, context.study) else ""


def _count(name: str) -> Maker:
    return lambda saved, _: formatting.integer(saved.rows.column(name)[0])


MAKERS: dict[str, Maker] = {
    "n_obs": _count("n_obs"),
    "n_units": _count("n_units"),
    "n_clusters": clusters_counted,
    "mean": lambda saved, _: formatting.adaptive(saved.details.mean_outcome),
    "pre_mean": lambda saved, _: formatting.adaptive(saved.details.mean_pre),
    "weights": lambda saved, context: facts.weights(saved, context.study),
    "clusters": lambda saved, context: facts.clusters(saved, context.study),
    "estimator": lambda saved, context: facts.estimator(saved, context.study),
    "outcome": lambda saved, context: context.study.outcome(str(saved.spec["outcome"])).label,
    "p_value": lambda saved, _: formatting.probability((saved.find("att") or {}).get("p_value")),
    "pretrend": lambda saved, _: formatting.probability(facts.pretrend_p(saved)),
    "control_group": lambda saved, context: facts.comparison(saved, context.study),
}


def rows(
    entry: Entry, results: Sequence[Saved | None], truths: Sequence[float | None], context: Context
) -> list[TableRow]:
    """Rows of statistics, one cell per result; rows without any content are left out."""
    requested = list(entry.options.get("statistics", DEFAULT))
    if any(truth is not None for truth in truths) and "truth" not in requested:
        requested.insert(0, "truth")
    if "controls" not in requested:
        requested.insert(
            requested.index("absorbed") if "absorbed" in requested else len(requested), "controls"
        )
    found: list[TableRow] = []
    for item in requested:
        if item == "absorbed":
            found += absorbed_rows(results, context)
        elif item == "controls":
            found += controls_row(entry, results)
        elif item == "truth":
            found.append(_row(LABELS["truth"], [formatting.fixed(truth) for truth in truths]))
        elif isinstance(item, str):
            cells = [MAKERS[item](saved, context) if saved else "" for saved in results]
            found.append(_row(context.study.labels.get(item, LABELS[item]), cells))
        else:
            cells = [extra(item, saved, context) if saved else "" for saved in results]
            found.append(_row(item["label"], cells))
    return [row for row in found if any(any(lines) for lines in row.cells)]


def by_block(rows: Sequence[TableRow], n_columns: int) -> tuple[list[list[TableRow]], list[TableRow]]:
    """Rows over the columns of all blocks, split into blocks; and the rows common to all blocks.

    A row is common if no two blocks disagree on a column, empty cells aside.
    """
    common: list[TableRow] = []
    own: list[list[TableRow]] = []
    for row in rows:
        parts = [row.cells[start : start + n_columns] for start in range(0, len(row.cells), n_columns)]
        entries = [{lines for lines in column if any(lines)} for column in zip(*parts, strict=True)]
        if all(len(lines) <= 1 for lines in entries):
            common.append(TableRow(row.label, tuple(next(iter(lines), ("",)) for lines in entries)))
        else:
            own.append([TableRow(row.label, part) for part in parts])
    blocks = [list(block) for block in zip(*own, strict=True)]
    return [[row for row in block if any(map(any, row.cells))] for block in blocks], common


def absorbed_rows(results: Sequence[Saved | None], context: Context) -> list[TableRow]:
    """One row per effect or trend that some column absorbs."""
    sets = [
        [facts.effect_label(name, saved, context.study) for name in facts.absorbed(saved)] if saved else []
        for saved in results
    ]
    return [
        _row(name, ["Yes" if name in have else "No" if have else "" for have in sets])
        for name in formatting.distinct_words(name for names in sets for name in names)
    ]


def controls(saved: Saved, entry: Entry) -> list[str]:
    """Covariates whose coefficients are not themselves rows of the table."""
    shown = {row["row"] for row in entry.options.get("rows", ())}
    return [name for name in saved.spec.get("covariates") or [] if f"coef:{name}" not in shown]


def controls_row(entry: Entry, results: Sequence[Saved | None]) -> list[TableRow]:
    """How many controls each column has; no row where no column has any."""
    counts = [len(controls(saved, entry)) if saved else None for saved in results]
    entries = ["" if count is None else f"Yes ({count})" if count else "No" for count in counts]
    return [_row(LABELS["controls"], entries)] if any(counts) else []


def extra(item: dict[str, Any], saved: Saved, context: Context) -> str:
    """A number from the result's details, or from a file with one row per specification."""
    digits = item.get("digits", 3)
    if "detail" in item:
        return formatting.fixed(facts.number(saved, item["detail"]), digits)
    frame = read_source(context.folders, item["source"], ["spec_id", item["column"]])
    chosen = frame.loc[frame["spec_id"] == saved.spec_id, item["column"]]
    return formatting.fixed(chosen.iloc[0], digits) if len(chosen) else ""


def engine_difference(saved: Saved, context: Context) -> float:
    """Largest difference from independent software; NaN where there is none."""
    path = context.folders.tables / ENGINE_FILE
    if not path.is_file():
        return np.nan
    return _engine_table(path, path.stat().st_mtime_ns).get(saved.spec_id, np.nan)


@cache
def _engine_table(path: Path, written: int) -> dict[str, float]:
    frame = pd.read_csv(path, dtype={"spec_id": str})
    largest = frame.groupby("spec_id")["difference"].max()
    return {str(name): float(value) for name, value in largest.items()}


def _row(label: str, cells: Sequence[str]) -> TableRow:
    return TableRow(label, tuple(table_cell(value) for value in cells))
