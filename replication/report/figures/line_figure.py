"""Lines of any column over any other: by group, by panel, some groups in color."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from replication.display import formatting, marks
from replication.display.canvas import (
    BLUE,
    COLORS,
    LIGHT,
    LINES,
    MARKERS,
    TITLE_LETTERS_PER_INCH,
    Sheet,
    inches,
    legend_height,
    side_by_side,
    wrapped,
)
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
    "required": ["source", "x", "y"],
    "shared": ["source", "where"],
    "properties": {
        "x": {"type": "string", "description": "Column of the horizontal axis."},
        "y": {"type": "string", "description": "Column of the vertical axis."},
        "group": {"type": "string", "description": "Column that separates lines."},
        "panel": {"type": "string", "description": "Column that separates panels."},
        "low": {"type": "string", "description": "Column of the lower end of an interval; needs 'high'."},
        "high": {"type": "string", "description": "Column of the upper end of an interval; needs 'low'."},
        "highlight": {
            "type": "array",
            "items": {"type": ["string", "number"]},
            "description": "Groups in color; the others are gray.",
        },
        "names": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Printed names of groups.",
        },
        "same_scale": {
            "type": "boolean",
            "default": True,
            "description": "Whether all panels share the vertical axis.",
        },
        "x_label": {"$ref": "#/$defs/axis"},
        "y_label": {"$ref": "#/$defs/axis"},
        "y_labels": {"$ref": "#/$defs/axes"},
    },
}

MOST_COLOURS = 6
MOST_MARKERS = 24
"""Points of a line from which on it has no markers."""
ROLES = ("x", "y", "group", "panel", "low", "high", "size", "label")


def collect(entry: Entry, context: Context) -> pd.DataFrame:
    """The columns that the entry names, and no others."""
    names = [entry.options[role] for role in ROLES if role in entry.options]
    frame = from_source(entry, context, list(dict.fromkeys(names)))
    numbers = [entry.options[r] for r in ("x", "y", "low", "high", "size") if r in entry.options]
    require_numbers(frame, numbers, entry.options["source"])
    return frame


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """Up to six groups in color, or the highlighted ones with the others in gray."""
    panel = entry.options.get("panel")
    panels = in_order(frame[panel].astype(str)) if panel else [""]
    shown = colored(frame, entry)
    legend = [str(entry.options.get("names", {}).get(name, name)) for name in shown]
    logs = marks.in_log_points(axis_label("y", entry, context))
    words, details = figure_note(entry, context, [])
    across = side_by_side(len(panels), 2.0, entry.medium)
    each = 0.8 * entry.medium.width / across
    titles = [wrapped(name, each, TITLE_LETTERS_PER_INCH) for name in panels]
    page = entry_sheet(
        entry,
        context,
        words,
        panels=len(panels),
        across=across,
        height=2.9 if across == 1 else 1.9,
        gap=0.55,
        above=0.3 + 0.15 * max(title.count("\n") for title in titles) if panel else 0.1,
        below=0.45,
        legend=legend_height(legend, entry.medium),
        right=marks.PERCENT_ROOM if logs else 0.15,
    )
    parts = [frame[frame[panel].astype(str) == name] if panel else frame for name in panels]
    draw_panels(page, list(zip(titles, parts, strict=True)), shown, entry, context)
    if len(shown) > 1:
        page.legend(legend, styles=LINES if crowded(frame, entry) else ())
    return Drawing(page.figure, describe(frame, entry), words, details=details)


def draw_panels(
    page: Sheet, panels: Sequence[tuple[str, pd.DataFrame]], shown: list[str], entry: Entry, context: Context
) -> None:
    """The lines of every panel, under its title."""
    y_label = axis_label("y", entry, context)
    for axes, (title, part) in zip(page.axes, panels, strict=True):
        draw_lines(axes, part, shown, entry)
        axes.set_title(title, linespacing=1.0)
        axes.set_xlabel(axis_label("x", entry, context))
    if entry.options.get("same_scale", True):
        marks.share_scale(page.axes)
    own = entry.options.get("y_labels", {})
    for place, (axes, (title, _)) in enumerate(zip(page.axes, panels, strict=True)):
        if title in own or page.begins_row(place):
            axes.set_ylabel(wrapped(own.get(title, y_label), inches(axes)[1]))
        if marks.in_log_points(y_label) and page.ends_row(place):
            marks.percent_axis(axes, marks.PERCENT)


def crowded(frame: pd.DataFrame, entry: Entry) -> bool:
    """Whether markers would hide the lines, so that line styles tell the groups apart."""
    return bool(frame[entry.options["x"]].nunique() > MOST_MARKERS)


def axis_label(role: str, entry: Entry, context: Context) -> str:
    """The label given, else the name of the column in words."""
    name = context.study.label(entry.options[role])
    return str(entry.options.get(f"{role}_label", formatting.sentence(name).rstrip(".")))


def colored(frame: pd.DataFrame, entry: Entry) -> list[str]:
    """Groups that get a color."""
    if "group" not in entry.options:
        return []
    if "highlight" in entry.options:
        return [str(name) for name in entry.options["highlight"]]
    groups = in_order(frame[entry.options["group"]].astype(str))
    return groups if len(groups) <= MOST_COLOURS else []


def draw_lines(axes: Axes, frame: pd.DataFrame, shown: list[str], entry: Entry) -> None:
    """The lines of one panel, gray ones first."""
    x, y = entry.options["x"], entry.options["y"]
    group = entry.options.get("group")
    parts = {"": frame} if group is None else dict(iter(frame.groupby(frame[group].astype(str))))
    if pd.api.types.is_integer_dtype(frame[x]):
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4 if "panel" in entry.options else 9, integer=True))
    plain = crowded(frame, entry)
    for name, part in sorted(parts.items(), key=lambda item: item[0] in shown):
        ordered = part.sort_values(x)
        place = shown.index(name) if name in shown else 0
        gray = group is not None and name not in shown
        color = LIGHT if gray else COLORS[place % MOST_COLOURS] if shown else BLUE
        if {"low", "high"} <= set(entry.options) and not gray:
            low, high = ordered[entry.options["low"]], ordered[entry.options["high"]]
            axes.fill_between(ordered[x], low, high, color=color, alpha=0.2, linewidth=0)
        axes.plot(
            ordered[x],
            ordered[y],
            color=color,
            linewidth=0.7 if gray else 1.4,
            marker="" if gray or plain else MARKERS[place % MOST_COLOURS],
            linestyle=LINES[place % MOST_COLOURS] if plain and not gray else "-",
            markersize=3.5,
            zorder=2 if gray else 3,
        )
    marks.light_grid(axes)
    marks.separate_thousands(axes)


def describe(frame: pd.DataFrame, entry: Entry) -> str:
    """The figure in words: ranges of the two axes."""
    x, y = frame[entry.options["x"]], frame[entry.options["y"]]
    return (
        f"{entry.title}. {entry.options['y']} from {formatting.adaptive(y.min())} to "
        f"{formatting.adaptive(y.max())} over {entry.options['x']} from {x.min():g} to {x.max():g}."
    )
