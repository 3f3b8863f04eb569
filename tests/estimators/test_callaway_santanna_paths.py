"""The general path equals the sums by cohort; draws in cohort space equal draws of the scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from group_time_data import cell, staggered, value
from scipy import sparse, stats

from replication.core.details import EventSupport
from replication.core.spec import Inference
from replication.estimators.callaway_santanna import callaway_santanna, summarize
from replication.estimators.callaway_santanna.aggregation import LinearMap
from replication.estimators.callaway_santanna.cell_plan import plan_cells
from replication.estimators.callaway_santanna.cells_one_by_one import general_scores
from replication.estimators.callaway_santanna.cohort_sums import CohortSums
from replication.estimators.callaway_santanna.comparison_sample import group_time_design
from replication.estimators.callaway_santanna.detrending import slope_weights, without_short_cohorts
from replication.estimators.callaway_santanna.group_time_fit import fit_cells
from replication.estimators.callaway_santanna.influence import CohortRows, cell_std_errors, influence_loadings
from replication.estimators.triple_difference import triple_difference
from replication.inference.cluster_bootstrap import cluster_bootstrap
from replication.inference.multipliers import multipliers

DESIGNS = [
    ({}, "never_treated", 0),
    ({"weights": "constant", "clusters": 9}, "not_yet_treated", 0),
    ({"adoption": (3, 4, 6, 7), "one_alone": True}, "not_yet_treated", 1),
    ({"periods": (1, 2, 4, 7, 8, 11, 12), "adoption": (0, 3, 4, 8, 9)}, "last_treated", 0),
]


UNIT_CLUSTERS = [({**artificial, "clusters": None}, *rest) for artificial, *rest in DESIGNS]


def by_sums(design, cells) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and scores of all cells from sums by cohort."""
    fit = fit_cells(design, cells, adjustment="doubly_robust", fix_weights="none", detrend=False)
    assert fit.sums is not None
    return fit.estimate, in_order(rows_of(fit.sums, cells_alone(fit.sums)))


def rows_of(sums: CohortSums, rows: LinearMap, factor: float = 1.0) -> CohortRows:
    """The rows of a linear map."""
    return CohortRows(sums, list(influence_loadings(sums, rows, factor)))


def in_order(rows: CohortRows) -> np.ndarray:
    """Scores by cluster, in the order of the clusters."""
    return rows.scores()[:, np.argsort(rows.clusters)]


def cells_alone(sums: CohortSums) -> LinearMap:
    """Rows that are the cells themselves."""
    count = sums.cells.time.size
    return LinearMap(sparse.csr_matrix(np.eye(count)), np.zeros((count, sums.size.size)))


@pytest.mark.parametrize("base_period", ["universal", "varying"])
@pytest.mark.parametrize(("artificial", "control_group", "anticipation"), DESIGNS)
def test_cell_by_cell_equals_sums_by_cohort(artificial, control_group, anticipation, base_period):
    design = group_time_design(
        staggered(31, **artificial), control_group=control_group, anticipation=anticipation
    )
    cells = plan_cells(design, base_period)
    fast = by_sums(design, cells)
    for rule in ("none", "base_period", "varying"):
        estimate, scores, problems = general_scores(design, cells, "doubly_robust", rule)
        assert problems == []
        np.testing.assert_allclose(estimate, fast[0], atol=1e-13)
        np.testing.assert_allclose(scores, fast[1], atol=1e-14)


@pytest.mark.parametrize("base_period", ["universal", "varying"])
@pytest.mark.parametrize(("artificial", "control_group", "anticipation"), DESIGNS)
def test_draws_in_cohort_space_equal_draws_of_the_scores(
    artificial, control_group, anticipation, base_period
):
    design = group_time_design(
        staggered(32, **artificial), control_group=control_group, anticipation=anticipation
    )
    cells = plan_cells(design, base_period)
    estimate, scores = general_scores(design, cells, "doubly_robust", "none")[:2]
    sums = CohortSums(design, cells)
    factors = multipliers(np.random.default_rng(1), "mammen", (7, scores.shape[1]))
    np.testing.assert_allclose(cell_draws(sums, factors), factors @ scores.T, atol=1e-13)
    np.testing.assert_allclose(sums.estimate(), estimate, atol=1e-13)


