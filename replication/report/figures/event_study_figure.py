"""Event studies: effects before and after adoption, one panel per outcome.

Points with pointwise confidence intervals inside wider uniform bands; the reference period is hollow, at zero
and without a bar; estimates are not connected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from replication.core.errors import SpecError
from replication.display import formatting, marks
from replication.display.canvas import Sheet, inches, legend_height, side_by_side, wrapped
from replication.display.event_plot import count_lines, draw_panel, label_axes, panel_width
from replication.display.fitted_notes import Fact
from replication.report import facts
from replication.report.figures.figure_files import Drawing, entry_sheet, figure_note
from replication.report.report_context import Context, versions_of_results
from replication.report.report_data import Saved
from replication.report.study_config import Entry

OPTIONS = {
    "required": ["panels"],
    "properties": {
        "x_label": {"$ref": "#/$defs/axis"},
        "y_label": {"$ref": "#/$defs/axis"},
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

COLUMNS = [
    "spec_id",
    "estimator",
    "outcome",
    "event_time",
    "estimate",
    "std_error",
    "conf_low",
    "conf_high",
    "band_low",
    "band_high",
    "n_obs",
    "n_units",
    "n_clusters",
]
PANEL_HEIGHT, STACKED_HEIGHT = 2.3, 1.8
LOG_POINTS, PERCENT = "Effect, log points", "Percent"
PRE_TREND = "pre-trend test"
MOST_NAMED = 3
WIDENED = "Bands are widened where needed to contain percentile intervals of the cluster bootstrap."


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
    path = path.sort_values("event_time")[COLUMNS].reset_index(drop=True)
    return path.assign(
        reference=path["std_error"].isna() & (path["estimate"] == 0),
        treated_units=path["event_time"].map(facts.support_by_event_time(saved)),
        binned=path["event_time"].map(facts.binned(saved)),
        treated_cohorts=path["event_time"].map(facts.support_by_event_time(saved, "cohorts")),
        mean_before=facts.mean_before(saved),
        pretrend_p_value=facts.pretrend_p(saved),
    )


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """One panel per outcome, side by side or stacked; panels of a row with one unit share their scale."""
    panels = [panel for _, panel in frame.groupby("panel", sort=True)]
    words, details = note(frame, entry, context)
    labels = formatting.distinct_words(frame["label"])
    logs = [in_logs(panel, context) for panel in panels]
    names = [y_label(panel, log, entry, context) for panel, log in zip(panels, logs, strict=True)]
    across = side_by_side(len(panels), max(map(panel_width, panels)), entry.medium)
    apart = any(name != names[place - place % across] for place, name in enumerate(names))
    legend = legend_height(labels, entry.medium)
    room = rooms(panels, names, entry, across=across, apart=apart, logs=any(logs))
    page = entry_sheet(entry, context, words, panels=len(panels), across=across, legend=legend, **room)
    x_label = entry.options.get("x_label", "Periods since adoption")
    for place, (axes, panel) in enumerate(zip(page.axes, panels, strict=True)):
        draw_panel(axes, panel, labels, mean_before(panel))
        label_axes(axes, panel, labels, x_label, name_counts=page.begins_row(place))
    scale(page, names, same=entry.options.get("same_scale", False))
    for place, (axes, name) in enumerate(zip(page.axes, names, strict=True)):
        if apart or page.begins_row(place):
            axes.set_ylabel(wrapped(name, inches(axes)[1]))
        if logs[place] and (apart or page.ends_row(place)):
            marks.percent_axis(axes, PERCENT)
    if len(labels) > 1:
        page.legend(labels)
    specs = formatting.distinct_words(frame["spec_id"])
    return Drawing(
        page.figure,
        describe(frame, entry),
        words,
        specs,
        versions_of_results(context.results.get(name) for name in specs),
        details,
    )


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
        "right": 0.6 if logs else 0.15,
        "gap": (0.65 + 0.17 * lines if apart else 0.45) + (0.5 if apart and logs else 0.0),
        "above": 0.42,
        "below": 0.42 + 0.125 * max(len(count_lines(panel)) for panel in panels),
    }


def scale(page: Sheet, names: Sequence[str], *, same: bool) -> None:
    """One vertical axis for all panels, or for those of a row that are measured in the same unit."""
    for row in [page.axes] if same else page.rows():
        units = {names[page.axes.index(axes)] for axes in row}
        if same or len(units) == 1:
            marks.share_scale(row)


def in_logs(panel: pd.DataFrame, context: Context) -> bool:
    """Whether effects are differences of logs, so that percentages are shown beside them."""
    unit = context.study.outcome(str(panel["outcome"].iloc[0])).unit
    return unit.startswith("log ") or facts.in_logs_of_means(context.results.get(panel["spec_id"].iloc[0]))


def y_label(panel: pd.DataFrame, log: bool, entry: Entry, context: Context) -> str:
    """What is measured and its unit."""
    number = int(panel["panel"].iloc[0]) - 1
    own = entry.options["panels"][number].get("y_label") or entry.options.get("y_label")
    unit = context.study.outcome(str(panel["outcome"].iloc[0])).unit
    return str(own or (LOG_POINTS if log else f"Effect, {unit}" if unit else "Effect"))


def mean_before(panel: pd.DataFrame) -> str:
    """The mean of the outcome before treatment, one for each sample that is shown."""
    means = formatting.distinct_words(formatting.adaptive(value) for value in panel["mean_before"].unique())
    return f"mean before treatment {' or '.join(means)}" if means else ""


def note(frame: pd.DataFrame, entry: Entry, context: Context) -> tuple[str, tuple[str, ...]]:
    """Explanation of the marks, and the estimation of the series."""
    every = [context.results.get(name) for name in formatting.distinct_words(frame["spec_id"])]
    level = formatting.listed(formatting.distinct_words(facts.level(saved) for saved in every))
    words = (
        f"Thin bars: {level} pointwise confidence intervals; wide bars: {level} uniform confidence bands "
        f"({draws(every)}). Hollow: reference period."
    )
    resampled = [saved for saved in every if saved.details.uncertainty.resampled_clusters]
    if any(saved.details.uncertainty.interval != "t" for saved in resampled):
        words += f" {WIDENED}"
    seeds = formatting.distinct_words(str(saved.details.uncertainty.seed) for saved in every)
    last = Fact(0, f"Seed of the draws: {formatting.listed(seeds)}." if seeds else "", required=False)
    return figure_note(entry, context, [words], [*circumstances(frame, context), last])


def circumstances(frame: pd.DataFrame, context: Context) -> list[Fact]:
    """Facts common to all series, then those that differ."""
    parts = [part for _, part in frame.groupby(["panel", "series"], sort=True)]
    found = [about(part, context) for part in parts]
    kinds = list(dict.fromkeys(kind for words in found for kind in words))
    facts_found = []
    for kind in kinds:
        values = formatting.distinct_words(words.get(kind, "") for words in found)
        if len(values) == 1 and all(kind in words for words in found):
            text = f"{kind}: {values[0]}"
            short = ""
        else:
            series = [
                f"{part['panel_title'].iloc[0]}, {part['label'].iloc[0]}, {words[kind]}"
                for part, words in zip(parts, found, strict=True)
                if kind in words
            ]
            text = f"{kind}: {'; '.join(series)}"
            few = len(values) <= MOST_NAMED and kind != PRE_TREND
            ending = ", by series" if len(values) > 1 else ", where used"
            short = formatting.sentence(f"{kind}: {either(values)}{ending}") if few else ""
        facts_found.append(Fact(0, formatting.sentence(text), short, required=False))
    return facts_found


def either(words: Sequence[str]) -> str:
    """Words as alternatives: ``45, 28 or 29``."""
    return " or ".join([*([", ".join(words[:-1])] if len(words) > 1 else []), words[-1]])


def draws(every: Sequence[Saved]) -> str:
    """Bootstrap draws behind the bands."""
    counts = formatting.distinct_words(formatting.integer(saved.details.uncertainty.draws) for saved in every)
    return f"{formatting.listed(counts)} draws"


def about(part: pd.DataFrame, context: Context) -> dict[str, str]:
    """How a series was estimated: clusters, weights, control group, base period, end points, test."""
    first = part.iloc[0]
    saved = context.results.get(first["spec_id"])
    found = {
        f"clusters ({facts.clusters(saved, context.study)})": formatting.integer(first["n_clusters"]),
        "weights": facts.weights(saved, context.study),
        "control group": facts.comparison(saved, context.study),
        PRE_TREND: formatting.p_equals(first["pretrend_p_value"]),
        "binned end points": end_points(part),
        "base period": facts.base_period(saved),
    }
    return {kind: words for kind, words in found.items() if words}


def end_points(part: pd.DataFrame) -> str:
    """Points that pool all event times from there on."""
    ends = part[part["binned"].notna()]
    return ", ".join(
        f"{formatting.signed(time)} {way}"
        for time, way in zip(ends["event_time"], ends["binned"], strict=True)
    )


def describe(frame: pd.DataFrame, entry: Entry) -> str:
    """The figure in words: range of the estimates before and after in each series."""
    sentences = [f"Event study. {entry.title}."]
    for _, part in frame.groupby(["panel", "series"], sort=True):
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
