"""From points and scores to ``Estimates``: one place for errors, p-values, intervals and bands.

Every estimator ends here. It hands over one row a quantity, the point, and the *scores*: an
(M, K) matrix whose sums over clusters have the covariance ``S'S * correction``. For a regression
a score is bread times the score of the normal equations; for an influence-function estimator it
is the influence divided by N.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from replication.inference.bands import gaussian_critical_value, multiplier_critical_value
from replication.inference.cluster import sum_by_cluster
from replication.results import COLUMNS, Estimates, Floats, Panel, row_labels
from replication.specs import Inference

PATHS = ("event", "group", "calendar", "att_gt")


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
    n_obs: int | None = None,
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
    n_obs: int | None = None,
    info: Mapping[str, Any] | None = None,
) -> Estimates:
    """Estimates from a (K, K) variance.

    Simultaneous bands come from multiplier draws of ``cluster_scores`` (G, K) where they are
    given, else from normal draws with the variance.
    """
    n_clusters = panel.n_clusters
    std_error = np.sqrt(np.maximum(np.diag(variance), 0.0))
    std_error = np.where(std_error > 1e-14 * max(1.0, std_error.max(initial=0)), std_error, np.nan)
    law = _law(inference.distribution, distribution, n_clusters)
    statistic = estimate / std_error
    half = law.ppf(0.5 + inference.level / 2) * std_error
    table = pd.DataFrame([(r.term, r.cohort, r.time, r.event_time) for r in rows],
                         columns=["term", "cohort", "time", "event_time"])  # fmt: skip
    table = table.astype({"cohort": float, "time": float, "event_time": float})
    table = table.assign(
        spec_id=panel.spec_id, study=panel.study, estimator=estimator, outcome=panel.outcome,
        estimate=estimate, std_error=std_error, statistic=statistic,
        p_value=2 * law.sf(np.abs(statistic)),
        conf_low=estimate - half, conf_high=estimate + half,
        n_obs=int(panel.observed.sum()) if n_obs is None else n_obs,
        n_units=len(panel.units), n_clusters=n_clusters,
    )  # fmt: skip
    critical = _bands(table, variance, cluster_scores, inference, law)
    table["band_low"] = estimate - critical * std_error
    table["band_high"] = estimate + critical * std_error
    table = table[COLUMNS]
    labels = row_labels(table)
    details = {
        "weighted": panel.weighted,
        "clusters": list(panel.clusters),
        "notes": list(panel.notes),
        "level": inference.level,
        "draws": inference.draws,
        "seed": inference.seed,
        **(info or {}),
    }
    return Estimates(table, pd.DataFrame(variance, index=labels, columns=labels), details)


def _law(chosen: str, default: str, n_clusters: int) -> Any:
    name = default if chosen == "auto" else chosen
    return stats.norm if name == "normal" else stats.t(n_clusters - 1)


def _bands(
    table: pd.DataFrame, variance: Floats, scores: Floats | None, inference: Inference, law: Any
) -> Floats:
    """(K,) critical values: sup-t over the rows of a path, pointwise for single numbers."""
    pointwise = float(law.ppf(0.5 + inference.level / 2))
    critical = np.full(len(table), pointwise)
    axis = {"event": "event_time", "group": "cohort", "calendar": "time", "att_gt": "cohort"}
    for term in PATHS:
        chosen = (table["term"] == term) & table["std_error"].notna() & table[axis[term]].notna()
        index = np.flatnonzero(chosen.to_numpy())
        if index.size < 2:
            continue
        if scores is None:
            value = gaussian_critical_value(variance[np.ix_(index, index)], inference)
        else:
            value = multiplier_critical_value(scores[:, index], inference)
        # A band that is narrower than its pointwise intervals is simulation noise.
        critical[index] = max(value, pointwise)
    return critical
