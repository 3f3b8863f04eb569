"""Resampled panels against the same clusters taken as frequency weights, and the summaries."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_panels import draw_panel

from replication.core.errors import PanelError
from replication.core.estimates import row_labels
from replication.core.spec import Inference
from replication.estimators.imputation import imputation
from replication.estimators.sun_abraham import sun_abraham
from replication.estimators.twfe import twfe
from replication.inference.cluster_bootstrap import (
    cluster_bootstrap,
    clusters_of,
    resample,
    resampled_points,
    two_way_points,
)
from replication.inference.joint_tests import joint_test

BOOT = Inference(method="bootstrap", draws=60)


@pytest.mark.parametrize("options", [{}, {"n_clusters": 12}, {"n_clusters": 12, "missing": 0.05}])
def test_draws_equal_clusters_as_frequency_weights(options) -> None:
    """A cluster drawn k times is a cluster with k times its weight, for the point."""
    panel = draw_panel(1, weighted=True, **options)
    points = resampled_points(twfe, panel, Inference(draws=1), 10, ["att"])[:, 0]
    rng = np.random.default_rng(Inference().seed)
    for point in points:
        drawn = rng.integers(0, panel.n_clusters, panel.n_clusters)
        times = np.bincount(drawn, minlength=panel.n_clusters)[panel.cluster]
        heavier = replace(panel, weight=panel.weight * times[:, None])
        assert point == pytest.approx(twfe(heavier).att[0], rel=1e-9)


@pytest.mark.parametrize("options", [{}, {"n_clusters": 6, "weighted": True}, {"dose": True}])
def test_sums_over_clusters_equal_estimating_again(options) -> None:
    panel = draw_panel(8, n_units=20, adoption=(0, 2003, 2005), **options)
    slow = resampled_points(twfe, panel, Inference(draws=1), 60, ["att"])[:, 0]
    fast = two_way_points(panel, BOOT)
    assert np.isnan(fast).tolist() == np.isnan(slow).tolist()
    assert fast == pytest.approx(slow, rel=1e-9, nan_ok=True)
    found = cluster_bootstrap(twfe, panel, BOOT, two_way=True)
    assert found.att == pytest.approx(cluster_bootstrap(twfe, panel, BOOT).att, rel=1e-9)


def test_a_cluster_drawn_twice_counts_as_two() -> None:
    panel = draw_panel(2, n_clusters=5)
    drawn = np.array([3, 3, 0, 3, 1])
    taken = resample(panel, clusters_of(panel.cluster), drawn)
    assert taken.n_clusters == 5
    sizes = np.bincount(panel.cluster)
    assert np.bincount(taken.cluster).tolist() == sizes[drawn].tolist()
    assert len(set(taken.units)) == len(taken.units)
    first = panel.y[panel.cluster == 3]
    for place in (0, 1, 3):
        assert (taken.y[taken.cluster == place] == first).all()


def test_error_interval_and_p_value_summarise_the_draws() -> None:
    panel = draw_panel(3, n_clusters=16)
    draws = resampled_points(twfe, panel, Inference(draws=1), 60, ["att"])[:, 0]
    point = twfe(panel).att[0]
    tails = cluster_bootstrap(twfe, panel, BOOT).table.iloc[0]
    assert tails["std_error"] == pytest.approx(draws.std(ddof=1), rel=1e-12)
    assert (tails["conf_low"], tails["conf_high"]) == pytest.approx(np.quantile(draws, [0.025, 0.975]))
    assert tails["p_value"] == min(1, 2 * (1 + min((draws <= 0).sum(), (draws >= 0).sum())) / 61)
    even = cluster_bootstrap(twfe, panel, replace(BOOT, interval="symmetric")).table.iloc[0]
    reach = np.quantile(abs(draws - point), 0.95)
    assert (even["conf_low"], even["conf_high"]) == pytest.approx((point - reach, point + reach))
    assert even["p_value"] == (1 + (abs(draws - point) >= abs(point)).sum()) / 61


@pytest.mark.parametrize("function", [imputation, sun_abraham])
def test_paths_have_bands_and_a_covariance(function) -> None:
    panel = draw_panel(4, n_units=80)
    found = cluster_bootstrap(function, panel, BOOT)
    rows, variance = found.path()
    moving = rows["std_error"].notna().to_numpy()
    assert np.sqrt(np.diag(variance))[moving] == pytest.approx(rows["std_error"][moving], rel=1e-9)
    assert (rows["band_low"][moving] <= rows["conf_low"][moving]).all()
    assert (rows["band_high"][moving] >= rows["conf_high"][moving]).all()
    assert found.vcov.index.tolist() == row_labels(found.table)
    assert found.details.uncertainty.resampled_clusters == 80


def test_the_pre_trend_test_is_of_the_covariance_that_is_reported() -> None:
    found = cluster_bootstrap(sun_abraham, draw_panel(4, n_units=80), BOOT)
    rows, variance = found.path()
    leads = (rows["event_time"] < -1).to_numpy()
    expected = joint_test(rows["estimate"].to_numpy()[leads], variance[np.ix_(leads, leads)], 80)
    assert found.details.pretrend.p_value == pytest.approx(expected.p_value, rel=1e-9)
    analytic = sun_abraham(draw_panel(4, n_units=80)).details.pretrend
    assert found.details.pretrend.p_value != pytest.approx(analytic.p_value, rel=1e-3)


def test_a_repaired_covariance_of_draws_gives_no_pre_trend_test() -> None:
    """Draws that lack a cohort leave covariances that do not fit together (p = 1e-26 of homicide rates)."""
    panel = draw_panel(1, n_units=24, n_clusters=8, adoption=(0, 2003, 2004, 2005, 2006, 2007))
    found = cluster_bootstrap(sun_abraham, panel, replace(BOOT, draws=40))
    assert any("not positive semi-definite" in note for note in found.details.notes)
    assert found.details.uncertainty.repaired
    assert found.details.pretrend.p_value is None
    assert "had to be repaired" in found.details.pretrend.reason


def test_error_is_near_the_analytic_one_with_many_clusters() -> None:
    panel = draw_panel(5, n_units=150)
    found = cluster_bootstrap(twfe, panel, replace(BOOT, draws=300))
    # Standard error of a bootstrap error from 300 draws: 4%; three of them.
    assert found.att[1] == pytest.approx(twfe(panel).att[1], rel=0.12)


def test_draws_without_comparison_are_refused_with_the_count() -> None:
    panel = draw_panel(6, adoption=(0, 2004), n_units=12, n_clusters=2)
    split = replace(panel, clusters={"cluster": (panel.cohort > 0).astype(np.int64)})
    with pytest.raises(PanelError, match=r"\d+ of 60 draws of 2 clusters"):
        cluster_bootstrap(twfe, split, BOOT)
    two = replace(panel, clusters={"cluster": panel.cluster, "other": np.arange(12)})
    with pytest.raises(PanelError, match="clusters one way"):
        cluster_bootstrap(twfe, two, BOOT)
