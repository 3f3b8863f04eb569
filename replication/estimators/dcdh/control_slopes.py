"""Covariates of dCDH: slopes of first differences, from units that have not switched yet.

    Delta Y_it = lambda_gt + theta_g' Delta X_it + e_it,   over t before the switch of i,

for every group g of equal baseline treatment (section 1.2 of the web appendix). Effects are those of
``Y - theta_g' X``: parallel trends hold conditional on changes of the covariates. The scores of
theta_g enter the standard errors.
"""

from __future__ import annotations

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.estimators.dcdh.treatment_paths import TreatmentPaths
from replication.estimators.shared.cohort_comparisons import Grid
from replication.estimators.shared.collinear import least_variation, own_variation, spread_of


def control_slopes(panel: Panel, grid: Grid, paths: TreatmentPaths) -> tuple[Floats, Floats]:
    """(N, T) outcomes less what the covariates explain, and (N, K) scores of each unit's slopes.

    Raises
    ------
    PanelError
        If a covariate does not change over time, or changes only together with others, among the
        units of a group that have not switched yet.
    """
    assert panel.covariates is not None
    column = (panel.periods - grid.start) // grid.step
    adjacent = np.diff(column) == 1
    seen = panel.observed & (panel.weight > 0)
    stable = seen[:, 1:] & seen[:, :-1] & adjacent & (column[1:] < grid.onset[:, None])
    steps = (np.diff(panel.y, axis=1), np.diff(panel.covariates, axis=2))
    y, scores = panel.y.copy(), np.zeros((len(panel.units), len(panel.covariates)))
    for group in np.unique(paths.group):
        member = paths.group == group
        unit, time = np.nonzero(stable & member[:, None])
        rows = (panel.unit_weight[unit], steps[0][unit, time], steps[1][:, unit, time])
        theta, score = _slopes(*rows, time, panel.covariate_names, int(member.sum()))
        for k, values in enumerate(score):
            scores[:, k] += np.bincount(unit, values, len(panel.units))
        y[member] -= np.tensordot(theta, np.nan_to_num(panel.covariates[:, member]), 1)
    return y, scores


def _slopes(
    weight: Floats, dy: Floats, dx: Floats, time: Ints, names: tuple[str, ...], size: int
) -> tuple[Floats, Floats]:
    """(K,) slopes with period effects, and the (K, R) score of each row."""
    mass = np.bincount(time, weight)[time]
    count = np.bincount(time)[time]
    centered = np.array([row - np.bincount(time, weight * row)[time] / mass for row in (dy, *dx)])
    dy, moved = centered[0], centered[1:]
    cross = (moved * weight) @ moved.T
    spreads = np.array([spread_of(row, weight) for row in dx])
    free = own_variation(cross, least_variation((dx**2 * weight).sum(axis=1), spreads))
    if not free.all():
        name = names[int(np.flatnonzero(~free)[0])]
        raise PanelError(
            f"The changes over time of covariate {name!r} are zero or collinear among the {size} units with "
            "the same baseline treatment before their treatment changes, and dcdh adjusts for changes in "
            "covariates. Remove it, set 'baseline_bins' if baseline treatments have few units each, or use "
            "callaway_santanna or imputation, which take covariates that do not change."
        )
    inverse = np.linalg.inv(cross)
    theta = inverse @ (moved * weight) @ dy
    residual = dy - theta @ moved
    # The factor of the authors' command: sqrt(n / (n-1)) with n the units of a period.
    spread = residual * np.sqrt(count / np.maximum(count - 1, 1))
    return theta, inverse @ (moved * weight * spread)
