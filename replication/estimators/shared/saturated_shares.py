"""Shares of clusters in a regression that is saturated in cohort and period.

Coordinates are those of the covariates, swept of everything else, and of the period effects of each
cohort, swept of unit effects. Cohorts are orthogonal: without covariates every cluster has one
block per cohort, and on a panel without gaps that block is the cluster's share of the cohort's
weight times the identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.errors import SpecError
from replication.core.spec import Inference
from replication.estimators.shared.cluster_weights import adjusted_by_weights, equal_weights
from replication.estimators.shared.saturated_regression import Saturated, period_equations
from replication.estimators.shared.two_way_shares import cluster_kinds
from replication.inference.cluster import distinct_rows, members_of, sum_by_cluster
from replication.inference.cluster_shares import Adjusted, ClusterShares, Share

LARGEST = 2000
"""Coordinates of one block that are decomposed at once."""


@dataclass(frozen=True, slots=True)
class SaturatedShares:
    """Arrays from which the shares of all clusters are computed.

    Attributes
    ----------
    fit : the regression
    weight : (N, T) weights behind the cross-products, zero where not observed
    members : units of each cluster
    cohort : (N,) place of each unit's cohort among ``fit.groups``; -1 for none
    covariates : (K, K) R with R R' the bread of the covariates
    roots : (T, d) R of each cohort with R R' the inverse of its period equations
    places : (d,) coordinates of each cohort
    """

    fit: Saturated
    weight: Floats
    members: list[Ints]
    cohort: Ints
    covariates: Floats
    roots: list[Floats]
    places: list[Ints]

    @classmethod
    def of(cls, fit: Saturated, codes: Ints) -> SaturatedShares:
        """Coordinates of the fit; ``codes`` (N,) are the clusters."""
        weight = np.zeros(fit.residual.shape)
        cohort = np.full(len(weight), -1, dtype=np.int64)
        roots, places = [], []
        done = fit.slopes.size
        for place, group in enumerate(fit.groups):
            weight[group.rows], cohort[group.rows] = group.weight, place
            free = np.diag(group.inverse) > 0
            root = np.zeros((free.size, int(free.sum())))
            root[free] = np.linalg.cholesky(group.inverse[np.ix_(free, free)])
            roots.append(root)
            places.append(np.arange(done, done + root.shape[1]))
            done += root.shape[1]
        covariates: Floats = np.linalg.cholesky(fit.bread).astype(np.float64)
        return cls(fit, weight, members_of(codes), cohort, covariates, roots, places)

    @property
    def size(self) -> int:
        """Coordinates P."""
        return len(self.covariates) + sum(place.size for place in self.places)

    def rows(self, loadings: Floats) -> Floats:
        """(R, P) rows in the coordinates from loadings (G, T, R) on the period effects."""
        found = np.zeros((loadings.shape[2], self.size))
        for root, place, load in zip(self.roots, self.places, loadings, strict=True):
            found[:, place] = load.T @ root
        if self.fit.slopes.size:
            flat = self.fit.covariate_path.reshape(self.fit.slopes.size, -1)
            on = flat @ loadings.reshape(-1, loadings.shape[2])
            found[:, : len(self.covariates)] = -on.T @ self.covariates
        return found

    def scores(self, residual: Floats) -> Floats:
        """(G, P) products of the design with ``residual`` (N, T), by cluster."""
        codes = np.empty(len(residual), dtype=np.int64)
        for cluster, rows in enumerate(self.members):
            codes[rows] = cluster
        found = np.zeros((len(self.members), self.size))
        for group, root, place in zip(self.fit.groups, self.roots, self.places, strict=True):
            mine = sum_by_cluster(residual[group.rows] @ root, codes[group.rows])
            found[: len(mine), place] = mine
        own = np.einsum("knt,nt->nk", self.fit.inner, residual) @ self.covariates
        found[:, : len(self.covariates)] = sum_by_cluster(own, codes)
        return found

    def shares(self, cluster: int) -> Sequence[Share]:
        """One block per cohort of the cluster; one for all of them where there are covariates."""
        rows = self.members[cluster]
        if self.fit.slopes.size:
            return (self.moment(cluster),)
        present = np.unique(self.cohort[rows])
        return [self._cohort(int(c), rows[self.cohort[rows] == c]) for c in present if c >= 0]

    def _cohort(self, cohort: int, rows: Ints) -> Share:
        """The share of some units of a cohort in its period effects."""
        weight, root = self.weight[rows], self.roots[cohort]
        group = self.fit.groups[cohort].weight
        if (group > 0).all() and (group == group[:, :1]).all() and (weight == weight[:, :1]).all():
            share = weight[:, 0].sum() / group[:, 0].sum()
            return self.places[cohort], np.full(root.shape[1], share)
        return self.places[cohort], root.T @ period_equations(weight) @ root

    def moment(self, cluster: int) -> Share:
        """All coordinates of a cluster and its weighted cross-products on them, in one block."""
        rows, count = self.members[cluster], len(self.covariates)
        present = [int(c) for c in np.unique(self.cohort[rows]) if c >= 0]
        index = np.concatenate([np.arange(count), *(self.places[c] for c in present)])
        if index.size > LARGEST:
            raise SpecError(
                f"The regression has {index.size} parameters in one cluster, more than the "
                f"{LARGEST} for which CV2 and CV3 are found with covariates or unequal weights. "
                "Leave covariates out, use longer periods, or set 'inference.variance: cv1'."
            )
        x = np.tensordot(self.covariates.T, self.fit.inner[:, rows], 1)
        scaled = x * self.weight[rows]
        found = np.zeros((index.size, index.size))
        cells = rows.size * self.weight.shape[1]
        found[:count, :count] = scaled.reshape(count, cells) @ x.reshape(count, cells).T
        start = count
        for c in present:
            mine = self.cohort[rows] == c
            root = self.roots[c]
            place = slice(start, start + root.shape[1])
            found[place, place] = root.T @ period_equations(self.weight[rows[mine]]) @ root
            found[:count, place] = scaled[:, mine].sum(axis=1) @ root
            found[place, :count] = found[:count, place].T
            start += root.shape[1]
        return index, found

    def kinds(self) -> Ints:
        """(G,) clusters with the same shares: equal weights, no covariates, the same cohorts."""
        if self.fit.slopes.size or not equal_weights(self.weight):
            return np.arange(len(self.members))
        gaps = np.packbits(self.weight > 0, axis=1).astype(np.int64).T
        return cluster_kinds(self.members, distinct_rows([self.cohort, *gaps])[1])

    def adjusted(self, loadings: Floats, inference: Inference) -> Adjusted:
        """Scores and degrees of freedom of ``inference.variance``; loadings (G, T, R)."""
        found = ClusterShares(self.rows(loadings), self.scores(self.fit.residual), self.kinds(), self.shares)
        return adjusted_by_weights(
            inference, found, self, self.fit.residual, lambda weight: replace(self, weight=weight)
        )

    def influence(self, loading: Floats) -> tuple[Floats, Floats]:
        """(N,) parts of the effect with loadings (G, T) that units settle, and their leverage."""
        fit, weight = self.fit, self.weight
        z, leverage = np.zeros(weight.shape), np.zeros(len(weight))
        total = weight.sum(axis=1, keepdims=True)
        share = weight / np.where(total > 0, total, 1.0)
        for group, load in zip(fit.groups, loading, strict=True):
            rows, path = group.rows, group.inverse @ load
            z[rows] = path - (share[rows] @ path)[:, None]
            leverage[rows] = weight[rows] @ np.diag(group.inverse)
            leverage[rows] -= ((weight[rows] @ group.inverse) * share[rows]).sum(axis=1)
        if fit.slopes.size:
            on = fit.covariate_path.reshape(fit.slopes.size, -1) @ loading.ravel()
            z -= np.tensordot(fit.bread @ on, fit.inner, 1)
            root = np.tensordot(self.covariates.T, fit.inner, 1)
            leverage += (weight * (root**2).sum(axis=0)).sum(axis=1)
        return (weight * z**2).sum(axis=1), leverage
