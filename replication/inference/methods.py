"""Dispatch of ``inference.method`` to a way of measuring uncertainty.

``analytic``, ``multiplier``, ``wild`` and ``conley`` use the scores of one fit, so the estimator
itself applies them. ``bootstrap`` and ``permutation``
redo the estimate on other panels and work for any estimator; ``conley_taber`` and
``ferman_pinto`` do so for any that is linear in the outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Floats
from replication.core.errors import SpecError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.unsupported_statistics import guarded, require_draws

SCORES = ("analytic", "multiplier", "bootstrap", "permutation", "conley")
FEW_TREATED: tuple[str, ...] = ("conley_taber", "ferman_pinto")
LINEAR = (*SCORES, *FEW_TREATED)
REGRESSION = (*LINEAR, "wild")
FIXED_ROWS = ("analytic", "multiplier", "wild", "conley")
READ_BY = {
    "interval": ("wild", "bootstrap"),
    "strata": ("permutation",),
    "blocks": ("permutation",),
    "statistic": ("permutation",),
    "cutoff_km": ("conley",),
    "coordinates": ("conley",),
    "kernel": ("conley",),
    "pairs": ("conley",),
}
"""Keys of ``inference`` that only some methods read."""

ADJUSTING = (
    "twfe",
    "event_study",
    "sun_abraham",
    "etwfe",
    "stacked",
    "local_projections",
    "goodman_bacon",
    "twfe_weights",
)
"""Estimators that are linear regressions, or report one."""


@dataclass(frozen=True, slots=True)
class OwnMethods:
    """What an estimator does itself instead of being fitted again in every draw.

    Attributes
    ----------
    bootstrap : whether it resamples clusters itself, in closed form.
    resampled : whether it resamples clusters whatever the method.
    permutation : whether it permutes adoption itself.
    two_way : whether it is two-way fixed effects without trends, which resamples and permutes fast.
    """

    bootstrap: bool = False
    resampled: bool = False
    permutation: bool = False
    two_way: bool = False


NONE = OwnMethods()


def apply_method(
    function: Callable[..., Estimates],
    panel: Panel,
    inference: Inference,
    *,
    own: OwnMethods = NONE,
    residuals: Callable[[Panel], Floats] | None = None,
) -> Estimates:
    """Estimates of ``function`` with the uncertainty that ``inference.method`` names.

    What the clusters cannot identify is removed and noted (``guard``).

    Parameters
    ----------
    function : takes a panel and ``inference``.
    own : what the function does itself.
    residuals : of a panel of untreated units, for ``conley_taber`` and ``ferman_pinto``.
    """
    method = inference.method
    require_draws(inference, resampled=own.resampled or method == "bootstrap")
    # Most estimates are analytic, and a small one takes hardly longer than loading the other methods.
    if method == "bootstrap" and not own.bootstrap:
        from replication.inference.cluster_bootstrap import cluster_bootstrap

        found = cluster_bootstrap(function, panel, inference, two_way=own.two_way)
    elif method == "permutation" and not own.permutation:
        from replication.inference.permutation import permutation_test

        found = permutation_test(function, panel, inference, two_way=own.two_way)
    elif method in FEW_TREATED and residuals is not None:
        from replication.inference.few_treated import few_treated_test

        found = few_treated_test(function, panel, inference, residuals)
    elif method == "conley":
        found = function(by_unit(panel), inference=inference)
    else:
        found = function(panel, inference=inference)
    return guarded(replace(found, details=found.details.measured(method=method)), inference)


def by_unit(panel: Panel) -> Panel:
    """The panel with every unit its own cluster, since the kernel takes the place of clusters."""
    units = np.arange(len(panel.units))
    coarser = [name for name, codes in panel.clusters.items() if codes.max() + 1 < units.size]
    override = [f"spatial standard errors replace clustering by ({', '.join(coarser)})"]
    notes = (*panel.notes, *(override if coarser else []))
    return replace(panel, clusters={"unit": units}, notes=notes)


def refuse_method(
    name: str,
    estimator: str,
    inference: Inference,
    possible: Sequence[str],
    having: Callable[[str], Sequence[str]] = lambda _: (),
) -> None:
    """Refuse a method that an estimator does not have, and list those that it has.

    Parameters
    ----------
    having : finds the estimators that have a method, where one is refused.
    """
    if inference.method not in possible:
        opening = f"{name}: " if name != estimator else ""
        elsewhere = having(inference.method)
        other = f"; {inference.method} is available with {', '.join(elsewhere)}" if elsewhere else ""
        raise SpecError(
            f"{opening}{estimator} does not support 'inference.method: {inference.method}'. Choose one of "
            f"{', '.join(possible)}{other}."
        )


def refuse_variance(name: str, estimator: str, inference: Inference, *, poisson: bool) -> None:
    """Refuse a variance that an estimator does not have, or that a method would not use."""
    if inference.variance == "cv1" or (inference.variance == "hc1" and estimator == "ols"):
        return
    if inference.variance == "hc1":
        raise SpecError(
            f"{name}: 'inference.variance: hc1' has no clusters and is for the estimator ols. Remove the key "
            f"from {estimator}, whose standard errors are clustered by the unit if no cluster is named."
        )
    if estimator not in ADJUSTING or poisson:
        raise SpecError(
            f"{name}: {estimator}{' with family poisson' if poisson else ''} has no "
            f"'inference.variance: {inference.variance}', which is for linear regressions: "
            f"{', '.join(ADJUSTING)} (family gaussian). Remove the key, or use one of them."
        )
    if inference.method != "analytic":
        raise SpecError(
            f"{name}: 'inference.variance: {inference.variance}' belongs to 'method: analytic'; "
            f"'method: {inference.method}' has standard errors or p-values of its own. Remove one "
            "of the two."
        )
