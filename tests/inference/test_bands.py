"""Bands take the distribution of the pointwise intervals and contain them."""

import numpy as np
import pytest
from drawn_panels import draw_panel
from scipy import stats
from two_way_data import two_way_panel

from replication.core.spec import Inference
from replication.estimators.callaway_santanna import callaway_santanna
from replication.estimators.event_study import event_study
from replication.estimators.imputation import imputation
from replication.estimators.sun_abraham import sun_abraham
from replication.inference.bands import quantiles, studentized_critical_value, sup_t
from replication.inference.bootstrap_t import drawn_t_values
from replication.inference.critical_values import score_sup_t
from replication.inference.methods import apply_method
from replication.inference.multipliers import cluster_factors, drawn_sums, multiplier_draws


def critical_value(estimates) -> float:
    path = estimates.path()[0].dropna(subset="std_error")
    values = (path["band_high"] - path["estimate"]) / path["std_error"]
    np.testing.assert_allclose(values, values.iloc[0], rtol=1e-9)
    return values.iloc[0]


def test_studentised_value_is_the_quantile_of_studentised_draws() -> None:
    """Signs on 12 scores: each draw over the standard error of its own signed scores."""
    scores = np.random.default_rng(1).standard_t(4, size=(12, 5))
    scores -= scores.mean(axis=0)
    signs = np.random.default_rng(2).choice([-1.0, 1.0], size=(4000, 12))
    drawn = signs[:, :, None] * scores
    own = drawn.std(axis=1, ddof=1) * np.sqrt(12)
    expected = np.quantile(np.abs(drawn.sum(axis=1) / own).max(axis=1), 0.95)
    common = sup_t(drawn.sum(axis=1), np.sqrt((scores**2).sum(axis=0)), 0.95)
    assert studentized_critical_value(common, 12) == pytest.approx(expected, rel=1e-3)
    assert expected > 1.2 * common


@pytest.mark.parametrize("estimator", [imputation, callaway_santanna, sun_abraham])
def test_bands_are_studentised_unless_the_distribution_is_normal(estimator) -> None:
    panel = draw_panel(5, n_clusters=20)
    normal, own, t = (
        critical_value(estimator(panel, inference=Inference(distribution=distribution)))
        for distribution in ("normal", "auto", "t")
    )
    # What independent draws of 20 normal clusters give over ten to fifteen rows lies between.
    assert 1.1 * normal < own < 1.5 * normal
    assert own == t
    assert normal > stats.norm.ppf(0.975)


def test_with_four_clusters_a_band_may_be_without_bounds() -> None:
    assert studentized_critical_value(2.0, 4) == np.inf


def test_below_a_dozen_clusters_the_larger_value_counts() -> None:
    """Over 30 rows of 4 clusters draws with errors of their own are bounded; signs are not."""
    rng, size = np.random.default_rng(5), 30
    paths, inference = [("event", np.arange(size))], Inference()
    few, more = (x - x.mean(axis=0) for x in (rng.normal(size=(g, size)) for g in (4, 12)))
    known = sup_t(multiplier_draws(few, inference), np.sqrt((few**2).sum(axis=0)), 0.95)
    own = np.quantile(drawn_t_values(few, inference).max(axis=1), 0.95)
    assert studentized_critical_value(known, 4) > own
    assert score_sup_t(paths, few, inference)["event"] == pytest.approx(studentized_critical_value(known, 4))
    own = np.quantile(drawn_t_values(more, inference).max(axis=1), 0.95)
    assert score_sup_t(paths, more, inference)["event"] == pytest.approx(own)


def test_bands_without_scores_keep_their_tail_probability_under_t() -> None:
    """Two-way clusters: 10 in the smaller dimension."""
    panel = two_way_panel(3, n_units=60, n_periods=10, cluster="unit_period")
    normal, t = (
        critical_value(event_study(panel, window=(-3, 3), inference=Inference(distribution=distribution)))
        for distribution in ("normal", "auto")
    )
    assert stats.t(9).sf(t) == pytest.approx(stats.norm.sf(normal), rel=1e-6)


@pytest.mark.parametrize(
    "inference",
    [
        Inference(method="wild", draws=199),
        Inference(method="wild", draws=199, interval="symmetric"),
        Inference(method="bootstrap", draws=99),
        Inference(distribution="bootstrap_t", draws=199),
        Inference(variance="cv2"),
    ],
    ids=lambda inference: f"{inference.method} {inference.distribution} {inference.interval}",
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bands_contain_the_pointwise_intervals(inference, seed) -> None:
    """Intervals of the wild and the cluster bootstrap are asymmetric, bands of the scores are not."""
    panel = draw_panel(seed, n_clusters=8, missing=0.0)
    path = apply_method(event_study, panel, inference).rows("event").dropna(subset="std_error")
    assert len(path) > 3
    assert path[["conf_low", "conf_high"]].notna().all(axis=None)
    assert (path["band_low"] <= path["conf_low"]).all()
    assert (path["band_high"] >= path["conf_high"]).all()


def test_a_band_of_one_draw_is_no_narrower_than_the_intervals() -> None:
    path = imputation(draw_panel(6, n_clusters=10), inference=Inference(draws=1)).rows("event")
    assert (path["band_low"] <= path["conf_low"]).all()
    assert (path["band_high"] >= path["conf_high"]).all()


@pytest.mark.parametrize("distribution", ["rademacher", "mammen", "webb"])
def test_single_precision_moves_a_draw_by_less_than_a_hundred_thousandth_of_its_error(distribution) -> None:
    """3,000 clusters, columns of very different size, some clusters far larger than others."""
    rng = np.random.default_rng(7)
    scores = rng.standard_t(3, size=(3000, 4)) * np.array([1e-9, 1.0, 1e9, 0.0])
    inference = Inference(draws=300, multiplier=distribution)
    factors = cluster_factors(3000, inference, np.float64)
    exact = factors.take(np.arange(3000), axis=0).T @ scores
    scale = np.sqrt((scores**2).sum(axis=0))
    error = np.abs(multiplier_draws(scores, inference) - exact)[:, :3] / scale[:3]
    assert 0 < error.max() < 1e-5
    assert not multiplier_draws(scores, inference)[:, 3].any()


@pytest.mark.parametrize("count", [1, 4, 7])
@pytest.mark.parametrize("distribution", ["rademacher", "mammen", "webb"])
def test_draws_piece_by_piece_are_one_product(distribution, count, monkeypatch) -> None:
    """Clusters in any order and more than once, pieces that do not divide them."""
    rng = np.random.default_rng(8)
    scores, clusters = rng.normal(size=(count, 50)), rng.integers(0, 20, 50)
    factors = cluster_factors(20, Inference(draws=27, multiplier=distribution), np.float64)
    signs = np.array(factors.take(np.arange(20), axis=0))
    np.testing.assert_allclose(signs.mean(), 0, atol=0.2)
    for room in (1, 27 * 13, 10_000):
        monkeypatch.setattr("replication.inference.multipliers.ROOM", room)
        again = cluster_factors(20, Inference(draws=27, multiplier=distribution), np.float64)
        found = drawn_sums(scores, clusters, again)
        np.testing.assert_allclose(found, scores @ signs[clusters], atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 99, 999, 1000])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
def test_quantiles_are_those_of_numpy(size, level) -> None:
    values = np.random.default_rng(size).normal(size=size)
    expected = np.quantile(values, level)
    assert quantiles({"event": values}, level)["event"] == pytest.approx(expected, rel=1e-14)
    assert np.isnan(quantiles({"event": np.append(values, np.nan)}, level)["event"])
