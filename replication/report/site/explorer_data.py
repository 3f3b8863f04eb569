"""What the specification explorer offers: choices behind every estimate, its number, its event study."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import numpy as np

from replication.core.plain_data import texts_in
from replication.report import facts
from replication.report.report_context import Context
from replication.report.report_data import Saved
from replication.report.study_config import StudyConfig

DIGITS = 5
"""Significant digits of the numbers; the explorer prints four."""
NONE = "None"
REGRESSION = "Set by the regression"
METHODS = {"wild": "wild bootstrap"}
CHOICES = (
    "Outcome",
    "Estimator",
    "Trends and fixed effects",
    "Weights",
    "Timing",
    "Control group",
    "Sample and coverage",
    "Inference",
)


def explorer_data(context: Context) -> dict[str, Any]:
    """The choices, and for each specification with an overall effect its codes, number and event study.

    Returns
    -------
    dict
        ``choices``: label and values of each choice. ``specs``: one list per specification with its id, the
        index of its value in each choice, estimate, standard error, both ends of the interval, observations,
        clusters, and the event study as lists of (event time, estimate, low, high), empty if there is
        none.
        ``units``: the unit of each outcome. ``start``: index of the specification that is shown first.
    """
    study, specs, values = context.study, [], [dict[str, int]() for _ in CHOICES]
    units: dict[str, str] = {}
    for name in context.results.ids:
        saved = context.results.get(name)
        found = saved.find("att")
        path = event_path(saved)
        if found is None and not path:
            continue
        words = choices_of(saved, study)
        units.setdefault(words[0], study.outcome(str(saved.spec["outcome"])).unit)
        codes = [known.setdefault(word, len(known)) for known, word in zip(values, words, strict=True)]
        first = found if found is not None else {}
        numbers = [rounded(first.get(key)) for key in ("estimate", "std_error", "conf_low", "conf_high")]
        sample = [whole(saved.rows.column(key)[0]) for key in ("n_obs", "n_clusters")]
        specs.append([name, codes, *numbers, *sample, path])
    names = [spec[0] for spec in specs]
    start = next((names.index(name) for name in named(study) if name in names), 0)
    choices = [{"label": label, "values": list(known)} for label, known in zip(CHOICES, values, strict=True)]
    return {"choices": choices, "units": [units[word] for word in values[0]], "start": start, "specs": specs}


def named(study: StudyConfig) -> Iterator[str]:
    """What the tables of regressions name, in their order: the main specification comes first."""
    for entry in study.tables:
        if entry.kind == "regression":
            yield from texts_in(entry.options)


def choices_of(saved: Saved, study: StudyConfig) -> list[str]:
    """The value of each of ``CHOICES`` for one specification, as a reader sees it."""
    spec = saved.spec
    trends = [facts.effect_label(name, saved, study) for name in spec.get("trends") or []]
    timing = [study.label(str(spec[key])) for key in ("treatment", "cohort_rule") if spec.get(key)]
    ahead = spec.get("anticipation") or 0
    words = [
        study.outcome(str(spec["outcome"])).label,
        facts.estimator(saved, study),
        ", ".join(trends) or NONE,
        facts.weights(saved, study),
        ", ".join([*timing, *([f"anticipation {ahead}"] if ahead else [])]),
        facts.comparison(saved, study) or REGRESSION,
        sample_of(saved, study),
        inference_of(saved, study),
    ]
    return [f"{text[:1].upper()}{text[1:]}" for text in words]


def sample_of(saved: Saved, study: StudyConfig) -> str:
    """Panel, periods and the rows that are kept, in words."""
    sample = saved.spec.get("sample") or {}
    years = sample.get("years") or sample.get("periods")
    parts = [study.label(str(saved.spec["panel"])), *([f"{years[0]}\N{EN DASH}{years[1]}"] if years else [])]
    for key, prefix in (("where", ""), ("drop", "excluding ")):
        for column, kept in (sample.get(key) or {}).items():
            parts.append(prefix + chosen_rows(str(column), list(kept), study))
    return "; ".join(parts)


def inference_of(saved: Saved, study: StudyConfig) -> str:
    """Clusters of the standard errors, and the method where it is not the usual formula."""
    uncertainty, clusters = saved.details.uncertainty, facts.clusters(saved, study)
    if uncertainty.method == "conley":
        return "Conley (spatial) standard errors"
    method = [] if uncertainty.method == "analytic" else [METHODS.get(uncertainty.method, uncertainty.method)]
    variance = [] if uncertainty.variance == "cv1" else [uncertainty.variance.upper()]
    return ", ".join([f"clustered by {clusters}" if clusters else "not clustered", *variance, *method])


def chosen_rows(column: str, values: list[Any], study: StudyConfig) -> str:
    """Rows with one of the values: the name of a flag, the labels of the values, or both names."""
    if len(values) == 1 and isinstance(values[0], bool):
        return study.label(column) if values[0] else f"not {study.label(column)}"
    words = ", ".join(study.label(str(value)) for value in values)
    return words if all(str(value) in study.labels for value in values) else f"{study.label(column)} {words}"


def event_path(saved: Saved) -> list[list[float | None]]:
    """Event time, estimate and both ends of the interval, sorted by event time."""
    columns = (
        saved.rows.column(name) for name in ("term", "event_time", "estimate", "conf_low", "conf_high")
    )
    rows = [row for term, *row in zip(*columns, strict=True) if term == "event" and np.isfinite(row[0])]
    return [[rounded(value) for value in row] for row in sorted(rows, key=itemgetter(0))]


def rounded(value: Any) -> float | None:
    """A number with ``DIGITS`` significant digits; None where there is none, as JSON has no NaN."""
    if value is None or not np.isfinite(value):
        return None
    short = float(f"{float(value):.{DIGITS}g}")
    return int(short) if short.is_integer() else short


def whole(value: Any) -> int | None:
    """A count; None where there is none."""
    return int(value) if np.isfinite(value) else None
