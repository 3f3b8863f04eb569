"""Estimate a specification on its panel: the estimator that it names, with the keys that it reads."""

from __future__ import annotations

from functools import partial

import numpy as np

from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates
from replication.core.interactions import SUFFIX
from replication.core.memory import keep_freed_memory
from replication.core.panel import Panel
from replication.core.spec import REVERSIBLE, Spec
from replication.core.threads import one_thread
from replication.estimators.final_checks import reported
from replication.estimators.registry import ENTRIES, Registered
from replication.estimators.shared.control_residuals import control_residuals
from replication.inference.methods import FEW_TREATED, apply_method, refuse_method
from replication.inference.variances import refuse_variance

INTERACTED = ("twfe", "event_study", "poisson")
"""Estimators that take covariates interacted with periods."""


def estimate(panel: Panel, spec: Spec) -> Estimates:
    """Estimate a specification on its panel.

    Raises
    ------
    SpecError
        If the specification asks for trends, covariates, an offset, weights or a treatment that
        the estimator cannot use.
    PanelError
        If the effect is not identified in this panel, or there is no overall effect.

    """
    entry = ENTRIES[spec.estimator]
    refuse_unusable(spec, entry)
    if panel.exposure is not None and spec.estimator in REVERSIBLE and spec.inference.method in FEW_TREATED:
        raise SpecError(
            f"{spec.id}: 'inference.method: {spec.inference.method}' reads errors from units without "
            f"treatment, and the controls of {spec.estimator} with a treatment column may have any. Use "
            "'method: permutation', which permutes whole treatment paths across units."
        )
    require_variation(panel)
    keywords = {key: getattr(spec, key) for key in entry.keys}
    keep_freed_memory()
    with one_thread():
        found = apply_method(
            partial(entry.function, **keywords),
            panel,
            spec.inference,
            own_bootstrap=spec.estimator == "callaway_santanna" and not spec.covariates,
            resampled=spec.estimator == "callaway_santanna" and bool(spec.trends),
            own_permutation=spec.estimator == "roth_santanna",
            two_way=spec.estimator == "twfe" and not spec.trends,
            residuals=partial(control_residuals, trends=spec.trends, estimator=spec.estimator),
        )
    return reported(found, panel, spec.estimator)


def require_variation(panel: Panel) -> None:
    """Refuse an outcome that is the same in every cell: no effect and no standard error exists."""
    seen = panel.y[panel.observed]
    if seen.size and float(np.ptp(seen)) == 0:
        raise PanelError(
            f"The outcome {panel.outcome!r} does not vary: it is {seen[0]:g} in all {seen.size} rows of the "
            "sample. Name another outcome, or correct the file."
        )


def refuse_unusable(spec: Spec, entry: Registered) -> None:
    """Refuse options that an estimator would silently ignore."""
    refuse_method(spec.id, spec.estimator, spec.inference, entry.methods)
    refuse_variance(
        spec.id,
        spec.estimator,
        spec.inference,
        poisson="family" in entry.keys and spec.family == "poisson",
    )
    if spec.repeated_cross_sections:
        refuse_cross_sections(spec, entry)
    refuse_interactions(spec)
    bent = "family" in entry.keys and spec.family != "gaussian"
    if bent and spec.inference.method in FEW_TREATED:
        raise SpecError(
            f"{spec.id}: 'inference.method: {spec.inference.method}' needs an estimate that is "
            f"linear in the outcome, and 'family: {spec.family}' is not. Use 'method: "
            "permutation', or 'family: gaussian' with a rate or a logarithm as outcome."
        )
    for key in ("trends", "covariates", "offset", "weights"):
        if getattr(spec, key) and key not in entry.takes:
            able = [name for name, other in ENTRIES.items() if key in other.takes]
            raise SpecError(
                f"{spec.id}: {spec.estimator} takes no {key}, and leaving them out silently would "
                f"change the estimand. Remove {key!r}, or use one of: {', '.join(able)}."
            )
    if entry.cohorts and spec.treatment != "binary":
        raise SpecError(
            f"{spec.id}: {spec.estimator} needs a binary treatment that starts with the cohort, "
            f"not the column {spec.treatment!r}. Set 'treatment: binary' and name the cohort "
            "column or 'cohort_rule', or use dcdh, twfe or poisson."
        )


def refuse_interactions(spec: Spec) -> None:
    """Refuse covariates by period where slopes of treated cells would come from untreated ones."""
    by_time = [name for name in spec.covariates if SUFFIX in name]
    if by_time and spec.estimator not in INTERACTED:
        raise SpecError(
            f"{spec.id}: {spec.estimator} takes no covariate interacted with periods ({by_time[0]!r}). Name "
            f"the column itself, or use one of: {', '.join(INTERACTED)}."
        )


def refuse_cross_sections(spec: Spec, entry: Registered) -> None:
    """Refuse estimators that follow units over time, and methods that permute whole units."""
    if "repeated_cross_sections" not in entry.keys:
        able = [name for name, other in ENTRIES.items() if "repeated_cross_sections" in other.keys]
        raise SpecError(
            f"{spec.id}: {spec.estimator} follows units over time and cannot take repeated cross-sections. "
            f"Use {', '.join(able)}, or average individuals to cells of a cluster and period."
        )
    if spec.inference.method in ("permutation", *FEW_TREATED):
        raise SpecError(
            f"{spec.id}: 'inference.method: {spec.inference.method}' needs units that are followed over "
            "time. With repeated cross-sections use analytic, multiplier or bootstrap, or average "
            "individuals to cells of a cluster and period."
        )
