"""Shares of clusters in the weighted stack, which is saturated in group and event time.

Every row of the stack belongs to one of 2H cells, treated or control by event time, whose weights
sum to one; the cross-products of a cluster are the diagonal matrix of its weights in the cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.spec import Inference
from replication.inference.bias_reduced import WeightedShares
from replication.inference.cluster import sum_by_cluster
from replication.inference.cluster_shares import Adjusted, ClusterShares, Share
from replication.inference.variances import adjust_scores


@dataclass(frozen=True, slots=True)
class SubExperimentBlock:
    """One side of a sub-experiment: n units over H periods.

    Attributes
    ----------
    rows : its units
    treated : whether they are the cohort or its controls
    weight : (n, H) weights; those of each of the 2H cells sum to one
    residual : (n, H) outcome less the mean of the cell
    mass : (H,) weight of each cell in the regression, whose scale is free in weights by cell but
        not in what clusters weigh over several cells
    """

    rows: Ints
    treated: bool
    weight: Floats
    residual: Floats
    mass: Floats


@dataclass(frozen=True, slots=True)
class StackShares:
    """Sums over the rows of each unit, (N, 2H): treated cells, then control cells.

    Attributes
    ----------
    power : for k = 0, 1, 2 sums of weights to the power k
    score, plain : sums of residuals times weights, and of residuals
    mass : (2H,) weight of each cell in the regression
    """

    power: tuple[Floats, Floats, Floats]
    score: Floats
    plain: Floats
    mass: Floats

    def of_units(self, used: Bools) -> StackShares:
        """The sums of some units."""
        zero, one, two = (sums[used] for sums in self.power)
        return StackShares((zero, one, two), self.score[used], self.plain[used], self.mass)

    def influence(self, row: Floats) -> tuple[Floats, Floats]:
        """(N,) parts of the effect ``row`` (2H,) that units settle, and their leverage."""
        return self.power[1] @ (row**2 / self.mass), self.power[1].sum(axis=1)

    def adjusted(self, rows: Floats, codes: Ints, inference: Inference) -> Adjusted:
        """Scores and degrees of freedom of ``inference.variance`` for rows (R, 2H) of cells."""
        sums = [sum_by_cluster(one, codes) for one in self.power]
        score, plain = sum_by_cluster(self.score, codes), sum_by_cluster(self.plain, codes)
        every = np.arange(rows.shape[1])
        # One diagonal block per cluster.
        found = ClusterShares(
            rows, score, np.arange(len(score)), lambda cluster: ((every, sums[1][cluster]),)
        )

        def moment(power: int, cluster: int) -> Share:
            """Coordinates and products of a cluster with weights to a power."""
            return every, np.diag(sums[power][cluster])

        return adjust_scores(inference, found, lambda: WeightedShares(found, plain, moment))


def stack_shares(blocks: Sequence[SubExperimentBlock], n_units: int) -> StackShares:
    """Sum the rows of the stack by unit and cell."""
    width = blocks[0].weight.shape[1]
    total, mass = np.zeros((5, n_units, 2 * width)), np.zeros(2 * width)
    for block in blocks:
        weight, residual = block.weight, block.residual
        place = slice(0, width) if block.treated else slice(width, 2 * width)
        mass[place] = block.mass
        used = (weight > 0).astype(float)
        parts = (used, weight, weight**2, weight * residual, used * residual)
        for sums, part in zip(total, parts, strict=True):
            sums[block.rows, place] += part
    return StackShares((total[0], total[1], total[2]), total[3], total[4], mass)


def cell_rows(loadings: Floats, reference: int) -> Floats:
    """(R, 2H) rows in the cells from rows (H, R) in the event effects."""
    width = len(loadings)
    effect = np.eye(width)
    effect[:, reference] -= 1
    rows = loadings.T @ effect
    return np.hstack([rows, -rows])
