"""What the results say about themselves, in one place: the keys of ``Estimates.info``.

====================  ==========================================================================
key                   meaning
====================  ==========================================================================
weighted, clusters,   set by ``inference.assemble`` for every result
notes, level, draws,
seed
absorbed              list of absorbed effects and trends: ``fips``, ``year``, ``unit_linear``
mean_outcome          mean of the outcome over the estimation sample, weighted as the estimate
mean_pre              mean of the outcome of treated units before treatment
pretrend              ``{test, statistic, df, p_value}`` of the joint test of the periods before
support               list of ``{event_time, units, cohorts}`` behind the estimates
control_group         ``never_treated``, ``not_yet_treated`` or ``last_treated``
base_period           ``universal``, ``varying``, or the reference event time of a regression
overall               how the overall effect is averaged, such as ``simple``
====================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from replication.estimators.registry import ENTRIES
from replication.report.config import Study
from replication.report.saved import Saved

GROUPS = {
    "never_treated": "never-treated units",
    "not_yet_treated": "not-yet-treated units",
    "last_treated": "the last cohort to adopt",
}
BASES = {
    "universal": "one reference period before adoption",
    "varying": "the period before, for each pre-treatment estimate",
}


def number(saved: Saved, key: str) -> float:
    """A number of the info, dots reaching into it; NaN if it is not there."""
    value: Any = saved.info
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return np.nan if value is None or isinstance(value, str | Mapping | list) else float(value)


def mean_outcome(saved: Saved) -> float:
    """Mean of the outcome in the estimation sample."""
    return number(saved, "mean_outcome")


def mean_before(saved: Saved) -> float:
    """Mean of the outcome before treatment."""
    return number(saved, "mean_pre")


def pretrend_p(saved: Saved) -> float:
    """p-value of the joint test of the periods before treatment."""
    return number(saved, "pretrend.p_value")


def support(saved: Saved, event_time: float, kind: str = "units") -> float:
    """Treated units (or ``cohorts``) behind the estimate of an event time; NaN if not said."""
    for entry in saved.info.get("support") or []:
        if entry["event_time"] == event_time:
            return float(entry[kind])
    return np.nan


def absorbed(saved: Saved) -> list[str]:
    """Effects and trends that are absorbed, as names."""
    found = saved.info.get("absorbed") or []
    return [found] if isinstance(found, str) else [str(name) for name in found]


def estimator(saved: Saved, study: Study) -> str:
    """Name of the estimator, as the study or the registry of estimators has it."""
    name = str(saved.spec["estimator"])
    return study.labels.get(name) or ENTRIES[name].label


def clusters(saved: Saved, study: Study) -> str:
    """Names of the clustering dimensions, for a reader."""
    names = saved.info.get("clusters") or saved.spec.get("cluster") or []
    names = [names] if isinstance(names, str) else names
    return " and ".join(study.label(str(name)) for name in names)


def weights(saved: Saved, study: Study) -> str:
    """Name of the weights, or ``none``."""
    name = saved.spec.get("weights")
    return study.label(str(name)) if name else "none"


def comparison(saved: Saved) -> str:
    """The comparison group in words; empty for estimators without one."""
    name = saved.info.get("control_group")
    return "" if name is None else GROUPS.get(str(name), str(name).replace("_", " "))


def base_period(saved: Saved) -> str:
    """The base period in words; empty where the estimator has none."""
    base = saved.info.get("base_period")
    if base is None:
        return ""
    if isinstance(base, int | float):
        return f"event time {base:g}".replace("-", "\N{MINUS SIGN}")
    return BASES.get(str(base), str(base).replace("_", " "))


def level(saved: Saved) -> str:
    """The confidence level, as ``95%``."""
    return f"{100 * float(saved.info.get('level', 0.95)):g}%"
