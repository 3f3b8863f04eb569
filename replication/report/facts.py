"""What results report about themselves, as tables and figures show it: fields of ``Details``."""

from __future__ import annotations

import re

import numpy as np

from replication.display import details_text, formatting, inference_text
from replication.display.formatting import sentence
from replication.display.inference_text import Words, clusters_of
from replication.estimators.registry import ENTRIES
from replication.report.report_data import Saved
from replication.report.study_config import StudyConfig

CALENDAR = ("year", "quarter", "month", "week", "day")
ONE_CLUSTER, CLUSTERS = re.compile(r"\bcluster \((\w+)\)"), re.compile(r"\bclusters \((\w+)\)")
COLUMN_NAME = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")


def number(saved: Saved, key: str) -> float:
    """A number of the details, dots reaching into it; NaN if it is not there."""
    value = saved.details.find(key)
    return float(value) if isinstance(value, int | float) else np.nan


def pretrend_p(saved: Saved) -> float:
    """p-value of the joint test of the periods before treatment; NaN where there is no test."""
    return number(saved, "pretrend.p_value")


def support_by_event_time(saved: Saved, kind: str = "units") -> dict[float, float]:
    """Treated units (or ``cohorts``) by event time, where the estimator counts them."""
    return {float(one.event_time): float(getattr(one, kind)) for one in saved.details.support}


def absorbed(saved: Saved) -> list[str]:
    """Effects and trends that are absorbed: columns, ``<column>_by_time``, ``<column>_linear``.

    ``unit`` and ``time`` stand for the columns of the specification.
    """
    return [*saved.details.absorbed, *(f"{name}_linear" for name in saved.details.linear_trends)]


def effect_label(name: str, saved: Saved, study: StudyConfig) -> str:
    """An absorbed effect in words: ``County fixed effects``, ``State-by-year fixed effects``."""
    columns = {"unit": str(saved.spec["unit"]), "time": str(saved.spec["time"])}
    if name in study.labels and name not in columns:
        return study.labels[name]
    time = study.label(columns["time"])
    for ending, words in (("_by_time", f"-by-{time} fixed effects"), ("_linear", " linear trends")):
        if name.endswith(ending):
            stem = name.removesuffix(ending)
            return sentence(study.label(columns.get(stem, stem)) + words).rstrip(".")
    return sentence(f"{study.label(columns.get(name, name))} fixed effects").rstrip(".")


def unit(saved: Saved, study: StudyConfig) -> str:
    """What a unit is, such as ``county``; ``unit`` where the study has no label for the column."""
    return study.labels.get(str(saved.spec["unit"]), "unit")


def units(saved: Saved, study: StudyConfig) -> str:
    """What units are, such as ``counties``."""
    return formatting.plural(unit(saved, study))


def in_study_words(text: str, saved: Saved, study: StudyConfig) -> str:
    """A note of a result with the nouns and labels of the study for units, periods, clusters and columns."""
    time = str(saved.spec["time"])
    period = study.labels.get(time, time if time in CALENDAR else "period")
    one, several = unit(saved, study), units(saved, study)
    text = ONE_CLUSTER.sub(lambda found: study.label(found[1]), text)
    text = CLUSTERS.sub(lambda found: formatting.plural(study.label(found[1])), text)
    text = COLUMN_NAME.sub(lambda found: study.label(found[0]), text)
    for word, named in (
        ("unit-periods", f"{one}-{formatting.plural(period)}"),
        ("units", several),
        ("unit", one),
        ("periods", formatting.plural(period)),
        ("period", period),
    ):
        text = re.sub(rf"(?<!-)\b{word}\b(?!-)", named, text)
    return text


def estimator(saved: Saved, study: StudyConfig) -> str:
    """Name of the estimator, as the study or the registry of estimators has it."""
    name = str(saved.spec["estimator"])
    return study.labels.get(name) or ENTRIES[name].label


def clusters(saved: Saved, study: StudyConfig) -> str:
    """Names of the clustering dimensions, for a reader; empty where standard errors are not clustered."""
    if not clusters_of(saved.details, str(saved.spec["estimator"])):
        return ""
    return " and ".join(study.label(name) for name in saved.details.clusters)


def std_errors(saved: Saved, study: StudyConfig) -> Words:
    """What standard errors are: subject and predicate of a sentence."""
    return inference_text.std_errors(saved.details, str(saved.spec["estimator"]), clusters(saved, study))


def weights(saved: Saved, study: StudyConfig) -> str:
    """Name of the weights, or ``none``."""
    name = saved.spec.get("weights")
    return study.label(str(name)) if name else "none"


def comparison(saved: Saved, study: StudyConfig) -> str:
    """The comparison group, as labeled by the study; empty for estimators without one."""
    return study.labels.get(saved.details.control_group) or details_text.control_group(saved.details)


def control_group(saved: Saved, study: StudyConfig) -> str:
    """The same with the nouns of the study."""
    return in_study_words(comparison(saved, study), saved, study)


def base_period(saved: Saved, study: StudyConfig) -> str:
    """The base or reference period with the nouns of the study; empty where the estimator has none."""
    return in_study_words(details_text.base_period(saved.details), saved, study)


def binned(saved: Saved) -> dict[float, str]:
    """The event times that stand for themselves ``and earlier`` or ``and later``."""
    return details_text.pooled_ends(saved.details, saved.spec.get("window"))


def level(saved: Saved) -> str:
    """The confidence level, as ``95%``."""
    return details_text.confidence_level(saved.details)


def in_logs_of_means(saved: Saved) -> bool:
    """Whether coefficients are changes in the log of the expected outcome (Poisson)."""
    return "poisson" in (saved.spec.get("estimator"), saved.spec.get("family"))
