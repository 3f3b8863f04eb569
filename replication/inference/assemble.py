"""From points and scores to ``Estimates``: one place for errors, p-values, intervals and bands.

Every estimator ends here. It hands over one row a quantity, the point, and the *scores*: an
(M, K) matrix whose sums over clusters have the covariance ``S'S * correction``. For a regression
a score is bread times the score of the normal equations; for an influence-function estimator it
is the influence divided by N.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from replication.errors import SpecError
from replication.inference.bands import (
    gaussian_critical_value,
    interquartile_errors,
    multiplier_critical_value,
    multiplier_draws,
    studentised,
    sup_t,
)
from replication.inference.cluster import sum_by_cluster
from replication.inference.conley import conley_variance
from replication.results import COLUMNS, ClusterScores, Estimates, Floats, Ints, Panel, row_labels
from replication.specs import Inference

PATHS = ("event", "group", "calendar", "att_gt")
LARGEST_VCOV = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """What a number is: its term and, where they apply, cohort, time and event time."""

    term: str
    cohort: int | None = None
    time: int | None = None
    event_time: int | None = None


def from_scores(
    panel: Panel,
    estimator: str,
    rows: Sequence[Row],
    estimate: Floats,
    scores: Floats,
    inference: Inference,
    *,
    correction: float = 1.0,
    distribution: str = "normal",
    n_obs: int | Ints | None = None,
    info: Mapping[str, Any] | None = None,
) -> Estimates:
    """Estimates from unit-level scores, clustered one way by ``panel.cluster``.

    Parameters
    ----------
    rows, estimate : K rows and (K,) points
    scores : (N, K) unit-level scores; a zero column marks a value that is fixed.
    correction : small-sample factor of the variance.
    distribution : ``normal`` or ``t`` (with G-1 degrees); ``inference.distribution`` overrides.

    """
    if inference.method == "conley":
        refuse_same_period(estimator, inference)
        variance, facts = conley_variance(scores, panel.coordinates, inference)
        return from_variance(
            panel, estimator, rows, estimate, variance * correction, inference,
            distribution=distribution, n_obs=n_obs, info={**(info or {}), **facts},
        )  # fmt: skip
    sums = sum_by_cluster(scores, panel.cluster) * np.sqrt(correction)
    return from_variance(
        panel, estimator, rows, estimate, sums.T @ sums, inference,
        distribution=distribution, cluster_scores=sums, n_obs=n_obs, info=info,
    )  # fmt: skip


def from_variance(
    panel: Panel,
    estimator: str,
    rows: Sequence[Row],
    estimate: Floats,
    variance: Floats,
    inference: Inference,
    *,
    distribution: str = "normal",
    cluster_scores: Floats | None = None,
    n_obs: int | Ints | None = None,
    info: Mapping[str, Any] | None = None,
) -> Estimates:
    """Estimates from a (K, K) variance.

    Simultaneous bands come from multiplier draws of ``cluster_scores`` (G, K) where they are
    given, else from normal draws with the variance; with ``inference.method == "multiplier"`` the
    standard errors come from those draws too.
    """
    if inference.method == "multiplier":
        return from_cluster_scores(
            panel, estimator, rows, estimate, _required(cluster_scores, estimator), inference,
            distribution=distribution, n_obs=n_obs, info=info,
        )  # fmt: skip
    std_error = np.sqrt(np.maximum(np.diag(variance), 0.0))
    std_error = without_fixed(std_error)
    law = _law(inference.distribution, distribution, panel.n_clusters)
    table = _table(panel, estimator, rows, estimate, std_error, inference, law, n_obs)
    critical = _bands(table, variance, cluster_scores, inference, law, panel.n_clusters)
    table = _with_bands(table, critical)
    labels = row_labels(table)
    frame = pd.DataFrame(variance, index=labels, columns=labels)
    overall = None if cluster_scores is None else _overall(panel, rows, cluster_scores)
    return Estimates(table, frame, _details(panel, inference, info), overall)


def from_cluster_scores(
    panel: Panel,
    estimator: str,
    rows: Sequence[Row],
    estimate: Floats,
    cluster_scores: Floats,
    inference: Inference,
    *,
    distribution: str = "normal",
    n_obs: int | Ints | None = None,
    info: Mapping[str, Any] | None = None,
) -> Estimates:
    """Estimates from (G, K) sums of scores by cluster, for K too large for a K by K variance.

    Where there are more than ``LARGEST_VCOV`` group-time cells, ``vcov`` leaves them out; their
    variances are in ``std_error``. The bands use multiplier draws, and with
    ``inference.method == "multiplier"`` the standard errors are their interquartile range over
    that of the normal law (R ``did::mboot``).
    """
    analytic = np.sqrt(np.einsum("gk,gk->k", cluster_scores, cluster_scores))
    draws = multiplier_draws(cluster_scores, inference)
    std_error = interquartile_errors(draws) if inference.method == "multiplier" else analytic
    std_error = without_fixed(np.where(analytic > 0, std_error, 0.0))
    cells = np.array([row.term == "att_gt" for row in rows])
    kept = ~cells if cells.sum() > LARGEST_VCOV else np.ones(cells.size, dtype=bool)
    ratio = np.nan_to_num(std_error[kept] / np.where(analytic > 0, analytic, 1.0)[kept])
    scaled = cluster_scores[:, kept] * ratio
    critical = sup_t_of_paths(rows, draws, std_error, inference.level)
    return from_errors(
        panel, estimator, rows, estimate, std_error, scaled.T @ scaled, critical, inference,
        distribution=distribution, n_obs=n_obs, info=info,
        overall=_overall(panel, rows, cluster_scores),
    )  # fmt: skip


def from_errors(
    panel: Panel,
    estimator: str,
    rows: Sequence[Row],
    estimate: Floats,
    std_error: Floats,
    variance: Floats,
    critical: Mapping[str, float],
    inference: Inference,
    *,
    distribution: str = "normal",
    n_obs: int | Ints | None = None,
    info: Mapping[str, Any] | None = None,
    overall: ClusterScores | None = None,
) -> Estimates:
    """Estimates from errors that are known already.

    Parameters
    ----------
    std_error : (K,), missing for fixed values
    variance : of all rows, or of all but the group-time cells
    critical : sup-t critical value of each term that is a path, from multiplier draws; it is moved
        to that of studentised draws (unless the law is set to normal) and never below the
        pointwise one, as a band that is narrower than its intervals is simulation noise

    """
    law = _law(inference.distribution, distribution, panel.n_clusters)
    table = _table(panel, estimator, rows, estimate, std_error, inference, law, n_obs)
    bands = np.full(len(table), law.ppf(0.5 + inference.level / 2))
    for term, index in _paths(table):
        value = critical.get(term, 0.0)
        if inference.distribution != "normal":
            value = studentised(value, panel.n_clusters)
        bands[index] = max(value, bands[index[0]])
    table = _with_bands(table, bands)
    cells = (table["term"] == "att_gt").to_numpy()
    labels = row_labels(table if len(variance) == len(table) else table[~cells])
    frame = pd.DataFrame(variance, index=labels, columns=labels)
    return Estimates(table, frame, _details(panel, inference, info), overall)


def sup_t_of_paths(
    rows: Sequence[Row], draws: Floats, std_error: Floats, level: float
) -> dict[str, float]:
    """Critical value of each path among the rows, from (B, K) draws."""
    keys = pd.DataFrame([(r.term, r.cohort, r.time, r.event_time) for r in rows],
                        columns=["term", "cohort", "time", "event_time"])  # fmt: skip
    found = _paths(keys.assign(std_error=std_error))
    return {term: sup_t(draws[:, index], std_error[index], level) for term, index in found}


def refuse_same_period(estimator: str, inference: Inference) -> None:
    """Unit scores do not say which period they come from."""
    if inference.pairs == "same_period":
        raise SpecError(
            f"{estimator} has scores by unit, not by unit and period, so that 'pairs: same_period' "
            "cannot be had. Set 'pairs: any_period', or use twfe or event_study."
        )


def _required(cluster_scores: Floats | None, estimator: str) -> Floats:
    if cluster_scores is None:
        raise SpecError(
            f"The multiplier bootstrap of {estimator} needs one clustering and an influence "
            "function. Name one cluster column, or set 'method: analytic'."
        )
    return cluster_scores


def _overall(panel: Panel, rows: Sequence[Row], sums: Floats) -> ClusterScores | None:
    """Scores of the overall effect by cluster, for joint inference with other outcomes."""
    place = [index for index, row in enumerate(rows) if row.term == "att"]
    codes = list(panel.clusters.values())
    if not place or len(codes) != 1 or codes[0].ndim != 1:
        return None
    return ClusterScores(sums[:, place[0]], panel.units, codes[0])


def without_fixed(std_error: Floats) -> Floats:
    """Standard errors with those of fixed values, zero but for rounding, set to missing."""
    floor = 1e-14 * max(1.0, std_error.max(initial=0))
    return np.where(std_error > floor, std_error, np.nan)


def _table(
    panel: Panel,
    estimator: str,
    rows: Sequence[Row],
    estimate: Floats,
    std_error: Floats,
    inference: Inference,
    law: Any,
    n_obs: int | Ints | None,
) -> pd.DataFrame:
    """The columns of ``Estimates.table`` but for the bands."""
    statistic = estimate / std_error
    half = law.ppf(0.5 + inference.level / 2) * std_error
    keys = np.array([(r.cohort, r.time, r.event_time) for r in rows], dtype=float).reshape(-1, 3)
    # One constructor call: adding columns one by one costs more than a small regression.
    return pd.DataFrame({
        "spec_id": panel.spec_id, "study": panel.study, "estimator": estimator,
        "outcome": panel.outcome, "term": [r.term for r in rows],
        "cohort": keys[:, 0], "time": keys[:, 1], "event_time": keys[:, 2],
        "estimate": estimate, "std_error": std_error, "statistic": statistic,
        "p_value": 2 * law.sf(np.abs(statistic)),
        "conf_low": estimate - half, "conf_high": estimate + half,
        "n_obs": int(panel.observed.sum()) if n_obs is None else n_obs,
        "n_units": len(panel.units), "n_clusters": panel.n_clusters,
    })  # fmt: skip


def _with_bands(table: pd.DataFrame, critical: Floats) -> pd.DataFrame:
    half = critical * table["std_error"].to_numpy()
    estimate = table["estimate"].to_numpy()
    table.insert(COLUMNS.index("band_low"), "band_low", estimate - half)
    table.insert(COLUMNS.index("band_high"), "band_high", estimate + half)
    return table


def _details(panel: Panel, inference: Inference, info: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "weighted": panel.weighted,
        "clusters": list(panel.clusters),
        "notes": list(panel.notes),
        "level": inference.level,
        "draws": inference.draws,
        "seed": inference.seed,
        **(info or {}),
    }


def _law(chosen: str, default: str, n_clusters: int) -> Any:
    name = default if chosen == "auto" else chosen
    return stats.norm if name == "normal" else stats.t(n_clusters - 1)


def _paths(table: pd.DataFrame) -> Iterator[tuple[str, Ints]]:
    """Terms and rows of each path that get a simultaneous band: those of one term with an error."""
    axis = {"event": "event_time", "group": "cohort", "calendar": "time", "att_gt": "cohort"}
    terms, moving = table["term"].to_numpy(), table["std_error"].notna().to_numpy()
    for term in PATHS:
        index = np.flatnonzero((terms == term) & moving & table[axis[term]].notna().to_numpy())
        if index.size > 1:
            yield term, index


def _bands(
    table: pd.DataFrame,
    variance: Floats,
    scores: Floats | None,
    inference: Inference,
    law: Any,
    n_clusters: int,
) -> Floats:
    """(K,) critical values: sup-t over the rows of a path, pointwise for single numbers.

    Draws take the standard errors as known, so that bands over a path would cover four points too
    little at 50 clusters (``benchmarks/results/coverage.md``). Unless the law is set to normal
    they are studentised or, where there are no scores, keep their tail probability under t(G-1).
    """
    critical = np.full(len(table), law.ppf(0.5 + inference.level / 2))
    normal = inference.distribution == "normal"
    for _, index in _paths(table):
        if scores is None:
            value = gaussian_critical_value(variance[np.ix_(index, index)], inference)
            if not normal:
                value = float(stats.t(n_clusters - 1).isf(stats.norm.sf(value)))
        else:
            value = multiplier_critical_value(scores[:, index], inference)
            value = value if normal else studentised(value, n_clusters)
        # A band that is narrower than its pointwise intervals is simulation noise.
        critical[index] = max(value, critical[index[0]])
    return critical
