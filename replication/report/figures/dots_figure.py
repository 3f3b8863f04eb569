"""Estimates as points with intervals, one per row: leave-one-out, estimators, detectable effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes

from replication.core.errors import SpecError
from replication.display import formatting, marks
from replication.display.canvas import BLUE, GRAY, VERMILION
from replication.display.media import EDGE
from replication.report import facts
from replication.report.figures.figure_files import (
    Drawing,
    entry_sheet,
    figure_note,
    from_source,
    in_order,
    require_numbers,
)
from replication.report.report_context import Context, versions_of_results
from replication.report.report_data import Saved
from replication.report.study_config import Entry
from replication.report.tie_order import ranks

OPTIONS = {
    "properties": {
        "x_label": {"$ref": "#/$defs/axis"},
        "series": {
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/$defs/reference"},
            "description": "Specifications, top to bottom.",
        },
        "source": {"$ref": "#/$defs/source"},
        "rename": {"$ref": "#/$defs/rename"},
        "where": {"$ref": "#/$defs/where"},
        "detectable": {
            "enum": ["decline", "increase"],
            "description": (
                "The estimates are minimum detectable effects, marked on this side of zero beside the "
                "estimated effects in 'found'."
            ),
        },
        "published": {
            "type": "array",
            "description": "Published values: diamonds in the rows that 'where' chooses, else dashed lines.",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["value", "label"],
                "properties": {
                    "value": {"type": "number"},
                    "where": {"$ref": "#/$defs/where"},
                    "label": {
                        "type": "string",
                        "description": "Source, with 'secondary' where not read in it.",
                    },
                },
            },
        },
        "headline": {
            "type": "string",
            "description": "Specification id (or label in the source) of the full sample.",
        },
    }
}

NEEDED = ("label", "estimate")
OPTIONAL = ("conf_low", "conf_high", "group", "spec_id")
LINE, TALL_LINE, TALL = 0.155, 0.13, 45
"""Inches of a row, and of a row of a figure with so many rows that it would not fit on a page."""
LETTER = 0.062


def collect(entry: Entry, context: Context) -> pd.DataFrame:
    """``label``, ``estimate``, interval, ``group``; ``headline`` marks one line."""
    headline = entry.options.get("headline")
    if "series" in entry.options:
        frame = pd.DataFrame([from_spec(item, context) for item in entry.options["series"]])
    elif "source" in entry.options:
        needed = (*NEEDED, "found") if "detectable" in entry.options else NEEDED
        frame = from_source(entry, context, needed, OPTIONAL)
    else:
        raise SpecError("it has neither 'series' (specifications) nor 'source' (a file). Add one.")
    if "detectable" in entry.options and "spec_id" in frame:
        rows = [context.results.get(str(name)).row("att") for name in frame["spec_id"]]
        frame = frame.assign(**{end: [row[end] for row in rows] for end in ("conf_low", "conf_high")})
    for name in ("conf_low", "conf_high"):
        frame[name] = frame.get(name, pd.Series(float("nan"), index=frame.index))
    source = entry.options.get("source", "the results")
    require_numbers(frame, ["estimate", "conf_low", "conf_high"], source)
    named = frame["label"].astype(str) == headline
    if "spec_id" in frame:
        named |= frame["spec_id"].astype(str) == headline
    if headline is not None and not named.any():
        raise SpecError(f"no line is called {headline!r}, the 'headline'. Name one that is shown.")
    frame = frame.assign(headline=named)
    if entry.kind == "leave_one_out":
        # Groups stay together, in the order of the file.
        group = frame.get("group", pd.Series("", index=frame.index)).astype(str)
        frame = (
            frame.assign(place=group.map(in_order(group).index), rank=-ranks(frame["estimate"]))
            .sort_values(["headline", "place", "rank"], ascending=[False, True, True], kind="stable")
            .drop(columns=["place", "rank"])
        )
    return frame.reset_index(drop=True)


def from_spec(item: object, context: Context) -> dict[str, object]:
    """One line from a saved specification."""
    values = {"spec": item} if isinstance(item, str) else dict(item)  # type: ignore[call-overload]
    saved: Saved = context.results.get(values["spec"])
    found = saved.row(values.get("row", "att"))
    label = values.get("label") or saved.spec.get("title") or facts.estimator(saved, context.study)
    return {
        "label": label,
        "estimate": found["estimate"],
        "conf_low": found["conf_low"],
        "conf_high": found["conf_high"],
        "spec_id": saved.spec_id,
    }


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """The lines top to bottom, the headline in another color with a dashed line through it."""
    headings = in_order(frame["group"].astype(str)) if "group" in frame else []
    left = 0.35 + LETTER * int(frame["label"].astype(str).str.len().max())
    words, details = note(frame, entry, context)
    line = LINE if len(frame) < TALL else TALL_LINE
    x_label = str(entry.options.get("x_label", "Estimate"))
    logs = marks.in_log_points(x_label)
    page = entry_sheet(
        entry,
        context,
        words,
        exact=True,
        left=left,
        above=0.5 if logs else 0.1,
        height=line * (len(frame) + len(headings) + 1),
        below=0.45,
    )
    axes = page.axes[0]
    places = line_places(frame, headings, axes, left)
    marks.light_grid(axes, "x")
    axes.axvline(0, color=GRAY, linewidth=0.7, zorder=1)
    axes.spines["left"].set_visible(False)
    draw_estimates(axes, frame, places, entry.options.get("detectable"))
    for value in [*frame.loc[frame["headline"], "estimate"], *draw_published(axes, frame, places, entry)]:
        marks.dashed(axes, value, VERMILION, 0.8)
    axes.set_xlabel(x_label)
    if logs:
        marks.percent_axis(axes, marks.PERCENT, above=True)
    specs = formatting.distinct_words(frame["spec_id"].astype(str)) if "spec_id" in frame else []
    results = [context.results.get(name) for name in specs] if "series" in entry.options else []
    return Drawing(page.figure, describe(frame, entry), words, specs, versions_of_results(results), details)


def draw_estimates(axes: Axes, frame: pd.DataFrame, places: pd.Series[float], side: str | None) -> None:
    """Points with intervals; with a ``side``, minimum detectable effects there as vertical ticks."""
    first = frame["headline"]
    for chosen, color, marker in ((~first, BLUE, "o"), (first, VERMILION, "D")):
        part, y = frame[chosen], places[chosen]
        axes.hlines(y, part["conf_low"], part["conf_high"], colors=color, linewidths=1.2, zorder=3)
        point = part["found" if side else "estimate"]
        marks.points(axes, point, y, marker=marker, markersize=3.8, color=color, zorder=4)
    if side:
        sizes = frame["estimate"] * (-1 if side == "decline" else 1)
        tick = {"marker": "|", "markersize": 9, "markeredgewidth": 2.2, "color": VERMILION}
        marks.points(axes, sizes, places, zorder=5, **tick)


def draw_published(axes: Axes, frame: pd.DataFrame, places: pd.Series[float], entry: Entry) -> list[float]:
    """Diamonds in the rows of published values; returns the values that concern no row of their own."""
    lines = []
    style = {"marker": "D", "markersize": 5, "markerfacecolor": "none", "color": "black"}
    for item in entry.options.get("published", []):
        if "where" in item:
            y = places[chosen_rows(frame, item["where"])]
            marks.points(axes, [item["value"]] * len(y), y, zorder=6, **style)
        else:
            lines.append(float(item["value"]))
    return lines


def chosen_rows(frame: pd.DataFrame, where: Mapping[str, Sequence[object]]) -> pd.Series[bool]:
    """The rows whose columns have one of the values listed."""
    chosen = pd.Series(True, index=frame.index)
    for column, values in where.items():
        chosen &= frame[column].isin(list(values))
    if not chosen.any():
        raise SpecError(
            f"no row matches {dict(where)} for a published value. Use labels and groups that are shown."
        )
    return chosen


def line_places(frame: pd.DataFrame, headings: list[str], axes: Axes, left: float) -> pd.Series[float]:
    """Vertical places of the estimates, with a heading before each group that begins at the left edge."""
    shift = (
        frame["group"].astype(str).map(headings.index) + 1 if headings else pd.Series(0, index=frame.index)
    )
    places = pd.Series(range(len(frame)), index=frame.index, dtype=float) + shift
    axes.set_ylim(float(places.max()) + 0.8, -0.8)
    axes.set_yticks(places, frame["label"].astype(str), fontsize=8)
    axes.tick_params(axis="y", length=0)
    for heading in headings:
        first = float(places[frame["group"].astype(str) == heading].min())
        marks.beside(
            axes,
            heading,
            (0, first - 1),
            ("axes fraction", "data"),
            (-72 * (left - EDGE), 0),
            ha="left",
            va="center",
            weight="bold",
            fontsize=8.5,
            annotation_clip=False,
            # A long heading reaches into the plot: grid and axis do not cross its letters.
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
            zorder=5,
        )
    return places


def note(frame: pd.DataFrame, entry: Entry, context: Context) -> tuple[str, tuple[str, ...]]:
    """Explanation of the marks."""
    barred = frame["conf_low"].notna().any()
    words = ["Points and bars: estimates and confidence intervals."] if barred else []
    if "detectable" in entry.options:
        words.append(f"Vertical ticks: minimum detectable {entry.options['detectable']}.")
    for diamonds, mark in ((True, "Hollow diamond"), (False, "Dashed line")):
        shown = [
            f"{item['label']}, {formatting.fixed(item['value'])}"
            for item in entry.options.get("published", [])
            if ("where" in item) == diamonds
        ]
        words += [f"{mark}{'s' * (len(shown) > 1)}: {'; '.join(shown)}."] if shown else []
    words += ["Diamond and dashed line: baseline estimate."] if frame["headline"].any() else []
    return figure_note(entry, context, words)


def describe(frame: pd.DataFrame, entry: Entry) -> str:
    """The figure in words."""
    ordered = frame.sort_values("estimate")
    low, high = ordered.iloc[0], ordered.iloc[-1]
    return (
        f"{entry.title}. {len(frame)} estimates from {formatting.fixed(low['estimate'])} "
        f"({low['label']}) to {formatting.fixed(high['estimate'])} ({high['label']})."
    )
