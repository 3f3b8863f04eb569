"""Splines in the dose by cohort, and the influence of units on the curves and their averages.

With m_g treated periods of cohort g, base period b, and C_gt the units that have not adopted by t,

    change_i = 1/m_g sum_{t >= g} (Y_it - Y_ib),   control_g = 1/m_g sum_t mean_{C_gt}(Y_t - Y_b),
    change_i = X(D_i) beta_g + e_i,                ATT_g(d) = X(d) beta_g - control_g,
    ACRT_g(d) = X'(d) beta_g,                      ACRT_g = mean_{G = g} X'(D_i) beta_g,

where X is a B-spline with boundary knots at the smallest and largest dose of the cohort. Weights of the
cohort's periods are equal, so that one regression of the mean change does the work of m_g regressions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from replication.core.arrays import Bools, Floats
from replication.estimators.callaway_santanna.cell_plan import comparison_cohorts
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign

if TYPE_CHECKING:
    from scipy.interpolate import BSpline


@dataclass(frozen=True, slots=True)
class Spline:
    """Degree, interior knots, and the doses at which curves are evaluated (J,)."""

    degree: int
    knots: Floats
    grid: Floats


@dataclass(frozen=True, slots=True)
class CohortCurve:
    """Estimates (2 + 2 J,) and scores (N, 2 + 2 J) of one cohort: ATT, ACRT, ATT(d), ACRT(d).

    ``fitted`` is false where the doses cannot tell the coefficients apart: all but the ATT are missing.
    """

    estimate: Floats
    scores: Floats
    fitted: bool


def cohort_curve(design: ComparisonDesign, level: int, dose: Floats, spline: Spline) -> CohortCurve:
    """The curves of one cohort; influence of the cohort's share left out."""
    own = design.level == level
    change, control, other = mean_changes(design, level)
    weight = design.panel.unit_weight
    share = weight[own] / weight[own].sum()
    size = 2 + 2 * spline.grid.size
    estimate, scores = np.full(size, np.nan), np.zeros((own.size, size))
    mean = share @ change[own]
    estimate[0] = mean - control
    scores[own, 0] = share * (change[own] - mean)
    levels = [0, *range(2, 2 + spline.grid.size)]
    scores[:, levels] -= other[:, None]
    basis = spline_basis(dose[own], spline)
    if basis is None:
        return CohortCurve(estimate, scores, fitted=False)
    root = np.sqrt(share)[:, None]
    left, values, right = np.linalg.svd(basis[0](dose[own]) * root, full_matrices=False)
    if values[-1] <= values[0] * max(left.shape) * np.finfo(float).eps:
        return CohortCurve(estimate, scores, fitted=False)
    inverse = right.T / values
    beta = inverse @ (left.T @ (root[:, 0] * change[own]))
    residual = change[own] - basis[0](dose[own]) @ beta
    push = (root * residual[:, None]) * (left @ inverse.T)
    slope = basis[1](dose[own])
    average = share @ slope
    at, steep = basis[0](spline.grid), basis[1](spline.grid)
    estimate[1:] = np.concatenate([[average @ beta], at @ beta - control, steep @ beta])
    scores[own, 1] = share * (slope @ beta - average @ beta) + push @ average
    scores[np.ix_(own, levels[1:])] += push @ at.T
    scores[np.ix_(own, range(2 + spline.grid.size, size))] = push @ steep.T
    return CohortCurve(estimate, scores, fitted=True)


def mean_changes(design: ComparisonDesign, level: int) -> tuple[Floats, float, Floats]:
    """Mean change (N,) over the cohort's treated periods, that of its controls, and their influence (N,)."""
    panel, cohort = design.panel, int(design.cohorts[level])
    base = int(np.flatnonzero(panel.periods + design.anticipation < cohort)[-1])
    after = panel.periods[panel.periods >= cohort]
    change = panel.y[:, panel.periods >= cohort] - panel.y[:, [base]]
    used: Bools = comparison_cohorts(
        design, design.adoption, cohort, (after + design.anticipation).astype(float)
    ).T
    weight = panel.unit_weight[:, None] * used
    share = weight / weight.sum(axis=0)
    mean = (share * change).sum(axis=0)
    influence = (share * (change - mean)).mean(axis=1)
    return change.mean(axis=1), float(mean.mean()), influence


def spline_basis(dose: Floats, spline: Spline) -> tuple[BSpline, BSpline] | None:
    """The basis of the cohort's doses and its derivative; None where they are too few."""
    # It loads the optimizers of scipy, and commands that list all estimators draw no curve.
    from scipy.interpolate import BSpline

    low, high = dose.min(), dose.max()
    inner = spline.knots[(spline.knots > low) & (spline.knots < high)]
    count = spline.degree + 1 + inner.size
    if np.unique(dose).size < count:
        return None
    ends = spline.degree + 1
    knots = np.concatenate([np.full(ends, low), inner, np.full(ends, high)])
    basis = BSpline(knots, np.eye(count), spline.degree)
    return basis, basis.derivative()


def averaged(curves: list[CohortCurve], design: ComparisonDesign) -> tuple[Floats, Floats]:
    """Estimates and scores over cohorts by size; curves are over the cohorts that have one.

    The share of a cohort is estimated: unit i of cohort g adds w_i (theta_g - theta) / sum of w.
    """
    weight = design.panel.unit_weight
    size = np.bincount(design.level, weight)[: len(curves)]
    estimate, scores = np.zeros(curves[0].estimate.size), np.zeros_like(curves[0].scores)
    for column in (slice(0, 1), slice(1, None)):
        there = [level for level, curve in enumerate(curves) if column.start == 0 or curve.fitted]
        if not there:
            estimate[column] = np.nan
            continue
        share = size[there] / size[there].sum()
        points = np.stack([curves[level].estimate[column] for level in there])
        estimate[column] = share @ points
        for part, level, point in zip(share, there, points, strict=True):
            scores[:, column] += part * curves[level].scores[:, column]
            moved = np.outer(weight * (design.level == level), point - estimate[column])
            scores[:, column] += moved / size[there].sum()
    return estimate, scores
