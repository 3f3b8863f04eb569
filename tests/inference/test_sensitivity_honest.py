"""HonestDiD against R, Stata, diff-diff and moderndid, and against its own definition."""

from __future__ import annotations

import time

import numpy as np
import pytest
from diff_diff.honest_did import _flci_solve
from scipy import optimize, stats
from sensitivity_paths import (
    BC_BETA,
    BC_SIGMA,
    benzarti_carloni,
    drawn,
    made_path,
    medicaid,
)

from replication.inference.sensitivity import (
    breakdown_value,
    event_path,
    flci,
    honest_did,
    original,
    relative_magnitudes,
    sensitivity_frame,
    smoothness,
)
from replication.inference.sensitivity.arp import accepted, least_favourable_value
from replication.inference.sensitivity.normal import folded_cdf, folded_quantile, truncated_quantile

FIRST, THIRD, MEAN = np.array([1.0, 0, 0, 0]), np.array([0, 0, 1.0, 0]), np.full(4, 0.25)


def conditional_on_grid(found, path, reach, points):
    """Ends of the grid points kept by the test without its least favourable stage, as R prints."""
    grid = np.linspace(-reach, reach, points)
    kept = np.zeros(points, dtype=bool)
    for one in found:
        kept |= accepted(one, path.estimate, path.variance, grid, 0.05, 0.0, np.inf)
    return grid[kept].min(), grid[kept].max()


# R HonestDiD 0.2.x, method "Conditional" (no simulation in it), on R's own grids: printed to ten
# digits in the tests of the Julia port (HonestDiD.jl, test/reference.jl). Equal to the digit.
R_CONDITIONAL = [
    ("rm", FIRST, 1.0, 0.0, 200, 0.07055244362, 0.3184394077),
    ("sd", FIRST, 0.1, 0.1, 200, 0.1228761035, 0.4168150178),
    ("sd", FIRST, 0.0, 0.0, 1000, 0.2100501789, 0.3277998271),
    ("sd", FIRST, 0.1, 0.1, 1000, 0.1195044811, 0.4180257149),
    ("sd", FIRST, 0.2, 0.2, 1000, 0.02030132213, 0.5179737331),
    ("sd", MEAN, 0.1, 0.5, 100, -0.1809607769, 0.8531008055),
]


@pytest.mark.parametrize(
    ("kind", "weights", "bound", "plus", "points", "low", "high"), R_CONDITIONAL
)
def test_conditional_sets_equal_r_to_the_digit(kind, weights, bound, plus, points, low, high):
    path = event_path(benzarti_carloni())
    found = (
        relative_magnitudes.restrictions(path, weights, bound)
        if kind == "rm"
        else [smoothness.restriction(path, weights, bound)]
    )
    reach = plus + 20 * np.sqrt(weights @ BC_SIGMA[4:, 4:] @ weights)
    assert conditional_on_grid(found, path, reach, points) == pytest.approx((low, high), abs=1e-9)


# R HonestDiD, createSensitivityResults_relativeMagnitudes with its defaults (honestdid for Python,
# tests/r_test_results.json). R reports points of a grid with spacing 40 sd / 999 = 0.00076 inside
# the set, and simulates the first-stage critical value with 1,000 draws (Stata's draws move the
# ends by up to 0.001). At Mbar 2 R's upper end is the end of its grid, 20 sd = 0.379; moderndid
# 0.2.0, whose grid is wider, has -0.041726 and 0.423947.
@pytest.mark.parametrize(
    ("bound", "low", "high"),
    [(0.5, 0.11812949, 0.27158387), (1.0, 0.06723125, 0.31868373), (1.5, 0.01329432, 0.36958196),
     (2.0, -0.041726, 0.423947)],
)  # fmt: skip
def test_relative_magnitudes_of_the_published_example(bound, low, high):
    row = honest_did(benzarti_carloni(), bounds=[bound], target=0).iloc[0]
    assert row["conf_low"] == pytest.approx(low, abs=1e-3)
    assert row["conf_high"] == pytest.approx(high, abs=1e-3)
    assert row["conf_low"] <= low
    assert row["conf_high"] >= high


