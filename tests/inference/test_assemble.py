"""From points and scores to standard errors, p-values, intervals and what is recorded of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drawn_panels import draw_panel
from scipy import stats

from replication.core.details import Details
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.assemble import (
    PointEstimates,
    from_cluster_scores,
    from_scores,
    from_std_errors,
    from_variance,
)
from replication.inference.row_table import EstimateRow

ROWS = [EstimateRow("att"), EstimateRow("event", event_time=0), EstimateRow("event", event_time=1)]
POINTS = np.array([0.4, 0.3, -0.5])
# Draws are multiplied in single precision.
SINGLE = 1e-5


def scored(seed: int = 1) -> tuple[Panel, np.ndarray]:
    """Forty units in ten clusters, and scores of three rows."""
    panel = draw_panel(seed, n_units=40, n_clusters=10)
    return panel, np.random.default_rng(seed).normal(scale=0.05, size=(40, 3))


def made(panel: Panel, inference: Inference | None = None, **more: Any) -> PointEstimates:
    """The three points, or ``rows`` and ``estimate``."""
    rows, estimate = more.pop("rows", ROWS), more.pop("estimate", POINTS)
    return PointEstimates(panel, "made", rows, estimate, inference or Inference(), **more)


def sums_of(panel: Panel, scores: np.ndarray) -> np.ndarray:
    return np.array([scores[panel.cluster == code].sum(axis=0) for code in range(10)])


def test_errors_are_root_sums_of_squared_cluster_sums_and_p_values_are_t() -> None:
    panel, scores = scored()
    found = from_scores(made(panel, distribution="t"), scores).table
    expected = np.sqrt((sums_of(panel, scores) ** 2).sum(axis=0))
    np.testing.assert_allclose(found["std_error"], expected, rtol=1e-12)
    np.testing.assert_allclose(found["p_value"], 2 * stats.t(9).sf(np.abs(POINTS) / expected), rtol=1e-9)
    reach = stats.t(9).ppf(0.975) * expected
    np.testing.assert_allclose(found["conf_low"], POINTS - reach, rtol=1e-9)
    np.testing.assert_allclose(found["conf_high"], POINTS + reach, rtol=1e-9)


def test_the_correction_multiplies_the_variance() -> None:
    panel, scores = scored()
    plain, corrected = (from_scores(made(panel), scores, factor) for factor in (1.0, 2.25))
    np.testing.assert_allclose(corrected.vcov, 2.25 * plain.vcov, rtol=1e-12)
    np.testing.assert_allclose(corrected.table["std_error"], 1.5 * plain.table["std_error"], rtol=1e-12)


def test_a_variance_alone_has_one_degree_of_freedom_less_than_clusters() -> None:
    panel, scores = scored()
    variance = scores.T @ scores
    given, counted = (
        from_variance(made(panel, distribution="t"), variance, freedom=freedom)
        for freedom in (np.full(3, 9.0), None)
    )
    pd.testing.assert_frame_equal(given.table, counted.table)
    expected = 2 * stats.t(9).sf(np.abs(POINTS) / np.sqrt(np.diag(variance)))
    np.testing.assert_allclose(counted.table["p_value"], expected, rtol=1e-9)


@pytest.mark.parametrize("method", ["analytic", "multiplier"])
@pytest.mark.parametrize("unit", [1e-3, 1e3])
def test_errors_bands_and_covariance_have_the_unit_of_the_scores(method: str, unit: float) -> None:
    panel, scores = scored()
    inference, sums = Inference(method=method, draws=99), sums_of(panel, scores)
    before, after = (
        from_cluster_scores(made(panel, inference, estimate=factor * POINTS), factor * sums)
        for factor in (1.0, unit)
    )
    columns = ["std_error", "conf_low", "conf_high", "band_low", "band_high"]
    np.testing.assert_allclose(after.table[columns], unit * before.table[columns], rtol=SINGLE)
    np.testing.assert_allclose(after.vcov, unit**2 * before.vcov, rtol=SINGLE)
    np.testing.assert_allclose(np.sqrt(np.diag(after.vcov)), after.table["std_error"], rtol=SINGLE)


def test_a_row_without_scores_has_no_error_and_leaves_the_others_alone() -> None:
    panel, scores = scored()
    sums, rows = sums_of(panel, scores), [*ROWS, EstimateRow("event", event_time=-1)]
    for method in ("analytic", "multiplier"):
        inference = Inference(method=method, draws=99)
        points = made(panel, inference, rows=rows, estimate=np.append(POINTS, 0.0))
        found = from_cluster_scores(points, np.column_stack([sums, np.zeros(10)]))
        assert np.isnan(found.table["std_error"].iloc[3])
        assert not found.vcov.iloc[3].any()
        alone = from_cluster_scores(made(panel, inference), sums)
        columns = ["std_error", "band_low", "band_high"]
        np.testing.assert_allclose(found.table[columns].iloc[:3], alone.table[columns], rtol=SINGLE)


def test_spatial_errors_keep_the_details_of_the_estimator() -> None:
    panel, scores = scored()
    known = Details(control_group="never_treated", base_period=-1)
    spatial = Inference(method="conley", cutoff_km=500)
    found = from_scores(made(panel, spatial, details=known), scores)
    assert (found.details.control_group, found.details.base_period) == ("never_treated", -1)
    without = from_scores(made(panel, spatial), scores)
    pd.testing.assert_frame_equal(without.table, found.table)
    assert without.details.extras == found.details.extras


def test_scores_of_the_overall_effect_are_its_cluster_sums_with_one_clustering_only() -> None:
    panel, scores = scored()
    found = from_scores(made(panel), scores)
    np.testing.assert_allclose(found.overall.sums, sums_of(panel, scores)[:, 0], rtol=1e-12)
    two = replace(panel, clusters={**panel.clusters, "unit": np.arange(40)})
    variance = scores.T @ scores
    for other, rows in ((two, ROWS), (panel, ROWS[1:])):
        part = variance[: len(rows), : len(rows)]
        sums = sums_of(panel, scores)[:, : len(rows)]
        points = made(other, rows=rows, estimate=POINTS[: len(rows)])
        assert from_variance(points, part, cluster_scores=sums).overall is None


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_a_band_is_the_larger_of_its_critical_value_and_the_pointwise_one(level: float) -> None:
    """Without a critical value of its own a path has its pointwise intervals."""
    panel, _ = scored()
    error, inference = np.array([0.1, 0.2, 0.3]), Inference(level=level)
    pointwise = stats.norm.ppf(0.5 + level / 2)
    for values, expected in (({}, pointwise), ({"event": 0.1}, pointwise), ({"event": 3.0}, 3.0)):
        points = made(panel, inference, distribution="normal")
        table = from_std_errors(points, error, np.diag(error**2), lambda _, v=values: v).table
        np.testing.assert_allclose(table["band_high"][1:], POINTS[1:] + expected * error[1:], rtol=1e-9)
        np.testing.assert_allclose(table["conf_low"], POINTS - pointwise * error, rtol=1e-9)
