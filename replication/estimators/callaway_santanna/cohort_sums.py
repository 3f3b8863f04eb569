"""Group-time estimates in cohort space: sums by cohort, of the data and of reweighted clusters.

On a balanced panel without covariates every cell is a difference of changes of two means, that of
its cohort and that of its comparison pool, and pools are sums of cohorts. A draw that gives
cluster c the factor v_c therefore needs a (cohorts x periods) table, not one number per unit and
cell. Two bootstraps use it:

* factors of mean zero (Rademacher and others) on the scores: the multiplier bootstrap, in single
  precision, whose error is far below that of a draw;
* multinomial counts as weights: the bootstrap of whole clusters, in which each draw redoes the
  whole procedure, unit trends included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replication.core.arrays import Floats, Ints
from replication.estimators.callaway_santanna.cell_plan import (
    GroupTimeCells,
    comparison_thresholds,
)
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign
from replication.inference.cluster import distinct_rows, sum_by_cluster
from replication.inference.multipliers import Factors, drawn_sums

Table = NDArray[Any]
BLOCK = 250


@dataclass(frozen=True, slots=True)
class ClusterCohorts:
    """Weighted sums of the outcome over the units that share cohort and cluster.

    Scores are sums over units, so that P cluster-cohort sums carry the information of N units.

    Attributes
    ----------
    total : (T, P) weighted sums of outcomes, less unit and period means for accuracy.
    mass : (P,) sums of weights.
    level, cluster : (P,) position of the cohort, and cluster; ascending in this order.
    """

    total: Floats
    mass: Floats
    level: Ints
    cluster: Ints


def cluster_cohort_sums(design: ComparisonDesign) -> ClusterCohorts:
    """Cluster-cohort sums of a balanced panel whose weights are constant over time."""
    panel = design.panel
    n_periods = panel.periods.size
    outcome = panel.y - (panel.y @ np.full(n_periods, 1 / n_periods))[:, None]
    outcome -= outcome.mean(axis=0)
    weight = panel.unit_weight
    if panel.n_clusters == panel.cluster.size:
        # Every unit is a cluster: there is nothing to add up.
        order = np.argsort(design.level, kind="stable")
        return ClusterCohorts(
            total=(outcome * weight[:, None])[order].T.copy(),
            mass=weight[order],
            level=design.level[order],
            cluster=panel.cluster[order],
        )
    first, code = distinct_rows([design.level, panel.cluster])
    return ClusterCohorts(
        total=np.ascontiguousarray(sum_by_cluster(outcome * weight[:, None], code).T),
        mass=np.bincount(code, weights=weight).astype(float),
        level=design.level[first],
        cluster=panel.cluster[first],
    )


@dataclass(frozen=True, slots=True)
class CohortMeans:
    """Means by period, or draws of their influence, for B draws.

    Attributes
    ----------
    own : (H, T, B) of each cohort
    pool : (J, T, B) of each comparison pool
    mass : (H + 1, B) weights of each cohort
    """

    own: Table
    pool: Table
    mass: Table


class CohortSums:
    """Sums over cohorts and comparison pools as functions of factors on the clusters.

    Attributes
    ----------
    total, mass, cluster : (T, P), (P,) and (P,) of the ``ClusterCohorts``, cohort after cohort
    size, mean : (H + 1,) weights and (H + 1, T) means of the cohorts, never treated last
    pool_size, pool_mean : (J,) and (J, T) of the comparison pools
    pools : list of (first cohort, cohort left out or -1)
        A pool is the cohorts from the first on, the never-treated last.
    pool_of, elapsed : (K,) position of each cell's pool, and time from base to period
    """

    def __init__(self, design: ComparisonDesign, cells: GroupTimeCells, slope: Floats | None = None) -> None:
        self.design, self.cells, self.slope = design, cells, slope
        groups = cluster_cohort_sums(design)
        self.bounds = np.searchsorted(groups.level, np.arange(design.cohorts.size + 2))
        self.total, self.mass, self.cluster = groups.total, groups.mass, groups.cluster
        self.pools, self.pool_of = pools_of(design, cells)
        periods = design.panel.periods
        self.elapsed = (periods[cells.time] - periods[cells.base]).astype(float)
        self.size, self.pool_size, self.mean, self.pool_mean = self._at_the_estimate()
        self._centered: dict[int, Floats] = {}

    @property
    def one_each(self) -> bool:
        """Whether every cluster holds units of one cohort only."""
        return self.cluster.size == self.design.panel.n_clusters

    def groups(self, level: int) -> slice:
        """Positions of the cluster-cohort sums of a cohort."""
        return slice(self.bounds[level], self.bounds[level + 1])

    def centered(self, level: int) -> Floats:
        """(T + 1, P) weighted cluster sums of the outcomes of a cohort less their mean, and the weights.

        The result is kept because standard errors, covariances and draws all start from it.
        """
        if level not in self._centered:
            units = self.groups(level)
            mean = self.mean[level] if self.size[level] > 0 else np.zeros(len(self.total))
            moved = np.vstack([self.total[:, units], self.mass[units]])
            moved[:-1] -= mean[:, None] * moved[-1]
            self._centered[level] = moved
        return self._centered[level]

    def _at_the_estimate(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Weights and means of cohorts and pools in the panel itself."""
        starts = self.bounds[:-1]
        total = np.add.reduceat(self.total, starts, axis=1).T[:, :, None]
        mass = np.add.reduceat(self.mass, starts)[:, None]
        pool, pool_mass = self._pooled(total, mass)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = total / mass[:, None], pool / pool_mass[:, None]
        return mass[:, 0], pool_mass[:, 0], means[0][:, :, 0], means[1][:, :, 0]

    def influence(self, factors: Factors) -> CohortMeans:
        """Draws ``sum_c v_c (influence of cluster c)`` of all means, for (C, B) factors v."""
        total, mass = self._sums(factors)
        pool, pool_mass = self._pooled(total, mass)
        _center(total, mass, self.mean, self.size)
        _center(pool, pool_mass, self.pool_mean, self.pool_size)
        return CohortMeans(total[:-1], pool, mass)

    def reweighted(self, factors: Factors) -> CohortMeans:
        """Means with clusters weighted by (C, B) factors; missing where no weight is left."""
        total, mass = self._sums(factors)
        pool, pool_mass = self._pooled(total, mass)
        with np.errstate(invalid="ignore", divide="ignore"):
            total /= np.where(mass > 0, mass, np.nan)[:, None]
            pool /= np.where(pool_mass > 0, pool_mass, np.nan)[:, None]
        return CohortMeans(total[:-1], pool, mass)

    def cells_of(self, means: CohortMeans, level: int) -> tuple[Ints, Table]:
        """Positions (k,) and values (k, B) of the estimated cells of one cohort."""
        index = self.cells.of(level)
        time, base, pool = self.cells.time[index], self.cells.base[index], self.pool_of[index]
        own = means.own[level]
        values = own[time]
        values -= own[base]
        values -= means.pool[pool, time]
        values += means.pool[pool, base]
        if self.slope is not None:
            weights = self.slope[level].astype(own.dtype)
            trend = weights @ own - np.tensordot(weights, means.pool, (0, 1))[pool]
            values -= self.elapsed[index].astype(own.dtype)[:, None] * trend
        return index, values

    def estimate(self) -> Floats:
        """(K,) estimates; missing where a cell lacks units with weight, zero at references."""
        means = CohortMeans(self.mean[:-1, :, None], self.pool_mean[:, :, None], self.size[:, None])
        found = np.zeros(self.cells.time.size)
        for level in range(len(means.own)):
            index, values = self.cells_of(means, level)
            found[index] = values[:, 0]
        return found

    def _sums(self, factors: Factors) -> tuple[Table, Table]:
        """(H + 1, T, B) sums of outcomes and (H + 1, B) of weights by cohort."""
        stacked = np.vstack([self.total, self.mass]).astype(factors.dtype)
        levels = self.bounds.size - 1
        sums = np.empty((levels, len(stacked), factors.shape[1]), dtype=factors.dtype)
        for level in range(levels):
            units = self.groups(level)
            sums[level] = drawn_sums(stacked[:, units], self.cluster[units], factors)
        return sums[:, :-1], sums[:, -1]

    def _pooled(self, total: Table, mass: Table) -> tuple[Table, Table]:
        """The same by comparison pool."""
        pool = np.empty((len(self.pools), *total.shape[1:]), dtype=total.dtype)
        pool_mass = np.empty((len(self.pools), total.shape[2]), dtype=total.dtype)
        running, running_mass = np.zeros_like(total[0]), np.zeros_like(mass[0])
        for level in reversed(range(len(total))):
            running += total[level]
            running_mass += mass[level]
            for place, (first, without) in enumerate(self.pools):
                if first == level:
                    pool[place], pool_mass[place] = running, running_mass
                    if without >= 0:
                        pool[place] -= total[without]
                        pool_mass[place] -= mass[without]
        return pool, pool_mass


def pools_of(design: ComparisonDesign, cells: GroupTimeCells) -> tuple[list[tuple[int, int]], Ints]:
    """The comparison pools that cells use, and which one each cell uses.

    A cohort that is itself not yet treated in a cell is no comparison: where it would come first
    the pool starts after it, elsewhere it is left out.
    """
    last = design.cohorts.size
    if design.comparison == "never_treated":
        return [(last, -1)], np.zeros(cells.time.size, dtype=np.int64)
    dates = np.append(design.cohorts.astype(float), np.inf)
    first = np.searchsorted(dates, comparison_thresholds(design, cells), side="right")
    first = np.where(first == cells.level, first + 1, first)
    without = np.where(first < cells.level, cells.level, -1)
    member, place = distinct_rows([first, without])
    return list(zip(first[member].tolist(), without[member].tolist(), strict=True)), place


def _center(table: Table, mass: Table, mean: Floats, size: Floats) -> None:
    """Turn sums into draws of the influence of means, in place: ``(sum - mass mean) / size``."""
    for place in range(len(table)):
        center = mean[place].astype(table.dtype)
        table[place] -= center[:, None] * mass[place]
        table[place] /= size[place] if size[place] > 0 else np.nan
