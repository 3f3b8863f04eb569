"""HonestDiD against its definition: linear programs, draws, worst cases, scale."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import optimize, stats
from sensitivity_paths import (
    BC_BETA,
    BC_SIGMA,
    benzarti_carloni,
    drawn,
    example_path,
    medicaid,
)

from replication.inference.sensitivity import (
    breakdown_value,
    event_path,
    flci,
    honest_did,
    parallel_trends_interval,
    relative_magnitudes,
    sensitivity_frame,
    smoothness,
)
from replication.inference.sensitivity.arp import MomentInequalities, least_favorable_value
from replication.inference.sensitivity.normal_distributions import (
    chi_square_tail,
    directions,
    folded_cdf,
    folded_quantile,
    truncated_quantile,
)

MEAN = np.full(4, 0.25)


@pytest.mark.parametrize("seed", range(6))
def test_no_affine_estimator_has_a_shorter_interval(seed):
    path = event_path(drawn(seed, 6, 3))
    weights = np.full(3, 1 / 3)
    for bound in (0.0, 0.01, 0.05):
        best = flci.optimal(path, weights, bound, 0.95)
        base, bend = flci._parametrize(path, weights)
        fixed = flci._bends_after(path, weights)

        def length(u, base=base, bend=bend, fixed=fixed, bound=bound):
            bias = bound * (fixed + np.abs(u).sum())
            return flci._interval_of(path, base + bend @ u, bias, 0.95)[1]

        start = np.linalg.lstsq(bend, best.weights - base, rcond=None)[0]
        found = optimize.minimize(
            length, start, method="Nelder-Mead", options={"maxiter": 3000, "xatol": 1e-10}
        )
        other = optimize.minimize(length, np.zeros(5), method="Powell")
        assert best.half_length <= min(found.fun, other.fun) + 1e-9


def test_worst_bias_is_reached_and_never_exceeded():
    path = event_path(drawn(3, 5, 4))
    best = flci.optimal(path, MEAN, 0.03, 0.95)
    bends = smoothness.second_differences(path)
    limits = {"A_ub": np.vstack([bends, -bends]), "b_ub": np.full(2 * len(bends), 0.03)}
    worst = optimize.linprog(-best.weights, **limits, bounds=(None, None))
    assert -worst.fun == pytest.approx(best.bias, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["rm", "sd"])
def test_statistic_is_the_linear_program(seed, kind):
    """The maximum over the written-out rays equals the program of the paper, solved by HiGHS."""
    path = event_path(drawn(seed, 4, 3))
    weights = np.array([0.5, 0.2, 0.3])
    n_pre = 4
    changes = relative_magnitudes.first_differences(path)
    for theta in (-0.4, 0.0, 0.7):
        if kind == "rm":
            found = relative_magnitudes.restrictions(path, weights, 0.8)[5]
            slack = -0.8 * changes[2]
            rows = np.vstack([changes[n_pre:] - slack, -changes[n_pre:] - slack])
            d = 0.0
        else:
            found = smoothness.restriction(path, weights, 0.1)
            after = smoothness.second_differences(path)[n_pre - 1 :]
            rows, d = np.vstack([after, -after]), 0.1
        sd = np.sqrt(np.einsum("ik,kl,il->i", rows, path.variance, rows))
        # Unknown: eta and the effects tau, with weights' tau = theta.
        program = optimize.linprog(
            np.r_[1.0, np.zeros(3)],
            A_ub=-np.column_stack([sd, rows[:, n_pre:]]),
            b_ub=d - rows @ path.estimate,
            A_eq=np.r_[0.0, weights][None],
            b_eq=[theta],
            bounds=(None, None),
        )
        statistic = (found.loading @ path.estimate - found.offset - found.slope * theta).max()
        assert statistic == pytest.approx(program.fun, abs=1e-8)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 20, 41])
def test_tail_of_a_chi_square_is_that_of_scipy(freedom):
    """To 1e-12 of its size as far as doubles reach; scipy's own rounding is 1e-13 there."""
    square = np.concatenate([[0.0], np.geomspace(1e-8, 1400, 400), [1e9, np.inf]])
    np.testing.assert_allclose(chi_square_tail(square, freedom), stats.chi2.sf(square, freedom), rtol=1e-12)


