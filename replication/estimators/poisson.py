"""Poisson (quasi-)maximum likelihood with unit and period effects and an offset.

Estimand
    beta in ``E[y_it] = exp(o_it + alpha_i + delta_t + beta d_it + gamma'x_it)``; ``exp(beta) - 1``
    is the proportional effect. With o the log of population it is a model of the rate.
Assumptions
    Parallel trends of the logarithm of the mean. The counts need not be Poisson, since the standard
    errors are robust.
Reproduces
    R ``fixest::fepois(y ~ d | i + t, offset = ~o, cluster = ~c)``; Stata ``ppmlhdfe y d,
    absorb(i t) offset(o) vce(cluster c)``. Both use normal critical values; here they are
    t(G-1), as for every regression of this package (``inference.distribution: normal`` gives
    theirs).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from replication.core.details import Details
from replication.core.errors import PanelError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.registry import registered
from replication.estimators.shared.fixed_effects import read_effects
from replication.estimators.shared.least_squares import NotIdentified
from replication.estimators.shared.poisson_irls import poisson_regression
from replication.estimators.shared.regression_results import regression_estimates
from replication.estimators.twfe import no_variation, treatment_design
from replication.inference.methods import SCORES
from replication.inference.row_table import EstimateRow


@registered(
    "Poisson, two-way effects",
    cohorts=False,
    takes=("trends", "covariates", "weights", "offset"),
    methods=SCORES,
    interactions=True,
)
def poisson(panel: Panel, *, trends: Sequence[str] = (), inference: Inference = ANALYTIC) -> Estimates:
    """Estimate the effects of the treatment (``att``) and of covariates on the log of the mean.

    Parameters
    ----------
    panel : outcomes of zero or more; ``panel.offset`` is added to the linear index.
    trends : as for ``twfe``.
    inference : method, variance, level, and draws of standard errors, intervals, and tests.

    Returns
    -------
    Estimates
        In log points: changes in the log of the mean.

    Raises
    ------
    PanelError
        For negative outcomes, a treatment without variation, or iterations that do not converge.

    Notes
    -----
    Zeros that the model fits perfectly (units and periods whose outcomes are all zero, zeros that
    trends or covariates separate) carry no information and are left out, with the stated count; so
    are singletons. Correction of the variance as in ``twfe``.

    Examples
    --------
    >>> import replication as rp
    >>> frame = rp.simulated_panel(seed=1)
    >>> frame["count"] = (20 * 2 ** frame["y"]).round()
    >>> print(round(rp.poisson(rp.read_panel(frame, outcome="count")).att[0], 3))
    0.194
    """
    effects = read_effects(panel, trends)
    try:
        sample, fit = poisson_regression(
            panel, effects, lambda sample: treatment_design(sample.panel, effects)
        )
    except NotIdentified:
        raise PanelError(no_variation(panel, effects)) from None
    rows = [EstimateRow(name) for name in fit.design.names]
    return regression_estimates(
        sample,
        effects,
        fit,
        "poisson",
        rows,
        np.eye(len(rows)),
        inference,
        Details(scale="log points"),
    )
