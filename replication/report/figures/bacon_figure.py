"""Goodman-Bacon decomposition: the weight of every 2 × 2 comparison against its estimate."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from replication.display import formatting, marks
from replication.display.canvas import COLOURS, GREY, MARKERS, legend_height
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

OPTIONS = {
    "required": ["source"],
    "shared": ["source", "rename", "where", "x_label", "y_label"],
}

NEEDED = ("kind", "estimate", "weight")


def collect(entry: Entry, context: Context) -> pd.DataFrame:
    """``kind``, ``estimate``, ``weight``; optionally ``treated`` and ``comparison`` cohorts."""
    frame = from_source(entry, context, NEEDED, ("treated", "comparison", "spec_id"))
    require_numbers(frame, ["estimate", "weight"], entry.options["source"])
    return frame


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """A scatter, one mark per comparison, with the two-way estimate (the weighted mean) as a line."""
    kinds = {kind: frame[frame["kind"] == kind] for kind in in_order(frame["kind"])}
    overall = weighted_mean(frame)
    marked = (
        f"Each marker is a 2 \N{MULTIPLICATION SIGN} 2 comparison; the line is their weighted mean, "
        f"{formatting.fixed(overall)}, the TWFE estimate."
    )
    words, details = figure_note(entry, context, [marked])
    names = [
        formatting.sentence(context.study.label(kind).replace(" vs ", " vs. ")).rstrip(".") for kind in kinds
    ]
    weights = [float(part["weight"].sum()) for part in kinds.values()]
    labels = [f"{name} ({formatting.fixed(weight, 2)})" for name, weight in zip(names, weights, strict=True)]
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
    draw_comparisons(axes, list(kinds.values()), overall)
    axes.set_xlabel(entry.options.get("x_label", "Weight"))
    axes.set_ylabel(y_label)
    if logs:
        marks.percent_axis(axes, marks.PERCENT)
    page.legend(labels)
    parts = [
        f"{name}: weight {formatting.fixed(weight)}, mean {formatting.fixed(weighted_mean(part))}"
        for name, weight, part in zip(names, weights, kinds.values(), strict=True)
    ]
    alt = f"{entry.title}. {len(frame)} comparisons. {'; '.join(parts)}."
    return Drawing(page.figure, alt, words, details=details)


def draw_comparisons(axes: Axes, parts: list[pd.DataFrame], overall: float) -> None:
    """One mark per comparison, by kind, and the two-way estimate."""
    for part, marker, color in zip(parts, MARKERS, COLOURS, strict=False):
        style = {"marker": marker, "color": color, "markersize": 4, "alpha": 0.75, "markeredgewidth": 0}
        marks.points(axes, part["weight"], part["estimate"], **style)
    axes.axhline(overall, color=GREY, linewidth=1.2, linestyle=marks.DASHES)


def weighted_mean(frame: pd.DataFrame) -> float:
    """Mean of the estimates with their weights; missing without any weight."""
    weight = float(frame["weight"].sum())
    return float((frame["estimate"] * frame["weight"]).sum() / weight) if weight else float("nan")
