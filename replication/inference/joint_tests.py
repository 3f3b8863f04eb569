"""Joint tests of several estimates by clusters."""

from __future__ import annotations

from typing import Any

from scipy import special


def hotelling(wald: float, count: int, n_clusters: int) -> dict[str, Any]:
    """F test from the Wald statistic W of q estimates whose covariance comes from G clusters.

    ``(G-q) / (q (G-1)) W`` has the law F(q, G-q) where the cluster sums are normal (Hotelling
    1931); for q = 1 it is the t(G-1) test. Chi-squared, and F(q, G-1) of W / q, take the
    covariance as known better than it is: with 22 leads and 43 clusters they reject nearly always.

    Parameters
    ----------
    wald : estimates times the inverse of their (small-sample) covariance times estimates.
    count, n_clusters : q and G; q < G.

    """
    freedom = n_clusters - count
    statistic = wald * freedom / (count * (n_clusters - 1))
    return {
        "test": "F",
        "statistic": statistic,
        "df": count,
        "df_resid": freedom,
        "p_value": float(special.fdtrc(count, freedom, statistic)),
    }