def test_least_favorable_value_is_the_quantile_of_draws():
    path = event_path(benzarti_carloni())
    for found in relative_magnitudes.restrictions(path, MEAN, 1.0)[:3]:
        value = least_favorable_value(found, path.variance, 0.05)
        draws = np.random.default_rng(1).multivariate_normal(np.zeros(8), BC_SIGMA, size=200_000)
        share = ((draws @ found.loading.T).max(axis=1) > value).mean()
        # Four standard errors of the simulation.
        assert share == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 200_000))


def test_least_favorable_value_has_its_size_whatever_the_moments():
    """Scales from 1e-6 to 1e6, one moment or many, some alike."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        size, (moments, periods) = float(rng.choice([0.001, 0.005, 0.05, 0.2])), rng.integers(1, 16, size=2)
        loading = rng.normal(size=(moments, periods)) * np.exp(4 * rng.normal(size=(moments, 1)))
        loading[: rng.integers(1, moments + 1)] = loading[0]
        root = rng.normal(size=(periods, periods)) * 10 ** rng.uniform(-3, 3)
        found = MomentInequalities(loading, np.zeros(moments), np.zeros(moments))
        value = least_favorable_value(found, root @ root.T, size)
        factor = np.linalg.svd(loading @ root, full_matrices=False)
        kept = 1e-5 * factor.S.max() < factor.S
        reach = (directions(int(kept.sum())) @ (factor.U * factor.S)[:, kept].T).max(axis=1)
        tail = np.where(reach > 0, stats.chi.sf(value / np.abs(reach), kept.sum()), 0.0).mean()
        # Other axes than the function's: 16,384 directions give a tail of 0.001 within 5 percent.
        assert tail == pytest.approx(size, rel=5e-2)


def test_intervals_cover_at_the_edge_of_the_restriction():
    """Violations as large as allowed, all in one direction: the worst case for coverage."""
    bound = 1.0
    delta = np.array([-0.3, -0.2, -0.1, 0.1, 0.2])
    variance = 0.05**2 * (np.eye(5) + 0.5)
    weights = np.full(2, 0.5)
    truth, rng = 0.0, np.random.default_rng(7)
    hits = {"relative_magnitudes": 0, "smoothness": 0}
    draws = 100
    for estimate in rng.multivariate_normal(delta, variance, size=draws):
        path = event_path(example_path(estimate, variance, [-4, -3, -2, 0, 1]))
        low, high = relative_magnitudes.interval(path, weights, bound, 0.9)
        hits["relative_magnitudes"] += low <= truth <= high
        low, high = flci.interval(path, weights, 0.0, 0.9)
        hits["smoothness"] += low <= truth <= high
    # At 90% and 100 draws three standard errors are 0.09; relative magnitudes may over-cover.
    assert hits["relative_magnitudes"] / draws > 0.81
    assert 0.81 < hits["smoothness"] / draws < 0.99


def test_bound_zero_is_parallel_trends_or_a_straight_line():
    estimates = benzarti_carloni()
    plain = parallel_trends_interval(estimates).iloc[0]
    honest = honest_did(estimates, bounds=[0]).iloc[0]
    assert honest["conf_low"] == pytest.approx(plain["conf_low"], abs=1e-6)
    assert honest["conf_high"] == pytest.approx(plain["conf_high"], abs=1e-6)


@pytest.mark.parametrize("method", ["relative_magnitudes", "smoothness_clf"])
def test_wider_bounds_give_wider_intervals(method):
    frame = honest_did(drawn(11, 5, 3), method=method, bounds=[0.2, 0.5, 1, 2, 4])
    assert (np.diff(frame["conf_low"]) < 0).all()
    assert (np.diff(frame["conf_high"]) > 0).all()


@pytest.mark.parametrize("method", ["relative_magnitudes", "smoothness", "smoothness_clf"])
def test_scaling_the_outcome_scales_the_interval(method):
    small = honest_did(benzarti_carloni(), method=method, bounds=[0.5], target=1).iloc[0]
    factor = 1000.0
    scaled = example_path(factor * BC_BETA, factor**2 * BC_SIGMA, [-5, -4, -3, -2, 0, 1, 2, 3])
    bound = 0.5 if method == "relative_magnitudes" else 0.5 * factor
    large = honest_did(scaled, method=method, bounds=[bound], target=1).iloc[0]
    for column in ("conf_low", "conf_high"):
        assert large[column] / factor == pytest.approx(small[column], abs=1e-6)


@pytest.mark.parametrize("method", ["relative_magnitudes", "smoothness", "smoothness_clf"])
def test_breakdown_is_where_the_interval_meets_zero(method):
    estimates = benzarti_carloni()
    value = breakdown_value(estimates, method=method, target=0)
    inside, outside = honest_did(estimates, method=method, target=0, bounds=[value * 1.001, value * 0.999])[
        "conf_low"
    ]
    assert inside < 0 < outside


def test_breakdown_is_zero_where_nothing_was_significant():
    null = float(parallel_trends_interval(benzarti_carloni())["estimate"].iloc[0])
    assert breakdown_value(benzarti_carloni(), null=null) == 0.0


def test_one_period_after_uses_the_inequalities_before_too():
    # R HonestDiD: with one period after, moments among the periods before enter the test.
    path = event_path(example_path(BC_BETA[:5], BC_SIGMA[:5, :5], [-5, -4, -3, -2, 0]))
    found = relative_magnitudes.restrictions(path, np.ones(1), 1.0)
    assert len(found) == 8
    # One inequality each for the seven other changes before and the largest itself, three after.
    assert all(len(one.slope) == 3 + 7 for one in found)
    low, high = relative_magnitudes.interval(path, np.ones(1), 1.0, 0.95)
    assert low < BC_BETA[4] < high


def test_frame_is_what_the_figure_reads():
    frame = sensitivity_frame(medicaid(), target=0)
    assert {"m", "conf_low", "conf_high", "estimate", "method", "panel", "spec_id"} <= set(frame)
    first = frame.groupby("panel").head(1)
    assert first["m"].isna().all()
    assert (first["method"] == "original").all()
    assert list(frame["panel"].unique()) == ["Relative magnitudes", "Smoothness"]
    assert list(frame.loc[frame["method"] == "relative_magnitudes", "m"]) == [0, 0.5, 1, 1.5, 2]


def test_seven_before_and_four_after_take_well_under_two_seconds():
    estimates = drawn(5, 7, 4)
    for method in ("relative_magnitudes", "smoothness", "smoothness_clf"):
        start = time.process_time()
        honest_did(estimates, method=method)
        # A loaded machine may be several times slower than the 0.2 s that this takes.
        assert time.process_time() - start < 2


def test_quantiles_far_in_the_tails():
    low, high = np.array([5.0, -9.0, 30.0, -np.inf, -1.0]), np.array([np.inf, -6.0, 31.0, 1.0, 2.0])
    value = truncated_quantile(0.95, low, high)
    assert ((low <= value) & (value <= high)).all()
    # P(Z > q) = 0.05 P(Z > 5) in the one-sided tail.
    assert value[0] == pytest.approx(stats.norm.isf(0.05 * stats.norm.sf(5)), abs=1e-9)
    assert folded_quantile(0.95, 0.0) == pytest.approx(1.959963984540054, abs=1e-12)
    for mean in (0.3, 2.0, 40.0):
        assert folded_cdf(folded_quantile(0.9, mean), mean) == pytest.approx(0.9, abs=1e-12)
