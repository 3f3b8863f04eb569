"""From a fitted regression to ``Estimates``: clustered variance, notes and details."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import Details, Dropped
from replication.core.estimates import Estimates
from replication.core.panel import NEVER, Panel
from replication.core.spec import Inference
from replication.estimators.shared.cohort_comparisons import weighted_mean
from replication.estimators.shared.estimation_sample import EstimationSample, require_residual
from replication.estimators.shared.fixed_effects import Effects, absorbed_parameters
from replication.estimators.shared.least_squares import RegressionFit
from replication.estimators.shared.regression_influence import regression_influence
from replication.estimators.shared.regression_wild import with_wild_tests
from replication.estimators.shared.two_way_shares import adjusted_two_way
from replication.inference.assemble import PointEstimates, from_scores, from_variance
from replication.inference.cautions import with_repair
from replication.inference.cluster import multiway_variance, small_sample_factor, sum_by_cluster
from replication.inference.conley import conley_variance_same_period
from replication.inference.methods import refuse_variance
from replication.inference.psd import repaired_variance
from replication.inference.row_table import EstimateRow
from replication.inference.support import effective_clusters
from replication.inference.table_only import TableOnly
from replication.inference.variances import from_adjusted


def regression_estimates(
    sample: EstimationSample,
    effects: Effects,
    fit: RegressionFit,
    estimator: str,
    rows: Sequence[EstimateRow],
    loading: Floats,
    inference: Inference,
    details: Details | None = None,
) -> Estimates:
    """Rows ``loading @ coefficient`` with clustered standard errors and t(G-1) intervals.

    Parameters
    ----------
    loading : (R, K) from the coefficients to the rows; a row of zeros is a fixed zero.

    Notes
    -----
    One clustering: ``G/(G-1) (N-1)/(N-K)`` times the sum of squared cluster scores. Several:
    Cameron, Gelbach & Miller (2011), every term with the G of the smallest clustering, as
    fixest and reghdfe do; a variance that is not positive semi-definite is made so (``psd``).
    """
    panel, n_obs = sample.panel, int(sample.used.sum())
    refuse_variance(panel.spec_id or "this call", estimator, inference, poisson=fit.working is not None)
    n_params = len(fit.coefficient) + absorbed_parameters(panel, effects, sample.used)
    free = replace(panel, clusters={})
    everything = len(fit.coefficient) + absorbed_parameters(free, effects, sample.used)
    require_residual(n_obs, everything, "Use fewer trends or covariates.")
    factor = small_sample_factor(panel.n_clusters, n_obs, n_params)
    known, described = details or Details(), not isinstance(inference, TableOnly)
    if described:
        known = _details(sample, effects, fit, known)
    if known.find("always_treated") and any(row.term == "event" for row in rows):
        known = known.noted([ALWAYS_IN_EVENT_TIME])
    corrected = inference.variance != "cv1"
    known = known.measured(parameters=n_params, correction=None if corrected else factor)
    points = PointEstimates(panel, estimator, rows, loading @ fit.coefficient, inference, "t", n_obs, known)
    overall = next((place for place, row in enumerate(rows) if row.term == "att"), None)
    if overall is not None and inference.method != "conley" and described:
        points = points.with_influence(regression_influence(sample, effects, fit, loading[overall]))
    if corrected:
        result = from_adjusted(points, adjusted_two_way(sample, effects, fit, loading, inference))
    elif inference.method == "conley" and inference.pairs == "same_period":
        result = _spatial_within_periods(points, fit, loading, factor)
    elif panel.whole_clusters is not None:
        result = from_scores(points, fit.scores @ loading.T, factor)
    else:
        result = _clustered_by_cell(points, sample, fit, loading, factor)
    if inference.method != "wild":
        return result
    table = with_wild_tests(result.table, sample, effects, fit, loading, inference)
    made = result.details.measured(multiplier=inference.multiplier, interval=inference.interval)
    return replace(result, table=table, details=made)


def _spatial_within_periods(
    points: PointEstimates, fit: RegressionFit, loading: Floats, factor: float
) -> Estimates:
    """Conley standard errors of pairs of the same period."""
    panel = points.panel
    found, facts = conley_variance_same_period(
        lambda column: fit.period_scores(column) @ loading.T,
        panel.periods.size,
        panel.coordinates,
        points.inference,
    )
    details = with_repair(points.details.with_extras(facts), found)
    return from_variance(replace(points, details=details), found.variance * factor)


def _clustered_by_cell(
    points: PointEstimates, sample: EstimationSample, fit: RegressionFit, loading: Floats, factor: float
) -> Estimates:
    """Standard errors clustered several ways, or by clusters that units change."""
    scores, details = fit.cell_scores(sample.used), points.details
    clusters = sample.panel.cell_clusters(sample.used)
    variance, sums = variance_of_cells(clusters, scores, factor)
    if "att" in (terms := [row.term for row in points.rows]):
        own = scores @ loading[terms.index("att")]
        fewest = min(effective_clusters(sum_by_cluster(own[:, None], codes)[:, 0]) for codes in clusters)
        details = replace(details, effective_clusters=fewest)
    found = repaired_variance(variance, "The multi-way clustered variance", loading)
    return from_variance(
        replace(points, details=with_repair(details, found)),
        found.variance,
        cluster_scores=None if sums is None else sums @ loading.T,
    )


def variance_of_cells(
    clusters: Sequence[Ints], scores: Floats, factor: float
) -> tuple[Floats, Floats | None]:
    """(K, K) variance from (M, K) cell scores; cluster sums too where there is one clustering."""
    if len(clusters) == 1:
        sums = sum_by_cluster(scores, clusters[0]) * np.sqrt(factor)
        return sums.T @ sums, sums
    return multiway_variance(scores, clusters) * factor, None


def _details(sample: EstimationSample, effects: Effects, fit: RegressionFit, details: Details) -> Details:
    """The details of a regression beside those of the estimator."""
    panel = sample.panel
    omitted = tuple(name.removeprefix("coef:") for name in fit.omitted)
    always = int((panel.first == 0).sum())
    notes = [f"covariates omitted because of collinearity: {', '.join(omitted)}"] if omitted else []
    if always:
        notes.append(
            f"{always} units that are treated in every period remain in the sample as always-treated controls"
        )
    return (
        replace(
            details,
            absorbed=effects.absorbed,
            linear_trends=effects.linear_trends,
            covariates=panel.covariate_names,
            omitted=omitted,
            mean_outcome=weighted_mean(panel),
            mean_pre=weighted_mean(panel, untreated_cells(panel)),
            dropped=tuple(Dropped(name, n, LEFT_OUT[name]) for name, n in sample.dropped.items() if n),
        )
        .noted(notes)
        .with_extras({"engine": fit.path, "always_treated": always})
    )


ALWAYS_IN_EVENT_TIME = (
    "event times of units that are treated in every period are counted from their recorded adoption, at the "
    "latest the first period, although they may have adopted earlier"
)
LEFT_OUT = {
    "zero_weight_cells": "cells",
    "cells_outside_window": "cells",
    "cells_separated": "cells",
    "singletons": "cells",
    "units_all_zero": "units",
    "cells_all_zero": "cells",
}
"""What each reason of ``estimation_sample`` counts."""


def untreated_cells(panel: Panel) -> Bools:
    """(N, T) cells of eventually treated units before any treatment."""
    cells = ~panel.treated
    adopter = panel.cohort != NEVER
    if panel.exposure is not None:
        adopter = adopter | (panel.exposure > 0).any(axis=1)
        cells &= panel.exposure == 0
    cells &= adopter[:, None]
    return cells
