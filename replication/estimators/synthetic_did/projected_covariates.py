"""Covariates of synthetic difference-in-differences: outcomes less what covariates explain.

    Y_it = alpha_i + delta_t + beta' X_it + e_it   over untreated unit-periods,

and synthetic difference-in-differences of ``Y - beta' X`` (the projected method of Kranz 2022, R
``xsynthdid::adjust.outcome.for.x``; its slopes are not disturbed by the effect, as those found
together with the weights are). Every draw of the standard errors estimates the slopes anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.estimators.shared.collinear import (
    COLLINEAR,
    collinear_words,
    least_variation,
    own_variation,
)


@dataclass(frozen=True, slots=True)
class CovariateOutcomes:
    """Outcomes of N units over T periods, and how they depend on covariates.

    Attributes
    ----------
    y, x : (N, T) and (K, N, T); start : (N,) untreated periods of each unit.
    """

    y: Floats
    x: Floats
    start: Ints

    def adjusted(self, units: Ints, start: Ints) -> Floats:
        """(n, T) outcomes of some units less what covariates explain, if they adopt at ``start``."""
        if not len(self.x):
            return self.y[units]
        cross = cross_products(self.y[units], self.x[:, units], start)
        return self.y[units] - np.tensordot(slopes(cross), self.x[:, units], 1)


def outcomes_of(panel: Panel) -> CovariateOutcomes:
    """The outcomes of a balanced panel.

    Raises
    ------
    PanelError
        If a covariate is collinear with the effects and the other covariates in untreated unit-periods.
    """
    x = np.zeros((0, *panel.y.shape)) if panel.covariates is None else panel.covariates
    # Levels mean nothing beside unit effects, and cost digits.
    x = x - x.mean(axis=(1, 2), keepdims=True)
    if len(x):
        cross = cross_products(panel.y, x, panel.first)[1:, 1:]
        size = (x**2).sum(axis=(1, 2))
        free = own_variation(cross, least_variation(size, size))
        if not free.all():
            name = panel.covariate_names[int(np.flatnonzero(~free)[0])]
            others = "the unit and period fixed effects and the covariates listed before it"
            raise PanelError(collinear_words(name, f"{others} in the untreated unit-periods"))
    return CovariateOutcomes(panel.y, x, panel.first)


def cross_products(y: Floats, x: Floats, start: Ints) -> Floats:
    """(1 + K, 1 + K) products of outcome and covariates, unit and period effects taken out.

    Parameters
    ----------
    y, x : (n, T) and (K, n, T); start : (n,) number of periods of each unit that are used.
    """
    length = y.shape[1]
    used = np.arange(length) < start[:, None]
    z = np.concatenate([y[None], x]) * used
    z = (z - z.sum(axis=2, keepdims=True) / np.maximum(start, 1)[:, None]) * used
    sums = z.sum(axis=1)
    periods = np.diag(used.sum(axis=0).astype(float))
    for one, count in zip(*np.unique(start[start > 0], return_counts=True), strict=True):
        periods[:one, :one] -= count / one
    flat = z.reshape(len(z), -1)
    found: Floats = flat @ flat.T - sums @ np.linalg.pinv(periods, rcond=COLLINEAR, hermitian=True) @ sums.T
    return found


def slopes(cross: Floats) -> Floats:
    """(K,) slopes; zero for what a draw leaves without variation."""
    return np.linalg.pinv(cross[1:, 1:], rcond=COLLINEAR, hermitian=True) @ cross[1:, 0]
