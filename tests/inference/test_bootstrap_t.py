"""Draws of scores that each have an error of their own: written out, and in bands and intervals."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_panels import draw_panel

from replication.core.errors import SpecError
from replication.core.spec import Inference
from replication.estimators.callaway_santanna import callaway_santanna
from replication.estimators.etwfe import etwfe
from replication.estimators.imputation import imputation
from replication.estimators.twfe import twfe
from replication.inference.assemble import PointEstimates, from_scores
from replication.inference.bootstrap_t import BLOCK, COUNTS_OF_BYTE, DrawnDistribution, counts, drawn_t_values
from replication.inference.cluster import sum_by_cluster
from replication.inference.cluster_bootstrap import cluster_bootstrap
from replication.inference.multipliers import random_bytes
from replication.inference.row_table import EstimateRow

DRAWN = Inference(distribution="bootstrap_t")


def some_scores(n_clusters: int = 15, rows: int = 4):
    return np.random.default_rng(1).standard_t(4, size=(n_clusters, rows)) * np.array(
        [1e-9, 1.0, 1e9, 3.0][:rows]
    )


def counts_drawn(n_clusters: int, inference: Inference):
    """All counts, one half byte after the other, block after block as the draws take them."""
    rng, rows = np.random.default_rng(inference.seed), []
    for start in range(0, inference.draws, BLOCK):
        size = min(BLOCK, inference.draws - start) * n_clusters
        halves = [
            half for byte in random_bytes(rng, -(-size // 2)).tolist() for half in (byte >> 4, byte & 15)
        ]
        # Sixteenths: six of 0, six of 1, two of 2, two of 3.
        number = [0 if h < 6 else 1 if h < 12 else 2 if h < 14 else 3 for h in halves[:size]]
        rows += [number[i : i + n_clusters] for i in range(0, size, n_clusters)]
    return rows


def written_out(original, inference):
    """Each draw as a sample of its own, whose clusters are listed as often as they were drawn."""
    scores = original - original.mean(axis=0)
    least, found = 0.25 * (original**2).sum(axis=0), []
    for row in counts_drawn(len(scores), inference):
        sample = np.repeat(scores, row, axis=0)
        center = sample.sum(axis=0) / max(len(sample), 1)
        own = ((sample - center) ** 2).sum(axis=0)
        found.append(np.abs(sample.sum(axis=0)) / np.sqrt(np.maximum(own, least)))
    return np.array(found)


@pytest.mark.parametrize("n_clusters", [3, 15, 40])
def test_draws_equal_samples_written_out(n_clusters) -> None:
    """Two blocks and a part of a third; odd numbers of clusters leave half a byte over."""
    scores = some_scores(n_clusters)
    inference = Inference(draws=2 * BLOCK + 7)
    found, expected = drawn_t_values(scores, inference), written_out(scores, inference)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


def test_counts_have_mean_and_variance_one() -> None:
    """Exactly so over the 256 bytes, and the two of a byte are independent."""
    values = COUNTS_OF_BYTE.astype(float)
    assert values.mean(axis=0).tolist() == [1, 1]
    assert values.var(axis=0).tolist() == [1, 1]
    assert (values[:, 0] * values[:, 1]).mean() == 1
    drawn = counts(random_bytes(np.random.default_rng(3), 50), (9, 11))
    assert drawn.shape == (9, 11)
    assert set(np.unique(drawn)) <= {0, 1, 2, 3}


def test_a_row_does_not_depend_on_its_neighbors_nor_on_its_unit() -> None:
    scores = some_scores(20)
    all_rows = drawn_t_values(scores, DRAWN)
    np.testing.assert_allclose(all_rows[:, [2]], drawn_t_values(scores[:, [2]], DRAWN), rtol=1e-3)
    np.testing.assert_allclose(all_rows, drawn_t_values(5 * scores, DRAWN), rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(all_rows, drawn_t_values(scores, DRAWN))


def test_a_fixed_row_never_moves_and_a_row_of_one_cluster_stays_in_bounds() -> None:
    """One cluster: without a least error its draws would be infinite."""
    scores = np.zeros((30, 2))
    scores[4, 1] = 2.0
    found = drawn_t_values(scores, DRAWN)
    assert not found[:, 0].any()
    # Not drawn: the others' 1 / 30 a cluster, about 29 of them, over the least error of a half.
    # Their number is seldom above 48.
    assert 1.5 < found[:, 1].max() < 2 * 48 / 30


def test_with_many_clusters_draws_follow_the_normal_law() -> None:
    scores = np.random.default_rng(5).normal(size=(4000, 1))
    distribution = DrawnDistribution(drawn_t_values(scores, Inference(draws=20_000)))
    assert distribution.ppf(0.975)[0] == pytest.approx(1.96, abs=0.04)
    assert distribution.sf(np.array([1.645]))[0] == pytest.approx(0.05, abs=0.004)


def test_coverage_of_a_mean_over_ten_clusters() -> None:
    """Means of 10 normal numbers: t(9) is exact, and the draws come near it; the normal distribution not."""
    rng, inside = np.random.default_rng(6), np.zeros(2)
    for trial in range(400):
        sample = rng.normal(size=10)
        scores = (sample - sample.mean())[:, None]
        value = abs(sample.sum()) / np.sqrt((scores**2).sum())
        reach = DrawnDistribution(drawn_t_values(scores, Inference(draws=400, seed=trial))).ppf(0.975)[0]
        inside += (value <= reach, value <= 1.96)
    # Simulation errors of 1.1 and 1.6 points.
    assert inside[0] / 400 == pytest.approx(0.95, abs=0.03)
    assert inside[1] / 400 < 0.92


def test_the_law_counts_the_value_as_one_more_draw() -> None:
    distribution = DrawnDistribution(np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 4.0]]))
    assert distribution.sf(np.array([1.0, 5.0])).tolist() == [3 / 8, 1 / 8]
    assert np.isnan(distribution.sf(np.array([np.nan, 1.0]))).tolist() == [True, False]
    assert distribution.ppf(0.75).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("method", ["analytic", "multiplier"])
@pytest.mark.parametrize("estimator", [imputation, callaway_santanna, etwfe, twfe])
def test_intervals_and_p_values_come_from_the_draws(estimator, method) -> None:
    """Errors and estimates stay; an interval excludes zero where the p-value is below 5 %."""
    panel = draw_panel(5, n_clusters=15)
    usual, drawn = (
        estimator(panel, inference=Inference(distribution=distribution, method=method)).table
        for distribution in ("t", "bootstrap_t")
    )
    for column in ("estimate", "std_error"):
        np.testing.assert_array_equal(drawn[column], usual[column])
    rows = drawn.dropna(subset="std_error")
    reach = (rows["conf_high"] - rows["estimate"]) / rows["std_error"]
    assert reach.between(1.7, 4).all()
    away = (rows["conf_low"] > 0) | (rows["conf_high"] < 0)
    clear = (rows["p_value"] - 0.05).abs() > 0.003
    assert (away == (rows["p_value"] < 0.05))[clear].all()
    assert (rows["band_high"] >= rows["conf_high"] - 1e-12).all()


def test_bands_and_intervals_are_quantiles_of_the_same_draws() -> None:
    panel = draw_panel(8, n_clusters=12)
    rng = np.random.default_rng(8)
    rows = [EstimateRow("att"), *(EstimateRow("event", event_time=e) for e in range(4))]
    scores = rng.standard_t(3, size=(len(panel.units), 5))
    scores[:, 2] = 0.0
    table = from_scores(PointEstimates(panel, "made", rows, np.arange(5.0), DRAWN), scores).table
    values = drawn_t_values(sum_by_cluster(scores, panel.cluster), DRAWN)
    moving = [1, 3, 4]
    together = np.quantile(values[:, moving].max(axis=1), 0.95)
    alone = np.quantile(values, 0.95, axis=0)
    band = (table["band_high"] - table["estimate"]) / table["std_error"]
    reach = (table["conf_high"] - table["estimate"]) / table["std_error"]
    np.testing.assert_allclose(band[moving], together, rtol=1e-5)
    np.testing.assert_allclose(reach[[0, *moving]], alone[[0, *moving]], rtol=1e-5)
    assert band[0] == pytest.approx(reach[0], rel=1e-12)
    assert table.loc[2, ["std_error", "band_high", "conf_high", "p_value"]].isna().all()
    beyond = (values[:, 4] >= table["statistic"][4]).sum()
    assert table["p_value"][4] == pytest.approx((1 + beyond) / 1000)


def test_resampled_clusters_have_no_scores_but_a_t_law() -> None:
    panel = draw_panel(4, n_clusters=16)
    boot = Inference(method="bootstrap", draws=60, distribution="t")
    found = cluster_bootstrap(twfe, panel, boot).table.iloc[0]
    reach = (found["conf_high"] - found["estimate"]) / found["std_error"]
    # Student's t with 15 degrees, 97.5 %: 2.1314.
    assert reach == pytest.approx(2.1314, abs=1e-4)
    with pytest.raises(SpecError, match="distribution: t"):
        cluster_bootstrap(twfe, panel, replace(boot, distribution="bootstrap_t"))


@pytest.mark.parametrize("distribution", ["t", "bootstrap_t"])
def test_unit_lines_have_bands_of_the_scores_and_resampled_errors(distribution) -> None:
    panel = draw_panel(7, n_units=90, n_clusters=20, adoption=(0, 2005, 2006))
    lines = {"trends": ("unit_linear",)}
    found = callaway_santanna(panel, inference=Inference(draws=99, distribution=distribution), **lines)
    once = callaway_santanna(panel, inference=Inference(draws=1, distribution=distribution), **lines)
    rows = found.path()[0].dropna(subset="std_error")
    assert found.att[1] != once.att[1]
    values = (rows["band_high"] - rows["estimate"]) / rows["std_error"]
    np.testing.assert_allclose(values, values.iloc[0], rtol=1e-9)
    assert values.iloc[0] > 2.3
    reach = (rows["conf_high"] - rows["estimate"]) / rows["std_error"]
    assert (np.ptp(reach) < 1e-9) == (distribution == "t")
