"""What results report about themselves, as tables and figures show it: fields of ``Details``."""

from __future__ import annotations

import numpy as np

from replication.display import details_text
from replication.display.formatting import sentence
from replication.estimators.registry import ENTRIES
from replication.report.report_data import Saved
from replication.report.study_config import StudyConfig


def number(saved: Saved, key: str) -> float:
    """A number of the details, dots reaching into it; NaN if it is not there."""
    value = saved.details.find(key)
    return float(value) if isinstance(value, int | float) else np.nan


def mean_outcome(saved: Saved) -> float:
    """Mean of the outcome in the estimation sample."""
    return saved.details.mean_outcome


def mean_before(saved: Saved) -> float:
    """Mean of the outcome of treated units before treatment."""
    return saved.details.mean_pre


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
    if name in study.labels:
        return study.labels[name]
    columns = {"unit": str(saved.spec["unit"]), "time": str(saved.spec["time"])}
    time = study.label(columns["time"])
    for ending, words in (("_by_time", f"-by-{time} fixed effects"), ("_linear", " linear trends")):
        if name.endswith(ending):
            stem = name.removesuffix(ending)
            return sentence(study.label(columns.get(stem, stem)) + words).rstrip(".")
    return sentence(f"{study.label(columns.get(name, name))} fixed effects").rstrip(".")


def estimator(saved: Saved, study: StudyConfig) -> str:
    """Name of the estimator, as the study or the registry of estimators has it."""
    name = str(saved.spec["estimator"])
    return study.labels.get(name) or ENTRIES[name].label


def clusters(saved: Saved, study: StudyConfig) -> str:
    """Names of the clustering dimensions, for a reader."""
    return " and ".join(study.label(name) for name in saved.details.clusters)


def weights(saved: Saved, study: StudyConfig) -> str:
    """Name of the weights, or ``none``."""
    name = saved.spec.get("weights")
    return study.label(str(name)) if name else "none"


def comparison(saved: Saved, study: StudyConfig) -> str:
    """The comparison group, as labeled by the study; empty for estimators without one."""
    return study.labels.get(saved.details.control_group) or details_text.control_group(saved.details)


def base_period(saved: Saved) -> str:
    """The base or reference period in words; empty where the estimator has none."""
    return details_text.base_period(saved.details)


def binned(saved: Saved) -> dict[float, str]:
    """The event times that stand for themselves ``and earlier`` or ``and later``."""
    window = saved.spec.get("window")
    if saved.details.endpoints != "bin" or not window:
        return {}
    return {float(window[0]): "and earlier", float(window[1]): "and later"}


def overall(saved: Saved) -> str:
    """How the overall effect is averaged; empty where there is nothing to average."""
    return details_text.average(saved.details)


def level(saved: Saved) -> str:
    """The confidence level, as ``95%``."""
    return details_text.confidence_level(saved.details)


def in_logs_of_means(saved: Saved) -> bool:
    """Whether coefficients are changes in the log of the expected outcome (Poisson)."""
    return "poisson" in (saved.spec.get("estimator"), saved.spec.get("family"))
