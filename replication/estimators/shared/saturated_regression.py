"""Regression on unit effects and one period effect per cohort, solved cohort by cohort.

A regression with unit effects, period effects and a dummy for every cohort and period but one
gives each cohort a free path: it splits into one two-way fit per cohort,

    y_it = alpha_i + mu_gt + x_it' b + e_it,    delta_gt = (mu_gt - mu_gr) - (mu_0t - mu_0r),

with r the cohort's reference period and 0 the comparison group. Each fit is a system of T
equations once the unit effects are eliminated, whatever the gaps and weights; on a balanced
panel without covariates it is the difference of cohort-by-period means. Covariates with common
coefficients enter by Frisch-Waugh-Lovell over all cohorts at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csgraph

from replication.core.arrays import Floats, Ints
from replication.estimators.shared.collinear import inverse_of_crossproduct


@dataclass(frozen=True, slots=True)
class Group:
    """The two-way fit of one cohort.

    Attributes
    ----------
    rows : units of the cohort.
    weight : (n, T) weights, zero where not observed.
    inverse : (T, T) generalized inverse of the period equations; zero at the grounded period.
    component : (T,) periods with the same number are connected by units seen in both; -1 where
        the cohort is not observed.
    """

    rows: Ints
    weight: Floats
    inverse: Floats
    component: Ints

    @property
    def rank(self) -> int:
        """Free period effects of the cohort."""
        seen = self.component[self.component >= 0]
        return int(seen.size - np.unique(seen).size)


@dataclass(frozen=True, slots=True)
class Saturated:
    """All fits.

    Attributes
    ----------
    groups : one fit per cohort; the comparison group is the last.
    path : (G, T) period effects of each group, net of covariates.
    residual : (N, T) residuals times weight.
    slopes, slope_scores : (K,) coefficients of the covariates and (N, K) their scores.
    covariate_path : (K, G, T) period effects of each covariate.
    inner, bread : (K, N, T) covariates without effects, (K, K) inverse of their cross-products
    """

    groups: list[Group]
    path: Floats
    residual: Floats
    slopes: Floats
    slope_scores: Floats
    covariate_path: Floats
    inner: Floats
    bread: Floats

    @property
    def n_params(self) -> int:
        """Parameters beside the unit effects, the constant included."""
        return 1 + sum(group.rank for group in self.groups) + self.slopes.size

    def contrast(self, loadings: Floats) -> tuple[Floats, Floats]:
        """Points (K,) and unit scores (N, K) of linear forms in the period effects.

        Parameters
        ----------
        loadings : (G, T, K) weights of each form on each group's period effects.
        """
        n_forms = loadings.shape[2]
        flat = loadings.reshape(-1, n_forms)
        scores = np.zeros((self.residual.shape[0], n_forms))
        for group, load in zip(self.groups, loadings, strict=True):
            scores[group.rows] = self.residual[group.rows] @ (group.inverse @ load)
        if self.slopes.size:
            slopes_on = self.covariate_path.reshape(self.slopes.size, -1) @ flat
            scores -= self.slope_scores @ slopes_on
        return self.path.reshape(-1) @ flat, scores


def fit_saturated(
    y: Floats,
    weight: Floats,
    groups: list[tuple[Ints, int]],
    covariates: Floats | None,
    names: tuple[str, ...],
) -> Saturated:
    """Fit every cohort.

    Parameters
    ----------
    y, weight : (N, T), both zero where not observed.
    groups : rows of each cohort and its reference column; the comparison group last.
    covariates : (K, N, T) or None

    Raises
    ------
    PanelError
        If a covariate is collinear with the effects and the covariates before it.
    """
    fits = [two_way(rows, weight[rows], ground) for rows, ground in groups]
    path, residual = partial_out(fits, y)
    stack = np.zeros((0, *y.shape)) if covariates is None else np.nan_to_num(covariates)
    swept = [partial_out(fits, x) for x in stack]
    paths = np.array([p for p, _ in swept]).reshape(len(swept), *path.shape)
    inner = np.array([r for _, r in swept]).reshape(len(swept), *y.shape)
    slopes = np.zeros(0)
    slope_scores = np.zeros((y.shape[0], 0))
    bread = np.zeros((0, 0))
    if swept:
        bread = inverse_of_crossproduct(
            inner,
            stack,
            weight,
            names,
            "the unit fixed effects, the period effects of each cohort, and the covariates listed before it",
        )
        slopes = bread @ np.einsum("knt,nt,nt->k", inner, weight, residual)
        path = path - np.tensordot(slopes, paths, 1)
        residual = residual - np.tensordot(slopes, inner, 1)
        slope_scores = np.einsum("knt,nt,nt->nk", inner, weight, residual) @ bread
    return Saturated(fits, path, residual * weight, slopes, slope_scores, paths, inner, bread)


def two_way(rows: Ints, weight: Floats, ground: int) -> Group:
    """Period equations of one cohort after its unit effects are eliminated, inverted."""
    n_periods = weight.shape[1]
    seen = (weight > 0).astype(float)
    laplacian = period_equations(weight)
    component = csgraph.connected_components(seen.T @ seen, directed=False)[1].astype(np.int64)
    component[seen.sum(axis=0) == 0] = -1
    inverse = np.zeros((n_periods, n_periods))
    for label in np.unique(component[component >= 0]):
        members = np.flatnonzero(component == label)
        fixed = ground if component[ground] == label else members[0]
        free = members[members != fixed]
        inverse[np.ix_(free, free)] = np.linalg.inv(laplacian[np.ix_(free, free)])
    return Group(rows, weight, inverse, component)


def partial_out(groups: list[Group], values: Floats) -> tuple[Floats, Floats]:
    """(G, T) period effects and (N, T) residuals of ``values``; residuals of gaps are zero."""
    effects = np.zeros((len(groups), values.shape[1]))
    residual = np.zeros(values.shape)
    for place, group in enumerate(groups):
        v = values[group.rows]
        centered = within(v, group.weight)
        effects[place] = group.inverse @ (group.weight * centered).sum(axis=0)
        left = within(v - effects[place], group.weight)
        residual[group.rows] = np.where(group.weight > 0, left, 0.0)
    return effects, residual


def within(values: Floats, weight: Floats) -> Floats:
    """Deviations from the weighted mean of each unit."""
    total = weight.sum(axis=1, keepdims=True)
    mean = (weight * values).sum(axis=1, keepdims=True) / np.where(total > 0, total, 1.0)
    centered: Floats = values - mean
    return centered


def period_equations(weight: Floats) -> Floats:
    """(T, T) normal equations of the period fixed effects, with unit fixed effects of (n, T) swept out."""
    total = weight.sum(axis=1, keepdims=True)
    root = weight / np.sqrt(np.where(total > 0, total, 1.0))
    return np.diag(weight.sum(axis=0)) - root.T @ root
