"""Covariates of synthetic difference-in-differences: outcomes less what covariates explain.

    Y_it = alpha_i + delta_t + beta' X_it + e_it   over untreated unit-periods,

and synthetic difference-in-differences of ``Y - beta' X`` (the projected method of Kranz 2022, R
``xsynthdid::adjust.outcome.for.x``; its slopes are not disturbed by the effect, as those found
together with the weights are). Every draw of the standard errors estimates the slopes anew.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from replication.inference.cluster import distinct_rows, sum_by_cluster


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
        squares = (self.x[:, units] ** 2).sum(axis=(1, 2))
        return self.y[units] - np.tensordot(slopes(cross, squares), self.x[:, units], 1)


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
    z = within_units(y, x, start)
    sums, flat = z.sum(axis=1), z.reshape(len(z), -1)
    distinct, counts = np.unique(start, return_counts=True)
    inverse = inverse_of_periods(distinct, counts, y.shape[1])
    found: Floats = flat @ flat.T - sums @ inverse @ sums.T
    return found


def within_units(y: Floats, x: Floats, start: Ints) -> Floats:
    """(1 + K, n, T) outcome and covariates less their mean over the used periods; zero in the others."""
    used = np.arange(y.shape[1]) < start[:, None]
    z = np.concatenate([y[None], x]) * used
    found: Floats = (z - z.sum(axis=2, keepdims=True) / np.maximum(start, 1)[:, None]) * used
    return found


def inverse_of_periods(start: Ints, count: Ints, length: int) -> Floats:
    """(T, T) inverse of the equations of the period effects, unit effects taken out.

    ``count`` units each are used in their first ``start`` periods.
    """
    periods = np.diag((count @ (np.arange(length) < start[:, None])).astype(float))
    for one, units in zip(start, count, strict=True):
        if one > 0:
            periods[:one, :one] -= units / one
    return np.linalg.pinv(periods, rcond=COLLINEAR, hermitian=True)


def slopes(cross: Floats, squares: Floats) -> Floats:
    """(..., K) slopes from (..., 1 + K, 1 + K); zero for what a draw leaves without variation.

    Parameters
    ----------
    squares : (K,) sums of squares of the covariates, of which what is left of one without variation is
        rounding.
    """
    inner = cross[..., 1:, 1:]
    varies = np.diagonal(inner, axis1=-2, axis2=-1) > COLLINEAR * squares
    inverse = np.linalg.pinv(
        inner * (varies[..., None] & varies[..., None, :]), rcond=COLLINEAR, hermitian=True
    )
    found: Floats = (inverse @ cross[..., 1:, :1])[..., 0]
    return found


def slopes_without(outcomes: CovariateOutcomes, cluster: Ints) -> Floats:
    """(C, K) slopes of the covariates without each cluster (N,).

    What a cluster adds to the sums and products is taken out of those of all units; clusters whose units
    are used in the same periods leave the same equations of the period effects.
    """
    groups, count = int(cluster.max()) + 1, 1 + len(outcomes.x)
    if count == 1:
        return np.zeros((groups, 0))
    z = within_units(outcomes.y, outcomes.x, outcomes.start)
    own = np.einsum("knt,lnt->nkl", z, z, optimize=True).reshape(-1, count**2)
    products = sum_by_cluster(own, cluster)
    sums = sum_by_cluster(z.transpose(1, 0, 2).reshape(len(cluster), -1), cluster)
    products = (products.sum(axis=0) - products).reshape(-1, count, count)
    sums = (sums.sum(axis=0) - sums).reshape(groups, count, -1)
    distinct, kind = np.unique(outcomes.start, return_inverse=True)
    members = np.zeros((groups, distinct.size), dtype=np.int64)
    np.add.at(members, (cluster, kind), 1)
    for left, these in alike(members.sum(axis=0) - members):
        inverse = inverse_of_periods(distinct, left, outcomes.y.shape[1])
        products[these] -= sums[these] @ inverse @ sums[these].transpose(0, 2, 1)
    return slopes(products, (outcomes.x**2).sum(axis=(1, 2)))


def alike(counts: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Distinct rows (S,) of (C, S) numbers, and the positions of those that are equal to each."""
    first, code = distinct_rows(list(counts.T))
    for row, place in enumerate(first):
        yield counts[place], np.flatnonzero(code == row)
