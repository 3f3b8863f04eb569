"""Marks that several figures share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from replication.display import formatting
from replication.display.canvas import COLORS, DARK, GRAY, LIGHT, MARKERS

BAND_WIDTH, BAR_WIDTH, POINT = 5.0, 1.2, 4.2
DASHES = (0, (4, 3))
NEARLY_ALL = -99.99
LOG_POINTS, PERCENT = "log points", "Percent"
PERCENT_ROOM = 0.6
"""Inches of the margin in which the axis in percent stands."""


def interval_points(
    axes: Axes, x: pd.Series[float], part: pd.DataFrame, index: int, *, room: float = 99.0
) -> None:
    """Points, thin pointwise bars and, around them, broad simultaneous bars; reference periods hollow.

    ``room`` is the width in points that a mark may take.
    """
    drawn, hollow = part["conf_low"].notna(), part["reference"]
    color, marker = COLORS[index % len(COLORS)], MARKERS[index % len(MARKERS)]
    broad, size = min(BAND_WIDTH, room), min(POINT, max(1.6, 0.8 * room))
    shape: dict[str, Any] = {"marker": marker, "markersize": size, "markeredgewidth": 1}
    if {"band_low", "band_high"} <= set(part.columns):
        low, high = part.loc[drawn, "band_low"], part.loc[drawn, "band_high"]
        axes.vlines(x[drawn], low, high, colors=color, alpha=0.28, linewidths=broad, zorder=2)
    low, high = part.loc[drawn, "conf_low"], part.loc[drawn, "conf_high"]
    axes.vlines(x[drawn], low, high, colors=color, linewidths=BAR_WIDTH, zorder=3)
    points(axes, x[~hollow], part.loc[~hollow, "estimate"], color=color, zorder=4, **shape)
    empty = {"markerfacecolor": "white", "markeredgecolor": color}
    points(axes, x[hollow], part.loc[hollow, "estimate"], zorder=4, **empty, **shape)


def points(axes: Axes, x: Any, y: Any, **style: Any) -> None:
    """Points without a line between them; ``style`` is that of ``Axes.plot``."""
    axes.plot(x, y, linestyle="none", **style)


def dashed(axes: Axes, x: float, color: str, width: float) -> None:
    """A dashed vertical line behind the marks."""
    axes.axvline(x, color=color, linewidth=width, linestyle=DASHES, zorder=1)


def beside(
    axes: Axes, words: str, at: tuple[Any, Any], coordinates: Any, shift: tuple[float, float], **style: Any
) -> None:
    """A text that is ``shift`` points away from a place; ``style`` is that of ``Axes.annotate``."""
    axes.annotate(
        words, at, xycoords=coordinates, xytext=shift, textcoords="offset points", **{"fontsize": 8, **style}
    )


def zero_line(axes: Axes) -> None:
    """A thin line at no effect."""
    axes.axhline(0, color=GRAY, linewidth=0.7, zorder=1)


def counts_below(
    axes: Axes, places: Sequence[float], values: Sequence[float], below: float, *, turned: bool = False
) -> None:
    """Counts ``below`` points under the axis, turned by 90 degrees where room is scarce."""
    style = {"ha": "center", "va": "top", "color": DARK, "annotation_clip": False, "rotation": 90 * turned}
    for place, value in zip(places, values, strict=True):
        beside(axes, formatting.integer(value), (place, 0), ("data", "axes fraction"), (0, -below), **style)


def name_at_left(axes: Axes, words: str, below: float, *, away: float = 0.0) -> None:
    """Label of a line of counts, in the margin to its left, ``away`` points farther."""
    style = {"ha": "right", "va": "top", "color": DARK, "linespacing": 0.9, "annotation_clip": False}
    beside(axes, words, (0, 0), "axes fraction", (-4 - away, -below), **style)


def light_grid(axes: Axes, axis: str = "y") -> None:
    """Faint lines to read values by."""
    axes.grid(visible=True, axis=axis, color=LIGHT, linewidth=0.5, alpha=0.7)  # type: ignore[arg-type]


def share_scale(axes: Sequence[Axes]) -> None:
    """The same vertical axis for all panels."""
    low, high = zip(*(one.get_ylim() for one in axes), strict=True)
    for one in axes:
        one.set_ylim(min(low), max(high))


def percent_axis(axes: Axes, label: str, *, above: bool = False) -> None:
    """The percent change that a difference of logs b stands for, 100 (exp(b) - 1), at the right or above."""
    functions = (lambda b: 100 * np.expm1(b), lambda p: np.log1p(np.maximum(p, NEARLY_ALL) / 100))
    if above:
        axes.secondary_xaxis("top", functions=functions).set_xlabel(label)
    else:
        axes.secondary_yaxis("right", functions=functions).set_ylabel(label)


def in_log_points(label: str) -> bool:
    """Whether an axis with this label gets an axis in percent beside it."""
    return LOG_POINTS in label


def separate_thousands(axes: Axes) -> None:
    """Thousands separators on the vertical axis where values are that large."""
    if max(map(abs, axes.get_ylim())) >= 1000:
        axes.yaxis.set_major_formatter(lambda value, _: formatting.integer(value))


def thinned(values: Sequence[float], most: int, *, last: bool = False) -> list[float]:
    """At most ``most`` of the values, evenly spread, zero among them where it is one, and the ``last``."""
    step = max(1, -(-len(values) // most))
    anchor = list(values).index(0) if 0 in values else 0
    kept = [value for place, value in enumerate(values) if (place - anchor) % step == 0]
    return [*kept[:-1], values[-1]] if last else kept
