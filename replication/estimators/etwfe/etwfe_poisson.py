"""The extended two-way Poisson model with a log link (Wooldridge 2023).

    E[y_it | x] = exp(offset_it + alpha_g + beta_t + x_it'(kappa_g + gamma_t)
                      + D_gt (delta_gt + x_it' theta_gt))

Cohort effects take the place of unit effects, as in R ``etwfe(family = "poisson")`` and Stata
``jwdid, method(poisson)``: on a balanced panel without offset the effects are the same. A treated
cell has parameters of its own, so it is fitted by itself, and alpha, beta, kappa and gamma come
from the untreated cells alone: G + T unknowns times 1 + Q, by Newton steps. Without covariates
the sums of cohorts and periods suffice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.errors import PanelError
from replication.estimators.etwfe.etwfe_linear import covariate_columns
from replication.estimators.imputation.untreated_cells import SortedCells
from replication.estimators.shared.absorb import generalized_inverse
from replication.estimators.shared.cell_averages import Averages
from replication.inference.cluster import members_of, sum_by_cluster

TOLERANCE = 1e-11
STEPS = 100
OPEN = 1e-6


@dataclass(frozen=True, slots=True)
class PoissonFit:
    """The solved model.

    Attributes
    ----------
    y : (N, T) outcomes.
    codes : (N,) cohort of each unit.
    basis : (N, T, 1 + Q) columns (1, x).
    untreated : (N, T) fitted mean without treatment.
    treated : (N, T) fitted mean in the cells with effects.
    scaled : (N, T) residuals times weights of untreated cells, zero elsewhere.
    information, inverse : (P, P) and its generalized inverse; cohorts first, then periods.
    n_params : K, all parameters.
    """

    y: Floats
    codes: Ints
    basis: Floats
    untreated: Floats
    treated: Floats
    scaled: Floats
    information: Floats
    inverse: Floats
    n_params: int

    def averages(self, averages: Averages) -> tuple[Floats, Floats]:
        """Average effects in levels (K,) and their unit scores (N, K)."""
        total = averages.total
        effect = averages.sums(averages.weight * (self.y - self.untreated))
        own, common = self.parts(averages)
        return effect / total, (own - common) / total

    def parts(self, averages: Averages) -> tuple[Floats, Floats]:
        """(N, K) unit scores of the summed outcome with, and of that without, treatment."""
        own = averages.by_unit(averages.weight * (self.y - self.treated))
        gradient = self._gradient(averages)
        step = self.inverse @ gradient
        n_cohorts, width = int(self.codes.max()) + 1, self.basis.shape[2]
        level = step[: n_cohorts * width].reshape(n_cohorts, width, -1)
        period = step[n_cohorts * width :].reshape(-1, width, step.shape[1])
        common = np.zeros(own.shape)
        for q in range(width):
            scaled = self.scaled * self.basis[:, :, q]
            common += scaled.sum(axis=1)[:, None] * level[self.codes, q]
            common += scaled @ period[:, q]
        return own, common

    def _gradient(self, averages: Averages) -> Floats:
        """(P, K) derivatives of the summed means without treatment."""
        width = self.basis.shape[2]
        by_cohort, by_period = [], []
        for q in range(width):
            field = averages.weight * self.untreated * self.basis[:, :, q]
            by_cohort.append(sum_by_cluster(averages.by_unit(field), self.codes))
            by_period.append(averages.by_period(field, np.arange(len(field))))
        stacked = [np.stack(part, axis=1) for part in (by_cohort, by_period)]
        return np.concatenate([part.reshape(-1, part.shape[2]) for part in stacked])


def fit_poisson(cells: SortedCells) -> PoissonFit:
    """Fit the model by Newton steps.

    Raises
    ------
    PanelError
        If outcomes are negative or the steps do not settle.
    """
    panel, y = cells.panel, cells.outcome
    negative = int((y < 0).sum())
    if negative:
        raise PanelError(
            f"{negative} values of {panel.outcome!r} are negative; a Poisson model takes counts "
            "or other nonnegative outcomes. Use 'family: gaussian'."
        )
    codes = np.unique(panel.cohort, return_inverse=True)[1].reshape(-1).astype(np.int64)
    offset = np.zeros(y.shape) if panel.offset is None else panel.offset
    basis = covariate_columns(cells)
    index, information = _newton(cells, codes, basis, offset)
    untreated = np.exp(index + offset)
    treated, own = _fit_cells(cells, codes, basis, np.exp(offset))
    inverse = invert(information)
    rank = round(float(np.trace(inverse @ information)))
    scaled = cells.fit_weight * (y - untreated)
    return PoissonFit(y, codes, basis, untreated, treated, scaled, information, inverse, rank + own)


def invert(information: Floats) -> Floats:
    """Generalized inverse, scaled by the diagonal."""
    return generalized_inverse(information, np.sqrt(np.maximum(np.diag(information), 0.0)))


def open_cells(fit: PoissonFit, cells: SortedCells) -> Bools:
    """(N, T) cells whose mean without treatment the untreated cells leave open.

    Random parameters come back unchanged, as far as they matter to a cell, where it is determined.
    """
    planted = np.random.default_rng(0).standard_normal(len(fit.inverse))
    lost = (planted - fit.inverse @ (fit.information @ planted)).reshape(-1, fit.basis.shape[2])
    missed: Bools = np.abs(_index(lost, fit.codes, fit.basis)) > OPEN
    return missed & cells.effect


def _newton(cells: SortedCells, codes: Ints, basis: Floats, offset: Floats) -> tuple[Floats, Floats]:
    """(N, T) linear index without treatment, and the (P, P) information of its parameters."""
    weight, y = cells.fit_weight, cells.outcome
    if basis.shape[2] == 1:
        # Sums over the cohort are sufficient without covariates.
        exposure = sum_by_cluster(weight * np.exp(offset), codes)
        sums = sum_by_cluster(weight * y, codes)
        cohort = np.arange(len(sums))
        path, information = _maximize(sums, exposure, cohort, np.ones((*sums.shape, 1)))
        return path[codes], information
    return _maximize(weight * y, weight * np.exp(offset), codes, basis)


def _maximize(y: Floats, exposure: Floats, codes: Ints, basis: Floats) -> tuple[Floats, Floats]:
    """Maximize the Poisson likelihood of ``y`` with mean ``exposure * exp(index)``."""
    n_cohorts, (_, n_periods, width) = int(codes.max()) + 1, basis.shape
    parameters = np.zeros((n_cohorts + n_periods, width))
    used = sum_by_cluster(exposure, codes).sum(axis=1)
    parameters[:n_cohorts, 0] = np.log(
        np.maximum(sum_by_cluster(y, codes).sum(axis=1), 1e-300) / np.maximum(used, 1e-300)
    )
    index = _index(parameters, codes, basis)
    value = _likelihood(y, exposure, index)
    for _ in range(STEPS):
        score, information = _derivatives(y, exposure * np.exp(index), codes, basis)
        step = (invert(information) @ score.ravel()).reshape(parameters.shape)
        size = 1.0
        while size > 1e-6:
            trial = _index(parameters + size * step, codes, basis)
            reached = _likelihood(y, exposure, trial)
            if reached >= value - 1e-9 * abs(value):
                break
            size /= 2
        parameters = parameters + size * step
        index, value = trial, reached
        if np.abs(size * step).max() < TOLERANCE * max(1.0, float(np.abs(parameters).max())):
            return index, _derivatives(y, exposure * np.exp(index), codes, basis)[1]
    raise PanelError(
        f"The Poisson model did not settle in {STEPS} steps; some cohort, period, or covariate "
        "explains its zeros perfectly. Use fewer covariates, or leave out cells that are all zero."
    )


def _index(parameters: Floats, codes: Ints, basis: Floats) -> Floats:
    """(R, T) linear index."""
    n_cohorts = int(codes.max()) + 1
    level, period = parameters[:n_cohorts][codes], parameters[n_cohorts:]
    index: Floats = np.einsum("rtq,rq->rt", basis, level) + np.einsum("rtq,tq->rt", basis, period)
    return np.minimum(index, 700.0)


def _likelihood(y: Floats, exposure: Floats, index: Floats) -> float:
    return float((y * index).sum() - (exposure * np.exp(index)).sum())


def _derivatives(y: Floats, mean: Floats, codes: Ints, basis: Floats) -> tuple[Floats, Floats]:
    """Score (G + T, 1 + Q) and information (P, P)."""
    n_cohorts, (_, n_periods, width) = int(codes.max()) + 1, basis.shape
    left = np.einsum("rt,rtq->rtq", y - mean, basis)
    score = np.concatenate([sum_by_cluster(left.sum(axis=1), codes), left.sum(axis=0)])
    blocks = np.empty((n_cohorts, n_periods, width, width))
    for q in range(width):
        for p in range(width):
            product = mean * basis[:, :, q] * basis[:, :, p]
            blocks[:, :, q, p] = sum_by_cluster(product, codes)
    size = n_cohorts + n_periods
    information = np.zeros((size, width, size, width))
    cohort, period = np.arange(n_cohorts), n_cohorts + np.arange(n_periods)
    information[cohort, :, cohort, :] = blocks.sum(axis=1)
    information[period, :, period, :] = blocks.sum(axis=0)
    information[:n_cohorts, :, n_cohorts:, :] = blocks.transpose(0, 2, 1, 3)
    information[n_cohorts:, :, :n_cohorts, :] = blocks.transpose(1, 2, 0, 3)
    return score, information.reshape(size * width, size * width)


def _fit_cells(cells: SortedCells, codes: Ints, basis: Floats, exposure: Floats) -> tuple[Floats, int]:
    """(N, T) fitted means of the cells with effects, each by itself, and their parameters."""
    weight, y = cells.effect_weight, cells.outcome
    width = basis.shape[2]
    fitted = np.zeros(y.shape)
    count = 0
    for units in members_of(codes):
        for t in np.flatnonzero(weight[units].any(axis=0)):
            w, scale = weight[units, t], exposure[units, t]
            if width == 1:
                fitted[units, t] = scale * (w @ y[units, t]) / (w @ scale)
                count += 1
                continue
            mean, rank = _fit_cell(y[units, t], w, scale, basis[units, t])
            fitted[units, t] = mean
            count += rank
    return fitted, count


def _fit_cell(y: Floats, weight: Floats, exposure: Floats, basis: Floats) -> tuple[Floats, int]:
    """Poisson regression within one cell."""
    rank = int(np.linalg.matrix_rank(basis[weight > 0]))
    if (weight * y).sum() == 0:
        return np.zeros(y.shape), rank
    parameters = np.zeros(basis.shape[1])
    parameters[0] = np.log((weight @ y) / (weight @ exposure))
    for _ in range(STEPS):
        mean = exposure * np.exp(np.minimum(basis @ parameters, 700.0))
        score = basis.T @ (weight * (y - mean))
        step = invert(basis.T @ ((weight * mean)[:, None] * basis)) @ score
        parameters = parameters + step
        if np.abs(step).max() < TOLERANCE * max(1.0, float(np.abs(parameters).max())):
            break
    return exposure * np.exp(np.minimum(basis @ parameters, 700.0)), rank
