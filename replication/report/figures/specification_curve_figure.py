"""The specification curve: every estimate in ascending order, and the choices behind it below.

Simonsohn, Simmons & Nelson (2020), Nature Human Behaviour 4.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from replication.core.errors import SpecError
from replication.display import formatting, marks
from replication.display.canvas import BLUE, GRAY, LIGHT, VERMILION, wrapped
from replication.report import facts
from replication.report.figures.figure_files import Drawing, entry_sheet, figure_note
from replication.report.report_context import Context, versions_of_results
from replication.report.report_data import Saved
from replication.report.study_config import Entry, StudyConfig
from replication.report.tie_order import ranks

OPTIONS = {
    "required": ["specs", "choices"],
    "properties": {
        "y_label": {"$ref": "#/$defs/axis"},
        "specs": {"$ref": "#/$defs/patterns"},
        "row": {"$ref": "#/$defs/row"},
        "headline": {
            "type": ["string", "array"],
            "items": {"type": "string"},
            "description": "Specification id that is marked, or several.",
        },
        "diamonds": {"type": "string", "description": "What the marked specifications are, for the note."},
        "choices": {
            "type": "array",
            "minItems": 1,
            "description": "Keys of the specifications shown below the curve.",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["key"],
                "properties": {
                    "key": {
                        "type": "string",
                        "description": (
                            "Key of the specification; dots reach into sample and inference. With 'ids', "
                            "a name for the choice."
                        ),
                    },
                    "label": {"$ref": "#/$defs/label"},
                    "values": {
                        "type": "object",
                        "additionalProperties": {"type": "string"},
                        "description": "How values are printed.",
                    },
                    "ids": {
                        "type": "object",
                        "additionalProperties": {"type": "string"},
                        "description": (
                            "Pattern of specification ids: what is printed, for choices made by several "
                            "keys; the first pattern that fits counts."
                        ),
                    },
                },
            },
        },
    },
}

CURVE_HEIGHT, LINE = 2.6, 0.145
LETTER = 0.058
EMPTY = "none"


def collect(entry: Entry, context: Context) -> pd.DataFrame:
    """One row per specification in ascending order of the estimate, one column per choice."""
    label = entry.options.get("row", "att")
    saved = context.results.matching(entry.options["specs"])
    found = [(one, one.find(label)) for one in saved]
    rows = [_row(one, row, entry, context) for one, row in found if row is not None]
    if not rows:
        raise SpecError(f"none of the {len(saved)} specifications has a row {label!r}.")
    frame = pd.DataFrame(rows)
    frame.insert(0, "place", ranks(frame["estimate"]))
    frame = frame.sort_values(["place", "spec_id"], ignore_index=True)
    frame["place"] = range(1, len(frame) + 1)
    named = entry.options.get("headline", [])
    headlines = [named] if isinstance(named, str) else list(named)
    absent = [name for name in headlines if name not in set(frame["spec_id"])]
    if absent:
        raise SpecError(f"the headline {absent[0]!r} is not among the specifications shown.")
    return frame.assign(headline=frame["spec_id"].isin(headlines))


def _row(saved: Saved, found: Mapping[str, Any], entry: Entry, context: Context) -> dict[str, Any]:
    names = ("spec_id", "estimate", "std_error", "p_value", "conf_low", "conf_high", "n_obs", "n_units")
    choices = {choice["key"]: value_of(saved, choice, context.study) for choice in entry.options["choices"]}
    return {**{name: found[name] for name in names}, **choices}


def value_of(saved: Saved, choice: Mapping[str, Any], study: StudyConfig) -> str:
    """Printed form of the value of a key, or of a choice identified by the specification id."""
    if "ids" in choice:
        return by_id(saved.spec_id, choice)
    value: Any = saved.spec
    for part in choice["key"].split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, list):
        value = "-".join(str(part) for part in value) if value else None
    name = EMPTY if value is None or value == {} else str(value)
    usual = {"outcome": study.outcome(name).label, "estimator": facts.estimator(saved, study)}
    return str(choice.get("values", {}).get(name, usual.get(choice["key"], study.label(name))))


def by_id(spec_id: str, choice: Mapping[str, Any]) -> str:
    """Label of the first pattern that matches the id."""
    for pattern, value in choice["ids"].items():
        if fnmatch.fnmatchcase(spec_id, pattern):
            return str(value)
    raise SpecError(
        f"no pattern for the choice {choice['key']!r} matches {spec_id!r}. Add one, or '*' as the last."
    )


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """The curve above, one line of ticks per value of each choice below."""
    lines = choice_lines(frame, entry)
    letters = max(len(label) for _, _, label in lines)
    words, details = note(frame, entry, context)
    y_label = str(entry.options.get("y_label", "Estimate"))
    logs = marks.in_log_points(y_label)
    page = entry_sheet(
        entry,
        context,
        words,
        panels=2,
        height=1.0,
        exact=True,
        ratios=[CURVE_HEIGHT, LINE * len(lines)],
        left=max(0.8, 0.2 + LETTER * letters),
        right=marks.PERCENT_ROOM if logs else 0.15,
        above=0.1,
        below=0.25,
    )
    curve, below = page.axes
    draw_curve(curve, frame)
    curve.set_ylabel(wrapped(y_label, CURVE_HEIGHT))
    curve.set_xlabel("Specifications, ordered by estimate")
    if logs:
        marks.percent_axis(curve, marks.PERCENT)
    draw_choices(below, frame, lines)
    specs = list(frame["spec_id"])
    shown = versions_of_results(context.results.get(name) for name in specs)
    return Drawing(page.figure, describe(frame, entry), words, entry.options["specs"], shown, details)


def draw_curve(axes: Axes, frame: pd.DataFrame) -> None:
    """Estimates with intervals; those that exclude zero thicker and in blue, the headline in orange."""
    marks.light_grid(axes)
    marks.zero_line(axes)
    apart = (frame["conf_low"] > 0) | (frame["conf_high"] < 0)
    for chosen, color, bar, width in ((~apart, GRAY, LIGHT, 0.5), (apart, BLUE, BLUE, 1.0)):
        part = frame[chosen & ~frame["headline"]]
        low, high = part["conf_low"], part["conf_high"]
        axes.vlines(part["place"], low, high, colors=bar, alpha=0.45, linewidths=width, zorder=2)
        style = {"marker": "o", "markersize": 1.2 + width, "color": color, "markeredgewidth": 0, "zorder": 3}
        marks.points(axes, part["place"], part["estimate"], **style)
    mark_headline(axes, frame)
    axes.set_xlim(0, len(frame) + 1)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


def mark_headline(axes: Axes, frame: pd.DataFrame) -> None:
    """The headline specification, larger."""
    row = frame[frame["headline"]]
    axes.vlines(row["place"], row["conf_low"], row["conf_high"], colors=VERMILION, linewidths=1.8, zorder=5)
    marks.points(axes, row["place"], row["estimate"], marker="D", markersize=5, color=VERMILION, zorder=6)


def choice_lines(frame: pd.DataFrame, entry: Entry) -> list[tuple[str, str, str]]:
    """(key, value, label) of the lines below the curve; a heading has no value."""
    found: list[tuple[str, str, str]] = []
    for choice in entry.options["choices"]:
        key = choice["key"]
        found.append((key, "", choice.get("label", key.replace("_", " ").capitalize())))
        named = choice.get("ids") or choice.get("values", {})
        given = formatting.distinct_words(str(value) for value in named.values())
        present = set(frame[key])
        ordered = [value for value in given if value in present]
        ordered += sorted(present - set(ordered))
        found += [(key, value, value) for value in ordered]
    return found


def draw_choices(axes: Axes, frame: pd.DataFrame, lines: list[tuple[str, str, str]]) -> None:
    """A tick where a specification has the value."""
    for place, (key, value, _) in enumerate(lines):
        if value:
            chosen = frame[frame[key] == value]
            dash = {"marker": "|", "markersize": 5.5, "markeredgewidth": 0.7, "color": "#333333"}
            marks.points(axes, chosen["place"], [place] * len(chosen), **dash)
            headline = chosen.loc[chosen["headline"], "place"]
            diamond = {"marker": "D", "markersize": 4, "color": VERMILION, "zorder": 5}
            marks.points(axes, headline, [place] * len(headline), **diamond)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_xlim(0, len(frame) + 1)
    axes.set_xticks([])
    axes.set_yticks(range(len(lines)), [label for _, _, label in lines])
    for tick, (_, value, _) in zip(axes.get_yticklabels(), lines, strict=True):
        tick.set_fontweight("normal" if value else "bold")
        tick.set_fontsize(8)
    axes.tick_params(axis="y", length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def note(frame: pd.DataFrame, entry: Entry, context: Context) -> tuple[str, tuple[str, ...]]:
    """The count of estimates and of intervals that exclude zero, and the headline estimates."""
    estimates = [
        f"{formatting.fixed(row.estimate)} {formatting.interval(row.conf_low, row.conf_high)}"
        for row in frame[frame["headline"]].itertuples()
    ]
    named = f" ({entry.options['diamonds']})" if "diamonds" in entry.options else ""
    words = [counted(frame), f"Diamonds{named}: {formatting.listed(estimates)}." if estimates else ""]
    return figure_note(entry, context, words)


def counted(frame: pd.DataFrame) -> str:
    """Signs of the estimates and intervals that exclude zero, in a sentence each."""
    below, above = int((frame["conf_high"] < 0).sum()), int((frame["conf_low"] > 0).sum())
    sides = (
        f"{below} below and {above} above it"
        if below and above
        else f"all {'above' if above else 'below'} it"
    )
    share = f"{100 * (below + above) / len(frame):.0f} percent"
    apart = f"{below + above} intervals ({share}) exclude zero, {sides} (blue, drawn thicker)"
    return (
        f"{formatting.integer(len(frame))} specifications, {int((frame['estimate'] < 0).sum())} with a "
        f"negative estimate; median {formatting.fixed(frame['estimate'].median())}. "
        f"{apart if below + above else 'No interval excludes zero'}."
    )


def describe(frame: pd.DataFrame, entry: Entry) -> str:
    """The figure in words."""
    return (
        f"{entry.title}. Specification curve from {formatting.fixed(frame['estimate'].min())} to "
        f"{formatting.fixed(frame['estimate'].max())}. {counted(frame)}"
    )
