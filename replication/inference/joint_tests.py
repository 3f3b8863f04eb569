"""Joint tests of several estimates by clusters, with the rank of their covariance."""

from __future__ import annotations

import numpy as np
from scipy import special

from replication.core.arrays import Floats
from replication.core.details import JointTest

# Scores of a restriction that clusters cannot break (sums over all clusters are zero, a lone
# treated cluster has none) leave eigenvalues of 1e-16 to 1e-13 of the largest; the covariance of
# a hundred leads of a random walk, the least regular that is not singular, ends at 1e-5.
RANK = 1e-10
# A redundant combination of estimates is zero to rounding, measured in their standard errors.
REDUNDANT = 1e-6


def hotelling_test(wald: float, count: int, n_clusters: int) -> JointTest:
    """F test from the Wald statistic W of q estimates whose covariance comes from G clusters.

    ``(G-q) / (q (G-1)) W`` has the distribution F(q, G-q) where the cluster sums are normal
    (Hotelling 1931); for q = 1 it is the t(G-1) test. Chi-squared, and F(q, G-1) of W / q,
    overstate how well the covariance is known: with 22 leads and 43 clusters they reject nearly
    always.

    Parameters
    ----------
    wald : estimates times the inverse of their (small-sample) covariance times estimates.
    count, n_clusters : q and G; q < G.
    """
    freedom = n_clusters - count
    statistic = wald * freedom / (count * (n_clusters - 1))
    p_value = float(special.fdtrc(count, freedom, statistic))
    return JointTest("F", count, statistic, p_value, freedom)


def impossible_test(count: int, reason: str) -> JointTest:
    """A test of ``count`` estimates that is not possible, and why."""
    return JointTest("F", count, reason=reason)


def joint_test(estimate: Floats, variance: Floats, n_clusters: int, what: str = "coefficients") -> JointTest:
    """Test that q estimates are all zero, with the numerical rank of their covariance.

    Parameters
    ----------
    estimate, variance : (q,) and (q, q) from ``n_clusters`` clusters, small-sample factor included.
    what : plural name of the estimates in reasons.

    Returns
    -------
    JointTest
        ``df`` is the rank r, ``df_resid`` G - r; where there is no test, ``statistic`` and
        ``p_value`` are None and ``reason`` says why.

    Notes
    -----
    Where the covariance has rank r < q there are combinations of the estimates without variance.
    If these are zero themselves, they repeat the others (leads that sum to zero by construction),
    and the r others are tested: ``W = b' V^+ b`` with F(r, G-r). If they are not, the clusters
    do not identify their precision (fewer clusters than estimates, a single treated cluster), and
    neither the inverse nor the pseudo-inverse gives a statistic with a known distribution.
    """
    own = np.diag(variance)
    known = np.isfinite(estimate) & (own > 0)
    lost = ~known & np.isfinite(estimate) & (estimate != 0)
    count, missing = int(known.sum()), int(lost.sum())
    if not known.any():
        return impossible_test(count, f"none of the {what} has a standard error")
    if missing:
        return impossible_test(
            count + missing, f"{missing} of {count + missing} {what} have no standard error"
        )
    if count >= n_clusters:
        return impossible_test(count, f"{count} {what} cannot be tested jointly with {n_clusters} clusters")
    scale = np.sqrt(own[known])
    values, vectors = np.linalg.eigh(variance[np.ix_(known, known)] / np.outer(scale, scale))
    along = vectors.T @ (estimate[known] / scale)
    kept = values > RANK * values[-1]
    rank = int(kept.sum())
    if np.abs(along[~kept]).max(initial=0.0) > REDUNDANT:
        return impossible_test(
            count,
            f"the covariance of the {count} {what} is singular: its rank is {rank}, so that "
            f"{count - rank} combinations of them have no variance among {n_clusters} clusters",
        )
    return hotelling_test(float((along[kept] ** 2 / values[kept]).sum()), rank, n_clusters)


def pretrend_test(
    event_time: Floats, estimate: Floats, variance: Floats, n_clusters: int, anticipation: int = 0
) -> JointTest:
    """Joint test that the path is zero before adoption less anticipation.

    Parameters
    ----------
    event_time : (K,) of the rows of the path; the reference, which is exactly zero, may be there.
    estimate, variance : (K,) and (K, K)
    """
    before = event_time < -anticipation
    fixed = (estimate == 0) & (np.diag(variance) <= 0)
    leads = np.flatnonzero(before & ~fixed)
    if not leads.size:
        return impossible_test(0, "there is no event-study coefficient before the reference period")
    return joint_test(estimate[leads], variance[np.ix_(leads, leads)], n_clusters, "leads")
