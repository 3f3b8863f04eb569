"""Goodman-Bacon decomposition: the weight of every 2 × 2 comparison against its estimate."""

from __future__ import annotations

import pandas as pd

from replication.display import formatting, marks
from replication.display.canvas import COLOURS, GREY, MARKERS, legend_height, sheet
from replication.report.figures.csv_frames import from_source, in_order, require_numbers
from replication.report.figures.figure_files import Drawing
from replication.report.figures.figure_notes import figure_note
from replication.report.report_context import Context, versions_of_results
from replication.report.study_config import Entry

OPTIONS = {
    "required": ["source"],
    "properties": {
        "source": {"$ref": "#/$defs/source"},
        "rename": {"$ref": "#/$defs/rename"},
        "where": {"$ref": "#/$defs/where"},
        "x_label": {"$ref": "#/$defs/axis"},
        "y_label": {"$ref": "#/$defs/axis"},
    },
}

NEEDED = ("kind", "estimate", "weight")


def collect(entry: Entry, context: Context) -> pd.DataFrame:
    """``kind``, ``estimate``, ``weight``; optionally ``treated`` and ``comparison`` cohorts."""
    frame = from_source(entry, context, NEEDED, ("treated", "comparison", "spec_id"))
    require_numbers(frame, ["estimate", "weight"], entry.options["source"])
    return frame


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """A scatter, one mark per comparison, with the two-way estimate (the weighted mean) as a line."""
    kinds = in_order(frame["kind"])
    overall = float((frame["estimate"] * frame["weight"]).sum() / frame["weight"].sum())
    marked = (
        f"Each marker is a 2 \N{MULTIPLICATION SIGN} 2 comparison; the line is their weighted mean, "
        f"{formatting.fixed(overall)}, the TWFE estimate."
    )
    words, details = figure_note(entry, context, [marked])
    parts, labels = [], []
    for kind in kinds:
        part = frame[frame["kind"] == kind]
        weight = float(part["weight"].sum())
        mean = float((part["estimate"] * part["weight"]).sum() / weight) if weight else float("nan")
        name = formatting.sentence(context.study.label(kind).replace(" vs ", " vs. ")).rstrip(".")
        labels.append(f"{name} ({formatting.fixed(weight, 2)})")
        parts.append(f"{name}: weight {formatting.fixed(weight)}, mean {formatting.fixed(mean)}")
    y_label = str(entry.options.get("y_label", "2 \N{MULTIPLICATION SIGN} 2 estimate"))
    logs = marks.in_log_points(y_label)
    page = sheet(
        context.study.heading(entry.title),
        words,
        medium=entry.medium,
        height=3.2,
        right=marks.PERCENT_ROOM if logs else 0.15,
        above=0.1,
        below=0.45,
        legend=legend_height(labels, entry.medium),
    )
    axes = page.axes[0]
    marks.light_grid(axes)
    marks.zero_line(axes)
    for place, kind in enumerate(kinds):
        part = frame[frame["kind"] == kind]
        axes.plot(
            part["weight"],
            part["estimate"],
            linestyle="none",
            marker=MARKERS[place],
            color=COLOURS[place],
            markersize=4,
            alpha=0.75,
            markeredgewidth=0,
        )
    axes.axhline(overall, color=GREY, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.set_xlabel(entry.options.get("x_label", "Weight"))
    axes.set_ylabel(y_label)
    if logs:
        marks.percent_axis(axes, marks.PERCENT)
    page.legend(labels)
    alt = f"{entry.title}. {len(frame)} comparisons. {'; '.join(parts)}."
    return Drawing(page.figure, alt, words, versions=versions_of_results([]), details=details)
