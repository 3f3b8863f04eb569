"""Romano-Wolf stepdown p-values, adjusted for testing all outcomes of a table.

Null hypotheses
    ``H_s: effect on outcome s is zero``, s = 1 .. S. The adjusted p-values control the probability
    of any false rejection among them, whatever the dependence between the outcomes.
Method
    Multiplier draws ``t*_s = sum_g v_g S_gs / se*_s`` use the same multipliers v_g for every
    outcome, which keeps their dependence; each is studentized by its own spread ``se*_s^2 =
    sum_g (v_g S_gs)^2 - (sum_g v_g S_gs)^2 / G`` (the score bootstrap of Kline & Santos 2012,
    Journal of Econometric Methods 1(1)), without which few clusters give tails that are too
    thin. The spread has no factor G/(G-1), which is conservative for regressions, whose standard
    errors have one. With ``|t_(1)| >= |t_(2)| >= ...`` the j-th hypothesis is compared with
    the draws' maximum over the hypotheses j, ..., S, and adjusted p-values never fall along the
    order (Romano & Wolf 2005, Econometrica 73(4); 2016, Statistics & Probability Letters 113,
    algorithm 3.1).
Reproduces
    Stata ``rwolf2`` and R ``wildrwolf`` in kind: those redraw residuals, this redraws scores.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from replication.core.errors import InputError
from replication.core.estimates import ClusterScores, Estimates
from replication.core.spec import Inference
from replication.inference.multipliers import multipliers

TIE = 1e-12


def romano_wolf(estimates: Sequence[Estimates], inference: Inference) -> pd.DataFrame:
    """One row per outcome with its own and its adjusted p-values.

    Parameters
    ----------
    estimates : the same estimator on S outcomes, clustered one way by the same clusters; samples
        may differ between outcomes.
    inference : ``draws``, ``seed`` and ``multiplier`` are used.

    Returns
    -------
    DataFrame
        ``spec_id, outcome, estimate, std_error, statistic, p_value, p_romano_wolf, p_holm``; the
        last is the Holm correction of ``p_value``, which ignores the dependence.

    Raises
    ------
    InputError
        If an estimate has no scores by cluster (two clusterings, spatial standard errors, read from a file).
    """
    rows = pd.concat([found.rows("att").head(1) for found in estimates], ignore_index=True)
    scores = aligned_sums([require_scores(found) for found in estimates])
    rng = np.random.default_rng(inference.seed)
    drawn = multipliers(rng, inference.multiplier, (inference.draws, len(scores)))
    kept = ["spec_id", "outcome", "estimate", "std_error", "statistic", "p_value"]
    return rows[kept].assign(
        p_romano_wolf=stepdown_p_values(
            np.abs(rows["statistic"].to_numpy()), studentized_statistics(drawn, scores)
        ),
        p_holm=holm_p_values(rows["p_value"].to_numpy()),
    )


def studentized_statistics(multipliers: Floats, scores: Floats) -> Floats:
    """(B, S) absolute statistics of the draws with multipliers (B, C) of scores (C, S)."""
    drawn = multipliers @ scores
    clusters = (scores != 0).sum(axis=0)
    spread = multipliers**2 @ scores**2 - drawn**2 / clusters
    # All clusters alike and of one sign: no spread, and as extreme as a draw can be.
    possible = spread > TIE * (scores**2).sum(axis=0)
    root = np.sqrt(np.where(possible, spread, 1.0))
    return np.where(possible, np.abs(drawn) / root, np.inf)


def stepdown_p_values(statistic: Floats, draws: Floats) -> Floats:
    """(S,) adjusted p-values from absolute statistics (S,) and (B, S) draws under the nulls.

    Parameters
    ----------
    statistic : (S,) absolute t-values.
    draws : (B, S) absolute t-values under the null hypotheses.

    Returns
    -------
    (S,) array
        ``(1 + draws as large) / (1 + B)``, made monotone along the ranking of the statistics.
    """
    order = np.argsort(-statistic, kind="stable")
    largest = np.maximum.accumulate(draws[:, order[::-1]], axis=1)[:, ::-1]
    count = (largest >= statistic[order] * (1 - TIE)).sum(axis=0)
    adjusted = np.empty(statistic.size)
    adjusted[order] = np.maximum.accumulate((1 + count) / (1 + len(draws)))
    return adjusted


def holm_p_values(p_value: Floats) -> Floats:
    """(S,) p-values of Holm (1979), Scandinavian Journal of Statistics 6(2).

    Parameters
    ----------
    p_value : (S,) unadjusted p-values.

    Returns
    -------
    (S,) array
        Adjusted p-values, at most 1.
    """
    order = np.argsort(p_value, kind="stable")
    scaled = p_value[order] * np.arange(p_value.size, 0, -1)
    adjusted = np.empty(p_value.size)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


def aligned_sums(parts: Sequence[ClusterScores]) -> Floats:
    """(C, S) sums by cluster of all outcomes; zero where an outcome lacks a cluster.

    Clusters have no name here: two are the same if they share a unit.
    """
    known: dict[object, int] = {}
    columns: list[tuple[Ints, Floats]] = []
    number = 0
    for part in parts:
        own = np.full(part.sums.size, -1, dtype=np.int64)
        labels = part.units.tolist()
        for unit, code in zip(labels, part.codes.tolist(), strict=True):
            if unit in known:
                own[code] = known[unit]
        if any(
            known.get(unit, own[code]) != own[code]
            for unit, code in zip(labels, part.codes.tolist(), strict=True)
        ):
            raise InputError(
                "The outcomes are clustered by different columns: units that share a cluster for "
                "one outcome are in different clusters for another. Cluster all alike."
            )
        new = np.flatnonzero(own < 0)
        own[new] = number + np.arange(new.size)
        number += new.size
        known.update(zip(labels, own[part.codes].tolist(), strict=True))
        columns.append((own, part.sums))
    scores = np.zeros((number, len(parts)))
    for column, (own, sums) in enumerate(columns):
        np.add.at(scores[:, column], own, sums)
    return scores


def require_scores(found: Estimates) -> ClusterScores:
    """Refuse estimates without scores by cluster."""
    if found.overall is None:
        name = found.table["spec_id"].iloc[0] or found.table["outcome"].iloc[0]
        raise InputError(
            f"{name} carries no scores by cluster, so it cannot be tested jointly with other "
            "outcomes. Estimate it here with one cluster column and 'method: analytic'."
        )
    return found.overall
