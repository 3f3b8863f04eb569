"""Leverage and partial leverage of the units of a two-way regression."""

from __future__ import annotations

import numpy as np

from replication.core.arrays import Floats
from replication.core.details import ClusterInfluence
from replication.core.panel import Panel
from replication.estimators.shared.closed_form import closed_form_codes
from replication.estimators.shared.cluster_blocks import PeriodBlocks
from replication.estimators.shared.estimation_sample import EstimationSample
from replication.estimators.shared.fixed_effects import Effects
from replication.estimators.shared.least_squares import RegressionFit
from replication.inference.leverage import cluster_influence

# Profiles at a time, so that their combinations stay in the memory next to the processor.
BLOCK = 64


def regression_influence(
    sample: EstimationSample, effects: Effects, fit: RegressionFit, combination: Floats
) -> ClusterInfluence | None:
    """Leverage of the clusters for the effect ``combination'beta`` (K,).

    A Poisson regression is taken at its working weights, weight times fitted mean.
    """
    weight = sample.weight if fit.working is None else fit.working
    direction = (fit.bread @ combination)[None]
    if any(codes.ndim == 2 for codes in sample.panel.clusters.values()):
        squares = squared(fit, direction)[fit.design.profile]
        return cluster_influence(sample.panel, weight * squares)
    return cluster_influence(
        sample.panel, by_unit(fit, weight, direction), unit_leverage(sample, effects, fit, weight)
    )


def squared(fit: RegressionFit, rows: Floats) -> Floats:
    """(C, T) sums over rows (R, K) of the squared combinations of regressors, by profile."""
    count, profiles, periods = fit.x.shape
    found = np.empty((profiles, periods))
    for start in range(0, profiles, BLOCK):
        x = fit.x[:, start : start + BLOCK]
        z = rows @ x.reshape(count, -1)
        found[start : start + BLOCK] = np.einsum("rm,rm->m", z, z).reshape(-1, periods)
    return found


def by_unit(fit: RegressionFit, weight: Floats, rows: Floats) -> Floats:
    """(N,) sums of ``w z^2`` over the periods and over the z of rows (R, K)."""
    profile, squares = fit.design.profile, squared(fit, rows)
    if fit.path == "closed form":
        found: Floats = weight[:, 0] * squares.sum(axis=1)[profile]
        return found
    total: Floats = (weight * squares[profile]).sum(axis=1)
    return total


def unit_leverage(sample: EstimationSample, effects: Effects, fit: RegressionFit, weight: Floats) -> Floats:
    """(N,) leverage of the units in regressors, period effects and stratum trends.

    Unit effects and unit-specific linear trends are swept out and not counted.
    """
    regressors = by_unit(fit, weight, np.linalg.cholesky(fit.bread).T.astype(np.float64))
    if fit.path == "closed form":
        return regressors + regular_leverage(sample.panel, effects)
    blocks = PeriodBlocks(weight, sample.panel.periods, *effects.codes(sample.panel))
    return regressors + blocks.leverage()


def regular_leverage(panel: Panel, effects: Effects) -> Floats:
    """(N,) leverage in period effects and trends of a panel without gaps, one weight per unit.

    A unit settles its share of the weight of its stratum in each free effect of the stratum.
    """
    codes = closed_form_codes(*effects.codes(panel))
    assert codes is not None
    weight = panel.weight[:, 0]
    level = weight / np.bincount(codes[0], weight)[codes[0]]
    found: Floats = level * (panel.periods.size - 1 - effects.unit_linear)
    if codes[1] is not None and not effects.unit_linear:
        found = found + weight / np.bincount(codes[1], weight)[codes[1]] - level
    return found