# Unit tests of the Stata package (honestdid, test/README): smoothness in Stata and R, 3 decimals,
# for the first and the third effect. R and Stata stop at the end of their grid for the third
# effect (upper ends 0.442 and 1.04 for C-LF), where moderndid does too; only lower ends compare.
@pytest.mark.parametrize(
    ("method", "target", "bound", "low", "high", "tolerance"),
    [
        ("smoothness", 0, 0.0, 0.131411, 0.216170, 3e-4),
        ("smoothness", 0, 0.01, 0.154965, 0.270385, 3e-4),
        ("smoothness", 0, 0.02, 0.177301, 0.315956, 1e-3),
        ("smoothness", 0, 0.03, 0.189404, 0.348548, 3e-4),
        ("smoothness", 0, 0.1, 0.119444, 0.418508, 3e-4),
        ("smoothness", 0, 0.2, 0.019444, 0.518508, 3e-4),
        ("smoothness", 2, 0.0, 0.144, 0.260, 1e-3),
        ("smoothness", 2, 0.1, -0.244, 1.161, 1e-3),
        ("smoothness", 2, 0.3, -1.444, 2.361, 1e-3),
        ("smoothness_clf", 0, 0.0, 0.209, 0.329, 1.2e-3),
        ("smoothness_clf", 0, 0.1, 0.119, 0.419, 1.2e-3),
        ("smoothness_clf", 0, 0.2, 0.0191, 0.519, 1.2e-3),
        ("smoothness_clf", 0, 0.3, -0.0809, 0.620, 1.2e-3),
        ("smoothness_clf", 2, 0.1, -0.243, None, 3e-3),
    ],
)
def test_smoothness_of_the_published_example(method, target, bound, low, high, tolerance):
    row = honest_did(benzarti_carloni(), method=method, bounds=[bound], target=target).iloc[0]
    assert row["conf_low"] == pytest.approx(low, abs=tolerance)
    if high is not None:
        assert row["conf_high"] == pytest.approx(high, abs=tolerance)


# README of R HonestDiD: three printed digits, from a grid of spacing 0.0004.
@pytest.mark.parametrize(
    ("method", "target", "bound", "low", "high"),
    [
        ("relative_magnitudes", 0, 0.5, 0.0240, 0.0672),
        ("relative_magnitudes", 0, 1.0, 0.0170, 0.0720),
        ("relative_magnitudes", 0, 1.5, 0.00824, 0.0797),
        ("relative_magnitudes", 0, 2.0, -0.000916, 0.0881),
        ("relative_magnitudes", "average", 1.0, 0.020, 0.090),
        ("relative_magnitudes", "average", 2.0, -0.008, 0.117),
        ("smoothness", 0, 0.0, 0.0259, 0.0607),
        ("smoothness", 0, 0.01, 0.0132, 0.0787),
        ("smoothness", 0, 0.02, 0.00286, 0.0907),
        ("smoothness", 0, 0.03, -0.00714, 0.101),
        ("smoothness", 0, 0.05, -0.0271, 0.121),
    ],
)
def test_medicaid_example(method, target, bound, low, high):
    row = honest_did(medicaid(), method=method, bounds=[bound], target=target).iloc[0]
    assert row["conf_low"] == pytest.approx(low, abs=9e-4)
    assert row["conf_high"] == pytest.approx(high, abs=9e-4)


def test_medicaid_breakdown_values_as_published():
    assert breakdown_value(medicaid(), target=0) == pytest.approx(2.0, abs=0.1)
    assert breakdown_value(medicaid(), method="smoothness", target=0) == pytest.approx(
        0.03, abs=0.01
    )


def test_largest_plausible_bend_equals_r():
    path = event_path(benzarti_carloni())
    assert smoothness.largest_plausible(path, 0.95) == pytest.approx(0.202169869297069, abs=1e-9)


def test_original_interval_equals_r():
    row = original(benzarti_carloni(), target=0).iloc[0]
    assert row["conf_low"] == pytest.approx(0.15877494280765, abs=1e-9)
    assert row["conf_high"] == pytest.approx(0.233147292681241, abs=1e-9)


@pytest.mark.parametrize("weights", [FIRST, THIRD, MEAN])
@pytest.mark.parametrize("bound", [0.005, 0.02, 0.05, 0.2])
def test_fixed_length_interval_is_that_of_diff_diff(weights, bound):
    # diff-diff's relative magnitudes are not held against: its interval adds z se to the estimated
    # bounds, which ignores the error of the coefficients before adoption.
    low, high, _ = _flci_solve(BC_BETA[:4], BC_BETA[4:], BC_SIGMA, weights, 4, 4, bound)
    ours = flci.interval(event_path(benzarti_carloni()), weights, bound, 0.95)
    assert ours == pytest.approx((low, high), abs=2e-5)
    assert ours[1] - ours[0] <= high - low + 1e-10


