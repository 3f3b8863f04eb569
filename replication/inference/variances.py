"""The variance of a regression by ``inference.variance``, and the note on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from replication.core.arrays import Ints
from replication.core.estimates import Estimates, row_labels
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.assemble import PointEstimates, from_variance
from replication.inference.bias_reduced import WeightedShares, bias_reduced, weighted_bias_reduced
from replication.inference.cluster_shares import Adjusted, ClusterShares
from replication.inference.row_table import EstimateRow

SAID = {
    "cv2": "standard errors are CV2 (CR2, bias-reduced), with Bell-McCaffrey degrees of freedom",
    "cv3": "standard errors are CV3 (cluster jackknife), with G-1 degrees of freedom",
}
FEWEST_DEGREES = 4
"""Below so many Satterthwaite degrees of freedom the t approximation fails (Tipton 2015)."""


def adjust_scores(
    inference: Inference, found: ClusterShares, weighted: Callable[[], WeightedShares] | None
) -> Adjusted:
    """Scores and degrees of freedom of the requested variance, ``cv2`` or ``cv3``.

    ``weighted`` gives what CR2 needs besides where weights are unequal; None where they are not.
    """
    if inference.variance == "cv3":
        return jackknife(found)
    return bias_reduced(found) if weighted is None else weighted_bias_reduced(weighted())


def from_adjusted(points: PointEstimates, adjusted: Adjusted) -> Estimates:
    """Estimates whose variance is ``score'score`` with t degrees of freedom of each row.

    A row that is not identified without one of the clusters has no standard error, and its
    covariances are missing, which is not the same as the zeros of a reference period.
    """
    panel, rows, variance = points.panel, points.rows, points.inference.variance
    lost = adjusted.alone >= 0
    freedom = np.where(np.isnan(adjusted.freedom), panel.n_clusters - 1.0, adjusted.freedom)
    notes = [SAID[variance]]
    if lost.any():
        notes.append(_not_identified(panel, rows, adjusted.alone))
    few = np.flatnonzero((freedom < FEWEST_DEGREES) & ~lost).tolist()
    if few:
        notes.append(
            f"fewer than {FEWEST_DEGREES} degrees of freedom, with which p-values of CV2 are not "
            f"reliable: {', '.join(_name(rows[place]) for place in few)}"
        )
    details = points.details.noted(notes).measured(missing_noted=bool(lost.any()))
    inference = replace(points.inference, variance="cv1")
    found = from_variance(
        replace(points, inference=inference, distribution="t", details=details),
        adjusted.score.T @ adjusted.score,
        cluster_scores=adjusted.score,
        freedom=freedom,
    )
    moving = found.table["std_error"].notna().to_numpy()
    labels = np.array(row_labels(found.table))[moving].tolist()
    degrees = dict(zip(labels, freedom[moving].tolist(), strict=True))
    values = found.vcov.to_numpy().copy()
    values[lost], values[:, lost] = np.nan, np.nan
    vcov = pd.DataFrame(values, found.vcov.index, found.vcov.columns)
    known = found.details.measured(variance=variance)
    by_row = {**known.by_row, "degrees_of_freedom": degrees}
    return replace(found, vcov=vcov, details=replace(known, by_row=by_row))


def _not_identified(panel: Panel, rows: Sequence[EstimateRow], alone: Ints) -> str:
    """A note on rows without a standard error, with the reason."""
    places = np.flatnonzero(alone >= 0).tolist()
    names = [_name(rows[place]) for place in places]
    codes = panel.cluster
    unit = panel.units[int(np.argmax(codes == alone[places[0]]))]
    return (
        f"no standard error for {', '.join(names)}: without one cluster (such as that of unit "
        f"{unit}) the effect is not identified, so the residuals of the other clusters are not "
        "informative about its variance"
    )


def _name(row: EstimateRow) -> str:
    parts = (row.term, row.cohort, row.time, row.event_time)
    return ":".join(str(part) for part in parts if part is not None)


def jackknife(found: ClusterShares) -> Adjusted:
    """Scores of CV3 and t(G-1): the variance over leaving out one cluster at a time, without refitting.

    Without cluster g the estimate is ``beta - (U'WU - U_g'W_g U_g)^-1 U_g'W_g e_g``, exactly and for
    any weights. In the coordinates of ``cluster_shares`` that is ``(I - K_g)^-1`` times the score.

    MacKinnon, Nielsen & Webb (2023), Journal of Applied Econometrics 38(5): 671-694, equation 12, and
    The Stata Journal 23(4): 942-982 (``summclust``); Bell & McCaffrey (2002), Survey Methodology
    28(2).

    ``CV3 = (G-1)/G sum_g (beta_(g) - beta)(beta_(g) - beta)'``, centered at the estimate from all
    clusters, as in ``summclust``. CR3 of R ``clubSandwich`` is the same sum without (G-1)/G.

    Notes
    -----
    A row that is not identified without some cluster has no jackknife variance: its scores are
    zero and ``alone`` names the cluster.
    """
    n_clusters, n_rows = len(found.score), len(found.loading)
    score = np.zeros((n_clusters, n_rows))
    alone = np.full(n_rows, -1, dtype=np.int64)
    for part in found.spectra():
        alone[part.alone] = part.clusters[0]
        taken = part.coordinates(found.score) / (1 - part.value)
        score[part.clusters] += taken @ part.load.T
    score *= np.sqrt((n_clusters - 1) / n_clusters)
    score[:, alone >= 0] = 0.0
    return Adjusted(score, np.full(n_rows, n_clusters - 1.0), alone)
