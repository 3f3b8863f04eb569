"""HonestDiD against the published examples: R, Stata, diff-diff and moderndid."""

from __future__ import annotations

import numpy as np
import pytest
from diff_diff.honest_did import HonestDiD, _flci_solve
from scipy import stats
from sensitivity_paths import (
    BC_BETA,
    BC_SIGMA,
    benzarti_carloni,
    diff_diff_result,
    medicaid,
)

from replication.inference.sensitivity import (
    breakdown_value,
    event_path,
    flci,
    honest_did,
    parallel_trends_interval,
    relative_magnitudes,
    smoothness,
)
from replication.inference.sensitivity.arp import accepted_values, least_favorable_value

FIRST, THIRD, MEAN = np.array([1.0, 0, 0, 0]), np.array([0, 0, 1.0, 0]), np.full(4, 0.25)


def conditional_on_grid(found, path, reach, points):
    """Ends of the grid points kept by the test without its least favorable stage, as R prints."""
    grid = np.linspace(-reach, reach, points)
    kept = np.zeros(points, dtype=bool)
    for one in found:
        kept |= accepted_values(one, path.estimate, path.variance, grid, 0.05, 0.0, np.inf)
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


@pytest.mark.parametrize(("kind", "weights", "bound", "plus", "points", "low", "high"), R_CONDITIONAL)
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
    [
        (0.5, 0.11812949, 0.27158387),
        (1.0, 0.06723125, 0.31868373),
        (1.5, 0.01329432, 0.36958196),
        (2.0, -0.041726, 0.423947),
    ],
)
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


def test_draws_of_the_critical_value_reach_the_printed_third_effect():
    """Stata and R print 0.339 for C-LF at M = 0, where the exact end is 0.3365.

    They take the first-stage critical value from 1,000 draws and report points of a grid that
    ends at 20 standard errors. Drawn values around ours give what is printed, often enough.
    """
    path = event_path(benzarti_carloni())
    found = smoothness.restriction(path, THIRD, 0.0)
    exact = least_favorable_value(found, path.variance, 0.005)
    reach = 20 * np.sqrt(BC_SIGMA[6, 6])
    grid = np.linspace(-reach, reach, 1000)
    root = np.linalg.cholesky(path.variance)
    rng = np.random.default_rng(0)
    ends, drawn = [], []
    for _ in range(100):
        moments = found.loading @ (root @ rng.normal(size=(len(root), 1000)))
        drawn.append(np.quantile(moments.max(axis=0), 0.995))
        kept = accepted_values(found, path.estimate, path.variance, grid, 0.05, 0.005, drawn[-1])
        ends.append(grid[kept].min())
    assert np.median(drawn) == pytest.approx(exact, abs=0.03)
    assert (np.round(ends, 3) == 0.339).mean() > 0.1
    assert min(ends) < 0.3365 < max(ends)
    assert grid.max() == pytest.approx(0.442, abs=5e-4)


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
    assert breakdown_value(medicaid(), method="smoothness", target=0) == pytest.approx(0.03, abs=0.01)


def test_largest_plausible_bend_equals_r():
    path = event_path(benzarti_carloni())
    assert smoothness.largest_plausible(path, 0.95) == pytest.approx(0.202169869297069, abs=1e-9)


def test_original_interval_equals_r():
    row = parallel_trends_interval(benzarti_carloni(), target=0).iloc[0]
    assert row["conf_low"] == pytest.approx(0.15877494280765, abs=1e-9)
    assert row["conf_high"] == pytest.approx(0.233147292681241, abs=1e-9)


@pytest.mark.parametrize("weights", [FIRST, THIRD, MEAN])
@pytest.mark.parametrize("bound", [0.005, 0.02, 0.05, 0.2])
def test_fixed_length_interval_is_that_of_diff_diff(weights, bound):
    low, high, _ = _flci_solve(BC_BETA[:4], BC_BETA[4:], BC_SIGMA, weights, 4, 4, bound)
    ours = flci.interval(event_path(benzarti_carloni()), weights, bound, 0.95)
    assert ours == pytest.approx((low, high), abs=2e-5)
    # Its weights are free of bias from a line to 2e-9 only: 1.2e-10 shorter than can be.
    assert ours[1] - ours[0] <= high - low + 1e-9


def test_why_diff_diff_is_narrower_under_relative_magnitudes():
    """diff-diff 3.13 takes the largest change before adoption as known.

    It adds z standard errors of the target to the bounds at the estimates (0.0730 is the largest
    change here), so the error of the coefficients before adoption is left out and the interval
    is too short: at Mbar = 2 it ends at -0.0002 where R has -0.042.
    """
    for bound in (0.5, 1.0, 2.0):
        peer = HonestDiD(method="relative_magnitude", M=bound, l_vec=FIRST).fit(
            diff_diff_result(BC_BETA, BC_SIGMA, 4)
        )
        change = np.abs(np.diff(np.append(BC_BETA[:4], 0.0))).max()
        reach = bound * change + stats.norm.ppf(0.975) * np.sqrt(BC_SIGMA[4, 4])
        assert (peer.ci_lb, peer.ci_ub) == pytest.approx((BC_BETA[4] - reach, BC_BETA[4] + reach))
        ours = honest_did(benzarti_carloni(), bounds=[bound], target=0).iloc[0]
        assert ours["conf_high"] - ours["conf_low"] > 0.99 * (peer.ci_ub - peer.ci_lb)
    assert ours["conf_low"] < -0.04 < peer.ci_lb
