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
from replication.display.event_plot import (
    counts_inches,
    draw_panel,
    drawable,
    few_clusters,
    label_axes,
    panel_width,
    thin_support,
)
from replication.display.fitted_notes import Fact
from replication.display.media import LETTERS_PER_INCH
from replication.inference.cautions import FEW_EFFECTIVE
from replication.report import facts
from replication.report.figures.figure_files import Drawing, entry_sheet, figure_note
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
PANEL_HEIGHT, STACKED_HEIGHT = 2.3, 1.5
LOG_EFFECT = f"Effect ({marks.LOG_POINTS})"
MEAN, CLUSTERED = "Pre-treatment mean: ", "standard errors clustered by"
WIDENED = "Bands are widened where needed to contain percentile intervals."


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
    results = {name: context.results.get(name) for name in formatting.distinct_words(frame["spec_id"])}
    parts = [drawable(part, results[part["spec_id"].iloc[0]].details) for part in series_of(frame)]
    panels = [panel for _, panel in pd.concat(parts).groupby("panel", sort=True)]
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
    for place, (axes, name) in enumerate(zip(page.axes, names, strict=True)):
        if apart or page.begins_row(place):
            axes.set_ylabel(wrapped(name, inches(axes)[1]))
        if logs[place] and (apart or page.ends_row(place)):
            marks.percent_axis(axes, marks.PERCENT)
    if len(labels) > 1:
        page.legend(labels)
    versions = versions_of_results(results.values())
    return Drawing(page.figure, describe(frame, entry), words, list(results), versions, details)


def series_of(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """The paths, panel by panel."""
    return [part for _, part in frame.groupby(["panel", "series"], sort=True)]


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


def note(frame: pd.DataFrame, entry: Entry, context: Context) -> tuple[str, tuple[str, ...]]:
    """Explanation of the marks, and the estimation of the series."""
    every = [context.results.get(name) for name in formatting.distinct_words(frame["spec_id"])]
    level = formatting.listed(formatting.distinct_words(facts.level(saved) for saved in every))
    words = [
        f"Dark bars: {level} pointwise confidence intervals{percentiles(frame, context)}; pale "
        f"bars: {level} uniform bands ({draws(every)}). Hollow markers: reference period."
    ]
    panels = [panel for _, panel in frame.groupby("panel")]
    words += [withheld(frame, context), thin_support(panels, units_of(context))]
    widened = [Fact(0, WIDENED, required=False)] if any(map(by_percentiles, every)) else []
    printed, details = figure_note(entry, context, words, [*widened, *circumstances(frame, context)])
    seeds = formatting.distinct_words(str(saved.details.uncertainty.seed) for saved in every)
    seed = (f"Seed of the draws: {formatting.listed(seeds)}.",) if seeds else ()
    return printed, (*details, *seed)


def units_of(context: Context) -> str:
    """The units of the study in the plural, such as counties."""
    return context.study.labels.get("n_units", "units").lower()


def by_percentiles(saved: Saved) -> bool:
    """Whether intervals are percentiles of a bootstrap over clusters."""
    uncertainty = saved.details.uncertainty
    return bool(uncertainty.resampled_clusters) and uncertainty.interval != "t"


def percentiles(frame: pd.DataFrame, context: Context) -> str:
    """In parentheses, which intervals are percentiles of a bootstrap."""
    parts = series_of(frame)
    chosen = [part for part in parts if by_percentiles(context.results.get(part["spec_id"].iloc[0]))]
    if not chosen:
        return ""
    every = [context.results.get(part["spec_id"].iloc[0]) for part in chosen]
    clusters = formatting.listed(
        formatting.distinct_words(facts.clusters(saved, context.study) for saved in every)
    )
    who = named(chosen, parts)
    return f" ({f'{who}: ' if who else ''}percentiles of a bootstrap by {clusters})"


def withheld(frame: pd.DataFrame, context: Context) -> str:
    """Which series are drawn without intervals, as clusters are few."""
    parts = series_of(frame)
    bare = [
        part for part in parts if few_clusters(part, context.results.get(part["spec_id"].iloc[0]).details)
    ]
    counts = [(formatting.integer(part["n_clusters"].iloc[0]), part) for part in bare]
    shown = [
        f"{count} for {named([part for one, part in counts if one == count], parts)}".removesuffix(" for ")
        for count in formatting.distinct_words(count for count, _ in counts)
    ]
    few = f"No intervals are drawn with fewer than {FEW_EFFECTIVE} clusters"
    return f"{few} ({', '.join(shown)})." if bare else ""


def named(chosen: Sequence[pd.DataFrame], every: Sequence[pd.DataFrame]) -> str:
    """Series in words: by estimator or by panel where that is enough; empty for all of them."""
    names, others = (
        [(p["panel_title"].iloc[0], p["label"].iloc[0]) for p in parts] for parts in (chosen, every)
    )
    if len(names) == len(others):
        return ""
    for place in (1, 0):
        parts = formatting.distinct_words(name[place] for name in names)
        if sum(name[place] in parts for name in others) == len(names):
            return formatting.listed(parts)
    return "; ".join(f"{panel}, {label}" for panel, label in names)


def circumstances(frame: pd.DataFrame, context: Context) -> list[Fact]:
    """How the series were estimated, one sentence per choice, series named where they differ."""
    parts = series_of(frame)
    found = [about(part, context) for part in parts]
    sentences = []
    for kind in dict.fromkeys(kind for words in found for kind in words):
        values = []
        for value in formatting.distinct_words(words.get(kind, "") for words in found):
            chosen = [part for part, words in zip(parts, found, strict=True) if words.get(kind) == value]
            who = named(chosen, parts)
            values.append(f"{value} ({who})" if who else value)
        text = formatting.sentence(f"{kind}: {'; '.join(values)}")
        short = (
            f"{formatting.sentence(kind)[:-1]}: {cluster_range(frame)}." if kind.startswith(CLUSTERED) else ""
        )
        sentences.append(Fact(0, text, short if len(values) > 1 else "", required=False))
    return sentences


def cluster_range(frame: pd.DataFrame) -> str:
    """The fewest and the most clusters of the series."""
    low, high = (formatting.integer(end) for end in (frame["n_clusters"].min(), frame["n_clusters"].max()))
    return f"{low} to {high} clusters"


def draws(every: Sequence[Saved]) -> str:
    """Bootstrap draws behind the bands."""
    counts = formatting.distinct_words(formatting.integer(saved.details.uncertainty.draws) for saved in every)
    return f"{formatting.listed(counts)} draws"


def about(part: pd.DataFrame, context: Context) -> dict[str, str]:
    """How a series was estimated: clusters, weights, control group, base period, end points, test."""
    first = part.iloc[0]
    saved = context.results.get(first["spec_id"])
    clusters = f"{formatting.integer(first['n_clusters'])} clusters"
    found = {
        # Design-based standard errors are not clustered.
        f"{CLUSTERED} {facts.clusters(saved, context.study)}": (
            "" if saved.spec["estimator"] == "roth_santanna" else clusters
        ),
        "weights": facts.weights(saved, context.study),
        "control group": facts.comparison(saved, context.study),
        "pre-trend test": formatting.p_equals(first["pretrend_p_value"]),
        "binned endpoints": end_points(part),
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
