"""Which specifications other software estimates exactly, and the rows that it reads."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from replication.core.panel import NEVER, Panel
from replication.core.spec import Spec

REGRESSIONS = ("twfe", "event_study", "poisson")
TRANSLATED = (*REGRESSIONS, "sun_abraham", "callaway_santanna", "imputation", "two_stage")
OWN = ("unit", "unit_label", "time", "treatment", "first_treated", "event_time", "weight", "log_exposure")
"""Columns of every exported file."""
RESERVED = "byte|double|else|float|for|function|if|in|int|long|next|repeat|str[0-9L].*|using|while|with"
NAME = re.compile(rf"(?!(?:{RESERVED})$)[A-Za-z]\w{{0,31}}", re.ASCII)
"""Names that R, Stata and Python all take: 32 characters or fewer, no reserved word."""


@dataclass(frozen=True, slots=True)
class ExactModel:
    """A specification as the other languages write it.

    Attributes
    ----------
    slopes : number of linear trends.
    estimate, std_error : overall effect of this package, if it has been estimated.
    """

    spec: Spec
    covariates: tuple[str, ...]
    by_time: tuple[str, ...]
    linear: tuple[str, ...]
    clusters: tuple[str, ...]
    weighted: bool
    offset: bool
    slopes: int
    estimate: float | None = None
    std_error: float | None = None

    @property
    def poisson(self) -> bool:
        """Whether the model is a Poisson regression."""
        return self.spec.estimator == "poisson" or self.spec.family == "poisson"

    @property
    def reference(self) -> int:
        """Event time at which the path is zero."""
        return -1 - self.spec.anticipation

    @property
    def errors_note(self) -> str:
        """Why the standard errors of the other software differ; empty if they do not."""
        inference = self.spec.inference
        if inference.method != "analytic" or inference.variance != "cv1":
            return (
                f"standard errors here are {inference.method}, {inference.variance}; the file clusters (CV1)"
            )
        if self.by_time or self.linear:
            return "standard errors differ by the number of parameters that effects of strata count for"
        if len(self.clusters) > 1:
            return (
                "standard errors may differ: software counts the clusters of several dimensions differently"
            )
        return ""


def why_not(spec: Spec, panel: Panel) -> str:
    """Why a specification is not translated; empty if it is."""
    groups = [*(f"cluster_{name}" for name in panel.clusters), *(f"stratum_{name}" for name in panel.strata)]
    names = [spec.outcome, *panel.covariate_names]
    taken = {*OWN, *groups}
    unusable = [
        *(name for name in names if not NAME.fullmatch(name) or name in taken),
        *(name for name in groups if not NAME.fullmatch(name)),
    ]
    plain = spec.estimator in REGRESSIONS
    refusals = {
        f"{spec.estimator} has no exact counterpart": spec.estimator not in TRANSLATED,
        "its fixed effects are not unit and time": plain and set(spec.fixed_effects) != {"unit", "time"},
        "trends are removed by a procedure of this package": not plain and bool(spec.trends),
        "weights are fixed at one period": spec.fix_weights != "none",
        "it is estimated on repeated cross sections": spec.repeated_cross_sections,
        "it anticipates the treatment": not plain and spec.anticipation > 0,
        "gaps in the panel are used pairwise": spec.unbalanced == "pairwise",
        "its control group is the last cohort": not plain and spec.control_group == "last_treated",
        "there is no never-treated unit": spec.estimator == "sun_abraham" and NEVER not in panel.cohort,
        "treatment is a column, not a date": not plain and panel.exposure is not None,
        f"the column {''.join(unusable[:1])!r} has a name that not all languages take": bool(unusable),
    }
    return next((reason for reason, holds in refusals.items() if holds), "")


def model_of(
    spec: Spec, panel: Panel, estimate: float | None = None, std_error: float | None = None
) -> ExactModel:
    """The specification in the terms of the exported file."""
    named = [trend.removesuffix("_linear") for trend in spec.trends if trend.endswith("_linear")]
    return ExactModel(
        spec=spec,
        covariates=panel.covariate_names,
        by_time=tuple(f"stratum_{t.removesuffix('_by_time')}" for t in spec.trends if t.endswith("_by_time")),
        linear=tuple("unit" if name == "unit" else f"stratum_{name}" for name in named),
        slopes=sum(len(panel.units if name == "unit" else np.unique(panel.strata[name])) for name in named),
        clusters=tuple(f"cluster_{name}" for name in spec.cluster) or ("unit",),
        weighted=panel.weighted,
        offset=panel.offset is not None,
        estimate=estimate,
        std_error=std_error,
    )


def exported_rows(panel: Panel, spec: Spec) -> pd.DataFrame:
    """One row per cell with an outcome: the estimation sample, with the columns that the files read.

    Returns
    -------
    DataFrame
        ``unit`` (1 to N), ``unit_label``, ``time``, the outcome, ``treatment``, ``first_treated`` (0: never),
        ``event_time`` (binned in event studies; the reference for never-treated units), ``weight``,
        ``log_exposure``, covariates, ``stratum_<name>`` and ``cluster_<name>`` (codes).
    """
    row, column = np.nonzero(panel.observed & (panel.weight > 0))
    period, cohort = panel.periods[column], panel.cohort[row]
    event = period - cohort
    # Elsewhere the window selects the event times that are shown.
    if spec.estimator == "event_study" and spec.window is not None and spec.endpoints == "bin":
        event = event.clip(*spec.window)
    columns = {
        "unit": row + 1,
        "unit_label": panel.units[row],
        "time": period,
        spec.outcome: panel.y[row, column],
        "treatment": panel.dose[row, column],
        "first_treated": cohort,
        "event_time": np.where(cohort == NEVER, -1 - spec.anticipation, event),
        "weight": panel.weight[row, column],
        "log_exposure": 0.0 if panel.offset is None else panel.offset[row, column],
    }
    for place, name in enumerate(panel.covariate_names):
        assert panel.covariates is not None
        columns[name] = panel.covariates[place][row, column]
    columns |= {f"stratum_{name}": codes[row] for name, codes in panel.strata.items()}
    for name, codes in panel.clusters.items():
        columns[f"cluster_{name}"] = codes[row] if codes.ndim == 1 else codes[row, column]
    frame = pd.DataFrame(columns)
    if spec.estimator == "event_study" and spec.window is not None and spec.endpoints == "drop":
        frame = frame[frame["event_time"].between(*spec.window)]
    return frame
