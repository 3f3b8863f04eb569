"""Bootstrap of whole clusters for any estimator, with every step redone in each draw.

Each draw takes as many clusters as there are, with replacement, and runs the estimator on their
units; a cluster drawn twice counts as two. What the estimator does on the way (cohort shares,
first steps, imputation) is redone, so the interval reflects its uncertainty. Where every unit is its own
cluster this is the pairs bootstrap of units. Efron & Tibshirani (1993), chapters 8, 12 and 13;
Cameron, Gelbach & Miller (2008), section III.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from replication.core.details import JointTest
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import LEFT_OUT, Estimates, row_labels
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.bands import sup_t
from replication.inference.cautions import path_test, with_repair
from replication.inference.cluster import sum_by_cluster
from replication.inference.psd import Repaired, repaired_variance
from replication.inference.row_table import Tails, TDistribution
from replication.inference.table_only import PointsOnly, in_draw

Estimator = Callable[..., Estimates]
FEWEST = 0.8
PATHS = {"event": "event_time", "group": "cohort", "calendar": "time", "att_gt": "cohort"}


def cluster_bootstrap(
    function: Estimator, panel: Panel, inference: Inference, *, two_way: bool = False
) -> Estimates:
    """Estimates with standard errors, intervals, p-values and bands from resampled clusters.

    Parameters
    ----------
    function : takes a panel and ``inference``.
    two_way : whether ``function`` is two-way fixed effects without trends or covariates; on balanced
        panels with constant weights its draws come from sums over clusters.
    inference : ``draws``, ``seed``, ``level`` and ``interval`` are used; with ``distribution: t``
        intervals are the estimate plus and minus t(G-1) times the bootstrap standard error.

    Raises
    ------
    SpecError
        If the intervals are to come from draws of scores.
    PanelError
        If more than a fifth of the draws cannot be estimated.
    """
    if inference.distribution == "bootstrap_t":
        raise SpecError(
            "'distribution: bootstrap_t' draws the scores of one fit, and 'method: bootstrap' "
            "redoes the fit in every draw. Set 'distribution: t', or 'method: analytic'."
        )
    analytic = replace(inference, method="analytic")
    found = function(panel, inference=analytic)
    labels = row_labels(found.table)
    if two_way and labels == ["att"] and regular(panel):
        draws = two_way_points(panel, inference)[:, None]
    else:
        once = in_draw(inference, PointsOnly)
        draws = resampled_points(function, panel, once, inference.draws, labels)
    tails = TDistribution(panel.n_clusters - 1.0) if inference.distribution == "t" else None
    return with_draws(found, draws, panel, inference, tails)


def with_draws(
    found: Estimates, draws: Floats, panel: Panel, inference: Inference, tails: Tails | None = None
) -> Estimates:
    """Estimates whose standard errors, intervals, p-values, bands and covariance come from (B, K) draws.

    Parameters
    ----------
    found : the estimates on the panel itself, with K rows.
    draws : the same rows on B resamples of the clusters; NaN where a draw lacks a row.
    tails : of the t-values, where intervals are the estimate plus and minus multiples of the standard error.

    Notes
    -----
    ``std_error`` is the standard deviation of the draws. ``interval: equal_tailed`` gives the
    percentile interval and twice the smaller share of draws on one side of zero as p-value;
    ``symmetric`` gives the estimate plus and minus a quantile of the draws' distance from it. Bands
    hold for all rows of a path at once: standard errors of the draws times the critical value
    of ``found``, whose draws each have their own standard error. The largest distance among the rows of
    a resample, over the common standard error, treats that standard error as known and would cover 90
    percent at 50 clusters. A row that a draw lacks (a cohort that was not drawn) rests on the other
    draws.
    """
    done = int(np.isfinite(draws).any(axis=1).sum())
    if done < FEWEST * inference.draws:
        raise PanelError(
            f"{inference.draws - done} of {inference.draws} draws of {panel.n_clusters} clusters "
            "could not be estimated, because they lack treated or comparison units. Cluster by a "
            "finer column, or use 'method: analytic'."
        )
    table = _with_draws(found.table, draws, inference, tails)
    kept = (~found.table["term"].isin(LEFT_OUT)).to_numpy() | (len(found.vcov) == len(table))
    covariance = _covariance(draws[:, kept])
    vcov = pd.DataFrame(covariance.variance, found.vcov.index, found.vcov.columns)
    details = with_repair(found.details, covariance).measured(
        interval=inference.interval if tails is None else inference.distribution,
        resampled_clusters=panel.n_clusters,
        draws_lost=inference.draws - done,
    )
    redone = replace(found, table=table, vcov=vcov, details=details)
    return replace(redone, details=replace(details, pretrend=retested(found, redone, panel.n_clusters)))


def retested(found: Estimates, redone: Estimates, n_clusters: int) -> JointTest | None:
    """The pre-trend test from the covariance of the draws; a test of an estimator's own regression stays."""
    tests = [
        path_test(
            one.table,
            one.vcov,
            n_clusters,
            one.details.anticipation,
            repaired=one.details.uncertainty.repaired,
        )
        for one in (found, redone)
    ]
    return tests[1] if found.details.pretrend == tests[0] else found.details.pretrend


