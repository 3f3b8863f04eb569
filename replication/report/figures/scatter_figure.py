"""A scatter of any two columns: by group, sized by a third, some points named."""

from __future__ import annotations

import numpy as np
import pandas as pd

from replication.core.arrays import Floats
from replication.display import marks
from replication.display.canvas import BLUE, COLORS, MARKERS, inches, legend_height, wrapped
from replication.report.figures import line_figure
from replication.report.figures.figure_files import Drawing, entry_sheet, figure_note
from replication.report.report_context import Context
from replication.report.study_config import Entry

OPTIONS = {
    "required": ["source", "x", "y"],
    "shared": ["source", "where"],
    "properties": {
        "x": {"type": "string", "description": "Column of the horizontal axis."},
        "y": {"type": "string", "description": "Column of the vertical axis."},
        "group": {"type": "string", "description": "Column that colors the points."},
        "size": {"type": "string", "description": "Column that sizes the points."},
        "label": {"type": "string", "description": "Column that names the points."},
        "highlight": {
            "type": "array",
            "items": {"type": ["string", "number"]},
            "description": "Labels of the points that are named.",
        },
        "x_label": {"$ref": "#/$defs/axis"},
        "y_label": {"$ref": "#/$defs/axis"},
    },
}

collect = line_figure.collect
SMALLEST, LARGEST = 8.0, 160.0


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """One panel; areas proportional to ``size``; ``highlight`` chooses the points with names."""
    options = entry.options
    shown = line_figure.colored(frame, entry) if "group" in options else []
    words, details = figure_note(entry, context, [])
    page = entry_sheet(
        entry, context, words, height=3.4, above=0.1, below=0.45, legend=legend_height(shown, entry.medium)
    )
    axes = page.axes[0]
    marks.light_grid(axes, "both")
    area = areas(frame, options.get("size"))
    group = frame[options["group"]].astype(str) if shown else pd.Series("", index=frame.index)
    for place, name in enumerate(shown or [""]):
        chosen = group == name
        axes.scatter(
            frame.loc[chosen, options["x"]],
            frame.loc[chosen, options["y"]],
            s=area[chosen.to_numpy()],
            marker=MARKERS[place],
            color=COLORS[place] if shown else BLUE,
            alpha=0.65,
            linewidths=0,
        )
    for row in named(frame, entry).itertuples(index=False):
        marks.beside(axes, str(row[0]), (row[1], row[2]), "data", (4, 3))
    axes.set_xlabel(line_figure.axis_label("x", entry, context))
    axes.set_ylabel(wrapped(line_figure.axis_label("y", entry, context), inches(axes)[1]))
    if len(shown) > 1:
        page.legend(shown)
    alt = line_figure.describe(frame, entry)
    return Drawing(page.figure, alt, words, details=details)


def areas(frame: pd.DataFrame, size: str | None) -> Floats:
    """Area of each point."""
    if size is None:
        return np.full(len(frame), 18.0)
    values = frame[size].to_numpy(dtype=float)
    scaled: Floats = np.maximum(SMALLEST, LARGEST * values / np.nanmax(values))
    return scaled


def named(frame: pd.DataFrame, entry: Entry) -> pd.DataFrame:
    """Label, x and y of the points that get their name printed."""
    if "label" not in entry.options:
        return frame.iloc[:0]
    label, x, y = (entry.options[role] for role in ("label", "x", "y"))
    requested = entry.options.get("highlight")
    chosen = frame if requested is None else frame[frame[label].isin(requested)]
    return pd.DataFrame({"label": chosen[label], "x": chosen[x], "y": chosen[y]})
