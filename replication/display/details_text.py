"""Words for what a result knows of itself: the one place where fields of ``Details`` are worded.

Tables and figures read fields; nothing reads these words back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from replication.core.details import Details
from replication.display.formatting import distinct_words, listed, sentence, signed

AVERAGE = {
    "simple": "average over all treated cells, weighted by cohort size",
    "cells_by_size": "average over all treated cells, weighted by cohort size",
    "cells_by_weight": "average over all treated unit-periods",
    "cells_in_levels": "average over all treated unit-periods, in levels",
    "event_times_equally": "unweighted mean of the coefficients from event time 0 on",
    "event_times_of_window": "mean over event times {first} to {last}",
    "horizons_equally": "mean over event times {first} to {last}, adopters weighted equally",
    "horizons_by_variance": "mean over event times {first} to {last}, variance-weighted",
    "switchers": "effects weighted by their number of switchers (average total effect)",
    "switchers_per_unit": "effects weighted by their number of switchers, per unit of treatment "
    "(average total effect)",
    "cohorts_by_size": "cohort effects weighted by size, each averaged over its treated periods",
    "cohorts_by_unit_periods": "cohort effects weighted by treated unit-periods",
}
BY_WEIGHT = ("cells_by_weight", "cells_in_levels")
"""Averages whose weights are those of the panel, if it has any."""
CONTROL_GROUP = {
    "never_treated": "never-treated units",
    "not_yet_treated": "not-yet-treated units",
    "last_treated": "the last cohort to adopt",
}
BASE_PERIOD = {
    "varying": "the period before, for each pre-treatment estimate",
    "untreated_before_leads": "all untreated observations before the leads shown",
    "untreated": "all untreated observations",
    "none": "none: leads are means of first-stage residuals",
}


POOLED = "pooled event times"
"""What a note calls end points that stand for all event times beyond them."""


def average(details: Details) -> str:
    """How the overall effect is averaged; empty where there is nothing to average."""
    first, last = details.averaged_times or (0, 0)
    words = AVERAGE[details.average].format(first=first, last=last) if details.average else ""
    return f"weighted {words}" if details.weighted and details.average in BY_WEIGHT else words


def control_group(details: Details) -> str:
    """The control group; empty for estimators without one."""
    return CONTROL_GROUP.get(details.control_group, details.control_group.replace("_", " "))


def base_period(details: Details) -> str:
    """The base or reference period; empty where the estimator has none."""
    base = details.base_period
    if base is None:
        return ""
    if base == "universal":
        base = -1 - details.anticipation
    if isinstance(base, int):
        return f"event time {signed(base)}"
    return BASE_PERIOD[base]


def pooled_ends(details: Details, window: Sequence[int] | None = None) -> dict[float, str]:
    """The event times that stand for themselves ``and earlier`` or ``and later``.

    ``window``: that of the specification; the recorded one if None.
    """
    window = window or details.window
    if details.endpoints != "bin" or not window:
        return {}
    first, last = window
    ends = (("pools_earlier", first, "and earlier"), ("pools_later", last, "and later"))
    return {float(end): way for key, end, way in ends if details.extras.get(key)}


def pooled_words(times: Iterable[float], ends: Mapping[float, str]) -> str:
    """The pooled ends among the event times that are shown: ``-6 and earlier, 3 and later``."""
    shown = set(times)
    return ", ".join(f"{signed(time)} {way}" for time, way in ends.items() if time in shown)


def pooled_note(details: Sequence[Details], labels: Sequence[str], shown: Sequence[Iterable[float]]) -> str:
    """A sentence on the ends ``shown`` that pool other event times, results named where they differ.

    Empty where no end pools.
    """
    every = [pooled_words(times, pooled_ends(one)) for one, times in zip(details, shown, strict=True)]
    parts = []
    for words in distinct_words(every):
        who = distinct_words(label for label, one in zip(labels, every, strict=True) if one == words)
        parts.append(words if every.count(words) == len(every) else f"{words} ({listed(who)})")
    return sentence(f"{POOLED}: {'; '.join(parts)}") if parts else ""


LOGGED = re.compile(r"(^|[^a-z])(log|ln)([^a-z]|$)")


def in_logs(outcome: str, details: Details) -> bool:
    """Whether effects are differences of logs: ``log(rate)``, ``log_rate``, ``ln y``, or a Poisson model."""
    return details.scale == "log points" or bool(LOGGED.search(outcome.lower()))


def confidence_level(details: Details) -> str:
    """The confidence level, as ``95%``."""
    return f"{100 * details.uncertainty.level:g}%"