def cell_draws(sums: CohortSums, factors: np.ndarray) -> np.ndarray:
    draws = np.zeros((len(factors), sums.cells.time.size), dtype=factors.dtype)
    means = sums.influence(np.ascontiguousarray(factors.T))
    for level in range(sums.design.cohorts.size):
        index, values = sums.cells_of(means, level)
        draws[:, index] = values.T
    return draws


def test_covariate_without_relation_to_anything_changes_nothing_in_a_regression() -> None:
    """A covariate orthogonal to outcome changes and equal on both sides: the plain estimate."""
    panel = staggered(33, n_units=40, adoption=(0, 4), periods=range(1, 6))
    twice = replace(
        panel,
        y=np.repeat(panel.y, 2, axis=0),
        units=np.arange(80),
        cohort=np.repeat(panel.cohort, 2),
        weight=np.ones((80, 5)),
        clusters={"unit": np.arange(80)},
    )
    sign = np.tile([-1.0, 1.0], 40)[:, None] * np.ones(5)
    with_covariate = replace(twice, covariates=sign[None], covariate_names=("sign",))
    for adjustment in ("outcome_regression", "ipw", "doubly_robust"):
        found = callaway_santanna(with_covariate, adjustment=adjustment)
        plain = callaway_santanna(twice)
        assert found.att == pytest.approx(plain.att, rel=1e-10)


def test_covariate_of_the_earlier_period_is_used() -> None:
    panel = staggered(34, covariates=1, n_units=200, periods=range(1, 5), adoption=(0, 3))
    later = panel.covariates.copy()
    later[:, :, 3] = np.random.default_rng(2).normal(size=200)
    changed = callaway_santanna(replace(panel, covariates=later), base_period="varying")
    plain = callaway_santanna(panel, base_period="varying")
    for time in (2, 3, 4):
        assert cell(changed, 3, time) == cell(plain, 3, time)
    early = panel.covariates.copy()
    early[:, :, 1] += np.random.default_rng(3).normal(size=200)
    moved = callaway_santanna(replace(panel, covariates=early), base_period="varying")
    assert cell(moved, 3, 2) == cell(plain, 3, 2)
    assert cell(moved, 3, 4) != cell(plain, 3, 4)


def test_pairs_equal_drop_on_a_whole_panel() -> None:
    panel = staggered(35, weights="constant", clusters=10)
    pairs = callaway_santanna(panel, unbalanced="pairwise")
    pd.testing.assert_frame_equal(pairs.table, callaway_santanna(panel).table)


def test_bootstrap_errors_come_close_to_the_analytic_ones() -> None:
    panel = staggered(36, n_units=300)
    analytic = callaway_santanna(panel)
    for method in ("multiplier", "bootstrap"):
        drawn = callaway_santanna(panel, inference=Inference(method=method, draws=4000))
        np.testing.assert_array_equal(drawn.table["estimate"], analytic.table["estimate"])
        # 4,000 draws: 1.1 percent noise in a standard deviation, twice that in a quartile range.
        ratio = drawn.table["std_error"] / analytic.table["std_error"]
        assert ratio.between(0.9, 1.1).sum() == analytic.table["std_error"].notna().sum()
        np.testing.assert_allclose(
            np.sqrt(np.diag(drawn.vcov)), drawn.table["std_error"].fillna(0), rtol=1e-10
        )


