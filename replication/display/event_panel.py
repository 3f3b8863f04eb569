"""One panel of an event study, drawn from a frame with one row per estimate.

Columns: ``series`` and ``label``, ``event_time``, ``estimate``, ``conf_low``, ``conf_high``, ``band_low``,
``band_high``, ``treated_units`` and ``panel_title``. A row without an interval is the reference period.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from replication.display import formatting, marks
from replication.display.canvas import GREY, inches

ONSET = -0.5
SPREAD = 0.3
GLYPHS = ("\N{BLACK CIRCLE}", "\N{BLACK SQUARE}", "\N{BLACK UP-POINTING TRIANGLE}")
DIGIT_INCHES = 0.062


def draw_panel(axes: Axes, panel: pd.DataFrame, labels: Sequence[str]) -> None:
    """Estimates of one outcome by one estimator or several, offset from each other."""
    parts = [part for _, part in panel.groupby("series", sort=True)]
    offsets = (np.arange(len(parts)) - (len(parts) - 1) / 2) * SPREAD
    room = 0.85 * SPREAD * 72 * inches(axes)[0] / (panel["event_time"].nunique() + 0.2)
    marks.light_grid(axes)
    marks.zero_line(axes)
    axes.axvline(ONSET, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    for part, offset in zip(parts, offsets, strict=True):
        index = labels.index(str(part["label"].iloc[0]))
        marks.interval_points(axes, part["event_time"] + offset, part, index, room=room)
    axes.set_title(str(panel["panel_title"].iloc[0]))


def label_axes(axes: Axes, panel: pd.DataFrame, labels: Sequence[str], x_label: str, y_label: str) -> None:
    """Event times, the treated units behind them, the unit of the effect and the mean before."""
    times = sorted(panel["event_time"].unique())
    axes.set_xlim(min(times) - 0.6, max(times) + 0.6)
    lines = count_lines(panel)
    letters = [len(formatting.integer(count)) for _, counts in lines for count in counts.values()]
    room = DIGIT_INCHES * (max(letters, default=2) + 1)
    shown = marks.thinned(times, int(inches(axes)[0] / room))
    axes.set_xticks(shown, [formatting.signed(time) for time in shown])
    for number, (_, counts) in enumerate(lines):
        marks.counts_below(axes, shown, [counts.get(time, np.nan) for time in shown], number)
    # The first count is centered below its tick and may reach into the margin.
    left = (shown[0] - axes.get_xlim()[0]) / np.diff(axes.get_xlim())[0] * inches(axes)[0]
    first = [len(formatting.integer(counts[shown[0]])) for _, counts in lines if shown[0] in counts]
    away = 72 * max(0.0, DIGIT_INCHES * max(first, default=0) / 2 - left)
    if len(lines) == 1:
        marks.name_at_left(axes, "treated\nunits", 0, away=away)
    for number, (label, _) in enumerate(lines if len(lines) > 1 else []):
        word = "treated " if number == 0 else "units " if number == 1 else ""
        name = word + GLYPHS[labels.index(label) % len(GLYPHS)]
        marks.name_at_left(axes, name, number, away=away)
    axes.set_xlabel(x_label, labelpad=3 + 9 * len(lines))
    axes.set_ylabel(y_label)


def count_lines(panel: pd.DataFrame) -> list[tuple[str, dict[float, float]]]:
    """Treated units by event time, once for all estimators that share the counts."""
    found: list[tuple[str, dict[float, float]]] = []
    for _, part in panel.groupby("series", sort=True):
        known = part[part["treated_units"].notna()]
        counts = dict(zip(known["event_time"], known["treated_units"], strict=True))
        if counts and all(not agree(counts, other) for _, other in found):
            found.append((str(part["label"].iloc[0]), counts))
    return found


def agree(one: dict[float, float], other: dict[float, float]) -> bool:
    """Whether two counts are the same wherever both are known."""
    return all(other[time] == count for time, count in one.items() if time in other)
