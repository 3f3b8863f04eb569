"""Goodman-Bacon decomposition: the weight of every 2 × 2 comparison against its estimate."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from replication.display import formatting, marks
from replication.display.canvas import COLORS, GRAY, MARKERS, legend_height
from replication.report.figures.figure_files import (
    Drawing,
    entry_sheet,
    figure_note,
    from_source,
    in_order,
    require_numbers,
)
from replication.report.report_context import Context
from replication.report.study_config import Entry

OPTIONS = {"required": ["source"], "shared": ["source", "rename", "where", "x_label", "y_label"]}

NEEDED = ("kind", "estimate", "weight")


def collect(entry: Entry, context: Context) -> pd.DataFrame:
    """``kind``, ``estimate``, ``weight``; optionally ``treated`` and ``comparison`` cohorts."""
    frame = from_source(entry, context, NEEDED, ("treated", "comparison", "spec_id"))
    require_numbers(frame, ["estimate", "weight"], entry.options["source"])
    return frame


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """A scatter, one mark per comparison, with the two-way estimate (the weighted mean) as a line."""
    parts = [(kind_name(kind, context), frame[frame["kind"] == kind]) for kind in in_order(frame["kind"])]
    labels = [f"{name} ({formatting.fixed(part['weight'].sum(), 2)})" for name, part in parts]
    overall = weighted_mean(frame)
    marked = (
        f"Each marker is a 2 \N{MULTIPLICATION SIGN} 2 comparison; the line is their weighted mean, "
        f"{formatting.fixed(overall)}, the TWFE estimate."
    )
    words, details = figure_note(entry, context, [marked])
    y_label = str(entry.options.get("y_label", "2 \N{MULTIPLICATION SIGN} 2 estimate"))
    logs = marks.in_log_points(y_label)
    page = entry_sheet(
        entry,
        context,
        words,
        height=3.2,
        right=marks.PERCENT_ROOM if logs else 0.15,
        above=0.1,
        below=0.45,
        legend=legend_height(labels, entry.medium),
    )
    axes = page.axes[0]
    marks.light_grid(axes)
    marks.zero_line(axes)
    draw_comparisons(axes, [part for _, part in parts], overall)
    axes.set_xlabel(entry.options.get("x_label", "Weight"))
    axes.set_ylabel(y_label)
    if logs:
        marks.percent_axis(axes, marks.PERCENT)
    page.legend(labels)
    return Drawing(page.figure, describe(frame, parts, entry), words, details=details)


def kind_name(kind: str, context: Context) -> str:
    """A kind of comparison as the legend prints it."""
    return formatting.sentence(context.study.label(kind).replace(" vs ", " vs. ")).rstrip(".")


def describe(frame: pd.DataFrame, parts: Sequence[tuple[str, pd.DataFrame]], entry: Entry) -> str:
    """The figure in words: weight and mean of every kind."""
    words = [
        f"{name}: weight {formatting.fixed(part['weight'].sum())}, mean {formatting.fixed(mean)}"
        for name, part in parts
        for mean in [weighted_mean(part)]
    ]
    return f"{entry.title}. {len(frame)} comparisons. {'; '.join(words)}."


def draw_comparisons(axes: Axes, parts: list[pd.DataFrame], overall: float) -> None:
    """One mark per comparison, by kind, and the two-way estimate."""
    for part, marker, color in zip(parts, MARKERS, COLORS, strict=False):
        style = {"marker": marker, "color": color, "markersize": 4, "alpha": 0.75, "markeredgewidth": 0}
        marks.points(axes, part["weight"], part["estimate"], **style)
    axes.axhline(overall, color=GRAY, linewidth=1.2, linestyle=marks.DASHES)


def weighted_mean(frame: pd.DataFrame) -> float:
    """Mean of the estimates with their weights; missing without any weight."""
    weight = float(frame["weight"].sum())
    return float((frame["estimate"] * frame["weight"]).sum() / weight) if weight else float("nan")
