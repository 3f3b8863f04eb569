"""Rows and notes of a table of any estimates side by side, outside a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from replication.core.estimates import Estimates
from replication.display.details_text import pooled_note
from replication.display.formatting import (
    curve_name,
    distinct_words,
    fixed,
    integer,
    listed,
    probability,
    sentence,
    signed,
)
from replication.display.inference_text import clusters_of, drawn_method, drawn_notes, in_parentheses
from replication.estimators.registry import ENTRIES
from replication.report.table_document import TableRow, table_cell

MOST_NAMED = 3
"""Covariates that a cell names; it counts more than that."""


def result_rows(fit: Estimates) -> dict[str, pd.Series]:
    """Rows of a result for a table, by name; its cells, which are most of its rows, are not among them."""
    table = fit.table
    names = [
        row_name(str(term), float(time))
        for term, time in zip(table["term"], table["event_time"], strict=True)
    ]
    return {name: table.iloc[place] for place, name in enumerate(names) if name}


def row_name(term: str, event_time: float) -> str:
    """Name of a row; empty for cells, cohort and calendar averages."""
    if term == "att":
        return "Overall effect"
    if term.startswith("coef:"):
        return term.removeprefix("coef:")
    if curve_name(term):
        return curve_name(term)
    return f"Event time {signed(event_time)}" if term == "event" and np.isfinite(event_time) else ""


def row_names(fits: Sequence[Estimates], found: Sequence[Mapping[str, pd.Series]]) -> list[str]:
    """Names of the rows ``found``: the overall effect, coefficients, then event times in their order."""
    times = sorted({float(time) for fit in fits for time in fit.rows("event")["event_time"].dropna()})
    apart = ("Overall effect", "Event time")
    coefficients = [name for rows in found for name in rows if not name.startswith(apart)]
    names = [
        "Overall effect",
        *distinct_words(coefficients),
        *(f"Event time {signed(time)}" for time in times),
    ]
    return [name for name in names if any(name in rows for rows in found)]


def effect_rows(
    fits: Sequence[Estimates], found: Sequence[Mapping[str, pd.Series]], names: Sequence[str]
) -> list[TableRow]:
    """Estimates over standard errors, and the p-values that these do not give, one row for each method."""
    methods = [drawn_method(fit.details) for fit in fits]
    rows = []
    for name in names:
        every = [results.get(name) for results in found]
        rows.append(TableRow(name, tuple(map(estimate_cell, every))))
        for method in distinct_words(methods):
            cells = [
                probability(row["p_value"]) if row is not None and own == method else ""
                for row, own in zip(every, methods, strict=True)
            ]
            rows += [text_row(f"p-value, {method}", cells)] if any(cells) else []
    return rows


def text_row(name: str, texts: Sequence[str]) -> TableRow:
    """A row of cells of one line."""
    return TableRow(name, tuple(table_cell(text) for text in texts))


def estimate_cell(row: pd.Series | None) -> tuple[str, ...]:
    """An estimate with its standard error in parentheses below; empty if the result has no such row."""
    if row is None:
        return table_cell("")
    std_error = fixed(row["std_error"])
    return table_cell(fixed(row["estimate"]), f"({std_error})" if std_error else "")


def sample_rows(fits: Sequence[Estimates], labels: Sequence[str]) -> list[TableRow]:
    """Observations, units, clusters, and weights, after what differs between columns.

    The estimators are left out where they are the headings.
    """
    first = [fit.table.iloc[0] for fit in fits]
    clusters = [clusters_of(fit.details, fit.estimator) for fit in fits]
    weighted = ["yes" if fit.details.weighted else "no" for fit in fits]
    estimators = [ENTRIES[fit.estimator].label for fit in fits]
    lines = {
        "Outcome": [fit.outcome for fit in fits] if differ(fit.outcome for fit in fits) else [],
        "Estimator": estimators if estimators != list(labels) else [],
        "Covariates": covariate_cells(fits),
        "Observations": [integer(row["n_obs"]) for row in first],
        "Units": [integer(row["n_units"]) for row in first],
        "Clusters": [
            integer(row["n_clusters"]) if name else "" for row, name in zip(first, clusters, strict=True)
        ],
        "Clustered by": clusters,
        "Weighted": weighted,
        "Mean of dependent variable": [fixed(fit.details.mean_outcome) for fit in fits],
    }
    return [
        text_row(name, values)
        for name, values in lines.items()
        if any(values) or (values and "luster" not in name)
    ]


def covariate_cells(fits: Sequence[Estimates]) -> list[str]:
    """The covariates of each column, or their number where they are many; nothing where all have the same."""
    names = [fit.details.covariates for fit in fits]
    if not differ(names):
        return []
    return [
        "none" if not own else ", ".join(own) if len(own) <= MOST_NAMED else f"{len(own)} covariates"
        for own in names
    ]


def differ(values: Iterable[object]) -> bool:
    """Whether columns have more than one value."""
    return len(set(values)) > 1


def notes(fits: Sequence[Estimates], labels: Sequence[str], *, overall: bool) -> list[str]:
    """What all columns share, the standard errors and p-values, and which event times are averaged or pooled.

    ``overall``: the table has no event times, so that a pooled end matters only where it is averaged.
    """
    least = 0.0 if overall else -np.inf
    paths = [fit.rows("event")["event_time"] for fit in fits]
    shown = [times[times >= least] for times in paths]
    pooled = pooled_note([fit.details for fit in fits], labels, shown)
    return [
        *shared_notes(fits),
        in_parentheses(fits, labels),
        *drawn_notes(fits, labels),
        *averaged_notes(fits, labels),
        *filter(None, [pooled]),
    ]


def shared_notes(fits: Sequence[Estimates]) -> list[str]:
    """The outcome and the covariates where all columns have the same."""
    outcome, covariates = fits[0].outcome, fits[0].details.covariates
    one, alike = not differ(fit.outcome for fit in fits), not differ(fit.details.covariates for fit in fits)
    return [
        *([f"Outcome: {outcome}."] if one else []),
        *([f"Covariates: {', '.join(covariates)}."] if alike and covariates else []),
    ]


def averaged_notes(fits: Sequence[Estimates], labels: Sequence[str]) -> list[str]:
    """Which event times the overall effects average where a window or the estimator chooses them."""
    found: dict[str, list[str]] = {}
    for fit, label in zip(fits, labels, strict=True):
        for note in fit.details.notes:
            if note.startswith("the overall effect ") and "event times" in note:
                found.setdefault(note.split("; ")[0], []).append(label)
    return [
        sentence(note if len(names) == len(fits) else f"in {listed(names)}, {note}")
        for note, names in found.items()
    ]