@pytest.mark.parametrize("seed", range(6))
def test_no_affine_estimator_has_a_shorter_interval(seed):
    path = event_path(drawn(seed, 6, 3))
    weights = np.full(3, 1 / 3)
    for bound in (0.0, 0.01, 0.05):
        best = flci.optimal(path, weights, bound, 0.95)
        base, bend = flci._parametrise(path, weights)
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
    size, n_pre = 7, 4
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
            A_ub=-np.column_stack([sd, rows[:, n_pre:]]), b_ub=d - rows @ path.estimate,
            A_eq=np.r_[0.0, weights][None], b_eq=[theta], bounds=(None, None),
        )  # fmt: skip
        statistic = (found.loading @ path.estimate - found.offset - found.slope * theta).max()
        assert statistic == pytest.approx(program.fun, abs=1e-8)
    assert found.loading.shape[1] == size


def test_least_favourable_value_is_the_quantile_of_draws():
    path = event_path(benzarti_carloni())
    for found in relative_magnitudes.restrictions(path, MEAN, 1.0)[:3]:
        value = least_favourable_value(found, path.variance, 0.05)
        draws = np.random.default_rng(1).multivariate_normal(np.zeros(8), BC_SIGMA, size=200_000)
        share = ((draws @ found.loading.T).max(axis=1) > value).mean()
        # Four standard errors of the simulation.
        assert share == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 200_000))


def test_intervals_cover_at_the_edge_of_the_restriction():
    """Violations as large as allowed, all in one direction: the worst case for coverage."""
    n_pre, post, bound = 3, 2, 1.0
    delta = np.array([-0.3, -0.2, -0.1, 0.1, 0.2])
    variance = 0.05**2 * (np.eye(5) + 0.5)
    weights = np.full(post, 0.5)
    truth, rng = 0.0, np.random.default_rng(7)
    hits = {"relative_magnitudes": 0, "smoothness": 0}
    draws = 100
    for estimate in rng.multivariate_normal(delta, variance, size=draws):
        path = event_path(made_path(estimate, variance, [-4, -3, -2, 0, 1]))
        low, high = relative_magnitudes.interval(path, weights, bound, 0.9)
        hits["relative_magnitudes"] += low <= truth <= high
        low, high = flci.interval(path, weights, 0.0, 0.9)
        hits["smoothness"] += low <= truth <= high
    # At 90% and 100 draws three standard errors are 0.09; relative magnitudes may over-cover.
    assert hits["relative_magnitudes"] / draws > 0.81
    assert 0.81 < hits["smoothness"] / draws < 0.99
    assert n_pre == path.n_pre


def test_bound_zero_is_parallel_trends_or_a_straight_line():
    estimates = benzarti_carloni()
    plain = original(estimates).iloc[0]
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
    scaled = made_path(factor * BC_BETA, factor**2 * BC_SIGMA, [-5, -4, -3, -2, 0, 1, 2, 3])
    bound = 0.5 if method == "relative_magnitudes" else 0.5 * factor
    large = honest_did(scaled, method=method, bounds=[bound], target=1).iloc[0]
    for column in ("conf_low", "conf_high"):
        assert large[column] / factor == pytest.approx(small[column], abs=1e-6)


@pytest.mark.parametrize("method", ["relative_magnitudes", "smoothness", "smoothness_clf"])
def test_breakdown_is_where_the_interval_meets_zero(method):
    estimates = benzarti_carloni()
    value = breakdown_value(estimates, method=method, target=0)
    inside, outside = honest_did(
        estimates, method=method, target=0, bounds=[value * 1.001, value * 0.999]
    )["conf_low"]
    assert inside < 0 < outside


def test_breakdown_is_zero_where_nothing_was_significant():
    null = float(original(benzarti_carloni())["estimate"].iloc[0])
    assert breakdown_value(benzarti_carloni(), null=null) == 0.0


def test_one_period_after_uses_the_inequalities_before_too():
    # R HonestDiD: with one period after, moments among the periods before enter the test.
    path = event_path(made_path(BC_BETA[:5], BC_SIGMA[:5, :5], [-5, -4, -3, -2, 0]))
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
