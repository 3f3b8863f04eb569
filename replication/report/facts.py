"""Keys of ``Estimates.info`` that tables and figures read.

========================  ======================================================================
key                       meaning
========================  ======================================================================
clusters, notes, level,   set by ``inference.assemble`` for every result
draws, seed
absorbed                  absorbed effects: words of ``estimators.effects``, or a list of names
mean_outcome              mean of the outcome in the estimation sample, weighted as the estimate
mean_pre                  mean of the outcome of treated units before treatment
pretrend                  ``{statistic, df, p_value}`` of the joint test of the periods before, or
                          the ``reason`` why there is none
support                   ``[{event_time, units, cohorts}]`` behind each event time
control_group             ``never_treated``, ``not_yet_treated`` or ``last_treated``
base_period, reference,   base or reference period: ``universal``, ``varying``, an event time, or
reference_event_time      words
endpoints                 ``bin`` where the ends of the window collect the event times beyond
overall, average          how the overall effect is averaged
variance                  ``cv2`` or ``cv3`` where the clustered variance is corrected
degrees_of_freedom        of each row, by label, where the variance is corrected
cluster_influence         leverage, partial leverage and effective number of clusters
========================  ======================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from replication.display.formatting import sentence, signed
from replication.estimators.registration import ENTRIES
from replication.report.report_data import Saved
from replication.report.study_config import StudyConfig

GROUPS = {
    "never_treated": "never-treated units",
    "not_yet_treated": "not-yet-treated units",
    "last_treated": "the last cohort to adopt",
}
VARYING = "the period before, for each pre-treatment estimate"


def number(saved: Saved, key: str) -> float:
    """A number of the info, by a dotted key; NaN if absent."""
    value: Any = saved.info
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return np.nan if value is None or isinstance(value, str | Mapping | list) else float(value)


def mean_outcome(saved: Saved) -> float:
    """Mean of the outcome in the estimation sample."""
    return number(saved, "mean_outcome")


def mean_before(saved: Saved) -> float:
    """Mean of the outcome of treated units before treatment."""
    return number(saved, "mean_pre")


def pretrend_p(saved: Saved) -> float:
    """p-value of the joint test of the periods before treatment; NaN where there is no test."""
    return number(saved, "pretrend.p_value")


def support_by_event_time(saved: Saved, kind: str = "units") -> dict[float, float]:
    """Treated units (or ``cohorts``) by event time, where the estimator counts them."""
    records = saved.info.get("support") or []
    return {float(one["event_time"]): float(one[kind]) for one in records if kind in one}


def absorbed(saved: Saved) -> list[str]:
    """Effects and trends that are absorbed: columns, ``<column>_by_time``, ``<column>_linear``.

    ``unit`` and ``time`` stand for the columns of the specification.
    """
    found = saved.info.get("absorbed") or []
    return _named_effects(found) if isinstance(found, str) else [str(name) for name in found]


def _named_effects(words: str) -> list[str]:
    """Names behind words such as ``unit and state by period effects, unit linear trends``."""
    names: list[str] = []
    for part in words.split(", "):
        if part.endswith(" linear trends"):
            names.append(f"{part.removesuffix(' linear trends')}_linear")
        else:
            kept = part.replace(" effects", "").split(" and ")
            names += [name.replace(" by period", "_by_time").replace("period", "time") for name in kept]
    return names


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
    names = saved.info.get("clusters") or saved.spec.get("cluster") or []
    names = [names] if isinstance(names, str) else names
    return " and ".join(study.label(str(name)) for name in names)


def weights(saved: Saved, study: StudyConfig) -> str:
    """Name of the weights, or ``none``."""
    name = saved.spec.get("weights")
    return study.label(str(name)) if name else "none"


def comparison(saved: Saved, study: StudyConfig) -> str:
    """The comparison group, as labeled by the study; empty for estimators without one."""
    name = saved.info.get("control_group")
    if name is None:
        return ""
    return study.labels.get(str(name)) or GROUPS.get(str(name), str(name).replace("_", " "))


def base_period(saved: Saved) -> str:
    """The base or reference period in words; empty where the estimator has none."""
    info = saved.info
    base = info.get("base_period", info.get("reference_event_time", info.get("reference")))
    if base is None:
        return ""
    if base == "universal":
        base = -1 - int(saved.spec.get("anticipation") or 0)
    if isinstance(base, int | float):
        return f"event time {signed(base)}"
    return VARYING if base == "varying" else str(base).replace("_", " ")


def binned(saved: Saved) -> dict[float, str]:
    """The event times that stand for themselves ``and earlier`` or ``and later``."""
    window = saved.spec.get("window")
    if saved.info.get("endpoints") != "bin" or not window:
        return {}
    return {float(window[0]): "and earlier", float(window[1]): "and later"}


def overall(saved: Saved) -> str:
    """How the overall effect is averaged; empty where there is nothing to average."""
    return str(saved.info.get("overall") or saved.info.get("average") or "")


def level(saved: Saved) -> str:
    """The confidence level, as ``95%``."""
    return f"{100 * float(saved.info.get('level', 0.95)):g}%"


def in_logs_of_means(saved: Saved) -> bool:
    """Whether coefficients are changes in the log of the expected outcome (Poisson)."""
    return "poisson" in (saved.spec.get("estimator"), saved.spec.get("family"))
