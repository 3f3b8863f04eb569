"""Raw means by cohort group over time; lines break at adoption, which is marked."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from replication.display import formatting, marks
from replication.display.canvas import COLORS, MARKERS, inches, legend_height, side_by_side, wrapped
from replication.report.figures.figure_files import (
    Drawing,
    entry_sheet,
    figure_note,
    from_source,
    in_order,
    panels_of,
    require_numbers,
)
from replication.report.report_context import Context
from replication.report.study_config import Entry

OPTIONS = {
    "required": ["source"],
    "shared": ["source", "rename", "where", "x_label", "y_label", "y_labels"],
}

NEEDED = ("group", "time", "mean")
HEIGHT = 2.9


def collect(entry: Entry, context: Context) -> pd.DataFrame:
    """``group``, ``time``, ``mean``; optionally ``adoption`` (first treated period), ``panel``."""
    frame = from_source(entry, context, NEEDED, ("adoption", "panel", "units"))
    require_numbers(frame, ["time", "mean"], entry.options["source"])
    return frame


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """One panel per value of ``panel`` (levels, indexed), side by side."""
    panels = panels_of(frame)
    groups = in_order(frame["group"].astype(str))
    broken = "adoption" in frame
    marked = (
        ["Filled markers, after the break in each line: years in which its (first) cohort is treated."]
        if broken
        else []
    )
    words, details = figure_note(entry, context, marked)
    page = entry_sheet(
        entry,
        context,
        words,
        panels=len(panels),
        across=side_by_side(len(panels), 2.2, entry.medium),
        height=HEIGHT,
        above=0.3 if "panel" in frame else 0.1,
        below=0.45 if "x_label" in entry.options else 0.3,
        legend=legend_height(groups, entry.medium),
    )
    for axes, (panel, part) in zip(page.axes, panels, strict=True):
        draw_panel(axes, part, groups)
        axes.set_title(panel)
        marks.separate_thousands(axes)
        axes.set_xlabel(entry.options.get("x_label", ""))
    own = entry.options.get("y_labels", {})
    for place, (axes, (panel, _)) in enumerate(zip(page.axes, panels, strict=True)):
        if panel in own or page.begins_row(place):
            axes.set_ylabel(wrapped(own.get(panel, entry.options.get("y_label", "")), inches(axes)[1]))
    page.legend(groups)
    alt = (
        f"{entry.title}. Means of {formatting.listed(groups)} by period, "
        f"{frame['time'].min():g} to {frame['time'].max():g}."
    )
    return Drawing(page.figure, alt, words, details=details)


def draw_panel(axes: Axes, frame: pd.DataFrame, groups: list[str]) -> None:
    """One line per group, in two pieces where the group adopts."""
    marks.light_grid(axes)
    for place, group in enumerate(groups):
        part = frame[frame["group"].astype(str) == group].sort_values("time")
        after = pd.Series(False, index=part.index)
        if "adoption" in part:
            after = part["time"] >= part["adoption"].where(part["adoption"] > 0)
        for piece, filled in ((part[~after], "white"), (part[after], COLORS[place % 6])):
            axes.plot(
                piece["time"],
                piece["mean"],
                color=COLORS[place % 6],
                marker=MARKERS[place % 6],
                linewidth=1.1,
                markersize=3.8,
                markerfacecolor=filled,
                # Early cohorts are drawn above later ones, of which more is seen.
                zorder=3 - 0.01 * place,
            )
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
