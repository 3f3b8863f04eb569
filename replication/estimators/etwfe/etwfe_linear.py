"""The extended two-way regression, solved cohort by cohort.

    y_it = alpha_i + beta_t + x_it'(gamma_t + kappa_g) + D_gt (delta_gt + x_it' theta_gt) + e_it

with a dummy D_gt for every treated cohort and period. Everything but beta and gamma belongs to one
cohort, so the normal equations are eliminated cohort by cohort, units first: what is solved at
once are the period effects, T (1 + Q) unknowns for Q covariates, whatever the number of cells.
On a balanced panel without covariates this is arithmetic on cohort-by-period means; gaps and
weights that change over time take the same path. No array of cells x dummies is formed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.estimators.imputation.untreated_cells import SortedCells
from replication.estimators.shared.absorb import generalized_inverse
from replication.estimators.shared.cell_averages import Averages
from replication.estimators.shared.saturated_regression import within
from replication.inference.cluster import members_of

OPEN = 1e-6


@dataclass(frozen=True, slots=True)
class CohortEquations:
    """One cohort's part of the normal equations, unit effects eliminated.

    Columns are periods x (1, x_1 .. x_Q), period-major.

    Attributes
    ----------
    units : its units.
    gram : (M, M) crossproduct of the columns.
    size : (M,) their sums of squares before unit effects were eliminated.
    own : (M, J) map of the cohort's own parameters (cells, slopes) to the columns.
    inverse : (J, J) generalized inverse of their equations.
    mass : (M,) weighted sums of (1, x) over the cells with effects of each period.
    """

    units: Ints
    gram: Floats
    size: Floats
    own: Floats
    inverse: Floats
    mass: Floats

    @property
    def cells(self) -> Floats:
        """(M, J) the part of ``own`` that is cells, not slopes."""
        found: Floats = self.own * (self.own.sum(axis=0) == 1)
        return found

    def solve(self, right: Floats, common: Floats) -> Floats:
        """(J, K) own parameters given the common ones (M, K) and right-hand sides (M, K)."""
        return self.inverse @ (self.own.T @ (right - self.gram @ common))


@dataclass(frozen=True, slots=True)
class LinearFit:
    """The solved regression.

    Attributes
    ----------
    cohorts : in ascending order of the label, units never treated first.
    schur : (M, M) generalized inverse of the equations of the common parameters.
    basis : (N, T, 1 + Q) columns (1, x).
    common : (M,) period effects and period slopes; own : each cohort's parameters.
    weight : (N, T) weights, zero outside the regression.
    scaled : (N, T) residuals times weights.
    n_params : K beside the unit effects, the constant included.
    """

    cohorts: list[CohortEquations]
    schur: Floats
    basis: Floats
    common: Floats
    own: list[Floats]
    weight: Floats
    scaled: Floats
    n_params: int

    def averages(self, averages: Averages) -> tuple[Floats, Floats]:
        """Points (K,) and unit scores (N, K) of averages of cell effects."""
        estimate = np.zeros(len(averages.rows))
        for parameters, load in zip(self.own, self.loads(averages), strict=True):
            estimate += parameters @ load
        common, owns = self.directions(averages)
        scores = np.zeros((len(self.scaled), len(averages.rows)))
        for cohort, own in zip(self.cohorts, owns, strict=True):
            weighted = self.scaled[cohort.units][:, :, None] * self.basis[cohort.units]
            scores[cohort.units] = weighted.reshape(len(cohort.units), -1) @ (common + cohort.own @ own)
        return estimate, scores

    def directions(self, averages: Averages) -> tuple[Floats, list[Floats]]:
        """Inverse of the normal equations times the loading of each row (K).

        The common part (M, K) and each cohort's own (J, K): what multiplies the columns of the
        design in the scores.
        """
        loads = self.loads(averages)
        right = np.zeros((len(self.common), len(averages.rows)))
        for cohort, load in zip(self.cohorts, loads, strict=True):
            right -= cohort.gram @ (cohort.own @ (cohort.inverse @ load))
        common: Floats = self.schur @ right
        return common, [
            cohort.inverse @ (load - cohort.own.T @ (cohort.gram @ common))
            for cohort, load in zip(self.cohorts, loads, strict=True)
        ]

    def loads(self, averages: Averages) -> list[Floats]:
        """(J, K) loading of every row on each cohort's own parameters."""
        n_periods, width = self.basis.shape[1:]
        total = averages.total
        loads = []
        for place, cohort in enumerate(self.cohorts):
            block = averages.member[place * n_periods : (place + 1) * n_periods].toarray()
            columns = np.repeat(block / total, width, axis=0) * cohort.mass[:, None]
            loads.append(cohort.cells.T @ columns)
        return loads


def fit_linear(cells: SortedCells) -> LinearFit:
    """Fit the regression on all cells, treated and untreated."""
    weight = cells.fit_weight + cells.effect_weight
    basis = covariate_columns(cells)
    codes = np.unique(cells.panel.cohort, return_inverse=True)[1].reshape(-1)
    cohorts = [_eliminate(cells, weight, basis, units) for units in members_of(codes)]
    right = [_right(weight, basis, cells.outcome, cohort.units) for cohort in cohorts]
    schur = sum(
        cohort.gram - cohort.gram @ cohort.own @ cohort.inverse @ cohort.own.T @ cohort.gram
        for cohort in cohorts
    )
    scale = np.sqrt(np.sum([cohort.size for cohort in cohorts], axis=0))
    inverse = generalized_inverse(np.asarray(schur), scale)
    common, own = _solve(cohorts, inverse, right)
    rank = np.trace(inverse @ schur) + sum(np.trace(c.inverse @ c.own.T @ c.gram @ c.own) for c in cohorts)
    left = within(cells.outcome - _fitted(cohorts, basis, common, own), weight)
    n_params = round(float(rank)) + 1
    return LinearFit(cohorts, inverse, basis, common, own, weight, weight * left, n_params)


