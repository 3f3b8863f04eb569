"""Least squares with the fixed effects that are named: none, of units, of periods, or both.

Estimand
    The coefficient beta of ``y_it = a + beta d_it + gamma'x_it + e_it``, where the constant gives way to
    ``a_i``, ``a_t`` or both. Without fixed effects it is a difference of means between treated and
    untreated cells, which includes all differences between early, late and never adopters.
Reproduces
    Stata ``regress y d x i.unit i.time`` with ``vce(robust)`` or ``vce(cluster c)``; R ``lm`` with
    ``sandwich::vcovHC(type = "HC1")`` or ``vcovCL``. In contrast to ``twfe`` all fixed effects count as
    parameters, also those that are nested in the clusters, as in published tables that rest on ``regress``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import Details, Dropped
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.registry import registered
from replication.estimators.shared.absorb import Eliminated
from replication.estimators.shared.cohort_comparisons import weighted_mean
from replication.estimators.shared.collinear import least_variation
from replication.estimators.shared.estimation_sample import require_residual
from replication.estimators.shared.regression_results import untreated_cells, variance_of_cells
from replication.inference.assemble import PointEstimates, from_variance
from replication.inference.cautions import with_repair
from replication.inference.cluster import count_codes, small_sample_factor
from replication.inference.psd import repaired_variance
from replication.inference.row_table import EstimateRow

METHODS = ("analytic", "bootstrap", "permutation")
VARIANCES = ("cv1", "hc1")


@dataclass(frozen=True, slots=True)
class PooledRegression:
    """A fit on the M cells that are used.

    Attributes
    ----------
    coefficient : (K,) of the treatment and of the covariates that are kept.
    scores : (M, K) whose cross product is the variance without any correction.
    kept : columns of the treatment (0) and the covariates that are not collinear.
    parameters : coefficients and fixed effects.
    """

    coefficient: Floats
    scores: Floats
    kept: Ints
    parameters: int


@registered("Least squares", cohorts=False, takes=("covariates", "weights"), methods=METHODS)
def ols(
    panel: Panel, *, fixed_effects: Sequence[str] = ("unit", "time"), inference: Inference = ANALYTIC
) -> Estimates:
    """Estimate a least squares regression: ``att`` and covariates (``coef:<name>``).

    Parameters
    ----------
    panel : N units by T periods; weights may change over time; a weight of zero excludes a cell.
    fixed_effects : any of ``unit`` and ``time``; a constant if empty.
    inference : ``variance`` is ``cv1``, clustered with ``G/(G-1) (N-1)/(N-K)`` and t(G-1), or ``hc1``, robust
        to heteroskedasticity with ``N/(N-K)`` and t(N-K), without clusters.

    Returns
    -------
    Estimates
        In units of the outcome for a treatment that goes from 0 to 1.

    Raises
    ------
    PanelError
        If the fixed effects leave no variation of the treatment, or nothing is left to estimate.
    SpecError
        If ``inference.variance`` is neither ``cv1`` nor ``hc1``.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> print(round(rp.ols(panel, fixed_effects=["unit", "time"]).att[0], 3))
    0.425
    """
    if inference.variance not in VARIANCES:
        raise SpecError(
            f"{panel.spec_id or 'This call'}: ols has no 'inference.variance: {inference.variance}'. Use "
            "cv1 or hc1, or the estimator twfe."
        )
    used = panel.observed & (panel.weight > 0)
    names = ["att", *(f"coef:{name}" for name in panel.covariate_names)]
    fit = _fit(panel, used, fixed_effects)
    n_obs = int(used.sum())
    require_residual(n_obs, fit.parameters, "Use fewer fixed effects or covariates.")
    rows = [EstimateRow(names[place]) for place in fit.kept]
    details = _details(panel, used, fit, fixed_effects)
    if inference.variance == "cv1" and panel.n_clusters < 2:
        raise PanelError(
            f"All units are in one cluster of {' and '.join(panel.clusters)}, and clustered standard errors "
            "need two or more. Name a finer cluster, or use 'inference.variance: hc1'."
        )
    if inference.variance == "hc1":
        factor, freedom = n_obs / (n_obs - fit.parameters), n_obs - fit.parameters
        variance, sums = fit.scores.T @ fit.scores * factor, None
    else:
        factor = small_sample_factor(panel.n_clusters, n_obs, fit.parameters)
        freedom = panel.n_clusters - 1
        variance, sums = variance_of_cells(panel.cell_clusters(used), fit.scores, factor)
    found = repaired_variance(variance, "The multi-way clustered variance")
    measured = details.measured(variance=inference.variance, parameters=fit.parameters, correction=factor)
    points = PointEstimates(
        panel,
        "ols",
        rows,
        fit.coefficient,
        replace(inference, variance="cv1"),
        distribution="t",
        n_obs=n_obs,
        details=with_repair(measured, found),
    )
    degrees = np.full(len(rows), float(freedom))
    return from_variance(points, found.variance, cluster_scores=sums, freedom=degrees)


def _fit(panel: Panel, used: Bools, fixed_effects: Sequence[str]) -> PooledRegression:
    """Least squares on what the fixed effects leave, by an orthogonal decomposition, the treatment first."""
    weight = np.sqrt(panel.weight[used])
    covariates = panel.covariates if panel.covariates is not None else np.empty((0, *panel.y.shape))
    columns = np.column_stack([panel.dose[used], *(one[used] for one in covariates), panel.y[used]])
    within, left, effects = _without_effects(columns, panel, used, fixed_effects)
    data = left * weight[:, None]
    x, y = data[:, :-1], data[:, -1]
    diagonal = np.abs(np.diag(np.linalg.qr(x, mode="r")))
    raw, spread = (((one[:, :-1] * weight[:, None]) ** 2).sum(axis=0) for one in (columns, within))
    free = diagonal**2 > least_variation(raw, spread)
    if not free[0]:
        raise PanelError(_no_variation(panel, fixed_effects))
    x = x[:, free]
    bread = np.linalg.inv(x.T @ x)
    coefficient = bread @ (x.T @ y)
    scores = x * (y - x @ coefficient)[:, None] @ bread
    return PooledRegression(coefficient, scores, np.flatnonzero(free), int(free.sum()) + effects)


def _without_effects(
    values: Floats, panel: Panel, used: Bools, fixed_effects: Sequence[str]
) -> tuple[Floats, Floats, int]:
    """(M, K) deviations from means (of the units, with both effects), residuals, and number of effects."""
    unit, period = np.nonzero(used)
    group = unit if "unit" in fixed_effects else period if fixed_effects else np.zeros_like(unit)
    within = _within(values, panel.weight[used], group)
    if len(set(fixed_effects)) < 2:
        return within, within, count_codes(group)
    weight = np.where(used, panel.weight, 0.0)
    engine = Eliminated(weight, panel.periods, [np.zeros(len(weight), dtype=np.int64)], [], each=False)
    left, grid = np.empty_like(within), np.zeros(used.shape)
    for place, column in enumerate(within.T):
        grid[used] = column
        left[:, place] = engine.residual(grid)[used]
    return within, left, count_codes(unit) + count_codes(period) - _connected(used)


def _connected(used: Bools) -> int:
    """Groups of units and periods that no cell links: one unless the panel falls apart."""
    if used.all():
        return 1
    unit, period = np.nonzero(used)
    size = sum(used.shape)
    linked = sparse.coo_matrix((np.ones(unit.size), (unit, len(used) + period)), shape=(size, size))
    parts = connected_components(linked, directed=False)[1]
    return count_codes(parts[unit].astype(np.int64))


def _within(values: Floats, weight: Floats, group: Ints) -> Floats:
    """Deviations from the weighted means of the groups."""
    totals = np.bincount(group, weight)
    sums = np.column_stack([np.bincount(group, weight * column) for column in values.T])
    return values - (sums / np.where(totals > 0, totals, 1.0)[:, None])[group]


def _details(panel: Panel, used: Bools, fit: PooledRegression, fixed_effects: Sequence[str]) -> Details:
    """What a reader must know beside the numbers."""
    omitted = [name for place, name in enumerate(panel.covariate_names) if place + 1 not in fit.kept]
    notes = [f"covariates omitted because of collinearity: {', '.join(omitted)}"] if omitted else []
    weightless = int((panel.observed & ~used).sum())
    return Details(
        absorbed=tuple(fixed_effects),
        covariates=panel.covariate_names,
        omitted=tuple(omitted),
        mean_outcome=weighted_mean(panel),
        mean_pre=weighted_mean(panel, untreated_cells(panel)),
        dropped=(Dropped("zero_weight_cells", weightless, "cells"),) if weightless else (),
    ).noted(notes)


def _no_variation(panel: Panel, fixed_effects: Sequence[str]) -> str:
    effects = " and ".join({"unit": "unit", "time": "period"}[name] for name in fixed_effects)
    left = f"{effects} fixed effects absorb all" if effects else "the cells that are used have no"
    return (
        f"The effect of treatment on {panel.outcome!r} is not identified: {left} variation in "
        "treatment. Use fewer fixed effects, or a sample with treated and untreated cells."
    )
