"""Wild cluster bootstrap of a fitted regression: its sums by cluster, and the rows it tests."""

from __future__ import annotations

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from replication.core.errors import PanelError, SpecError
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.estimators.shared.absorb import Eliminated
from replication.estimators.shared.estimation_sample import EstimationSample
from replication.estimators.shared.fixed_effects import Effects
from replication.estimators.shared.least_squares import RegressionFit
from replication.inference.cluster import members_of, sum_by_cluster
from replication.inference.wild import ClusterSums, wild_cluster


def with_wild_tests(
    table: pd.DataFrame,
    sample: EstimationSample,
    effects: Effects,
    fit: RegressionFit,
    loading: Floats,
    inference: Inference,
) -> pd.DataFrame:
    """The table with p-values and pointwise intervals from the wild cluster bootstrap.

    Standard errors and statistics stay those of the clustered variance, and so do the uniform bands of a
    path, widened to contain the bootstrap intervals: a band narrower than a pointwise interval would
    claim more for all rows than the test claims for one.

    Parameters
    ----------
    table : (R,) rows of the fit, with analytic intervals and bands.
    loading : (R, K) combinations of the coefficients; rows of zeros are fixed values and stay as they are.

    Returns
    -------
    pandas.DataFrame
        The same rows.

    Raises
    ------
    PanelError
        With several clusterings, or units that change their cluster.
    SpecError
        If the fit is not least squares.
    """
    sums = cluster_sums(sample, effects, fit)
    require_linear(sums)
    columns = ["p_value", "conf_low", "conf_high"]
    table = table.copy()
    points = loading @ fit.coefficient
    std_errors = table["std_error"].to_numpy(dtype=float)
    for row, combination in enumerate(loading):
        # Without a standard error there is no statistic to draw.
        if combination.any() and std_errors[row] > 0:
            found = wild_cluster(sums, combination, float(points[row]), inference)
            table.loc[table.index[row], columns] = (found.p_value, found.conf_low, found.conf_high)
    path = table[["cohort", "time", "event_time"]].notna().any(axis=1)
    for band, end, outer in (("band_low", "conf_low", np.minimum), ("band_high", "conf_high", np.maximum)):
        table.loc[path, band] = outer(table.loc[path, band], table.loc[path, end])
    return table


def cluster_sums(sample: EstimationSample, effects: Effects, fit: RegressionFit) -> ClusterSums:
    """Sums by cluster of the fit.

    Raises
    ------
    PanelError
        With several clusterings, or units that change their cluster.
    """
    panel = sample.panel
    codes = whole_unit_clusters(panel)
    weight = sample.weight
    absorber = Eliminated(weight, panel.periods, *effects.codes(panel))
    profile = fit.design.profile
    scores = np.stack([(x[profile] * fit.residual).sum(axis=1) for x in fit.x], axis=1)
    effect_x = np.stack([absorber.sums(x[profile] * weight, codes) for x in fit.x])
    return ClusterSums(
        scores=sum_by_cluster(scores, codes),
        cross=_cross(fit.x, profile, weight, codes),
        bread=fit.bread,
        effect_residual=absorber.sums(fit.residual, codes),
        effect_x=effect_x,
        effect_solved=absorber.period_effects(effect_x),
    )


def require_linear(sums: ClusterSums) -> None:
    """Refuse fits whose weights depend on the coefficients, such as Poisson."""
    if not np.allclose(sums.bread @ sums.cross.sum(axis=0), np.eye(len(sums.bread)), atol=1e-6):
        raise SpecError(
            "The wild cluster bootstrap here is that of least squares; a Poisson model has other "
            "weights in every draw. Use 'method: analytic' or 'method: bootstrap'."
        )


def whole_unit_clusters(panel: Panel) -> Ints:
    """(N,) codes of the only clustering, if it contains whole units."""
    codes = panel.whole_clusters
    if codes is None:
        raise PanelError(
            "The wild cluster bootstrap draws one sign for each cluster of whole units; here are "
            f"{len(panel.clusters)} clusterings ({', '.join(panel.clusters)}), or units that change their "
            "cluster. Name one coarser cluster column, or set 'method: analytic'."
        )
    return codes


def _cross(x: Floats, profile: Ints, weight: Floats, codes: Ints) -> Floats:
    """(G, K, K) weighted cross-products of the regressors within clusters."""
    products = []
    for rows in members_of(codes):
        inside = x[:, profile[rows]].reshape(len(x), -1)
        products.append((inside * weight[rows].ravel()) @ inside.T)
    return np.stack(products)
