"""Notes of event-study figures: explanation of the marks, and how the series were estimated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from replication.display import formatting
from replication.display.details_text import POOLED, pooled_words
from replication.display.event_plot import few_clusters, thin_support
from replication.display.fitted_notes import Fact
from replication.inference.cautions import FEW_EFFECTIVE
from replication.report import facts
from replication.report.figures.figure_files import figure_note
from replication.report.report_context import Context
from replication.report.report_data import Saved
from replication.report.study_config import Entry

CLUSTERED = "standard errors clustered by"
WEIGHTS, REFERENCE, PRETREND = "weights", "reference period", "pre-trend test"
WIDENED = "Bands are at least as wide as the percentile intervals."


def series_of(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """The paths, panel by panel."""
    return [part for _, part in frame.groupby(["panel", "series"], sort=True)]


def note(frame: pd.DataFrame, entry: Entry, context: Context) -> tuple[str, tuple[str, ...]]:
    """Explanation of the marks, and the estimation of the series."""
    every = [context.results.get(name) for name in formatting.distinct_words(frame["spec_id"])]
    level = formatting.listed(formatting.distinct_words(facts.level(saved) for saved in every))
    drawn = frame[~frame["panel"].isin(omitted(frame, context))]
    words = [
        f"Dark bars: {level} pointwise confidence intervals{percentiles(drawn, context)}; pale "
        f"bars: {level} uniform bands ({draws(every)}). Hollow markers: {reference(drawn, context)}."
    ]
    panels = [panel for _, panel in drawn.groupby("panel")]
    words += [
        withheld(frame, context),
        thin_support(panels, facts.unit(every[0], context.study), units_of(context)),
    ]
    widened = [Fact(0, WIDENED, required=False)] if any(map(by_percentiles, every)) else []
    printed, details = figure_note(entry, context, words, [*widened, *circumstances(drawn, context)])
    seeds = formatting.distinct_words(str(saved.details.uncertainty.seed) for saved in every)
    seed = (f"Seed of the draws: {formatting.listed(seeds)}.",) if seeds else ()
    return printed, (*details, *seed)


def reference(frame: pd.DataFrame, context: Context) -> str:
    """The reference period, named where it is one for all series."""
    saved = [context.results.get(part["spec_id"].iloc[0]) for part in series_of(frame)]
    found = {facts.base_period(one, context.study) for one in saved}
    return f"reference period ({found.pop()})" if len(found) == 1 and found != {""} else "reference period"


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
        formatting.distinct_words(formatting.plural(facts.clusters(saved, context.study)) for saved in every)
    )
    who = named(chosen, parts)
    return f" ({f'{who}: ' if who else ''}percentiles of a bootstrap that resamples {clusters})"


def bare_series(frame: pd.DataFrame, context: Context) -> list[pd.DataFrame]:
    """The series without intervals, as clusters are few."""
    return [
        part
        for part in series_of(frame)
        if few_clusters(part, context.results.get(part["spec_id"].iloc[0]).details)
    ]


def omitted(frame: pd.DataFrame, context: Context) -> list[int]:
    """Panels that are not drawn, as clusters are few in all their series; none if that is so everywhere.

    Points without intervals beside others with intervals would be read as a path.
    """
    bare = Counter(int(part["panel"].iloc[0]) for part in bare_series(frame, context))
    every = Counter(int(part["panel"].iloc[0]) for part in series_of(frame))
    found = [panel for panel, count in bare.items() if count == every[panel]]
    return found if len(found) < len(every) else []


def withheld(frame: pd.DataFrame, context: Context) -> str:
    """Which series are drawn without intervals and which panels are not drawn, as clusters are few."""
    gone = omitted(frame, context)
    bare = bare_series(frame, context)
    sentences = []
    for opening, chosen in (
        (f"Panels with fewer than {FEW_EFFECTIVE} clusters in this sample are not drawn", True),
        (f"No intervals are drawn with fewer than {FEW_EFFECTIVE} clusters", False),
    ):
        parts = [part for part in bare if (part["panel"].iloc[0] in gone) == chosen]
        if parts:
            sentences.append(f"{opening} ({cluster_counts(parts, series_of(frame))}).")
    return " ".join(sentences)


def cluster_counts(chosen: Sequence[pd.DataFrame], every: Sequence[pd.DataFrame]) -> str:
    """``8 for Hispanic victims, 6 for non-Hispanic victims``."""
    counts = [(formatting.integer(part["n_clusters"].max()), part) for part in chosen]
    return ", ".join(
        f"{count} for {named([part for one, part in counts if one == count], every)}".removesuffix(" for ")
        for count in formatting.distinct_words(count for count, _ in counts)
    )


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
            return formatting.listed(part.replace("Non-", "non-") for part in parts)
    return "; ".join(f"{panel}, {label}" for panel, label in names)


def circumstances(frame: pd.DataFrame, context: Context) -> list[Fact]:
    """How the series were estimated, one sentence per choice, series named where they differ."""
    parts = series_of(frame)
    found = [about(part, context) for part in parts]
    sentences = []
    for kind in dict.fromkeys(kind for words in found for kind in words):
        if kind in stated(parts, found):
            continue
        values = []
        for value in formatting.distinct_words(words.get(kind, "") for words in found):
            chosen = [part for part, words in zip(parts, found, strict=True) if words.get(kind) == value]
            who = named(chosen, parts)
            values.append(f"{value} for {who}" if "(" in who else f"{value} ({who})" if who else value)
        text = formatting.sentence(f"{kind}: {'; '.join(values)}")
        sentences.append(Fact(0, text, in_short(kind, frame) if len(values) > 1 else "", required=False))
    return sentences


def in_short(kind: str, frame: pd.DataFrame) -> str:
    """The range over the series, of clusters or of the p-values of pre-trend tests."""
    if kind.startswith(CLUSTERED):
        return f"{formatting.sentence(kind)[:-1]}: {cluster_range(frame)}."
    if kind == PRETREND:
        tests = pd.Series([part["pretrend_p_value"].iloc[0] for part in series_of(frame)], dtype=float)
        found = f"{formatting.p_equals(tests.min())} to {formatting.probability(tests.max())}"
        missing = f"; none for {int(tests.isna().sum())} of {tests.size} series" if tests.isna().any() else ""
        return f"Pre-trend tests: {found}{missing}."
    return ""


def stated(parts: Sequence[pd.DataFrame], found: Sequence[dict[str, str]]) -> set[str]:
    """What the note's first sentence or the titles of the panels state already."""
    titled = all("eighted" in str(part["panel_title"].iloc[0]) for part in parts)
    shared = len({words.get(REFERENCE, "") for words in found}) == 1
    return {kind for kind, there in ((WEIGHTS, titled), (REFERENCE, shared)) if there}


