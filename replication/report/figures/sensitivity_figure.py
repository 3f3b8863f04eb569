"""Sensitivity to violations of parallel trends: robust intervals by the size allowed for.

Rambachan & Roth (2023), Review of Economic Studies 90(5).
"""

from __future__ import annotations

import pandas as pd

from replication.display import formatting, marks
from replication.display.canvas import BLUE, VERMILION, inches, sheet, wrapped
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

NEEDED = ("m", "conf_low", "conf_high")


def collect(entry: Entry, context: Context) -> pd.DataFrame:
    """``m`` (empty: the original interval), ``conf_low``, ``conf_high``; optionally ``panel``."""
    frame = from_source(entry, context, NEEDED, ("panel", "method", "estimate", "spec_id"))
    require_numbers(frame, NEEDED, entry.options["source"])
    return frame


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """Intervals from left to right as the allowed violation grows; the original one first."""
    panels = in_order(frame["panel"]) if "panel" in frame else [""]
    marked = (
        "Bars: robust confidence intervals under violations of parallel trends of at most M; the first, in "
        "orange, assumes none."
    )
    words, details = figure_note(entry, context, [marked])
    columns = min(2, len(panels))
    page = sheet(
        context.study.heading(entry.title),
        words,
        rows=-(-len(panels) // columns),
        columns=columns,
        height=2.4,
        above=0.3 if any(panels) else 0.1,
        below=0.5,
        left=0.8,
    )
    for axes in page.axes[len(panels) :]:
        axes.set_axis_off()
    for axes, panel in zip(page.axes, panels, strict=False):
        part = frame[frame["panel"] == panel] if panel else frame
        part = part.sort_values("m", na_position="first").reset_index(drop=True)
        marks.light_grid(axes)
        marks.zero_line(axes)
        first = part["m"].isna()
        for chosen, color in ((first, VERMILION), (~first, BLUE)):
            axes.vlines(
                part.index[chosen],
                part.loc[chosen, "conf_low"],
                part.loc[chosen, "conf_high"],
                colors=color,
                linewidths=4,
            )
        labels = ["original" if pd.isna(m) else f"{m:.3g}" for m in part["m"]]
        axes.set_xticks(range(len(part)), labels)
        axes.set_xlim(-0.6, len(part) - 0.4)
        axes.set_title(panel)
        axes.set_xlabel(entry.options.get("x_label", "Largest violation allowed, M"))
        axes.set_ylabel(wrapped(entry.options.get("y_label", "Effect"), inches(axes)[1]))
    return Drawing(
        page.figure, describe(frame, panels, entry), words, versions=versions_of_results([]), details=details
    )


def describe(frame: pd.DataFrame, panels: list[str], entry: Entry) -> str:
    """The figure in words: up to which violation the interval excludes zero."""
    sentences = [f"{entry.title}. Robust intervals by size of the violation allowed."]
    for panel in panels:
        part = frame[frame["panel"] == panel] if panel else frame
        away = part[(part["conf_low"] > 0) | (part["conf_high"] < 0)]["m"]
        found = (
            f"the interval excludes zero up to M = {away.max():g}"
            if away.notna().any()
            else ("no robust interval excludes zero")
        )
        sentences.append(formatting.sentence(f"{panel}: {found}" if panel else found))
    return " ".join(sentences)
