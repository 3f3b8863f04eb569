"""Scores of treated cells in the conservative variance of the imputation estimator.

The effect of a treated cell stands for its error after the mean effect of a group of cells is
taken off (Borusyak, Jaravel & Spiess 2024, equation 8): with a_c and b_c the sums over cluster
c's cells in the group of v_it and of v_it tau_it, the mean is sum_c a_c b_c / sum_c a_c^2.
Leaving cluster c out of its own mean multiplies its deviation by 1 / (1 - a_c^2 / sum a^2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.estimators.imputation.untreated_fit import UntreatedModel
from replication.estimators.shared.cell_averages import Averages
from replication.inference.cluster import intersection_codes, sum_by_cluster

GROUPS = ("cohort_event", "cohort", "none")


def treated_scores(
    model: UntreatedModel, averages: Averages, groups: str, leave_one_out: bool
) -> tuple[Floats, int]:
    """(N, K) sums over each unit's cells of weight times deviation, before division by totals.

    Returns also how many groups have one cluster only; leaving it out is not possible there, and
    they keep the ordinary deviation.
    """
    weight, tau = averages.weight, model.remainder
    cluster = model.cells.panel.cluster
    if groups == "cohort_event":
        # Every row has equal weights inside a cohort and period, up to scale: one mean serves all.
        means = _group_means(weight, weight * tau, averages.codes, cluster)
        scaled = weight * (tau - means.spread)
        scores = averages.by_unit(scaled * means.factor() if leave_one_out else scaled)
        return scores, int(means.alone.sum())
    codes = averages.codes if groups == "cohort" else np.zeros_like(averages.codes)
    a, b = averages.by_unit(weight), averages.by_unit(weight * tau)
    means = _group_means(a, b, codes, cluster)
    scores = b - a * means.spread
    return scores * means.factor() if leave_one_out else scores, int(means.alone[0])


@dataclass(frozen=True, slots=True)
class GroupMeans:
    """Mean effects of G groups in M separate problems (columns).

    Attributes
    ----------
    pair, owner : (N,) cluster within group of each unit, and (P,) group of each such pair.
    weight : (P, M) sums of weights; square : (G, M) sums of their squares.
    mean : (G, M); spread : (N, M) the same for each unit.

    """

    pair: Ints
    owner: Ints
    weight: Floats
    square: Floats
    mean: Floats
    spread: Floats

    @property
    def alone(self) -> Ints:
        """(M,) groups with a single cluster."""
        single: Ints = self._single().sum(axis=0)
        return single

    def factor(self) -> Floats:
        """(N, M) what leaving a cluster out of its own mean multiplies its deviation by."""
        own = self.weight**2
        others = self.square[self.owner] - own
        possible = (others > 0) & ~self._single()[self.owner]
        whole = self.square[self.owner]
        factor = np.divide(whole, others, out=np.ones_like(others), where=possible)
        return factor[self.pair]

    def _single(self) -> Bools:
        single: Bools = sum_by_cluster((self.weight > 0).astype(float), self.owner) == 1
        return single


def _group_means(a: Floats, b: Floats, codes: Ints, cluster: Ints) -> GroupMeans:
    """Means by group.

    Parameters
    ----------
    a, b : (N, M) weights and weighted effects of each unit.
    codes : (N,) group of each unit; columns are separate problems.

    """
    pair = intersection_codes([codes, cluster])
    owner = np.zeros(int(pair.max()) + 1, dtype=np.int64)
    owner[pair] = codes
    weight, effect = sum_by_cluster(a, pair), sum_by_cluster(b, pair)
    square = sum_by_cluster(weight**2, owner)
    cross = sum_by_cluster(weight * effect, owner)
    mean = np.divide(cross, square, out=np.zeros_like(cross), where=square > 0)
    return GroupMeans(pair, owner, weight, square, mean, mean[codes])