def covariate_columns(cells: SortedCells) -> Floats:
    """(N, T, 1 + Q) ones and covariates, these centered and scaled for the arithmetic only."""
    stack = [np.ones(cells.panel.y.shape)]
    used = cells.fit | cells.effect
    for x in () if cells.panel.covariates is None else cells.panel.covariates:
        values = np.where(used, x, 0.0)
        middle = values[used].mean()
        spread = max(float(values[used].std()), 1e-300)
        stack.append(np.where(used, (values - middle) / spread, 0.0))
    return np.stack(stack, axis=2)


def open_cells(fit: LinearFit, cells: SortedCells) -> Bools:
    """(N, T) cells whose effect the regression leaves open.

    Random parameters are planted without error; where a cell's effect is determined, it comes
    back (and with probability one only there).
    """
    rng = np.random.default_rng(0)
    planted = [rng.standard_normal(cohort.own.shape[1]) for cohort in fit.cohorts]
    common = rng.standard_normal(len(fit.common))
    right = [
        cohort.gram @ (common + cohort.own @ own) for cohort, own in zip(fit.cohorts, planted, strict=True)
    ]
    _, found = _solve(fit.cohorts, fit.schur, right)
    n_periods, width = fit.basis.shape[1:]
    missed = np.zeros(cells.panel.y.shape, dtype=bool)
    for cohort, before, after in zip(fit.cohorts, planted, found, strict=True):
        mass = cohort.mass.reshape(n_periods, width)
        lost = (cohort.cells @ (after - before)).reshape(n_periods, width) * mass
        missed[cohort.units] = np.abs(lost.sum(axis=1)) > OPEN * np.abs(mass).sum(axis=1)
    return missed & cells.effect


def _eliminate(cells: SortedCells, weight: Floats, basis: Floats, units: Ints) -> CohortEquations:
    w, z = weight[units], basis[units]
    width, size = z.shape[2], z.shape[1] * z.shape[2]
    raw, gram = period_gram(w, z)
    effect = cells.effect[units]
    own = _own_columns(np.asarray(effect.any(axis=0)), width)
    squares = (own * (raw @ own)).sum(axis=0)
    inverse = generalized_inverse(own.T @ gram @ own, np.sqrt(squares))
    mass = ((effect * w)[:, :, None] * z).sum(axis=0).reshape(size)
    return CohortEquations(units, gram, np.diag(raw).copy(), own, inverse, mass)


def period_gram(weight: Floats, basis: Floats) -> tuple[Floats, Floats]:
    """(M, M) cross-products of the columns over some units, raw and with unit effects eliminated.

    Parameters
    ----------
    weight : (n, T)
    basis : (n, T, 1 + Q)
    """
    n_periods, width = basis.shape[1:]
    size = n_periods * width
    scaled = (weight[:, :, None] * basis).reshape(len(weight), size)
    total = weight.sum(axis=1)
    root = scaled / np.sqrt(np.where(total > 0, total, 1.0))[:, None]
    raw = np.zeros((size, size))
    for t in range(n_periods):
        block = slice(t * width, (t + 1) * width)
        raw[block, block] = basis[:, t].T @ (weight[:, t, None] * basis[:, t])
    return raw, raw - root.T @ root


def _own_columns(dummied: Bools, width: int) -> Floats:
    """(M, J) dummies of the cells, with covariates inside them, and the cohort's own slopes."""
    size = dummied.size * width
    cells = np.eye(size)[:, np.repeat(dummied, width)]
    slopes = np.tile(np.eye(width), (dummied.size, 1))[:, 1:]
    return np.hstack([cells, slopes]) if dummied.any() else cells


def _right(weight: Floats, basis: Floats, y: Floats, units: Ints) -> Floats:
    w = weight[units]
    right: Floats = np.einsum("nt,ntq->tq", w * within(y[units], w), basis[units]).ravel()
    return right


def _solve(cohorts: list[CohortEquations], schur: Floats, right: list[Floats]) -> tuple[Floats, list[Floats]]:
    """Common and own parameters from each cohort's right-hand side (M,)."""
    left = sum(
        r - cohort.gram @ (cohort.own @ (cohort.inverse @ (cohort.own.T @ r)))
        for cohort, r in zip(cohorts, right, strict=True)
    )
    common: Floats = schur @ left
    return common, [cohort.solve(r, common) for cohort, r in zip(cohorts, right, strict=True)]


def _fitted(cohorts: list[CohortEquations], basis: Floats, common: Floats, own: list[Floats]) -> Floats:
    """(N, T) fitted values without unit effects."""
    n_periods, width = basis.shape[1:]
    out = np.zeros(basis.shape[:2])
    for cohort, parameters in zip(cohorts, own, strict=True):
        path = (common + cohort.own @ parameters).reshape(n_periods, width)
        out[cohort.units] = np.einsum("ntq,tq->nt", basis[cohort.units], path)
    return out