def test_bootstrap_in_cohort_space_equals_redoing_the_estimate() -> None:
    """The closed form against the general bootstrap, which runs the estimator on every draw.

    They draw clusters in different ways from the generator, so that only the size of the errors
    can agree. A covariate forces the general bootstrap.
    """
    panel = staggered(45, n_units=100, adoption=(0, 4), periods=range(1, 6))
    closed = callaway_santanna(panel, inference=Inference(method="bootstrap", draws=2000))
    general = cluster_bootstrap(callaway_santanna, panel, Inference(method="bootstrap", draws=150))
    # 150 draws: 6 percent noise in a standard deviation.
    assert closed.att[1] == pytest.approx(general.att[1], rel=0.2)
    noise = np.random.default_rng(45).normal(size=(1, 100, 5))
    with_covariate = replace(panel, covariates=noise, covariate_names=("noise",))
    found = callaway_santanna(with_covariate, inference=Inference(method="bootstrap", draws=20))
    assert found.details.uncertainty.resampled_clusters == 100
    assert found.att[1] == pytest.approx(callaway_santanna(with_covariate).att[1], rel=0.6)


def test_spatial_errors_without_reach_are_those_of_units() -> None:
    panel = staggered(46, clusters=10)
    places = np.column_stack([np.linspace(30, 45, 80), np.linspace(-110, -80, 80)])
    near = Inference(method="conley", cutoff_km=1e-6)
    found = callaway_santanna(replace(panel, coordinates=places), inference=near)
    by_unit = callaway_santanna(replace(panel, clusters={"unit": np.arange(80)}))
    np.testing.assert_allclose(
        found.table[["estimate", "std_error"]], by_unit.table[["estimate", "std_error"]], rtol=1e-9
    )


def test_multiplier_errors_are_the_interquartile_range_of_the_draws() -> None:
    panel = staggered(37, adoption=(0, 4), n_units=30)
    inference = Inference(method="multiplier", draws=200, seed=5)
    design = group_time_design(panel, control_group="not_yet_treated")
    cells = plan_cells(design, "universal")
    _, scores = by_sums(design, cells)
    factors = multipliers(np.random.default_rng(5), "rademacher", (30, 200))
    draws = np.sort(scores[-1] @ factors)
    found = cell(callaway_santanna(panel, inference=inference), 4, 8)
    expected = (draws[149] - draws[49]) / (stats.norm.ppf(0.75) - stats.norm.ppf(0.25))
    # The draws are multiplied in single precision.
    assert found[1] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("method", ["analytic", "multiplier"])
@pytest.mark.parametrize("base_period", ["universal", "varying"])
@pytest.mark.parametrize(("artificial", "control_group", "anticipation"), [*DESIGNS, *UNIT_CLUSTERS])
def test_many_cells_by_moments_equal_cells_by_scores(
    artificial, control_group, anticipation, base_period, method, monkeypatch
):
    panel = staggered(47, **artificial)
    options = {
        "control_group": control_group,
        "anticipation": anticipation,
        "base_period": base_period,
        "inference": Inference(method=method, draws=99),
    }
    kept = callaway_santanna(panel, **options)
    monkeypatch.setattr(summarize, "LARGEST_VCOV", 5)
    many = callaway_santanna(panel, **options)
    np.testing.assert_allclose(many.table["estimate"], kept.table["estimate"], rtol=1e-9, atol=1e-12)
    if method == "analytic":
        exact = ["std_error", "conf_low"]
        np.testing.assert_allclose(many.table[exact], kept.table[exact], rtol=1e-9, atol=1e-12)
    # Draws are multiplied in single precision, in another order.
    numbers = ["std_error", "conf_low", "band_low", "band_high"]
    np.testing.assert_allclose(many.table[numbers], kept.table[numbers], rtol=1e-5, atol=1e-6)
    names = many.vcov.index
    assert not any(name.startswith("att_gt") for name in names)
    same = {"atol": 1e-13} if method == "analytic" else {"rtol": 1e-5, "atol": 1e-9}
    np.testing.assert_allclose(many.vcov, kept.vcov.loc[names, names], **same)
    for test in ("pretest_cells", "pretrend"):
        expected, found = (one.details.find(f"{test}.statistic") for one in (kept, many))
        # Nine clusters test no more than eight values.
        # The path has the errors of the draws where these are asked for; the cells never have.
        close = 1e-5 if (test, method) == ("pretrend", "multiplier") else 1e-8
        assert found == (None if expected is None else pytest.approx(expected, rel=close))
    np.testing.assert_allclose(many.overall.sums, kept.overall.sums, atol=1e-14)


