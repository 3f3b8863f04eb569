"""Shares of clusters in the extended two-way regression.

Parameters are the common ones (period effects and period slopes) and each cohort's own (cells and
slopes); columns are swept of unit effects, which are nested in the clusters. Cohorts share the
common parameters, so that a cluster has one block over all coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.errors import SpecError
from replication.core.spec import Inference
from replication.estimators.etwfe.etwfe_linear import CohortEquations, LinearFit, period_gram
from replication.estimators.shared.absorb import CUTOFF
from replication.estimators.shared.cell_averages import Averages
from replication.estimators.shared.cluster_weights import adjusted_by_weights
from replication.inference.cluster import members_of
from replication.inference.cluster_shares import Adjusted, ClusterShares, Share

LARGEST = 1500
"""Parameters that are decomposed at once for every cluster."""


@dataclass(frozen=True, slots=True)
class ExtendedShares:
    """Arrays from which the shares of all clusters are computed.

    Attributes
    ----------
    fit : the regression
    weight : (N, T) weights, zero outside the regression
    cohort : (N,) place of each unit's cohort
    members : units of each cluster
    starts : first of the P parameters of each cohort; the common ones come before
    root : (P, D) R with R R' the generalized inverse of the normal equations
    """

    fit: LinearFit
    weight: Floats
    cohort: Ints
    members: list[Ints]
    starts: Ints
    root: Floats

    @classmethod
    def of(cls, fit: LinearFit, codes: Ints) -> ExtendedShares:
        """Coordinates of the fit; refuses more parameters than can be decomposed."""
        common = len(fit.common)
        starts = common + np.concatenate([[0], np.cumsum([own.size for own in fit.own])])
        if starts[-1] > LARGEST:
            raise SpecError(
                f"The extended two-way regression has {starts[-1]} parameters, more than the "
                f"{LARGEST} for which CV2 and CV3 are found. Use sun_abraham, which has them for "
                "any number of cohorts and periods without gaps, or longer periods."
            )
        cohort = np.zeros(len(fit.weight), dtype=np.int64)
        for place, one in enumerate(fit.cohorts):
            cohort[one.units] = place
        total, size = np.zeros((starts[-1], starts[-1])), np.zeros(starts[-1])
        for one, start in zip(fit.cohorts, starts, strict=False):
            _add(total, one, one.gram, int(start))
            size[:common] += one.size
            size[start : start + one.own.shape[1]] = one.size @ one.own
        scale = np.sqrt(np.where(size > 0, size, 1.0))
        value, vector = np.linalg.eigh(total / np.outer(scale, scale))
        kept = value > CUTOFF
        root = vector[:, kept] / np.sqrt(value[kept]) / scale[:, None]
        return cls(fit, fit.weight, cohort, members_of(codes), starts, root)

    def moment(self, cluster: int) -> Share:
        """Coordinates of a cluster and its weighted cross-products on them."""
        rows, size = self.members[cluster], int(self.starts[-1])
        total = np.zeros((size, size))
        for place in np.unique(self.cohort[rows]).tolist():
            mine = rows[self.cohort[rows] == place]
            gram = period_gram(self.weight[mine], self.fit.basis[mine])[1]
            _add(total, self.fit.cohorts[place], gram, int(self.starts[place]))
        return np.arange(self.root.shape[1]), self.root.T @ total @ self.root

    def shares(self, cluster: int) -> Sequence[Share]:
        """One block."""
        return (self.moment(cluster),)

    def scores(self, residual: Floats) -> Floats:
        """(G, D) products of the design with ``residual`` (N, T), by cluster."""
        columns = (residual[:, :, None] * self.fit.basis).reshape(len(residual), -1)
        found = np.zeros((len(self.members), int(self.starts[-1])))
        for cluster, rows in enumerate(self.members):
            for place in np.unique(self.cohort[rows]).tolist():
                own, start = self.fit.cohorts[place].own, self.starts[place]
                total = columns[rows[self.cohort[rows] == place]].sum(axis=0)
                found[cluster, : total.size] += total
                found[cluster, start : start + own.shape[1]] += total @ own
        return found @ self.root

    def rows(self, averages: Averages) -> Floats:
        """(D, R) averages of cell effects in the coordinates, one per column."""
        loads = self.fit.loads(averages)
        loading = np.zeros((int(self.starts[-1]), len(averages.rows)))
        for start, load in zip(self.starts, loads, strict=False):
            loading[start : start + len(load)] = load
        return self.root.T @ loading

    def adjusted(self, rows: Floats, inference: Inference) -> Adjusted:
        """Scores and degrees of freedom of ``inference.variance``; rows (D, R)."""
        kind = np.arange(len(self.members))
        found = ClusterShares(rows.T, self.scores(self.fit.scaled), kind, self.shares)
        return adjusted_by_weights(
            inference, found, self, self.fit.scaled, lambda weight: replace(self, weight=weight)
        )


def extended_influence(fit: LinearFit, averages: Averages) -> tuple[Floats, Floats]:
    """(N,) parts of the first average that units settle, and their leverage.

    The hat matrix of a cohort's units has the middle ``(I - F) S (I - F)' + O V O'``, with S the
    inverse of the equations of the common parameters, O the own columns, V the inverse of their
    equations and ``F = O V O' gram``.
    """
    first = averages.subset(np.arange(len(averages.rows)) == 0)
    common, owns = fit.directions(first)
    partial, leverage = np.zeros((2, len(fit.weight)))
    n_periods, width = fit.basis.shape[1:]
    every = np.arange(n_periods)
    for cohort, own in zip(fit.cohorts, owns, strict=True):
        w, basis = fit.weight[cohort.units], fit.basis[cohort.units]
        total = w.sum(axis=1)
        total = np.where(total > 0, total, 1.0)
        path = (common[:, 0] + cohort.own @ own[:, 0]).reshape(n_periods, width)
        z = np.einsum("ntq,tq->nt", basis, path)
        z -= ((w * z).sum(axis=1) / total)[:, None]
        partial[cohort.units] = (w * z**2).sum(axis=1)
        solved = cohort.own @ cohort.inverse @ cohort.own.T
        left = np.eye(len(solved)) - solved @ cohort.gram
        middle = left @ fit.schur @ left.T + solved
        blocks = middle.reshape(n_periods, width, n_periods, width)[every, :, every, :]
        root = (w[:, :, None] * basis).reshape(len(w), -1) / np.sqrt(total)[:, None]
        raw = np.einsum("nt,ntq,tqp,ntp->n", w, basis, blocks, basis, optimize=True)
        leverage[cohort.units] = raw - ((root @ middle) * root).sum(axis=1)
    return partial, leverage


def _add(total: Floats, cohort: CohortEquations, gram: Floats, start: int) -> None:
    """Add the normal equations of some units of a cohort to those of all parameters."""
    common = slice(0, len(gram))
    own = slice(start, start + cohort.own.shape[1])
    cross = gram @ cohort.own
    total[common, common] += gram
    total[common, own] += cross
    total[own, common] += cross.T
    total[own, own] += cohort.own.T @ cross
