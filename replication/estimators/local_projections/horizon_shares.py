"""Shares of clusters in one horizon of local projections: period effects and few regressors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.spec import Inference
from replication.estimators.shared.cluster_weights import equal_weights, unweighted_residuals
from replication.inference.cluster import sum_by_cluster
from replication.inference.cluster_shares import Adjusted, ClusterShares, Share
from replication.inference.variances import adjust_scores
from replication.inference.weighted_bias_reduced import WeightedShares


@dataclass(frozen=True, slots=True)
class HorizonFit:
    """A fitted horizon with L periods, N units and K regressors, adoption first.

    Attributes
    ----------
    inner : (K, L, N) regressors less their period means
    weight : (L, N) weights, zero outside the regression
    residual : (L, N)
    bread : (K, K)

    """

    inner: Floats
    weight: Floats
    residual: Floats
    bread: Floats

    def influence(self) -> tuple[Floats, Floats]:
        """(N,) parts of the effect that units settle, and their leverage."""
        z = np.tensordot(self.bread[0], self.inner, 1)
        root = np.tensordot(np.linalg.cholesky(self.bread).T, self.inner, 1)
        period = 1 / self.weight.sum(axis=1)
        leverage = (self.weight * (root**2).sum(axis=0)).sum(axis=0) + period @ self.weight
        return (self.weight * z**2).sum(axis=0), leverage

    def adjusted(self, cluster: Ints, inference: Inference) -> Adjusted:
        """Scores (G, 1) of ``inference.variance`` over all clusters, and the degrees of freedom."""
        used: Bools = np.asarray((self.weight > 0).any(axis=0))
        present, codes = np.unique(cluster[used], return_inverse=True)
        sums = HorizonSums.of(self, np.asarray(codes.reshape(-1), dtype=np.int64), used)
        found = adjust_scores(inference, sums.shares(), None if equal_weights(self.weight) else sums.weighted)
        score = np.zeros((int(cluster.max()) + 1, 1))
        score[present] = found.score
        alone = np.where(found.alone >= 0, present[found.alone], -1)
        return Adjusted(score, found.freedom, alone)


@dataclass(frozen=True, slots=True)
class HorizonSums:
    """Sums by cluster in orthonormal coordinates: regressors (K), then periods (L).

    Attributes
    ----------
    loading : (1, K + L) the effect
    inner : for weights to the power k = 0, 1, 2 (G, K, K)
    cross : (G, K, L) of each power
    period : (G, L) of each power
    score, plain : (G, K + L) with weights, and without

    """

    loading: Floats
    inner: list[Floats]
    cross: list[Floats]
    period: list[Floats]
    score: Floats
    plain: Floats

    @classmethod
    def of(cls, fit: HorizonFit, codes: Ints, used: Bools) -> HorizonSums:
        """Sum the units that are used."""
        root = np.linalg.cholesky(fit.bread)
        weight, residual = fit.weight[:, used], fit.residual[:, used]
        x = np.tensordot(root.T, fit.inner[:, :, used], 1)
        scale = 1 / np.sqrt(weight.sum(axis=1))
        powers = [(weight > 0).astype(float), weight, weight**2]

        def by_cluster(values: Floats) -> Floats:
            """(G, ...) sums of values (..., n)."""
            flat = np.moveaxis(values, -1, 0).reshape(codes.size, -1)
            return sum_by_cluster(flat, codes).reshape(-1, *values.shape[:-1])

        def scores(residual: Floats) -> Floats:
            """(G, K + L) products with residuals, weighted or not."""
            regressors = by_cluster((x * residual).sum(axis=1))
            return np.hstack([regressors, by_cluster(residual * scale[:, None])])

        loading = np.concatenate([root[0], np.zeros(len(scale))])[None]
        return cls(
            loading,
            [by_cluster(np.einsum("kln,ln,mln->kmn", x, w, x)) for w in powers],
            [by_cluster(x * w * scale[:, None]) for w in powers],
            [by_cluster(w * (scale**2)[:, None]) for w in powers],
            scores(weight * residual),
            scores(unweighted_residuals(weight * residual, weight)),
        )

    def moment(self, power: int, cluster: int) -> Share:
        """Coordinates and cross-products of a cluster."""
        count, size = self.cross[power].shape[1:]
        found = np.diag(np.concatenate([np.zeros(count), self.period[power][cluster]]))
        found[:count, :count] = self.inner[power][cluster]
        found[:count, count:] = self.cross[power][cluster]
        found[count:, :count] = self.cross[power][cluster].T
        return np.arange(count + size), found

    def shares(self) -> ClusterShares:
        """The shares, in one block per cluster."""

        def blocks(cluster: int) -> Sequence[Share]:
            """One block."""
            return (self.moment(1, cluster),)

        return ClusterShares(self.loading, self.score, np.arange(len(self.score)), blocks)

    def weighted(self) -> WeightedShares:
        """Moments for CR2 with unequal weights."""
        powers = (
            lambda cluster: self.moment(0, cluster),
            lambda cluster: self.moment(1, cluster),
            lambda cluster: self.moment(2, cluster),
        )
        return WeightedShares(self.shares(), self.plain, powers)
