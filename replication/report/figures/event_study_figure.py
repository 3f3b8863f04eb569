"""Event studies: effects before and after adoption, one panel per outcome.

Points with pointwise confidence intervals inside wider uniform bands; the reference period is hollow, at zero
and without a bar; estimates are not connected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from replication.core.errors import SpecError
from replication.core.estimates import COLUMNS
from replication.display import formatting, marks
from replication.display.canvas import Sheet, inches, legend_height, side_by_side, wrapped
from replication.display.event_plot import counts_inches, draw_panel, drawable, label_axes, panel_width
from replication.display.media import LETTERS_PER_INCH
from replication.report import facts
from replication.report.figures.event_study_notes import note, omitted, series_of, units_of
from replication.report.figures.figure_files import Drawing, entry_sheet
from replication.report.report_context import Context, versions_of_results
from replication.report.report_data import Saved
from replication.report.study_config import Entry

OPTIONS = {
    "required": ["panels"],
    "shared": ["x_label", "y_label"],
    "properties": {
        "window": {
            "type": "array",
            "items": {"type": "integer"},
            "minItems": 2,
            "maxItems": 2,
            "description": "First and last event time drawn; all if empty.",
        },
        "same_scale": {
            "type": "boolean",
            "default": False,
            "description": "Whether all panels share the vertical axis.",
        },
        "panels": {
            "type": "array",
            "minItems": 1,
            "description": "One outcome per panel, up to three estimators in each.",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["series"],
                "properties": {
                    "title": {
                        "type": "string",
                        "description": "Heading of the panel; the outcome's label if empty.",
                    },
                    "y_label": {"$ref": "#/$defs/axis"},
                    "series": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 3,
                        "items": {"$ref": "#/$defs/reference"},
                    },
                },
            },
        },
    },
}

UNUSED = ("study", "term", "cohort", "time", "statistic", "p_value")
SHOWN = [name for name in COLUMNS if name not in UNUSED]
"""Columns of estimates in the file beside the figure."""
PANEL_HEIGHT, STACKED_HEIGHT = 2.3, 1.5
LOG_EFFECT = f"Effect ({marks.LOG_POINTS})"
MEAN = "Pre-treatment mean: "


def collect(entry: Entry, context: Context) -> pd.DataFrame:
    """One row per estimate, with the treated units behind it and the mean before treatment."""
    parts = []
    for number, panel in enumerate(entry.options["panels"]):
        for place, item in enumerate(panel["series"]):
            values = {"spec": item} if isinstance(item, str) else dict(item)
            saved = context.results.get(values["spec"])
            outcome = context.study.outcome(str(saved.spec["outcome"]))
            heading = panel.get("title", outcome.label)
            label = values.get("label") or facts.estimator(saved, context.study)
            part = series(saved, entry.options.get("window"))
            part.insert(0, "label", label)
            part.insert(0, "series", place + 1)
            part.insert(0, "panel_title", heading)
            part.insert(0, "panel", number + 1)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def series(saved: Saved, window: Sequence[int] | None) -> pd.DataFrame:
    """The event-time path of one result; reference periods (fixed, without a standard error) are marked."""
    table = saved.table
    path = table[(table["term"] == "event") & table["event_time"].notna()]
    if window is not None:
        path = path[path["event_time"].between(window[0], window[1])]
    if path.empty:
        raise SpecError(
            f"{saved.spec_id} has no estimates by event time"
            f"{'' if window is None else f' within {list(window)}'}. Use a specification of an "
            "estimator with event times, or widen 'window'."
        )
    path = path.sort_values("event_time")[SHOWN].reset_index(drop=True)
    return path.assign(
        reference=path["std_error"].isna() & (path["estimate"] == 0),
        treated_units=path["event_time"].map(facts.support_by_event_time(saved)),
        binned=path["event_time"].map(facts.binned(saved)),
        treated_cohorts=path["event_time"].map(facts.support_by_event_time(saved, "cohorts")),
        mean_before=saved.details.mean_pre,
        pretrend_p_value=facts.pretrend_p(saved),
    )


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """One panel per outcome, side by side or stacked; panels of a row with one unit share their scale."""
    results = {name: context.results.get(name) for name in formatting.distinct_words(frame["spec_id"])}
    parts = [drawable(part, results[part["spec_id"].iloc[0]].details) for part in series_of(frame)]
    every = pd.concat(parts)
    panels = [panel for _, panel in every[~every["panel"].isin(omitted(frame, context))].groupby("panel")]
    words, details = note(frame, entry, context)
    labels = formatting.distinct_words(frame["label"])
    logs = [in_logs(panel, context) for panel in panels]
    names = [y_label(panel, log, entry, context) for panel, log in zip(panels, logs, strict=True)]
    across = side_by_side(len(panels), max(map(panel_width, panels)), entry.medium)
    apart = any(name != names[place - place % across] for place, name in enumerate(names))
    room = rooms(panels, names, entry, across=across, apart=apart, logs=any(logs))
    wide = (entry.medium.width - room["left"] - room["right"] - (across - 1) * room["gap"]) / across
    letters = int(LETTERS_PER_INCH * wide)
    means = [mean_before(panel, context, letters, log=log) for panel, log in zip(panels, logs, strict=True)]
    page = entry_sheet(
        entry,
        context,
        words,
        panels=len(panels),
        across=across,
        above=0.42 if any(means) else 0.3,
        below=0.42 + max(counts_inches(panel, wide) for panel in panels),
        legend=legend_height(labels, entry.medium),
        **room,
    )
    x_label = entry.options.get("x_label", "Periods since adoption")
    for place, (axes, panel) in enumerate(zip(page.axes, panels, strict=True)):
        draw_panel(axes, panel, labels, means[place])
        label_axes(axes, panel, labels, x_label, units=units_of(context) if page.begins_row(place) else "")
    scale(page, names, same=entry.options.get("same_scale", False))
    name_scales(page, names, logs, apart=apart)
    if len(labels) > 1:
        page.legend(labels)
    versions = versions_of_results(results.values())
    return Drawing(page.figure, describe(frame, entry), words, list(results), versions, details)


def rooms(
    panels: Sequence[pd.DataFrame],
    names: Sequence[str],
    entry: Entry,
    *,
    across: int,
    apart: bool,
    logs: bool,
) -> dict[str, float]:
    """Inches of the panels and of the labels around them; ``apart``: every panel has a vertical label."""
    height = PANEL_HEIGHT if len(panels) <= across else STACKED_HEIGHT
    lines = max(wrapped(name, height * entry.medium.flat).count("\n") + 1 for name in names)
    return {
        "height": height,
        "left": 0.65 + 0.17 * lines,
        "right": marks.PERCENT_ROOM if logs else 0.15,
        "gap": (0.65 + 0.17 * lines if apart else 0.45) + (0.5 if apart and logs else 0.0),
    }


def scale(page: Sheet, names: Sequence[str], *, same: bool) -> None:
    """One vertical axis for all panels, or for those of a row that are measured in the same unit."""
    for row in [page.axes] if same else page.rows():
        units = {names[page.axes.index(axes)] for axes in row}
        if same or len(units) == 1:
            marks.share_scale(row)


def name_scales(page: Sheet, names: Sequence[str], logs: Sequence[bool], *, apart: bool) -> None:
    """What is measured at the left of each row, or of each panel if they differ, and percent at the right."""
    for place, (axes, name) in enumerate(zip(page.axes, names, strict=True)):
        if apart or page.begins_row(place):
            axes.set_ylabel(wrapped(name, inches(axes)[1]))
        if logs[place] and (apart or page.ends_row(place)):
            marks.percent_axis(axes, marks.PERCENT)


def in_logs(panel: pd.DataFrame, context: Context) -> bool:
    """Whether effects are differences of logs, so that percentages are shown beside them."""
    unit = context.study.outcome(str(panel["outcome"].iloc[0])).unit
    return unit.startswith("log ") or facts.in_logs_of_means(context.results.get(panel["spec_id"].iloc[0]))


def y_label(panel: pd.DataFrame, log: bool, entry: Entry, context: Context) -> str:
    """What is measured and its unit."""
    number = int(panel["panel"].iloc[0]) - 1
    own = entry.options["panels"][number].get("y_label") or entry.options.get("y_label")
    unit = context.study.outcome(str(panel["outcome"].iloc[0])).unit
    return str(own or (LOG_EFFECT if log else f"Effect ({unit})" if unit else "Effect"))


def mean_before(panel: pd.DataFrame, context: Context, letters: int, *, log: bool) -> str:
    """The pre-treatment mean, with its unit if it fits; none for logs, or where samples differ."""
    unit = context.study.outcome(str(panel["outcome"].iloc[0])).unit
    means = formatting.distinct_words(formatting.adaptive(value) for value in panel["mean_before"].unique())
    in_levels = not (log and unit.startswith("log "))
    if not in_levels or len(means) != 1:
        return ""
    with_unit = f"{MEAN}{means[0]} ({unit})"
    return with_unit if unit and len(with_unit) <= letters else f"{MEAN}{means[0]}"


def describe(frame: pd.DataFrame, entry: Entry) -> str:
    """The figure in words: range of the estimates before and after in each series."""
    sentences = [f"Event study. {entry.title}."]
    for part in series_of(frame):
        first: Any = part.iloc[0]
        before = part[(part["event_time"] < 0) & ~part["reference"]]["estimate"]
        after = part[part["event_time"] >= 0]["estimate"]
        ranges = [
            f"{name} adoption from {formatting.fixed(values.min())} to {formatting.fixed(values.max())}"
            for name, values in (("before", before), ("from", after))
            if len(values)
        ]
        sentences.append(f"{first['panel_title']}, {first['label']}: estimates {'; '.join(ranges)}.")
    return " ".join(sentences)