@dataclass(frozen=True, slots=True)
class Clusters:
    """Units of each cluster, as slices of ``order``."""

    order: Ints
    start: Ints

    def members(self, drawn: Ints) -> tuple[Ints, Ints]:
        """Units of the drawn clusters, and for each the place of its cluster in the draw."""
        size = np.diff(self.start)[drawn]
        place = np.repeat(np.arange(drawn.size), size)
        within = np.arange(place.size) - np.repeat(np.cumsum(size) - size, size)
        return self.order[np.repeat(self.start[drawn], size) + within], place


def clusters_of(codes: Ints) -> Clusters:
    """Sort the units by cluster once."""
    start = np.concatenate([[0], np.cumsum(np.bincount(codes))]).astype(np.int64)
    return Clusters(np.argsort(codes, kind="stable").astype(np.int64), start)


def resample(panel: Panel, clusters: Clusters, drawn: Ints) -> Panel:
    """The panel of the drawn clusters; units and clusters that repeat get numbers of their own."""
    units, place = clusters.members(drawn)
    taken = panel.keep_units(units)  # type: ignore[arg-type]
    name = next(iter(panel.clusters))
    return replace(taken, units=np.arange(units.size), clusters={name: place.astype(np.int64)})


def resampled_points(
    function: Estimator, panel: Panel, inference: Inference, draws: int, labels: list[str]
) -> Floats:
    """(B, K) points of all draws; NaN where a draw lacks a row or cannot be estimated.

    Parameters
    ----------
    function : takes a panel and ``inference``.
    panel : N units in G clusters.
    inference : ``seed`` is used, and passed on.
    draws : B.
    labels : the K rows of the estimates, as ``row_labels`` names them.

    Returns
    -------
    (B, K) array
        Estimates of all draws.
    """
    rng = np.random.default_rng(inference.seed)
    clusters = clusters_of(panel.cluster)
    number = clusters.start.size - 1
    place = {label: index for index, label in enumerate(labels)}
    points = np.full((draws, len(labels)), np.nan)
    for draw in range(draws):
        drawn = rng.integers(0, number, number)
        try:
            table = function(resample(panel, clusters, drawn), inference=inference).table
        except PanelError:
            continue
        for label, value in zip(row_labels(table), table["estimate"], strict=True):
            if label in place:
                points[draw, place[label]] = value
    return points


def regular(panel: Panel) -> bool:
    """Balanced, with positive weights that are constant within unit."""
    weight = panel.weight
    return bool(panel.balanced and (weight == weight[:, :1]).all() and (weight > 0).all())


def two_way_points(panel: Panel, inference: Inference) -> Floats:
    """(B,) two-way estimates of the same draws as ``resampled_points``, from sums over clusters.

    With unit means taken off, drawing a cluster k times multiplies its sums by k; what period
    effects take off is the product of the period sums of outcome and treatment. Draws that leave
    no variation in the treatment are NaN.

    Parameters
    ----------
    panel : balanced, with positive weights that are constant within unit (``regular``).
    inference : ``draws`` B and ``seed``.

    Returns
    -------
    (B,) array
        Estimates, NaN where a draw leaves no variation in the treatment.
    """
    weight, codes = panel.unit_weight[:, None], panel.cluster
    y = panel.y - panel.y.mean(axis=1, keepdims=True)
    dose = panel.dose - panel.dose.mean(axis=1, keepdims=True)
    products = np.column_stack([(dose * y).sum(axis=1), (dose**2).sum(axis=1)])
    cross = sum_by_cluster(weight * products, codes)
    by_period = [sum_by_cluster(weight * z, codes) for z in (y, dose)]
    mass = sum_by_cluster(weight, codes)[:, 0]
    rng = np.random.default_rng(inference.seed)
    number = mass.size
    drawn = [rng.integers(0, number, number) for _ in range(inference.draws)]
    times = np.stack([np.bincount(draw, minlength=number) for draw in drawn]).astype(float)
    sums, (mean_y, mean_dose) = times @ cross, (times @ part for part in by_period)
    total = times @ mass
    above = sums[:, 0] - (mean_y * mean_dose).sum(axis=1) / total
    below = sums[:, 1] - (mean_dose**2).sum(axis=1) / total
    moving = below > 1e-12 * np.maximum(sums[:, 1], 1e-300)
    return np.where(moving, above / np.where(moving, below, 1.0), np.nan)