@pytest.mark.parametrize("detrend", [False, True])
@pytest.mark.parametrize(("artificial", "control_group", "anticipation"), [*DESIGNS, *UNIT_CLUSTERS])
def test_moments_by_cohort_equal_products_of_the_scores(
    artificial, control_group, anticipation, detrend
) -> None:
    """Also with few enough periods for the moments, and with the cells' own errors."""
    artificial = {**artificial, "n_units": 150, "periods": artificial.get("periods", range(1, 9))}
    design = group_time_design(
        staggered(48, **artificial), control_group=control_group, anticipation=anticipation
    )
    design = without_short_cohorts(design) if detrend else design
    sums = CohortSums(design, plan_cells(design, "universal"), slope_weights(design) if detrend else None)
    plain = cells_alone(sums)
    tilted = replace(plain, tilt=np.random.default_rng(4).normal(size=plain.tilt.shape))
    rows = rows_of(sums, tilted, 1.1)
    scores = in_order(rows)
    np.testing.assert_allclose(rows.covariance(), scores @ scores.T, atol=1e-13)
    np.testing.assert_allclose(in_order(rows.first(3)), scores[:3], atol=1e-14)
    factors = multipliers(np.random.default_rng(2), "mammen", (scores.shape[1], 7))
    np.testing.assert_allclose(rows.draws(factors), scores @ factors, atol=1e-13)
    alone = in_order(rows_of(sums, plain))
    np.testing.assert_allclose(cell_std_errors(sums), np.sqrt((alone**2).sum(axis=1)), atol=1e-13)
    draws = cell_draws(sums, np.eye(design.panel.n_clusters))
    np.testing.assert_allclose(draws, alone.T, atol=1e-13)


@pytest.mark.parametrize("control_group", ["never_treated", "not_yet_treated"])
def test_single_precision_is_far_below_the_noise_of_the_draws(control_group) -> None:
    """Outcomes as large as a thousand standard deviations of their changes, 2,000 units."""
    panel = staggered(44, n_units=2000, periods=range(1, 21), adoption=(0, 5, 9, 14))
    panel = replace(panel, y=panel.y + 1000 * np.random.default_rng(44).normal(size=(2000, 1)))
    design = group_time_design(panel, control_group=control_group)
    cells = plan_cells(design, "universal")
    sums = CohortSums(design, cells)
    double = multipliers(np.random.default_rng(1), "rademacher", (200, 2000))
    exact, single = cell_draws(sums, double), cell_draws(sums, double.astype(np.float32))
    error = np.abs(single - exact)[:, ~cells.reference] / exact.std(axis=0)[~cells.reference]
    # A thousand draws know a quantile to about 0.05 standard deviations.
    assert error.max() < 2e-5


def test_bands_cover_all_points_of_a_path_at_once() -> None:
    found = callaway_santanna(staggered(38, n_units=200), inference=Inference(draws=5000))
    path, variance = found.path()
    free = path["std_error"].notna().to_numpy()
    scale = np.sqrt(np.diag(variance)[free])
    critical = (path["band_high"] - path["estimate"])[free] / scale
    np.testing.assert_allclose(critical, critical.iloc[0], rtol=1e-12)
    draws = np.random.default_rng(6).multivariate_normal(
        np.zeros(free.sum()), variance[np.ix_(free, free)], size=20_000
    )
    inside = (np.abs(draws) <= critical.iloc[0] * scale).all(axis=1).mean()
    # Binomial noise of 20,000 checks and 5,000 draws is 0.4 percent.
    assert inside == pytest.approx(0.95, abs=0.015)