def cluster_range(frame: pd.DataFrame) -> str:
    """The fewest and the most clusters of the series."""
    counts = [part["n_clusters"].max() for part in series_of(frame)]
    return f"{formatting.integer(min(counts))} to {formatting.integer(max(counts))} clusters"


def draws(every: Sequence[Saved]) -> str:
    """Bootstrap draws behind the bands."""
    counts = formatting.distinct_words(formatting.integer(saved.details.uncertainty.draws) for saved in every)
    return f"{formatting.listed(counts)} draws"


def about(part: pd.DataFrame, context: Context) -> dict[str, str]:
    """How a series was estimated, first what a reader of the figure must know: end points, test, clusters."""
    first = part.iloc[0]
    saved = context.results.get(first["spec_id"])
    names = facts.clusters(saved, context.study)
    clusters = f"{formatting.integer(part['n_clusters'].max())} clusters"
    found = {
        POOLED: end_points(part),
        PRETREND: formatting.p_equals(first["pretrend_p_value"]),
        f"{CLUSTERED} {names}": clusters if names else "",
        WEIGHTS: facts.weights(saved, context.study),
        "control group": facts.control_group(saved, context.study),
        REFERENCE: facts.base_period(saved, context.study),
    }
    return {kind: words for kind, words in found.items() if words}


def end_points(part: pd.DataFrame) -> str:
    """Points that pool all event times from there on."""
    ends = part[part["binned"].notna()]
    return pooled_words(ends["event_time"], dict(zip(ends["event_time"], ends["binned"], strict=True)))
