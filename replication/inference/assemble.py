"""From points and scores to ``Estimates``: one place for standard errors, p-values, intervals and bands.

Every estimator ends here with one row per quantity, the point estimate, and the *scores*: an
(M, K) matrix whose sums over clusters have the covariance ``S'S * correction``. For a regression
a score is bread times the score of the normal equations; for an influence-function estimator it
is the influence divided by N.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from replication.core.details import Details
from replication.core.errors import SpecError
from replication.core.estimates import ClusterScores, Estimates
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.bands import interquartile_std_errors, multiplier_draws, quantiles
from replication.inference.cautions import with_cautions, with_repair, without_zero
from replication.inference.cluster import sum_by_cluster
from replication.inference.conley import conley_variance
from replication.inference.critical_values import Paths, Values, largest_of_paths, normal_sup_t, score_sup_t
from replication.inference.reference_distribution import (
    choose_distribution,
    default_distribution,
    without_fixed,
)
from replication.inference.row_table import LARGEST_VCOV, EstimateRow, RowKeys, table_of


def from_scores(
    panel: Panel,
    estimator: str,
    rows: Sequence[EstimateRow],
    estimate: Floats,
    scores: Floats,
    inference: Inference,
    *,
    correction: float = 1.0,
    distribution: str = "influence",
    n_obs: int | Ints | None = None,
    details: Details | None = None,
) -> Estimates:
    """Estimates from unit-level scores, clustered one way by ``panel.cluster``.

    Parameters
    ----------
    rows, estimate : K rows and (K,) points
    scores : (N, K) unit-level scores; a zero column marks a fixed value.
    correction : small-sample factor of the variance.
    distribution : ``t`` (with G-1 degrees), ``normal``, or ``influence``, for which
        ``default_distribution`` chooses; ``inference.distribution`` overrides.
    details : what the estimator knows; notes of the panel come before its own, and the pre-trend
        test and the cautions are added.

    """
    if inference.method == "conley":
        refuse_same_period(estimator, inference)
        found, facts = conley_variance(scores, panel.coordinates, inference)
        return from_variance(
            panel,
            estimator,
            rows,
            estimate,
            found.variance * correction,
            inference,
            distribution=distribution,
            n_obs=n_obs,
            details=with_repair((details or Details()).with_extras(facts), found),
        )
    sums = sum_by_cluster(scores, panel.cluster) * np.sqrt(correction)
    return from_variance(
        panel,
        estimator,
        rows,
        estimate,
        sums.T @ sums,
        inference,
        distribution=distribution,
        cluster_scores=sums,
        n_obs=n_obs,
        details=details,
    )


def from_variance(
    panel: Panel,
    estimator: str,
    rows: Sequence[EstimateRow],
    estimate: Floats,
    variance: Floats,
    inference: Inference,
    *,
    distribution: str = "influence",
    cluster_scores: Floats | None = None,
    freedom: Floats | None = None,
    n_obs: int | Ints | None = None,
    details: Details | None = None,
) -> Estimates:
    """Estimates from a (K, K) variance.

    Simultaneous bands come from draws of ``cluster_scores`` (G, K) where they are given, else from
    normal draws with the variance; with ``inference.method == "multiplier"`` the standard errors
    come from multiplier draws too. ``freedom`` (K,) are degrees of freedom of the t distribution of
    each row, G-1 if not given.
    """
    if inference.method == "multiplier":
        return from_cluster_scores(
            panel,
            estimator,
            rows,
            estimate,
            _required(cluster_scores, estimator),
            inference,
            distribution=distribution,
            n_obs=n_obs,
            details=details,
        )
    require_cv1(estimator, inference)
    std_error = without_fixed(np.sqrt(np.maximum(np.diag(variance), 0.0)))
    std_error = without_zero(panel, rows, std_error, details)
    keys = RowKeys(rows)
    paths = list(keys.paths(std_error))
    degrees = panel.n_clusters - 1.0 if freedom is None else freedom
    tails = choose_distribution(inference, default_distribution(panel, distribution), degrees, cluster_scores)
    if cluster_scores is None:
        values: Values = normal_sup_t(paths, variance, inference, degrees)
    else:
        values = score_sup_t(paths, cluster_scores, inference)
    critical = _bands(len(rows), paths, values, tails.ppf(0.5 + inference.level / 2))
    table = table_of(panel, estimator, keys, estimate, std_error, critical, tails, inference.level, n_obs)
    labels = keys.labels()
    frame = pd.DataFrame(variance, index=labels, columns=labels)
    overall = None if cluster_scores is None else _overall(panel, rows, cluster_scores)
    known = _details(panel, inference, details)
    return Estimates(table, frame, with_cautions(panel, keys, table, frame, known, overall), overall)


def from_cluster_scores(
    panel: Panel,
    estimator: str,
    rows: Sequence[EstimateRow],
    estimate: Floats,
    cluster_scores: Floats,
    inference: Inference,
    *,
    distribution: str = "influence",
    n_obs: int | Ints | None = None,
    details: Details | None = None,
) -> Estimates:
    """Estimates from (G, K) sums of scores by cluster, for K too large for a K by K variance.

    Where there are more than ``LARGEST_VCOV`` group-time cells, ``vcov`` leaves them out; their
    variances are in ``std_error``. With ``inference.method == "multiplier"`` the standard errors
    are the interquartile range of multiplier draws over that of the normal distribution (R ``did::mboot``).
    """
    analytic = np.sqrt(np.einsum("gk,gk->k", cluster_scores, cluster_scores))
    draws = multiplier_draws(cluster_scores, inference)
    std_error = interquartile_std_errors(draws) if inference.method == "multiplier" else analytic
    std_error = without_fixed(np.where(analytic > 0, std_error, 0.0))
    cells = np.array([row.term == "att_gt" for row in rows])
    kept = ~cells if cells.sum() > LARGEST_VCOV else np.ones(cells.size, dtype=bool)
    ratio = np.nan_to_num(std_error[kept] / np.where(analytic > 0, analytic, 1.0)[kept])
    scaled = cluster_scores[:, kept] * ratio
    paths = list(RowKeys(rows).paths(std_error))
    signed = quantiles(largest_of_paths(paths, draws, std_error), inference.level)
    critical = score_sup_t(paths, cluster_scores, inference, signed)
    return from_std_errors(
        panel,
        estimator,
        rows,
        estimate,
        std_error,
        scaled.T @ scaled,
        critical,
        inference,
        distribution=distribution,
        scores=cluster_scores,
        n_obs=n_obs,
        details=details,
        overall=_overall(panel, rows, cluster_scores),
    )


def from_std_errors(
    panel: Panel,
    estimator: str,
    rows: Sequence[EstimateRow],
    estimate: Floats,
    std_error: Floats,
    variance: Floats,
    critical: Values,
    inference: Inference,
    *,
    distribution: str = "influence",
    scores: Floats | None = None,
    n_obs: int | Ints | None = None,
    details: Details | None = None,
    overall: ClusterScores | None = None,
) -> Estimates:
    """Estimates from known standard errors.

    Parameters
    ----------
    std_error : (K,), missing for fixed values
    variance : of all rows, or of all but the group-time cells
    critical : sup-t critical value of each term that is a path; the band is never narrower than
        the pointwise intervals, as that would be simulation noise
    scores : (G, K), for ``distribution: bootstrap_t``

    """
    require_cv1(estimator, inference)
    keys = RowKeys(rows)
    std_error = without_zero(panel, rows, std_error, details)
    paths = list(keys.paths(std_error))
    tails = choose_distribution(
        inference, default_distribution(panel, distribution), panel.n_clusters - 1.0, scores
    )
    bands = _bands(len(rows), paths, critical, tails.ppf(0.5 + inference.level / 2))
    table = table_of(panel, estimator, keys, estimate, std_error, bands, tails, inference.level, n_obs)
    labels = keys.labels(() if len(variance) == len(rows) else ("att_gt",))
    frame = pd.DataFrame(variance, index=labels, columns=labels)
    known = _details(panel, inference, details)
    return Estimates(table, frame, with_cautions(panel, keys, table, frame, known, overall), overall)


def refuse_same_period(estimator: str, inference: Inference) -> None:
    """Refuse 'pairs: same_period' for unit scores, which do not record the period."""
    if inference.pairs == "same_period":
        raise SpecError(
            f"{estimator} has scores by unit, not by unit and period, so that 'pairs: same_period' "
            "is not available. Set 'pairs: any_period', or use twfe or event_study."
        )


def require_cv1(estimator: str, inference: Inference) -> None:
    """Refuse a corrected variance where none was computed."""
    if inference.variance != "cv1":
        raise SpecError(
            f"{estimator} has no 'inference.variance: {inference.variance}', which is for linear "
            "regressions. Remove the key, or use twfe, event_study, sun_abraham, etwfe, stacked or "
            "local_projections with family gaussian."
        )


def _required(cluster_scores: Floats | None, estimator: str) -> Floats:
    if cluster_scores is None:
        raise SpecError(
            f"The multiplier bootstrap of {estimator} needs one clustering and an influence "
            "function. Name one cluster column, or set 'method: analytic'."
        )
    return cluster_scores


def _overall(panel: Panel, rows: Sequence[EstimateRow], sums: Floats) -> ClusterScores | None:
    """Scores of the overall effect by cluster, for joint inference with other outcomes."""
    place = [index for index, row in enumerate(rows) if row.term == "att"]
    codes = list(panel.clusters.values())
    if not place or len(codes) != 1 or codes[0].ndim != 1:
        return None
    return ClusterScores(sums[:, place[0]], panel.units, codes[0])


def _details(panel: Panel, inference: Inference, details: Details | None) -> Details:
    """The details of the estimator with what every result has of panel and inference."""
    known = details or Details()
    return replace(
        known,
        weighted=panel.weighted,
        clusters=tuple(panel.clusters),
        notes=(*panel.notes, *known.notes),
    ).measured(level=inference.level, draws=inference.draws, seed=inference.seed)


def _bands(n_rows: int, paths: Paths, values: Values, least: float | Floats) -> Floats:
    """(K,) critical values: sup-t over the rows of a path, pointwise for single numbers."""
    critical = np.full(n_rows, least)
    for term, index in paths:
        # A band that is narrower than its pointwise intervals is simulation noise.
        critical[index] = np.maximum(values.get(term, 0.0), critical[index])
    return critical
