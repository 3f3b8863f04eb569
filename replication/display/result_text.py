"""A result as text for a terminal: numbers, and a plot of the path by event time."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from replication.core.details import Details
from replication.core.wording import agreeing
from replication.display.decomposition_text import decomposition_lines
from replication.display.details_text import confidence_level, in_logs, pooled_note
from replication.display.formatting import curve_name, sentence
from replication.display.inference_text import clusters_of, method_note

WIDTH = 96
OVERALL, TWO_WAY = "Overall effect", "TWFE estimate"
"""Names of the first row: an average of effects, or the coefficient that is decomposed."""
PLOT = 34
"""Characters of the plot beside the path."""
MOST = 49
"""Event times that are shown, those nearest to adoption."""


def summary_text(table: pd.DataFrame, details: Details) -> str:
    """The overall effect, coefficients, path, sample and notes of ``Estimates.table``."""
    first = table.iloc[0]
    lines = [heading(str(first["outcome"]), str(first["estimator"])), sample_line(first, details)]
    losses = [note for note in details.notes if is_large_loss(note)]
    lines += [*note_lines(losses, "WARNING: "), ""]
    level = confidence_level(details)
    if rows := main_rows(table) or average_rows(table):
        lines += [f"{'estimate':>26}{'std. error':>12}{'p-value':>10}   {level} confidence interval"]
    decomposed = decomposition_lines(details)
    lines += [row_line(TWO_WAY if decomposed and name == OVERALL else name, row) for name, row in rows]
    lines += in_percent(table, details)
    lines += decomposed
    path = table[(table["term"] == "event") & table["event_time"].notna()].sort_values("event_time")
    if len(path):
        lines += ["", f"By time since adoption (o estimate, - {level} confidence interval, | zero)"]
        near = path.loc[path["event_time"].abs().nsmallest(MOST).index].sort_values("event_time")
        lines += path_lines(near)
        if more := len(path) - len(near):
            first_time, last_time = path["event_time"].iloc[[0, -1]]
            lines += [
                f"  Not shown: the {more} event times furthest from adoption (the path runs from "
                f"{first_time:+g} to {last_time:+g})."
            ]
    found = [method_note(table, details), pooled_note([details], [""], [path["event_time"]])]
    lines += note_lines([*filter(None, found), *(note for note in details.notes if note not in losses)])
    return "\n".join(lines)


def heading(outcome: str, estimator: str) -> str:
    """What was estimated: ``Outcome rate, Callaway-Sant'Anna``."""
    return f"Outcome {outcome}, {estimator_label(estimator)}"


def estimator_label(name: str) -> str:
    """An estimator as tables call it."""
    from replication.estimators.registry import ENTRIES

    return ENTRIES[name].label if name in ENTRIES else name


def is_large_loss(note: str) -> bool:
    """Whether a note reports that a large share of the units was dropped; the share follows the count."""
    return bool(re.match(r"\d+ of \d+ units \(\d+%", note))


def sample_line(row: pd.Series, details: Details) -> str:
    """Observations, units, clusters and weights."""
    names = clusters_of(details, str(row["estimator"]))
    clusters = f"{row['n_clusters']:,} clusters ({names}), " if names else ""
    weighted = "weighted" if details.weighted else "unweighted"
    return f"{row['n_obs']:,} observations, {row['n_units']:,} units, {clusters}{weighted}"


def main_rows(table: pd.DataFrame) -> list[tuple[str, pd.Series]]:
    """The overall effect and coefficients; thousands of group-time cells are passed over by their terms."""
    named = {term: name for term in table["term"].unique() if (name := row_name(str(term)))}
    return [(named[row["term"]], row) for _, row in table[table["term"].isin(list(named))].iterrows()]


