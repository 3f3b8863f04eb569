"""Marks that several figures share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from replication.display import formatting
from replication.display.canvas import COLOURS, GREY, LIGHT, MARKERS

BAND_WIDTH, BAR_WIDTH, POINT = 5.0, 1.2, 4.2
NEARLY_ALL = -99.99


def interval_points(
    axes: Axes, x: pd.Series[float], part: pd.DataFrame, index: int, *, room: float = 99.0
) -> None:
    """Points, thin pointwise bars and, around them, broad simultaneous bars.

    ``room`` is the width in points that a mark may take.
    """
    color, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
    drawn = part["conf_low"].notna()
    broad, size = min(BAND_WIDTH, room), min(POINT, max(1.6, 0.8 * room))
    if {"band_low", "band_high"} <= set(part.columns):
        axes.vlines(
            x[drawn],
            part.loc[drawn, "band_low"],
            part.loc[drawn, "band_high"],
            colors=color,
            alpha=0.28,
            linewidths=broad,
            zorder=2,
        )
    axes.vlines(
        x[drawn],
        part.loc[drawn, "conf_low"],
        part.loc[drawn, "conf_high"],
        colors=color,
        linewidths=BAR_WIDTH,
        zorder=3,
    )
    axes.plot(
        x[drawn],
        part.loc[drawn, "estimate"],
        linestyle="none",
        marker=marker,
        markersize=size,
        color=color,
        markeredgewidth=1,
        zorder=4,
    )
    axes.plot(
        x[~drawn],
        part.loc[~drawn, "estimate"],
        linestyle="none",
        marker=marker,
        markersize=size,
        markerfacecolor="white",
        markeredgecolor=color,
        markeredgewidth=1,
        zorder=4,
    )


def zero_line(axes: Axes) -> None:
    """A thin line at no effect."""
    axes.axhline(0, color=GREY, linewidth=0.7, zorder=1)


def counts_below(
    axes: Axes, places: Sequence[float], values: Sequence[float], line: int, *, size: float = 8.0
) -> None:
    """Counts in gray below the tick labels of the horizontal axis."""
    for place, value in zip(places, values, strict=True):
        axes.annotate(
            formatting.integer(value),
            (place, 0),
            xycoords=("data", "axes fraction"),
            xytext=(0, -18 - 9 * line),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=size,
            color=GREY,
            annotation_clip=False,
        )


def name_at_left(axes: Axes, words: str, line: int, *, size: float = 8.0, away: float = 0.0) -> None:
    """Label of a line of counts, in the margin to its left, ``away`` points farther."""
    axes.annotate(
        words,
        (0, 0),
        xycoords="axes fraction",
        xytext=(-4 - away, -18 - 9 * line),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=size,
        color=GREY,
        linespacing=0.9,
        annotation_clip=False,
    )


def legend_above(axes: Axes, columns: int) -> None:
    """A legend in one line between title and axes."""
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=columns,
        borderaxespad=0.2,
        handletextpad=0.3,
        columnspacing=1.2,
    )


def light_grid(axes: Axes, axis: str = "y") -> None:
    """Faint lines to read values by."""
    axes.grid(visible=True, axis=axis, color=LIGHT, linewidth=0.5, alpha=0.7)  # type: ignore[arg-type]


def share_scale(axes: Sequence[Axes]) -> None:
    """The same vertical axis for all panels."""
    low, high = zip(*(one.get_ylim() for one in axes), strict=True)
    for one in axes:
        one.set_ylim(min(low), max(high))


def percent_axis(axes: Axes, label: str) -> None:
    """On the right, the percentage change that a difference of logs b stands for, 100 (exp(b) - 1)."""
    beside = axes.secondary_yaxis(
        "right",
        functions=(lambda b: 100 * np.expm1(b), lambda p: np.log1p(np.maximum(p, NEARLY_ALL) / 100)),
    )
    beside.set_ylabel(label)


def separate_thousands(axes: Axes) -> None:
    """Thousands separators on the vertical axis where values are that large."""
    if max(map(abs, axes.get_ylim())) >= 1000:
        axes.yaxis.set_major_formatter(lambda value, _: formatting.integer(value))


def thinned(values: Sequence[float], most: int) -> list[float]:
    """At most ``most`` of the values, evenly spread and with zero among them where it is one."""
    step = max(1, -(-len(values) // most))
    anchor = list(values).index(0) if 0 in values else 0
    return [value for place, value in enumerate(values) if (place - anchor) % step == 0]
