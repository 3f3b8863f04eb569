"""Estimate a specification on its panel: the estimator that it names, with the keys that it reads.

The last step of every estimator is a finite overall effect, in the labels of the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from replication.core.arrays import Floats
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import LEFT_OUT, Estimates, row_labels
from replication.core.interactions import SUFFIX
from replication.core.numbering import PLAIN
from replication.core.panel import NEVER, Panel
from replication.core.spec import COMMON, REVERSIBLE, Spec
from replication.core.threads import keep_freed_memory, one_thread
from replication.estimators.registry import ENTRIES, Registered
from replication.inference.methods import FEW_TREATED, apply_method, refuse_method, refuse_variance
from replication.inference.remedies import with_remedies


def estimate(panel: Panel, spec: Spec) -> Estimates:
    """Estimate a specification on its panel.

    Raises
    ------
    SpecError
        If the specification asks for trends, covariates, an offset, weights or a treatment that
        the estimator cannot use.
    PanelError
        If the effect is not identified in this panel, there is no overall effect, or the outcome is
        the same in every cell.
    """
    require_variation(panel)
    return fit_spec(panel, spec)


def fit_spec(panel: Panel, spec: Spec) -> Estimates:
    """The same for any outcome, as true effects without noise, which may be zero in every cell."""
    entry = ENTRIES[spec.estimator]
    refuse_unusable(spec, entry)
    if panel.exposure is not None and spec.estimator in REVERSIBLE and spec.inference.method in FEW_TREATED:
        raise SpecError(
            f"{spec.id}: 'inference.method: {spec.inference.method}' reads errors from units without "
            f"treatment, and the controls of {spec.estimator} with a treatment column may have any. Use "
            "'method: permutation', which permutes whole treatment paths across units."
        )
    keywords = {key: getattr(spec, key) for key in entry.keys}
    keep_freed_memory()
    with one_thread():
        found = apply_method(
            partial(entry.function, **keywords),
            panel,
            spec.inference,
            own=entry.own(spec),
            residuals=_residuals(spec),
        )
    found = with_remedies(found, panel, spec.inference, usable_methods(panel, spec, entry))
    return reported(found, panel, spec.estimator)


def _residuals(spec: Spec) -> Callable[[Panel], Floats] | None:
    """The residuals of control clusters; None for methods of inference that read none."""
    if spec.inference.method not in FEW_TREATED:
        return None
    from replication.estimators.control_residuals import control_residuals

    return partial(control_residuals, trends=spec.trends, estimator=spec.estimator)


def usable_methods(panel: Panel, spec: Spec, entry: Registered) -> list[str]:
    """Methods of inference of an estimator that this specification can use."""
    poisson = "family" in entry.keys and spec.family != "gaussian"
    uncommon = panel.covariates is not None and spec.estimator not in COMMON
    dosed = panel.exposure is not None and spec.estimator in REVERSIBLE
    refused = FEW_TREATED if poisson or uncommon or dosed else ()
    refused = ("permutation", *FEW_TREATED) if spec.repeated_cross_sections else refused
    return [name for name in entry.methods if name not in refused]


def require_variation(panel: Panel) -> None:
    """Refuse an outcome that is the same in every cell: no effect and no standard error exists."""
    seen = panel.y[panel.observed]
    if seen.size and float(np.ptp(seen)) == 0:
        raise PanelError(
            f"The outcome {panel.outcome!r} does not vary: it is {seen[0]:g} in all {seen.size} rows of the "
            "sample. Name another outcome, or correct the file."
        )


def having_method(method: str) -> list[str]:
    """The estimators that have a method of inference; finding them loads every estimator."""
    return [name for name, other in ENTRIES.items() if method in other.methods]


def refuse_unusable(spec: Spec, entry: Registered) -> None:
    """Refuse options that an estimator would silently ignore."""
    refuse_method(spec.id, spec.estimator, spec.inference, entry.methods, having_method)
    refuse_variance(
        spec.id,
        spec.estimator,
        spec.inference,
        poisson="family" in entry.keys and spec.family == "poisson",
    )
    if spec.repeated_cross_sections:
        refuse_cross_sections(spec, entry)
    refuse_interactions(spec, entry)
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
            "column or 'cohort_rule', or use dcdh, twfe, or poisson."
        )


def refuse_interactions(spec: Spec, entry: Registered) -> None:
    """Refuse covariates by period where slopes of treated cells would come from untreated ones."""
    by_time = [name for name in spec.covariates if SUFFIX in name]
    if by_time and not entry.interactions:
        able = [name for name, other in ENTRIES.items() if other.interactions]
        raise SpecError(
            f"{spec.id}: {spec.estimator} takes no covariate interacted with periods ({by_time[0]!r}). Name "
            f"the column itself, or use one of: {', '.join(able)}."
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
            "time. With repeated cross-sections use analytic, multiplier, or bootstrap, or average "
            "individuals to cells of a cluster and period."
        )


def reported(found: Estimates, panel: Panel, estimator: str) -> Estimates:
    """The estimates in labels of the data, checked for an overall effect.

    Raises
    ------
    PanelError
        If the overall effect is missing or infinite. A missing standard error raises nothing.
    """
    require_overall(found, panel, estimator)
    found = replace(found, details=replace(found.details, period=panel.period))
    return found if panel.numbering == PLAIN else _labeled(found, panel)


def require_overall(found: Estimates, panel: Panel, estimator: str) -> None:
    """Refuse an overall effect that is not identified."""
    value = found.att[0]
    if np.isfinite(value):
        return
    dropped = "; ".join(found.notes)
    raise PanelError(
        f"{estimator} has no overall effect of {panel.outcome!r}: what is left of the panel has no "
        f"treated unit-period that can be compared (the value would be {value}). "
        f"{f'Left out: {dropped}. ' if dropped else ''}"
        "Check the cohort column, the outcome, the weights, and 'sample'."
    )


def _labeled(found: Estimates, panel: Panel) -> Estimates:
    """Cohorts and periods in the labels of the data."""
    table = found.table.copy()
    for column in ("cohort", "time"):
        numbers = table[column].to_numpy(dtype=float)
        # Goodman-Bacon writes never treated as 0, which may be a label here.
        never = numbers == NEVER
        values: Floats = panel.label(np.where(never, np.nan, numbers)).astype(float)
        keep_zero = never & ~panel.numbering.zero_is_period
        table[column] = np.where(keep_zero, float(NEVER), values)
    kept = (~table["term"].isin(LEFT_OUT)).to_numpy() | (len(found.vcov) == len(table))
    labels = row_labels(table[kept])
    vcov = found.vcov.set_axis(labels, axis=0).set_axis(labels, axis=1)
    return replace(found, table=table, vcov=vcov)
