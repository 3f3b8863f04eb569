"""Covariates in the weighted stack: regression adjustment inside every sub-experiment.

    theta_e = sum_a (N_a / N) E_a[Y_{a+e} - Y_{a-1} - m_{a,e}(X_{a-1})],

E_a over the treated units of cohort a and m_{a,e} the linear regression of the change of its clean
controls on covariates in the period before adoption, as group-time estimators take them. That is
the stack with intercepts and covariates interacted with sub-experiment and event time, fitted to
controls and predicted for the treated: it averages effects over the treated as the stack without
covariates does, under parallel trends given the covariates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.estimators.shared.cohort_comparisons import Grid
from replication.estimators.shared.collinear import least_variation, own_variation, spread_of
from replication.inference.assemble import PointEstimates, from_scores
from replication.inference.cluster import small_sample_factor


@dataclass(frozen=True, slots=True)
class AdjustedStack:
    """Effects of the stack with covariates.

    Attributes
    ----------
    estimate : (H,) by event time, zero in the reference period.
    scores : (N, H) of the units, whose sums of squares are variances.
    rows, params : rows of the stack, and numbers estimated from them.
    """

    estimate: Floats
    scores: Floats
    rows: int
    params: int

    def of_units(self, used: Bools) -> AdjustedStack:
        """The same with the scores of some units."""
        return replace(self, scores=self.scores[used])


@dataclass(frozen=True, slots=True)
class StackSide:
    """Treated or control units of one sub-experiment.

    Attributes
    ----------
    units, weight : (n,) positions and weights.
    change : (n, H) outcomes less that of the reference period.
    x : (n, 1 + K) one and the covariates of the reference period.
    """

    units: Ints
    weight: Floats
    change: Floats
    x: Floats


def whole_in_window(grid: Grid, units: Ints, columns: Ints) -> Ints:
    """The units that are observed in every column."""
    return units[(grid.weight[np.ix_(units, columns)] > 0).all(axis=1)]


def adjusted_stack(
    panel: Panel, grid: Grid, experiments: list[tuple[int, Ints, Ints, Ints]], reference: int
) -> AdjustedStack:
    """Regression-adjusted effects of the stack.

    Parameters
    ----------
    experiments : column of adoption, treated and control units, and (H,) columns of the window of
        each sub-experiment; all units are observed throughout it.
    reference : place of the reference period in the window.

    Raises
    ------
    PanelError
        If the controls of a sub-experiment do not identify the slopes of the covariates.
    """
    width = experiments[0][3].size
    total = np.array([grid.base_weight[treated, 0].sum() for _, treated, _, _ in experiments])
    share = total / total.sum()
    estimate, scores, rows = np.zeros(width), np.zeros((len(panel.units), width)), 0
    gaps = []
    for one, (onset, treated, control, columns) in zip(share, experiments, strict=True):
        own = side(panel, grid, treated, columns, reference)
        other = side(panel, grid, control, columns, reference)
        require_slopes(panel, other, panel.written(grid.label(onset)))
        inverse = np.linalg.inv((other.x.T * other.weight) @ other.x)
        fitted = inverse @ (other.x.T * other.weight) @ other.change
        gap = own.change - own.x @ fitted
        mean = own.weight @ own.x / own.weight.sum()
        estimate += one * (own.weight @ gap / own.weight.sum())
        moved = other.weight * (other.x @ (inverse @ mean))
        scores[control] -= one * moved[:, None] * (other.change - other.x @ fitted)
        gaps.append((one * own.weight / own.weight.sum(), treated, gap))
        rows += (own.units.size + other.units.size) * width
    for weight, treated, gap in gaps:
        scores[treated] += weight[:, None] * (gap - estimate)
    slopes = len(experiments) * (width - 1) * (1 + len(panel.covariate_names))
    return AdjustedStack(estimate, scores, rows, slopes + width - 1)


def side(panel: Panel, grid: Grid, units: Ints, columns: Ints, reference: int) -> StackSide:
    """One side of a sub-experiment."""
    assert panel.covariates is not None
    y = grid.y[np.ix_(units, columns)]
    period = int(np.searchsorted(panel.periods, grid.label(int(columns[reference]))))
    x = np.column_stack([np.ones(units.size), *panel.covariates[:, units, period]])
    return StackSide(units, grid.base_weight[units, 0], y - y[:, [reference]], x)


def require_slopes(panel: Panel, control: StackSide, cohort: object) -> None:
    """Refuse covariates that the clean controls of a cohort do not tell apart."""
    x, weight = control.x[:, 1:].T, control.weight
    centered = x - (x @ weight / weight.sum())[:, None]
    spread = np.array([spread_of(row, weight) for row in x])
    free = own_variation((centered * weight) @ centered.T, least_variation((x**2) @ weight, spread))
    if free.all() and control.units.size > len(control.x[0]):
        return
    name = panel.covariate_names[int(np.argmin(free))]
    raise PanelError(
        f"The {control.units.size} clean controls of cohort {cohort} do not identify the slope of the "
        f"covariate {name!r}: in the period before adoption it is constant among them or a combination of "
        "the others, or there are no more controls than coefficients. Remove it, narrow 'clean_window' (or "
        "'window'), or use callaway_santanna."
    )


def adjusted_estimates(points: PointEstimates, loadings: Floats, found: AdjustedStack) -> Estimates:
    """The estimates of rows with ``loadings`` (H, R) in the event effects.

    Raises
    ------
    SpecError
        For the corrected variances of a regression.
    """
    panel, inference = points.panel, points.inference
    if inference.variance != "cv1":
        raise SpecError(
            f"stacked with covariates has no 'inference.variance: {inference.variance}': its slopes are "
            "those of the controls alone. Remove the key or the covariates."
        )
    details = replace(points.details, covariates=panel.covariate_names)
    points = replace(points, estimate=found.estimate @ loadings, n_obs=found.rows, details=details)
    factor = small_sample_factor(panel.n_clusters, found.rows, found.params)
    return from_scores(points, found.scores @ loadings, factor)
