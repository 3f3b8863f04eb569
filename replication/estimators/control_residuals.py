"""Residuals of untreated units, in which inference with few treated clusters finds its errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from replication.core.arrays import Floats
from replication.core.errors import SpecError
from replication.core.panel import Panel
from replication.core.spec import COMMON
from replication.estimators.shared.estimation_sample import estimation_sample
from replication.estimators.shared.fixed_effects import read_effects
from replication.estimators.shared.least_squares import absorption_engines, design_of, least_squares


def control_residuals(panel: Panel, *, trends: Sequence[str] = (), estimator: str) -> Floats:
    """(N, T) residuals of ``y_it = alpha_i + delta_t + gamma'x_it + e_it``; NaN where unused.

    Parameters
    ----------
    panel : units that are untreated in every period.
    trends : as in ``twfe``; strata have their own period effects or linear trends.
    estimator : the estimator whose residuals these are to be.

    Raises
    ------
    SpecError
        With covariates in an estimator that lets their coefficients differ between periods.
    """
    if panel.covariates is not None and estimator not in COMMON:
        raise SpecError(
            f"{estimator} lets the coefficients of covariates differ between periods, and the "
            "residuals of control clusters are taken from a regression in which they do not. "
            f"Remove 'covariates', use one of {', '.join(COMMON)}, or 'method: permutation'."
        )
    effects = read_effects(panel, trends)
    sample = estimation_sample(panel, effects)
    kept = sample.panel
    design = design_of(kept, np.zeros((0, *kept.y.shape)), [])
    if design.names:
        fit = least_squares(sample, effects, design)
        weight = np.where(sample.used, sample.weight, 1.0)
        residual = fit.residual / weight
    else:
        engine = absorption_engines(sample, effects, design)[0]
        residual = engine.residual(np.where(sample.used, kept.y, 0.0))
    found = np.full(panel.y.shape, np.nan)
    found[np.ix_(sample.units, sample.periods)] = np.where(sample.used, residual, np.nan)
    return found
