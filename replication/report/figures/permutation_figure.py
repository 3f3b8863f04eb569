"""The distribution of the estimate under permuted treatment dates, and the actual estimate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from replication.core.errors import SpecError
from replication.display import formatting, marks
from replication.display.canvas import BLUE, SKY, TITLE_LETTERS_PER_INCH, VERMILION, wrapped
from replication.report.figures.figure_files import (
    Drawing,
    entry_sheet,
    figure_note,
    from_source,
    panels_of,
    require_numbers,
)
from replication.report.report_context import Context
from replication.report.study_config import Entry

OPTIONS = {
    "required": ["source"],
    "shared": ["source", "rename", "where", "x_label", "y_label"],
    "properties": {
        "statistic": {
            "type": "string",
            "default": "estimate",
            "description": "Symbol of the statistic, such as t.",
        }
    },
}

NEEDED = ("kind", "estimate")
ACTUAL, DRAW = "actual", "draw"
BINS = 40
OFF_CENTER = 0.5
"""Mean of the draws, in absolute value, from which the note reports it."""


def collect(entry: Entry, context: Context) -> pd.DataFrame:
    """``kind`` (``actual`` or ``draw``), ``estimate``; optionally ``panel``."""
    frame = from_source(entry, context, NEEDED, ("panel", "draw", "spec_id"))
    require_numbers(frame, ["estimate"], entry.options["source"])
    panels = frame["panel"] if "panel" in frame else pd.Series("", index=frame.index)
    for name, part in frame.groupby(panels):
        counts = part["kind"].value_counts()
        if counts.get(ACTUAL, 0) != 1 or counts.get(DRAW, 0) < 2:
            raise SpecError(
                f"{entry.options['source']}{f', {name}' if name else ''}: 'kind' must be 'actual' "
                f"once and 'draw' at least twice; found {counts.to_dict()}."
            )
    return frame


def p_value(draws: pd.Series[float], actual: float) -> float:
    """Two-sided: share of draws at least as large in absolute value, the actual one included."""
    return (1 + int((draws.abs() >= abs(actual) - 1e-12).sum())) / (1 + len(draws))


def off_center(panels: Sequence[tuple[str, pd.DataFrame]], entry: Entry) -> str:
    """Panels whose draws are not centered at zero: their mean, and the p-value of distances from it.

    Permuted assignments that reproduce part of an estimate show that it is not due to the actual assignment
    alone. Empty for statistics other than t, whose units are not known.
    """
    if entry.options.get("statistic") != "t":
        return ""
    found = []
    for panel, part in panels:
        draws, actual = draws_and_actual(part)
        if abs(mean := float(draws.mean())) > OFF_CENTER:
            share = formatting.p_equals(p_value(draws - mean, actual - mean))
            where = f"With {panel[:1].lower()}{panel[1:]}, the" if panel else "The"
            found.append(
                f"{where} placebo t-statistics average {formatting.fixed(mean, 2)}; relative to that mean, "
                f"{share}."
            )
    return " ".join(found)


def draws_and_actual(part: pd.DataFrame) -> tuple[pd.Series[float], float]:
    """The statistics of the draws and the actual one of one permutation."""
    draws: pd.Series[float] = part.loc[part["kind"] == DRAW, "estimate"]
    return draws, float(part.loc[part["kind"] == ACTUAL, "estimate"].iloc[0])


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """A histogram of the draws with the actual estimate as a line; one panel per permutation."""
    panels = panels_of(frame)
    marked = "Line: actual value. Two-sided p-values count draws at least as large in absolute value."
    words, details = figure_note(entry, context, [marked, off_center(panels, entry)])
    across = min(3, len(panels), entry.medium.most)
    # The last row has wider panels where it has fewer.
    beside = [min(across, len(panels) - place // across * across) for place in range(len(panels))]
    titles = [
        wrapped(panel, 0.8 * entry.medium.width / count, TITLE_LETTERS_PER_INCH)
        for (panel, _), count in zip(panels, beside, strict=True)
    ]
    page = entry_sheet(
        entry,
        context,
        words,
        panels=len(panels),
        across=across,
        height=1.8,
        gap=0.45,
        above=0.44 + 0.15 * max(title.count("\n") + bool(title) for title in titles),
        below=0.45,
    )
    parts, statistic = [], str(entry.options.get("statistic", "estimate"))
    for axes, (panel, part), title in zip(page.axes, panels, titles, strict=True):
        finding = draw_panel(axes, part, statistic)
        axes.set_title(title, pad=25, linespacing=1.0)
        axes.set_xlabel(entry.options.get("x_label", "Estimate"))
        parts.append(f"{panel}: {finding}" if panel else finding)
    for axes in page.axes[:: page.across]:
        axes.set_ylabel(entry.options.get("y_label", "Draws"))
    alt = f"{entry.title}. Histogram of permuted estimates. {'; '.join(parts)}."
    specs = formatting.distinct_words(frame["spec_id"].dropna().astype(str)) if "spec_id" in frame else []
    return Drawing(page.figure, alt, words, specs, details=details)


def draw_panel(axes: Axes, part: pd.DataFrame, statistic: str) -> str:
    """The histogram of one permutation, and its finding in words."""
    draws, actual = draws_and_actual(part)
    edges = np.linspace(min(draws.min(), actual), max(draws.max(), actual), BINS + 1)
    axes.hist(draws, bins=list(edges), color=SKY, edgecolor=BLUE, linewidth=0.3)
    axes.axvline(actual, color=VERMILION, linewidth=1.6)
    p_equals, count = formatting.p_equals(p_value(draws, actual)), f"{formatting.integer(len(draws))} draws"
    words = f"{statistic} = {formatting.fixed(actual)}, {p_equals}\n{count}"
    marks.beside(axes, words, (0, 1), "axes fraction", (0, 5), fontsize=8.5, linespacing=1.0)
    marks.light_grid(axes)
    return f"actual {formatting.fixed(actual)}, {p_equals}, {count}"
