"""Loadings of estimates on outcomes, found numerically by shifting the outcomes.

Given the panel's treatment, the estimators of this package but Poisson and synthetic
difference-in-differences are linear in the outcome: ``theta = sum_it w_it y_it``. Adding a
constant to the outcomes of a group of units in one period moves theta by that constant times the
group's loading in that period, so that as many fits as groups times periods give all loadings,
whichever the estimator, its weights, trends and gaps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.errors import PanelError
from replication.core.estimates import Estimates, row_labels
from replication.core.panel import Panel
from replication.core.spec import Inference

Estimator = Callable[..., Estimates]
# Rounding of two fits next to a step of one standard deviation is below 1e-10; a Poisson model
# misses by more than 1e-3.
LINEAR = 1e-6
SEED = 1


def points_of(function: Estimator, panel: Panel, inference: Inference, labels: list[str]) -> Floats:
    """(K,) estimates of the rows ``labels``; NaN where there is no such row."""
    table = function(panel, inference=inference).table
    found = dict(zip(row_labels(table), table["estimate"].to_numpy(dtype=float), strict=True))
    return np.array([found.get(label, np.nan) for label in labels])


def group_loadings(
    function: Estimator, panel: Panel, inference: Inference, labels: list[str], groups: Ints
) -> Floats:
    """(A, T, K) loadings of K estimates on each group of units in each period.

    Parameters
    ----------
    function : takes a panel and ``inference``; linear in the outcome.
    labels : K rows of its table (``row_labels``).
    groups : (N,) group 0 .. A-1 of each unit; -1 for units that are not moved.
    """
    step = float(np.nanstd(panel.y)) or 1.0
    start = points_of(function, panel, inference, labels)
    found = np.zeros((int(groups.max()) + 1, panel.periods.size, len(labels)))
    for group, by_period in enumerate(found):
        inside = groups == group
        for column in np.flatnonzero(panel.observed[inside].any(axis=0)):
            y = panel.y.copy()
            y[inside, column] += step
            moved = points_of(function, replace(panel, y=y), inference, labels)
            by_period[column] = (moved - start) / step
    return found


def require_linear(
    function: Estimator, panel: Panel, inference: Inference, labels: list[str], loading: Floats, groups: Ints
) -> None:
    """Refuse an estimator that is not linear in the outcome with these (A, T, K) loadings."""
    step = float(np.nanstd(panel.y)) or 1.0
    path = step * np.random.default_rng(SEED).normal(size=loading.shape[:2])
    y = panel.y + np.where((groups >= 0)[:, None], path[groups], 0.0)
    start = points_of(function, panel, inference, labels)
    moved = points_of(function, replace(panel, y=y), inference, labels) - start
    expected = np.einsum("atk,at->k", loading, path)
    scale = np.abs(loading).sum(axis=(0, 1)).max() * step
    if not (np.abs(moved - expected) <= LINEAR * max(scale, 1e-300)).all():
        raise PanelError(
            "The estimate is not a linear function of the outcome (as with a Poisson model), so "
            "the residuals of control clusters do not show how it varies. Use 'method: "
            "permutation', or a linear estimator such as twfe or callaway_santanna."
        )