def test_same_seed_same_bytes_other_seed_other_bands() -> None:
    panel = staggered(39, clusters=15)
    one, again, other = (callaway_santanna(panel, inference=Inference(seed=seed)) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.table, again.table, check_exact=True)
    assert (one.table["band_low"] != other.table["band_low"]).any()
    np.testing.assert_array_equal(one.table["conf_low"], other.table["conf_low"])


def test_many_cells_are_left_out_of_the_covariance_only() -> None:
    panel = staggered(40, n_units=100, periods=range(1, 61), adoption=(0, *range(5, 60, 3)))
    found = callaway_santanna(panel, inference=Inference(draws=50))
    cells = found.rows("att_gt")
    assert len(cells) > 1000
    assert cells["std_error"].notna().sum() == len(cells) - cells["cohort"].nunique()
    assert len(found.vcov) == len(found.table) - len(cells)
    path, variance = found.path()
    np.testing.assert_allclose(np.sqrt(np.diag(variance)), path["std_error"].fillna(0), rtol=1e-10)


def test_support_means_and_comparison_are_counted() -> None:
    panel = staggered(41, adoption=(0, 4, 7), weights="constant")
    found = callaway_santanna(panel)
    size = {cohort: int((panel.cohort == cohort).sum()) for cohort in (0, 4, 7)}
    support = {entry.event_time: entry for entry in found.details.support}
    assert support[0] == EventSupport(0, 2, size[4] + size[7])
    assert support[3] == EventSupport(3, 1, size[4])
    compared = [found.details.extras[f"comparison_units_{name}"] for name in ("fewest", "most")]
    assert compared == [size[0], size[0] + size[7]]
    before = (panel.cohort[:, None] > 0) & (panel.periods < panel.cohort[:, None])
    expected = np.average(panel.y[before], weights=panel.weight[before])
    assert found.details.mean_pre == pytest.approx(expected)


def test_window_bounds_the_event_path_and_its_average_only() -> None:
    panel = staggered(42)
    whole, short = callaway_santanna(panel), callaway_santanna(panel, window=(-2, 1))
    assert short.path()[0]["event_time"].tolist() == [-2, -1, 0, 1]
    expected = np.mean([value(whole, "event", 0)[0], value(whole, "event", 1)[0]])
    assert value(short, "event")[0] == pytest.approx(expected)
    for term in ("att", "group", "calendar"):
        assert value(short, term) == value(whole, term)


@pytest.mark.parametrize("method", ["analytic", "multiplier"])
@pytest.mark.parametrize("clusters", [None, 12])
@pytest.mark.parametrize("eligible", [False, True])
def test_many_scored_cells_without_their_covariance_equal_few(eligible, clusters, method, monkeypatch):
    """With a covariate, where averages and cells are drawn from the scores of the cells themselves."""
    panel = staggered(48, n_units=160, covariates=1, clusters=clusters, adoption=(0, 3, 5))
    options = {"inference": Inference(method=method, draws=99)}
    estimator = callaway_santanna
    if eligible:
        panel = replace(panel, strata={"eligible": np.arange(160) // 2 % 2})
        estimator, options = triple_difference, {**options, "eligible": "eligible"}
    kept = estimator(panel, **options)
    monkeypatch.setattr(summarize, "LARGEST_VCOV", 5)
    many = estimator(panel, **options)
    assert many.table["estimate"].equals(kept.table["estimate"])
    # Draws are multiplied in single precision.
    numbers = ["std_error", "conf_low", "band_low", "band_high"]
    np.testing.assert_allclose(many.table[numbers], kept.table[numbers], rtol=1e-5, atol=1e-6)
    assert not any(name.startswith("att_gt") for name in many.vcov.index)
