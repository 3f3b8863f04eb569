"""An event-study figure of one or several results on the same outcome, and one panel of it.

A panel is drawn from a frame with one row per estimate: ``series`` and ``label``, ``event_time``,
``estimate``, ``conf_low``, ``conf_high``, ``band_low``, ``band_high``, ``treated_units`` and
``panel_title``. A row without an interval is the reference period.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from replication.core.errors import SpecError
from replication.core.estimates import Estimates
from replication.display import formatting, marks
from replication.display.canvas import GREY, inches, legend_height, sheet, styled
from replication.display.details_text import confidence_level
from replication.display.formatting import distinct_words
from replication.display.media import PAGE

HEIGHT = 3.0


def event_figure(
    paths: Sequence[pd.DataFrame],
    title: str,
    note: str,
    *,
    x_label: str = "Periods since adoption",
    y_label: str = "Effect",
) -> Figure:
    """Draw the paths into one panel, side by side at each event time.

    Parameters
    ----------
    paths : frames with the columns that the module names, one per result
    title, note : text above and below
    """
    frame = pd.concat([path.assign(series=place + 1) for place, path in enumerate(paths)], ignore_index=True)
    labels = distinct_words(frame["label"])
    lines = count_lines(frame)
    with styled():
        page = sheet(
            title,
            note,
            height=HEIGHT,
            left=0.95,
            below=0.45 + 0.125 * len(lines),
            legend=legend_height(labels, PAGE),
        )
        draw_panel(page.axes[0], frame, labels)
        page.axes[0].set_title("")
        label_axes(page.axes[0], frame, labels, x_label)
        page.axes[0].set_ylabel(y_label)
        if len(labels) > 1:
            page.legend(labels)
    return page.figure


def event_frame(estimates: Estimates, label: str) -> pd.DataFrame:
    """The path by event time as ``draw_panel`` draws it.

    Raises
    ------
    SpecError
        If there are no effects by event time.
    """
    path, _ = estimates.path()
    if path.empty:
        raise SpecError(
            f"{estimates.estimator} gives no effects by event time, so there is no path to plot. Use an "
            "estimator that does, such as event_study, callaway_santanna or imputation."
        )
    counts = {one.event_time: one.units for one in estimates.details.support}
    path = path.sort_values("event_time").reset_index(drop=True)
    return path.assign(
        label=label, treated_units=path["event_time"].map(counts), panel_title=estimates.outcome
    )


def figure_note(fits: Sequence[Estimates]) -> str:
    """How to read an event plot."""
    details = fits[0].details
    return (
        f"Points: estimates. Thin bars: {confidence_level(details)} pointwise confidence intervals; "
        "broad bars: uniform (sup-t) bands. Hollow: reference period, zero by construction. Dashed line: "
        f"adoption. Standard errors clustered by {' and '.join(details.clusters)}."
    )


ONSET = -0.5
SPREAD = 0.3
GLYPHS = ("\N{BLACK CIRCLE}", "\N{BLACK SQUARE}", "\N{BLACK UP-POINTING TRIANGLE}")
DIGIT_INCHES = 0.062
CountLine = tuple[str, dict[float, float]]
"""The name of a series and the treated units behind each of its event times."""


def panel_width(panel: pd.DataFrame) -> float:
    """Inches that a panel needs for a mark at each event time, its axis labels included."""
    marked = panel["event_time"].nunique() * max(0.07, 0.05 * panel["series"].nunique())
    return float(0.75 + marked)


def draw_panel(axes: Axes, panel: pd.DataFrame, labels: Sequence[str], below_title: str = "") -> None:
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
    axes.set_title(str(panel["panel_title"].iloc[0]), pad=15 if below_title else None)
    marks.beside(axes, below_title, (0, 1), "axes fraction", (0, 5), color=GREY)


def label_axes(
    axes: Axes, panel: pd.DataFrame, labels: Sequence[str], x_label: str, *, name_counts: bool = True
) -> None:
    """Event times and the treated units behind them, named at the left where there is room."""
    times = sorted(panel["event_time"].unique())
    axes.set_xlim(min(times) - 0.6, max(times) + 0.6)
    lines = count_lines(panel)
    letters = [len(formatting.integer(count)) for _, counts in lines for count in counts.values()]
    wide = inches(axes)[0]
    longest = max(len(formatting.signed(time)) for time in times)
    named = marks.thinned(times, int(wide / (DIGIT_INCHES * (longest + 0.5))))
    axes.set_xticks(named, [formatting.signed(time) for time in named])
    axes.set_xticks(times, minor=True)
    shown = marks.thinned(named, int(wide / (DIGIT_INCHES * (max(letters, default=2) + 1))))
    for number, (_, counts) in enumerate(lines):
        marks.counts_below(axes, shown, [counts.get(time, np.nan) for time in shown], number)
    axes.set_xlabel(x_label, labelpad=3 + 9 * len(lines))
    if name_counts:
        _name_counts(axes, shown, lines, labels)


def _name_counts(
    axes: Axes, shown: Sequence[float], lines: Sequence[CountLine], labels: Sequence[str]
) -> None:
    """What the lines of counts are, in the margin to their left."""
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


def count_lines(panel: pd.DataFrame) -> list[CountLine]:
    """Treated units by event time, once for all estimators that share the counts."""
    found: list[CountLine] = []
    for _, part in panel.groupby("series", sort=True):
        known = part[part["treated_units"].notna()]
        counts = dict(zip(known["event_time"], known["treated_units"], strict=True))
        if counts and all(not agree(counts, other) for _, other in found):
            found.append((str(part["label"].iloc[0]), counts))
    return found


def agree(one: dict[float, float], other: dict[float, float]) -> bool:
    """Whether two counts are the same wherever both are known."""
    return all(other[time] == count for time, count in one.items() if time in other)
