"""A county map of the United States, colored by classes of a number or a date; Alaska and Hawaii in insets.

County shapes come from the package ``bokeh_sampledata`` (simplified Census TIGER/Line boundaries
of 2009, public domain), which is needed only where maps are drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch

from replication.core.arrays import Floats
from replication.core.errors import SpecError
from replication.display import formatting
from replication.display.fitted_notes import Fact
from replication.report.figures.figure_files import Drawing, entry_sheet, figure_note, from_source
from replication.report.report_context import Context
from replication.report.study_config import Entry

OPTIONS = {
    "required": ["source", "value"],
    "shared": ["source", "rename", "where"],
    "properties": {
        "value": {"type": "string", "description": "Column that colors the counties: a number or a date."},
        "breaks": {
            "type": "array",
            "minItems": 1,
            "items": {"type": ["number", "string"]},
            "description": "Bounds between the colors (dates as '2010-01-01'), ascending.",
        },
        "labels": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Name of each class, one more than the breaks.",
        },
        "legend": {"type": "string", "description": "Heading of the legend."},
    },
}

TERRITORIES = {60, 66, 69, 72, 78}
ALASKA, HAWAII = 2, 15
MISSING = "#e4e4e4"
# Below the map: every corner of it is land at some width.
LEGEND_COLUMNS, LEGEND_LINE = 3, 0.2
SHAPES_NOTE = "County shapes: US Census Bureau, TIGER/Line 2009, simplified."
SHAPES_PACKAGE = "The shapes come from the package bokeh_sampledata."
SUCCESSORS = {2105: 2232, 2230: 2232, 2195: 2280, 2275: 2280, 2198: 2201}
"""Census areas of Alaska -> the area they were part of until 2007 or 2008, whose value they show."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Albers equal-area conic projection of a part of the country, and where the map shows that part.

    ``parallels`` and ``origin`` are degrees as the US Geological Survey chooses them; ``scale`` and
    ``shift`` (unit sphere) move the part to its place; points west of ``west`` are not drawn.
    """

    parallels: tuple[float, float]
    origin: tuple[float, float]
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    west: float = -360.0


CONTIGUOUS = Projection((29.5, 45.5), (-96.0, 37.5))
INSETS = {
    ALASKA: Projection((55.0, 65.0), (-154.0, 50.0), scale=0.35, shift=(-0.28, -0.235)),
    # The northwestern islands, of few inhabitants, stretch for another 1,500 miles.
    HAWAII: Projection((8.0, 18.0), (-157.0, 3.0), shift=(-0.105, -0.525), west=-161.0),
}


def collect(entry: Entry, context: Context) -> pd.DataFrame:
    """``fips``, the value, and the class that colors the county."""
    value = entry.options["value"]
    frame = from_source(entry, context, ["fips", value]).drop_duplicates("fips")
    breaks, names = classes(entry, frame[value])
    numbers = as_numbers(frame[value], entry)
    place = np.searchsorted(breaks, numbers.to_numpy(dtype=float), side="right")
    labels = np.where(numbers.isna(), "", np.asarray(names, dtype=object)[place])
    return frame.assign(fips=frame["fips"].astype(int), **{"class": labels})


def classes(entry: Entry, values: pd.Series[Any]) -> tuple[list[float], list[str]]:
    """Bounds between the classes and a name for each; fifths of the values if none are given."""
    given = entry.options.get("breaks")
    if given is None:
        numbers = as_numbers(values, entry)
        given = [float(bound) for bound in numbers.quantile([0.2, 0.4, 0.6, 0.8])]
        bounds = given
    else:
        bounds = [float(bound) for bound in as_numbers(pd.Series(given), entry)]
    shown = [str(b) if isinstance(b, str) else formatting.adaptive(b) for b in given]
    default = [f"before {shown[0]}" if isinstance(given[0], str) else f"below {shown[0]}"]
    default += [f"{low} to {high}" for low, high in pairwise(shown)]
    default += [f"{shown[-1]} on" if isinstance(given[0], str) else f"{shown[-1]} and more"]
    names = entry.options.get("labels", default)
    if sorted(bounds) != bounds or len(names) != len(bounds) + 1:
        raise SpecError(
            f"{len(bounds)} 'breaks' make {len(bounds) + 1} classes: give them in ascending order, "
            f"and as many 'labels' as classes (there are {len(names)})."
        )
    return bounds, list(names)


def as_numbers(values: pd.Series[Any], entry: Entry) -> pd.Series[float]:
    """Numbers as they are, dates as days since 1970."""
    if pd.api.types.is_numeric_dtype(values):
        return values.astype(float)
    try:
        days = (pd.to_datetime(values, format="ISO8601") - pd.Timestamp(0)) / pd.Timedelta(days=1)
    except ValueError:
        raise SpecError(
            f"the column {entry.options['value']!r} contains neither numbers nor dates, for example "
            f"{values.dropna().iloc[0]!r}. Write dates as 2010-08-10."
        ) from None
    return days.astype(float)


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """Counties in the colors of their classes, without a value in gray, states outlined."""
    shapes = county_shapes()
    missing = sorted(set(frame["fips"]) - set(shapes) - set(SUCCESSORS.values()))
    drawn = f"Alaska (scaled to {100 * INSETS[ALASKA].scale:.0f} percent) and Hawaii are repositioned."
    words, details = figure_note(
        entry, context, [drawn + _left_out(missing)], [Fact(0, SHAPES_NOTE, required=False)]
    )
    details = (
        *details,
        SHAPES_PACKAGE,
        *(f"Not drawn: FIPS {', '.join(map(str, missing))}." for _ in missing[:1]),
    )
    _, names = classes(entry, frame[entry.options["value"]])
    columns = LEGEND_COLUMNS if entry.medium.most > 1 else 1
    below = LEGEND_LINE * (2 + len(names) // columns)
    page = entry_sheet(
        entry,
        context,
        words,
        exact=True,
        height=0.6 * entry.medium.width,
        left=0.1,
        right=0.1,
        above=0.05,
        below=below,
    )
    axes = page.axes[0]
    colors = dict(zip(names, ramp(len(names)), strict=True))
    chosen = dict(zip(frame["fips"], frame["class"], strict=True))
    chosen |= {new: chosen[old] for new, old in SUCCESSORS.items() if old in chosen and new not in chosen}
    draw_counties(axes, shapes, {fips: colors.get(name, MISSING) for fips, name in chosen.items()})
    if (frame["class"] == "").any() or set(shapes) - set(chosen):
        colors |= {"No data": MISSING}
    draw_legend(axes, colors, entry.options.get("legend"), columns)
    counts = frame["class"].value_counts()
    parts = [f"{name}: {counts.get(name, 0)} counties" for name in names]
    alt = f"{entry.title}. County map. {'; '.join(parts)}."
    return Drawing(page.figure, alt, words, details=details)


def draw_legend(axes: Axes, colors: Mapping[str, str], title: str | None, columns: int) -> None:
    """The classes in their colors, below the map."""
    axes.legend(
        handles=[Patch(facecolor=color, label=name) for name, color in colors.items()],
        loc="upper center",
        bbox_to_anchor=(0.5, 0.01),
        ncols=columns,
        title=title,
        fontsize=8,
        title_fontsize=8.5,
        handlelength=1.2,
        labelspacing=0.25,
    )


def draw_counties(axes: Axes, shapes: Mapping[int, list[Floats]], colors: Mapping[int, str]) -> None:
    """Counties in their colors, gray where they have none, and the outlines of states."""
    polygons = [(ring, colors.get(fips, MISSING)) for fips, rings in shapes.items() for ring in rings]
    axes.add_collection(
        PolyCollection(
            [ring for ring, _ in polygons],
            facecolors=[color for _, color in polygons],
            edgecolors="white",
            linewidths=0.1,
            rasterized=True,
        )
    )
    borders = state_borders()
    axes.plot(borders[:, 0], borders[:, 1], color="#333333", linewidth=0.35, rasterized=True)
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.set_axis_off()


def _left_out(missing: list[int]) -> str:
    others = [fips for fips in missing if fips // 1000 not in TERRITORIES]
    verb = "county is" if len(others) == 1 else "counties are"
    omitted = formatting.opened(f"{len(others)} {verb} not in the 2009 boundary file and therefore omitted.")
    return f" {omitted}" if others else ""


def ramp(count: int) -> list[str]:
    """Colors from dark to light that differ in lightness, so that gray prints can be read."""
    points = np.linspace(0.1, 0.97, count)
    return [mpl.colors.to_hex(mpl.colormaps["inferno"](float(point))) for point in points]


@cache
def county_shapes() -> dict[int, list[Floats]]:
    """Projected outlines of every county of the 50 states and the District of Columbia, by FIPS code."""
    try:
        from bokeh_sampledata.us_counties import data
    except ImportError:
        raise SpecError(
            "Maps need county shapes from the package bokeh_sampledata, which is not installed. "
            "Install it (pip install bokeh_sampledata), or remove the map from figures.yaml."
        ) from None
    return {
        1000 * state + county: rings(record["lons"], record["lats"], INSETS.get(state, CONTIGUOUS))
        for (state, county), record in sorted(data.items())
        if state not in TERRITORIES
    }


@cache
def state_borders() -> Floats:
    """(points, 2) sides of counties that no other county of their state shares, gaps between."""
    shapes = [(fips // 1000, ring) for fips, parts in county_shapes().items() for ring in parts]
    sides = np.concatenate([np.stack([ring[:-1], ring[1:]], axis=1) for _, ring in shapes])
    state = np.concatenate([np.full(len(ring) - 1, code) for code, ring in shapes])
    # One number per end point; a side is the same whichever way its county runs around it.
    ends = np.sort(np.round(sides @ np.array([1.0, np.pi]), 9), axis=1)
    order = np.lexsort((state, ends[:, 1], ends[:, 0]))
    same = (np.diff(ends[order], axis=0) == 0).all(axis=1) & (np.diff(state[order]) == 0)
    inner = np.zeros(len(state), dtype=bool)
    inner[order[1:][same]] = True
    inner[order[:-1][same]] = True
    outer = sides[~inner]
    gaps = np.full((len(outer), 1, 2), np.nan)
    borders: Floats = np.concatenate([outer, gaps], axis=1).reshape(-1, 2)
    return borders


def rings(
    longitudes: Iterable[float], latitudes: Iterable[float], projection: Projection = CONTIGUOUS
) -> list[Floats]:
    """Projected rings of an outline whose parts are separated by missing values."""
    east = np.asarray(longitudes, dtype=float)
    # The Aleutian Islands continue beyond the date line.
    west = np.where(east > 0, east - 360, east)
    points = albers(west, np.asarray(latitudes, dtype=float), projection)
    kept = [
        part
        for part in np.split(np.arange(len(west)), np.flatnonzero(np.isnan(west)))
        if len(part) > 3 and np.nanmin(west[part]) >= projection.west
    ]
    return [points[part][~np.isnan(west[part])] for part in kept]


def albers(longitudes: Floats, latitudes: Floats, projection: Projection = CONTIGUOUS) -> Floats:
    """(points, 2) Albers equal-area conic coordinates on a unit sphere (Snyder 1987, p. 100)."""
    first, second = np.radians(projection.parallels)
    middle, base = np.radians(projection.origin)
    n = (np.sin(first) + np.sin(second)) / 2
    c = np.cos(first) ** 2 + 2 * n * np.sin(first)
    rho = np.sqrt(c - 2 * n * np.sin(np.radians(latitudes))) / n
    rho_base = np.sqrt(c - 2 * n * np.sin(base)) / n
    theta = n * (np.radians(longitudes) - middle)
    points = np.column_stack([rho * np.sin(theta), rho_base - rho * np.cos(theta)])
    placed: Floats = projection.scale * points + projection.shift
    return placed
