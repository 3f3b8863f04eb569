"""Two-way fixed effects with any treatment, weights, trends and clusters.

Estimand
    The coefficient beta of ``y_it = alpha_i + delta_t + beta d_it + gamma'x_it + e_it``, with d
    the treatment (0 or 1 from the cohort, or the share of the period in force) and, by
    ``trends``, effects of stratum and period in the place of ``delta_t`` and linear trends of
    units or strata. With effects that differ over cohorts or time it is a weighted average of
    them in which weights can be negative (de Chaisemartin & D'Haultfoeuille 2020; Goodman-Bacon
    2021): see ``twfe_weights`` and ``goodman_bacon``.
Assumptions
    Parallel trends given effects, trends and covariates; homogeneous effects for a causal
    reading as one number.
Reproduces
    R ``fixest::feols(y ~ d + x | i + t, cluster = ~c)``; Stata ``reghdfe y d x, absorb(i t)
    vce(cluster c)``; with trends ``| i[t] + t`` and ``absorb(i##c.t t)``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from replication.core.errors import PanelError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.registry import registered
from replication.estimators.shared.adoption_contrast import no_contrast
from replication.estimators.shared.estimation_sample import EstimationSample, estimation_sample
from replication.estimators.shared.fixed_effects import Effects, read_effects
from replication.estimators.shared.least_squares import (
    NotIdentified,
    RegressionDesign,
    RegressionFit,
    design_of,
    least_squares,
)
from replication.estimators.shared.regression_results import regression_estimates
from replication.inference.cluster import distinct_rows
from replication.inference.methods import REGRESSION, OwnMethods
from replication.inference.row_table import EstimateRow


@registered(
    "Two-way fixed effects",
    cohorts=False,
    takes=("trends", "covariates", "weights"),
    methods=REGRESSION,
    interactions=True,
    own=lambda spec: OwnMethods(two_way=not spec.trends),
)
def twfe(panel: Panel, *, trends: Sequence[str] = (), inference: Inference = ANALYTIC) -> Estimates:
    """Estimate a two-way fixed effects regression: ``att`` and covariates (``coef:<name>``).

    Parameters
    ----------
    panel : N units by T periods; weights may change over time; a weight of zero excludes a cell.
    trends : ``unit_linear``, ``<stratum>_by_time``, ``<stratum>_linear``, in any combination.
    inference : method, variance, level, and draws of standard errors, intervals, and tests.

    Returns
    -------
    Estimates
        In units of the outcome for a treatment that goes from 0 to 1.

    Raises
    ------
    PanelError
        If the fixed effects absorb the treatment, or no observation remains.
    SpecError
        If a trend names a stratum that the panel does not have.

    Notes
    -----
    Standard errors are clustered by ``cluster``, one way or several, with the
    correction ``G/(G-1) (N-1)/(N-K)``; K counts the coefficients, trends, and period effects that are
    not nested in the clusters (``effects.absorbed_parameters``). With multiway clustering, G is the
    smallest number of clusters, in the correction and in t(G-1). Singletons are left out and counted.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> print(round(rp.twfe(panel).att[0], 3))
    0.425
    """
    effects = read_effects(panel, trends)
    sample = estimation_sample(panel, effects)
    fit = fit_twfe(sample, effects)
    rows = [EstimateRow(name) for name in fit.design.names]
    return regression_estimates(sample, effects, fit, "twfe", rows, np.eye(len(rows)), inference)


def fit_twfe(sample: EstimationSample, effects: Effects) -> RegressionFit:
    """The regression behind ``twfe``."""
    try:
        return least_squares(sample, effects, treatment_design(sample.panel, effects))
    except NotIdentified:
        raise PanelError(no_variation(sample.panel, effects)) from None


def treatment_design(panel: Panel, effects: Effects) -> RegressionDesign:
    """Regressors: the treatment, by cohort and stratum where it is binary, and the covariates."""
    if panel.exposure is not None or panel.covariates is not None:
        return design_of(panel, panel.dose[None], ["att"])
    start = panel.first
    member, profile = distinct_rows([start, *effects.level_codes(panel), *effects.slope_codes(panel)])
    dose = (np.arange(panel.periods.size) >= start[member, None]).astype(float)
    return design_of(panel, dose[None], ["att"], profile)


def no_variation(panel: Panel, effects: Effects) -> str:
    """The message for a treatment that is not identified, with the counts."""
    if panel.exposure is None and (why := no_contrast(panel)):
        return f"The effect of treatment on {panel.outcome!r} is not identified. {why}"
    dose = panel.dose
    treated = int((dose > 0).any(axis=1).sum())
    switching = int((np.ptp(dose, axis=1) > 0).sum())
    return (
        f"The effect of treatment on {panel.outcome!r} is not identified: {treated} of {len(dose)} "
        f"units are ever treated and {switching} change their treatment within the panel, but "
        f"{effects} absorb all variation in treatment. Some units must change treatment within the panel, "
        f"and not all in the same period{'; use fewer trends' if effects != Effects() else ''}: check the "
        "treatment or cohort column, the weights, and 'sample'."
    )
