"""Shares of clusters in a regression with unit effects, period effects and trends.

The design is the regressors, swept of all effects, and the period effects and stratum trends, swept
of unit effects (and unit-specific linear trends), which are nested in the clusters. The two parts are
orthogonal, so that ``M`` is the bread of the regressors beside the inverse of the period equations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.estimators.shared.cluster_blocks import PeriodBlocks
from replication.estimators.shared.cluster_weights import adjusted_by_weights
from replication.estimators.shared.estimation_sample import EstimationSample
from replication.estimators.shared.fixed_effects import Effects
from replication.estimators.shared.least_squares import RegressionFit
from replication.inference.cluster import distinct_rows, members_of, sum_by_cluster
from replication.inference.cluster_shares import Adjusted, ClusterShares, Share


@dataclass(frozen=True, slots=True)
class TwoWayShares:
    """Arrays from which the shares of all clusters are computed.

    Attributes
    ----------
    fit : the regression
    weight : (N, T) weights behind the cross-products
    blocks : period equations with these weights
    members : units of each cluster
    regressors : (K, K) R with R R' the bread
    groups : unknowns (p,) of each connected group of period effects, ascending, their roots (p, d)
        and their coordinates (d,)
    """

    fit: RegressionFit
    weight: Floats
    blocks: PeriodBlocks
    members: list[Ints]
    regressors: Floats
    groups: list[tuple[Ints, Floats, Ints]]

    @property
    def size(self) -> int:
        """Coordinates P."""
        return len(self.regressors) + sum(place.size for _, _, place in self.groups)

    def scores(self, residual: Floats) -> Floats:
        """(G, P) products of the design with ``residual`` (N, T), by cluster."""
        found = np.zeros((len(self.members), self.size))
        codes = np.empty(len(residual), dtype=np.int64)
        for cluster, rows in enumerate(self.members):
            codes[rows] = cluster
        profile = self.fit.design.profile
        own = np.stack([(x[profile] * residual).sum(axis=1) for x in self.fit.x], axis=1)
        found[:, : len(self.regressors)] = sum_by_cluster(own, codes) @ self.regressors
        sums = self.blocks.sums(residual, codes)
        for unknowns, root, place in self.groups:
            found[:, place] = sums[:, unknowns] @ root
        return found

    def moment(self, cluster: int) -> Share:
        """Coordinates of a cluster and its weighted cross-products on them."""
        rows, count = self.members[cluster], len(self.regressors)
        unknowns, root, index = self._period_coordinates(rows)
        member, x, weight = self._profiles(rows)
        scaled = x * weight
        flat = scaled.reshape(count, -1) @ x.reshape(count, -1).T
        found = np.empty((index.size, index.size))
        found[:count, :count] = self.regressors.T @ flat @ self.regressors
        cross = self.blocks.products(member, scaled, unknowns) @ root
        found[:count, count:] = self.regressors.T @ cross
        found[count:, :count] = found[:count, count:].T
        found[count:, count:] = root.T @ self.blocks.normal(rows, unknowns) @ root
        return index, found

    def _period_coordinates(self, rows: Ints) -> tuple[Ints, Floats, Ints]:
        """Period unknowns (p,) that touch a cluster, their root (p, d), and all coordinates."""
        touched = self.blocks.unknowns(rows)
        groups = [group for group in self.groups if np.isin(group[0], touched).any()]
        unknowns = np.sort(np.concatenate([group[0] for group in groups]))
        coordinates = [group[2] for group in groups]
        root = np.zeros((unknowns.size, sum(place.size for place in coordinates)))
        done = 0
        for own, part, _ in groups:
            root[np.searchsorted(unknowns, own), done : done + part.shape[1]] = part
            done += part.shape[1]
        index: Ints = np.concatenate([np.arange(len(self.regressors)), *coordinates])
        return unknowns, root, index

    def _profiles(self, rows: Ints) -> tuple[Ints, Floats, Floats]:
        """A unit (n,), regressors (K, n, T) and weight (n, 1 or T) of what differs in a cluster.

        Units of one profile, which lies in one stratum on the closed path, are taken together.
        """
        profile = self.fit.design.profile[rows]
        if self.fit.path != "closed form" or self.fit.x.shape[1] == self.fit.design.profile.size:
            return rows, self.fit.x[:, profile], self.weight[rows]
        kinds, first, place = np.unique(profile, return_index=True, return_inverse=True)
        mass: Floats = np.bincount(place.reshape(-1), self.weight[rows, 0]).astype(float)
        return rows[first], self.fit.x[:, kinds], mass[:, None]

    def shares(self, cluster: int) -> Sequence[Share]:
        """The share of a cluster, in one block."""
        return (self.moment(cluster),)


def adjusted_two_way(
    sample: EstimationSample, effects: Effects, fit: RegressionFit, loading: Floats, inference: Inference
) -> Adjusted:
    """Scores and degrees of freedom of ``inference.variance`` for rows (R, K) of coefficients."""
    two_way, found = two_way_shares(sample, effects, fit, loading)
    return adjusted_by_weights(
        inference,
        found,
        two_way,
        fit.residual,
        lambda weight: replace(two_way, weight=weight, blocks=blocks_of(sample, effects, weight)),
    )


def two_way_shares(
    sample: EstimationSample, effects: Effects, fit: RegressionFit, loading: Floats
) -> tuple[TwoWayShares, ClusterShares]:
    """Shares of the clusters; ``loading`` (R, K) are rows in the coefficients."""
    codes = whole_clusters(sample.panel)
    blocks = blocks_of(sample, effects, sample.weight)
    regressors: Floats = np.linalg.cholesky(fit.bread).astype(np.float64)
    groups, done = [], len(regressors)
    for index, root in blocks.roots:
        order = np.argsort(index)
        groups.append((index[order], root[order], np.arange(done, done + root.shape[1])))
        done += root.shape[1]
    members = members_of(codes)
    found = TwoWayShares(fit, sample.weight, blocks, members, regressors, groups)
    rows = np.zeros((len(loading), found.size))
    rows[:, : len(regressors)] = loading @ regressors
    kind = cluster_kinds(members, unit_kinds(sample, effects, fit))
    return found, ClusterShares(rows, found.scores(fit.residual), kind, found.shares)


def blocks_of(sample: EstimationSample, effects: Effects, weight: Floats) -> PeriodBlocks:
    """The period equations of a sample with some weights."""
    return PeriodBlocks(weight, sample.panel.periods, *effects.codes(sample.panel))


def unit_kinds(sample: EstimationSample, effects: Effects, fit: RegressionFit) -> Ints | None:
    """(N,) kinds of units with the same design and weights; None where all may differ."""
    panel, profile = sample.panel, fit.design.profile
    if fit.x.shape[1] == profile.size or panel.weighted or np.ptp(panel.weight) > 0:
        return None
    columns = [profile, *effects.level_codes(panel), *effects.slope_codes(panel)]
    if not sample.used.all():
        columns += list(np.packbits(sample.used, axis=1).astype(np.int64).T)
    return distinct_rows(columns)[1]


def cluster_kinds(members: Sequence[Ints], unit: Ints | None) -> Ints:
    """(G,) clusters of the same kinds of units, as many of each, are of one kind."""
    if unit is None:
        return np.arange(len(members))
    seen: dict[bytes, int] = {}
    kinds = [seen.setdefault(np.sort(unit[rows]).tobytes(), len(seen)) for rows in members]
    return np.array(kinds, dtype=np.int64)


def whole_clusters(panel: Panel) -> Ints:
    """(N,) codes of the only clustering, if it contains whole units."""
    codes = panel.whole_clusters
    if codes is None:
        raise PanelError(
            "CV2 and CV3 need one clustering that contains whole units; here are "
            f"{len(panel.clusters)} clusterings ({', '.join(panel.clusters)}), or units that change their "
            "cluster. Name one coarser cluster column, or set 'inference.variance: cv1'."
        )
    return codes
