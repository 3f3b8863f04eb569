"""Scores of treated cells in the conservative variance of the imputation estimator.

The effect of a treated cell stands for its error after the mean effect of a group of cells is
taken off (Borusyak, Jaravel & Spiess 2024, equation 8): with a_c and b_c the sums over cluster
c's cells in the group of v_it and of v_it tau_it, the mean is sum_c a_c b_c / sum_c a_c^2.
Leaving cluster c out of its own mean multiplies its deviation by 1 / (1 - a_c^2 / sum a^2).
"""

from __future__ import annotations

import numpy as np

from replication.estimators.cell_averages import Averages
from replication.estimators.untreated_fit import UntreatedModel
from replication.inference.cluster import intersection, sum_by_cluster
from replication.results import Bools, Floats, Ints

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
        mean, factor, alone = _deviation(weight, weight * tau, averages.codes, cluster)
        scaled = weight * (tau - mean)
        return averages.by_unit(scaled * factor if leave_one_out else scaled), int(alone.sum())
    codes = averages.codes if groups == "cohort" else np.zeros_like(averages.codes)
    a, b = averages.by_unit(weight), averages.by_unit(weight * tau)
    mean, factor, alone = _deviation(a, b, codes, cluster)
    scores = b - a * mean
    return scores * factor if leave_one_out else scores, int(alone[0])


def _deviation(a: Floats, b: Floats, codes: Ints, cluster: Ints) -> tuple[Floats, Floats, Ints]:
    """Group means and leave-out factors, spread to units, and groups of one cluster by column.

    Parameters
    ----------
    a, b : (N, M) weights and weighted effects of each unit.
    codes : (N,) group of each unit; columns are separate problems.

    """
    pair = intersection([codes, cluster])
    owner = np.zeros(int(pair.max()) + 1, dtype=np.int64)
    owner[pair] = codes
    by_pair, effect = sum_by_cluster(a, pair), sum_by_cluster(b, pair)
    square = sum_by_cluster(by_pair**2, owner)
    cross = sum_by_cluster(by_pair * effect, owner)
    mean = np.divide(cross, square, out=np.zeros_like(cross), where=square > 0)
    others = square[owner] - by_pair**2
    single: Bools = sum_by_cluster((by_pair > 0).astype(float), owner) == 1
    possible = (others > 0) & ~single[owner]
    factor = np.divide(square[owner], others, out=np.ones_like(others), where=possible)
    return mean[codes], factor[pair], single.sum(axis=0)
