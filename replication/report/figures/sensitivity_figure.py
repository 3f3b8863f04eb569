"""Sensitivity to violations of parallel trends: robust intervals by the size allowed for.

Rambachan & Roth (2023), Review of Economic Studies 90(5).
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from replication.display import formatting, marks
from replication.display.canvas import BLUE, GRAY, VERMILION, inches, side_by_side, wrapped
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
    "shared": ["source", "rename", "where", "x_label"],
    "properties": {
        "x_labels": {
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/axis"},
            "description": "Label of the horizontal axis by method, such as smoothness.",
        },
        "y_label": {"$ref": "#/$defs/axis"},
    },
}

NEEDED = ("m", "conf_low", "conf_high")
MOST_TICKS, SHORT_LABEL = 6, 4
"""Values of M up to which each has a tick, and letters of labels beyond which every other one is left out."""
VIOLATIONS = {
    "relative_magnitudes": r"$\bar{M}$ (multiple of the largest pre-trend change)",
    "smoothness": "M (change in the slope per period)",
}


def collect(entry: Entry, context: Context) -> pd.DataFrame:
    """``m`` (empty: original interval), ``conf_low``, ``conf_high``; optionally ``panel``, ``breakdown``."""
    frame = from_source(entry, context, NEEDED, ("panel", "method", "estimate", "spec_id", "breakdown"))
    require_numbers(frame, NEEDED, entry.options["source"])
    return frame


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """Intervals from left to right as the allowed violation grows, the original one first."""
    panels = panels_of(frame)
    marked = (
        "Orange, at the left: confidence interval under parallel trends; blue: robust confidence intervals "
        "(Rambachan and Roth 2023). Dashed: breakdown value, the largest value at which the interval "
        "excludes zero (0 if the first blue interval contains zero)."
    )
    words, details = figure_note(entry, context, [marked])
    y_label = str(entry.options.get("y_label", "Effect"))
    logs = marks.in_log_points(y_label)
    page = entry_sheet(
        entry,
        context,
        words,
        panels=len(panels),
        across=side_by_side(len(panels), 2.9, entry.medium),
        height=1.75,
        above=0.3 if "panel" in frame else 0.1,
        below=0.5,
        left=0.95,
        right=marks.PERCENT_ROOM if logs else 0.15,
    )
    for place, (axes, (panel, part)) in enumerate(zip(page.axes, panels, strict=True)):
        draw_intervals(axes, part.sort_values("m", na_position="first"))
        axes.set_title(panel)
        axes.set_xlabel(x_label(part, entry))
        if page.begins_row(place):
            axes.set_ylabel(wrapped(y_label, inches(axes)[1]))
        if logs and page.ends_row(place):
            marks.percent_axis(axes, marks.PERCENT)
    return Drawing(page.figure, describe(panels, entry), words, details=details)


def x_label(part: pd.DataFrame, entry: Entry) -> str:
    """The size of the violation in the unit of the method."""
    given = {**VIOLATIONS, **entry.options.get("x_labels", {})}
    methods = [given[name] for name in part.get("method", pd.Series(dtype=str)).unique() if name in given]
    return str(entry.options.get("x_label", methods[0] if methods else "Largest violation allowed, M"))


def spaced(low: float, high: float) -> list[float]:
    """Round values of M between two."""
    return [float(tick) for tick in MaxNLocator(4).tick_values(low, high) if low <= tick <= high]


def draw_intervals(axes: Axes, part: pd.DataFrame) -> None:
    """The intervals of one panel over M, the original one a step to the left of the smallest M."""
    known = part["m"].dropna()
    step = float(known.diff().min()) if len(known) > 1 else 1.0
    x = part["m"].fillna(float(known.min()) - step if len(known) else 0.0)
    marks.light_grid(axes)
    marks.zero_line(axes)
    middle, half = (part["conf_low"] + part["conf_high"]) / 2, (part["conf_high"] - part["conf_low"]) / 2
    for chosen, color, width in ((part["m"].isna(), VERMILION, 2.6), (part["m"].notna(), BLUE, 1.4)):
        axes.errorbar(
            x[chosen], middle[chosen], half[chosen], fmt="none", ecolor=color, elinewidth=width, capsize=3.5
        )
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    rounds = [float(m) for m in known] if len(known) <= MOST_TICKS else spaced(low, high)
    words = [f"{m:.3g}" for m in rounds]
    if max(map(len, words), default=0) > SHORT_LABEL:
        words[1::2] = [""] * len(words[1::2])
    original = [float(x[part["m"].isna()].iloc[0])] if part["m"].isna().any() else []
    axes.set_xticks([*original, *rounds], [*("Original" for _ in original), *words])
    axes.set_xlim(float(x.min()) - 0.6 * step, float(x.max()) + 0.6 * step)
    found = part["breakdown"].dropna() if "breakdown" in part else known.iloc[:0]
    if len(found) and 0 <= found.iloc[0] <= x.max():
        marks.dashed(axes, found.iloc[0], GRAY, 0.9)
        # On the other side of zero from the effect, and where intervals are still short.
        right, high = found.iloc[0] < 0.4 * float(known.max()), float(middle.iloc[0]) < 0
        marks.beside(
            axes,
            f"breakdown {found.iloc[0]:.2g}",
            (found.iloc[0], float(high)),
            ("data", "axes fraction"),
            (3 if right else -3, -3 if high else 3),
            ha="left" if right else "right",
            va="top" if high else "bottom",
            color=GRAY,
        )


def describe(panels: Sequence[tuple[str, pd.DataFrame]], entry: Entry) -> str:
    """The figure in words: up to which violation the interval excludes zero."""
    sentences = [f"{entry.title}. Robust intervals by size of the violation allowed."]
    for panel, part in panels:
        away = part[(part["conf_low"] > 0) | (part["conf_high"] < 0)]["m"]
        found = (
            f"the interval excludes zero up to M = {away.max():g}"
            if away.notna().any()
            else ("no robust interval excludes zero")
        )
        sentences.append(formatting.sentence(f"{panel}: {found}" if panel else found))
    return " ".join(sentences)