def average_rows(table: pd.DataFrame) -> list[tuple[str, pd.Series]]:
    """Averages by cohort and by calendar period, which are shown where they are the whole result."""
    kinds = {"group": ("Cohort", "cohort", "All cohorts"), "calendar": ("Period", "time", "All periods")}
    found = []
    for _, row in table[table["term"].isin(kinds)].iterrows():
        noun, column, every = kinds[str(row["term"])]
        found.append((every if np.isnan(row[column]) else f"{noun} {row[column]:.15g}", row))
    return found


def row_name(term: str) -> str:
    """Name of an overall effect, coefficient or point of a curve; empty for other rows."""
    if term == "att":
        return OVERALL
    return term[5:] if term.startswith("coef:") else curve_name(term)


def row_line(name: str, row: pd.Series) -> str:
    """One estimate with its standard error, p-value and interval."""
    interval = f"[{number(row['conf_low'])}, {number(row['conf_high'])}]"
    return f"{name[:14]:<14}{numbers(row)}   {interval}"


def in_percent(table: pd.DataFrame, details: Details) -> list[str]:
    """The overall effect in percent, from log points or relative to the mean before treatment."""
    found = table[table["term"] == "att"]
    if len(found) and in_logs(str(table["outcome"].iloc[0]), details):
        change = 100 * np.expm1(float(found["estimate"].iloc[0]))
        return [f"  the estimate is in log points; it corresponds to a change of {change:.1f}%"]
    if found.empty or not details.mean_pre > 0:
        return []
    share = 100 * float(found["estimate"].iloc[0]) / details.mean_pre
    if abs(share) > 100:
        # A mean that close to zero is not one that effects are compared with.
        return []
    return [f"  = {share:.1f}% of the pre-treatment mean of the treated, {number(details.mean_pre)}"]


def path_lines(path: pd.DataFrame) -> list[str]:
    """One line per event time, the interval drawn to scale beside its numbers."""
    ends = path[["conf_low", "conf_high", "estimate"]].to_numpy(dtype=float)
    finite = ends[np.isfinite(ends)]
    low, high = min(finite.min(initial=0.0), 0.0), max(finite.max(initial=0.0), 0.0)
    scale = (PLOT - 1) / (high - low) if high > low else 0.0
    return [
        f"{row['event_time']:>+8g}      {numbers(row)}   {bar(row, low, scale)}".rstrip()
        for row in path.to_dict("records")
    ]


def bar(row: Mapping[Any, Any], low: float, scale: float) -> str:
    """The interval of one estimate in characters."""

    def place(value: float) -> int:
        """The character at which a value stands."""
        return min(max(round((value - low) * scale), 0), PLOT - 1)

    cells = [" "] * PLOT
    if np.isfinite(row["conf_low"]) and np.isfinite(row["conf_high"]):
        start, stop = place(row["conf_low"]), place(row["conf_high"])
        cells[start : stop + 1] = "-" * (stop - start + 1)
    cells[place(0.0)] = "|"
    if np.isfinite(row["estimate"]):
        cells[place(row["estimate"])] = "o"
    return "".join(cells)


def note_lines(notes: Sequence[str], lead: str = "Note: ") -> list[str]:
    """The notes, folded, each after ``lead``."""
    lines: list[str] = []
    for note in notes:
        text = sentence(agreeing(note))
        lines += ["", *textwrap.wrap(text, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead))]
    return lines


def numbers(row: Mapping[Any, Any] | pd.Series) -> str:
    """Estimate, standard error and p-value in columns."""
    return f"{number(row['estimate']):>12}{number(row['std_error']):>12}{p_value(row):>10}"


def number(value: float) -> str:
    """Four significant digits, ``inf`` for an unbounded end; a dot where there is no number."""
    return "." if np.isnan(value) else f"{value:.4g}"


def p_value(row: Mapping[Any, Any] | pd.Series) -> str:
    """A p-value with three decimals."""
    value = row["p_value"]
    return "." if not np.isfinite(value) else "<0.001" if value < 0.001 else f"{value:.3f}"