def _with_draws(
    table: pd.DataFrame, draws: Floats, inference: Inference, tails: Tails | None
) -> pd.DataFrame:
    critical = ((table["band_high"] - table["estimate"]) / table["std_error"]).to_numpy()
    table = table.copy()
    point = table["estimate"].to_numpy()
    moving = np.nanmax(np.abs(draws - point), axis=0, initial=0) > 1e-14 * np.abs(point).max()
    std_error = np.where(moving, np.nanstd(draws, axis=0, ddof=1), np.nan)
    table["std_error"] = std_error
    table["statistic"] = point / std_error
    if tails is None:
        ends = np.array(
            [
                _summary(column[np.isfinite(column)], value, inference) if used else (np.nan,) * 3
                for column, value, used in zip(draws.T, point, moving, strict=True)
            ]
        )
    else:
        reach = tails.ppf(0.5 + inference.level / 2) * std_error
        ends = np.column_stack([2 * tails.sf(np.abs(point / std_error)), point - reach, point + reach])
    table[["p_value", "conf_low", "conf_high"]] = ends
    low, high = ends[:, 1].copy(), ends[:, 2].copy()
    for term, axis in PATHS.items():
        chosen = (table["term"] == term) & table[axis].notna()
        index = np.flatnonzero(chosen.to_numpy() & moving)
        if index.size > 1:
            value = _critical(critical[index], draws[:, index] - point[index], std_error[index], inference)
            # A band lies around its pointwise interval, even where the draws are skewed.
            low[index] = np.minimum(low[index], point[index] - value * std_error[index])
            high[index] = np.maximum(high[index], point[index] + value * std_error[index])
    return table.assign(band_low=low, band_high=high)


def _critical(fitted: Floats, distance: Floats, std_error: Floats, inference: Inference) -> float:
    """Critical value of a path: that of the fit; from (B, k) draws if the distribution is set to normal."""
    known = fitted[~np.isnan(fitted)]
    if known.size and inference.distribution != "normal":
        return float(known.max())
    whole = distance[np.isfinite(distance).all(axis=1)]
    return sup_t(whole, std_error, inference.level) if len(whole) > 1 else 0.0


def _summary(draws: Floats, point: float, inference: Inference) -> tuple[float, float, float]:
    """p-value of zero, and the ends of the interval."""
    tail = (1 - inference.level) / 2
    if inference.interval == "symmetric":
        distance = np.abs(draws - point)
        reach = float(np.quantile(distance, inference.level))
        beyond = int((distance >= abs(point) * (1 - 1e-12)).sum())
        p_value = (1 + beyond) / (1 + draws.size)
        return p_value, point - reach, point + reach
    low, high = np.quantile(draws, [tail, 1 - tail])
    # A resample without any effect is zero but for rounding, and lies on both sides.
    zero = 1e-12 * np.abs(draws).max()
    count = min(int((draws <= zero).sum()), int((draws >= -zero).sum()))
    return min(1.0, 2 * (1 + count) / (1 + draws.size)), float(low), float(high)


def _covariance(draws: Floats) -> Repaired:
    """Covariance of the columns over the draws that have both; zero for fixed values."""
    deviation = draws - np.nanmean(draws, axis=0)
    seen = np.isfinite(deviation).astype(float)
    filled = np.nan_to_num(deviation)
    pairs = np.maximum(seen.T @ seen - 1, 1)
    covariance: Floats = filled.T @ filled / pairs
    if seen.all():
        return Repaired(covariance, np.zeros(len(covariance), dtype=bool), ())
    return repaired_variance(covariance, "The covariance over draws in which some rows are missing")
