"""From points and scores to ``Estimates``: one place for standard errors, p-values, intervals and bands.

Every estimator ends here with one row per quantity, the point estimate, and the *scores*: an
(M, K) matrix whose sums over clusters have the covariance ``S'S * correction``. For a regression
a score is bread times the score of the normal equations; for an influence-function estimator it
is the influence divided by N.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from replication.core.details import ClusterInfluence, Details
from replication.core.errors import SpecError
from replication.core.estimates import ClusterScores, Estimates
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.bands import interquartile_std_errors, quantiles
from replication.inference.cautions import with_cautions, with_repair, without_zero
from replication.inference.cluster import sum_by_cluster
from replication.inference.conley import conley_variance
from replication.inference.critical_values import (
    Paths,
    Values,
    choose_distribution,
    default_distribution,
    largest_of_paths,
    normal_sup_t,
    score_sup_t,
    without_fixed,
)
from replication.inference.leverage import few_effective
from replication.inference.multipliers import multiplier_draws
from replication.inference.row_table import LARGEST_VCOV, EstimateRow, RowKeys, table_of
from replication.inference.support import support_of
from replication.inference.table_only import TableOnly


@dataclass(frozen=True, slots=True)
class PointEstimates:
    """What an estimator found, before standard errors.

    Attributes
    ----------
    panel : the panel that was used; its notes come before those of the details.
    estimator : its name in a specification.
    rows, estimate : K rows and (K,) points.
    inference : the requested standard errors.
    distribution : ``t`` (with G-1 degrees), ``normal``, or ``influence``, for which
        ``default_distribution`` chooses; ``inference.distribution`` overrides.
    n_obs : observations, of all rows or of each.
    details : what the estimator knows; the pre-trend test and the cautions are added.
    n_units, n_clusters : (K,) units and clusters of each row, where every row is a regression of its
        own; those of the panel if None.
    """

    panel: Panel
    estimator: str
    rows: Sequence[EstimateRow]
    estimate: Floats
    inference: Inference
    distribution: str = "influence"
    n_obs: int | Ints | None = None
    details: Details = field(default_factory=Details)
    n_units: Ints | None = None
    n_clusters: Ints | None = None

    def with_influence(self, influence: ClusterInfluence | None) -> PointEstimates:
        """The same, with the leverage of the clusters and a note where few of them matter."""
        details = replace(self.details, cluster_influence=influence)
        corrects = self.panel.whole_clusters is not None
        if corrects:
            sides = support_of(self.panel, details.control_group or None)
            corrects = 1 not in (sides.treated, sides.control)
        notes = few_effective(influence, self.inference, corrects=corrects)
        return replace(self, details=details.noted(notes))

    def overall(self, sums: Floats | None) -> ClusterScores | None:
        """Scores of the overall effect by cluster, for joint inference with other outcomes."""
        place = [index for index, row in enumerate(self.rows) if row.term == "att"]
        codes = self.panel.whole_clusters
        if sums is None or not place or codes is None:
            return None
        return ClusterScores(sums[:, place[0]], self.panel.units, codes)


def from_scores(found: PointEstimates, scores: Floats, correction: float = 1.0) -> Estimates:
    """Estimates from unit-level scores, clustered one way by the clusters of the panel.

    Parameters
    ----------
    scores : (N, K) unit-level scores; a zero column marks a fixed value.
    correction : small-sample factor of the variance.
    """
    panel, inference = found.panel, found.inference
    if inference.method == "conley":
        refuse_same_period(found.estimator, inference)
        spatial, facts = conley_variance(scores, panel.coordinates, inference)
        details = with_repair(found.details.with_extras(facts), spatial)
        return from_variance(replace(found, details=details), spatial.variance * correction)
    sums = sum_by_cluster(scores, panel.cluster) * np.sqrt(correction)
    return from_variance(found, sums.T @ sums, cluster_scores=sums)


def from_variance(
    found: PointEstimates,
    variance: Floats,
    *,
    cluster_scores: Floats | None = None,
    freedom: Floats | None = None,
) -> Estimates:
    """Estimates from a (K, K) variance.

    Simultaneous bands come from draws of ``cluster_scores`` (G, K) where they are given, else from
    normal draws with the variance; with ``inference.method == "multiplier"`` the standard errors
    come from multiplier draws too. ``freedom`` (K,) are degrees of freedom of the t distribution of
    each row, G-1 if not given.
    """
    inference = found.inference
    if inference.method == "multiplier":
        return from_cluster_scores(found, _required(cluster_scores, found.estimator))

    def critical(paths: Paths) -> Values:
        """Critical value of the uniform band of each path."""
        if cluster_scores is not None:
            return score_sup_t(paths, cluster_scores, inference)
        return normal_sup_t(paths, variance, inference, degrees_of_freedom(found, freedom))

    return from_std_errors(
        found,
        without_fixed(np.sqrt(np.maximum(np.diag(variance), 0.0))),
        variance,
        critical,
        freedom=freedom,
        scores=cluster_scores,
        overall=found.overall(cluster_scores),
    )


def from_cluster_scores(found: PointEstimates, cluster_scores: Floats) -> Estimates:
    """Estimates from (G, K) sums of scores by cluster, for K too large for a K by K variance.

    Where there are more than ``LARGEST_VCOV`` group-time cells, ``vcov`` leaves them out; their
    variances are in ``std_error``. With ``inference.method == "multiplier"`` the standard errors
    are the interquartile range of multiplier draws over that of the normal distribution (R ``did::mboot``).
    """
    inference = found.inference
    analytic = np.sqrt(np.einsum("gk,gk->k", cluster_scores, cluster_scores))
    draws = multiplier_draws(cluster_scores, inference)
    std_error = interquartile_std_errors(draws) if inference.method == "multiplier" else analytic
    std_error = without_fixed(np.where(analytic > 0, std_error, 0.0))
    cells = np.array([row.term == "att_gt" for row in found.rows])
    kept = ~cells if cells.sum() > LARGEST_VCOV else np.ones(cells.size, dtype=bool)
    ratio = np.nan_to_num(std_error[kept] / np.where(analytic > 0, analytic, 1.0)[kept])
    scaled = cluster_scores[:, kept] * ratio
    paths = list(RowKeys(found.rows).paths(std_error))
    signed = quantiles(largest_of_paths(paths, draws, std_error), inference.level)
    critical = score_sup_t(paths, cluster_scores, inference, signed)
    return from_std_errors(
        found,
        std_error,
        scaled.T @ scaled,
        lambda _: critical,
        scores=cluster_scores,
        overall=found.overall(cluster_scores),
    )


def from_std_errors(
    found: PointEstimates,
    std_error: Floats,
    variance: Floats,
    critical: Callable[[Paths], Values],
    *,
    freedom: Floats | None = None,
    scores: Floats | None = None,
    overall: ClusterScores | None = None,
) -> Estimates:
    """Estimates from known standard errors.

    Parameters
    ----------
    std_error : (K,), missing for fixed values
    variance : of all rows, or of all but the group-time cells
    critical : gives the sup-t critical value of each term that is a path; the band is never narrower
        than the pointwise intervals, as that would be simulation noise
    freedom : (K,) degrees of freedom of the t distribution, G-1 if not given.
    scores : (G, K), for ``distribution: bootstrap_t``
    """
    panel, inference, rows = found.panel, found.inference, found.rows
    require_cv1(found.estimator, inference)
    std_error = without_zero(panel, rows, std_error, found.details)
    keys = RowKeys(rows)
    paths = list(keys.paths(std_error))
    default = default_distribution(panel, found.distribution)
    tails = choose_distribution(inference, default, degrees_of_freedom(found, freedom), scores)
    bands = _bands(len(rows), paths, critical(paths), tails.ppf(0.5 + inference.level / 2))
    counts = (found.n_obs, found.n_units, found.n_clusters)
    table = table_of(
        panel, found.estimator, keys, found.estimate, std_error, bands, tails, inference.level, counts
    )
    labels = keys.labels(() if len(variance) == len(rows) else ("att_gt",))
    frame = pd.DataFrame(variance, index=labels, columns=labels)
    if isinstance(inference, TableOnly):
        return Estimates(table, frame, found.details)
    known = _details(panel, inference, found.details)
    return Estimates(table, frame, with_cautions(panel, keys, table, frame, known, overall), overall)


def from_points(found: PointEstimates) -> Estimates:
    """Estimates without standard errors, for a draw of which no more is read (``PointsOnly``)."""
    missing = np.full(len(found.rows), np.nan)
    return from_std_errors(found, missing, np.outer(missing, missing), lambda _: {})


def degrees_of_freedom(found: PointEstimates, freedom: Floats | None) -> float | Floats:
    """(K,) degrees of freedom; if not given G-1, with the G of each row where rows differ."""
    if freedom is not None:
        return freedom
    if found.n_clusters is None:
        return found.panel.n_clusters - 1.0
    degrees: Floats = np.maximum(found.n_clusters - 1.0, 1.0)
    return degrees


def refuse_same_period(estimator: str, inference: Inference) -> None:
    """Refuse 'pairs: same_period' for unit scores, which do not record the period."""
    if inference.pairs == "same_period":
        raise SpecError(
            f"{estimator} has scores by unit, not by unit and period, so 'pairs: same_period' "
            "is not available. Set 'pairs: any_period', or use twfe or event_study."
        )


def require_cv1(estimator: str, inference: Inference) -> None:
    """Refuse a corrected variance where none was computed."""
    if inference.variance != "cv1":
        raise SpecError(
            f"{estimator} has no 'inference.variance: {inference.variance}', which is for linear "
            "regressions. Remove the key, or use twfe, event_study, sun_abraham, etwfe, stacked, or "
            "local_projections with family gaussian."
        )


def _required(cluster_scores: Floats | None, estimator: str) -> Floats:
    if cluster_scores is None:
        raise SpecError(
            f"The multiplier bootstrap of {estimator} needs one clustering and an influence "
            "function. Name one cluster column, or set 'method: analytic'."
        )
    return cluster_scores


def _details(panel: Panel, inference: Inference, known: Details) -> Details:
    """The details of the estimator with what every result has of panel and inference."""
    return replace(
        known, weighted=panel.weighted, clusters=tuple(panel.clusters), notes=(*panel.notes, *known.notes)
    ).measured(level=inference.level, draws=inference.draws, seed=inference.seed)


def _bands(n_rows: int, paths: Paths, values: Values, least: float | Floats) -> Floats:
    """(K,) critical values: sup-t over the rows of a path, pointwise for single numbers."""
    critical = np.full(n_rows, least)
    for term, index in paths:
        # A band that is narrower than its pointwise intervals is simulation noise.
        critical[index] = np.maximum(values.get(term, 0.0), critical[index])
    return critical
