"""Power of pre-tests (Roth 2022) and equivalence tests (Dette & Schumann 2024)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from diff_diff.pretrends import PreTrendsPower
from scipy import stats
from sensitivity_paths import (
    BC_BETA,
    BC_SIGMA,
    benzarti_carloni,
    diff_diff_result,
    drawn,
    example_path,
    medicaid,
)

from replication.inference.sensitivity import (
    SensitivityError,
    equivalence_test,
    event_path,
    pretest_path,
    pretest_power,
)
from replication.inference.sensitivity.equivalence import smallest_bound
from replication.inference.sensitivity.normal_distributions import box_moments
from replication.inference.sensitivity.pretest_power import TESTS

Z = stats.norm.ppf(0.975)


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_box_probability_and_mean(size):
    """Against scipy's integral, and Tallis' formula for the mean from one-dimensional margins."""
    rng = np.random.default_rng(size)
    root = rng.normal(size=(size, size + 2))
    variance, mean = root @ root.T, rng.normal(size=size)
    half = 1.5 * np.sqrt(np.diag(variance))
    probability, center = box_moments(mean, np.linalg.cholesky(variance), half)
    distribution = stats.multivariate_normal(mean, variance)
    exact = distribution.cdf(half, lower_limit=-half, rng=np.random.default_rng(1))
    assert probability == pytest.approx(exact, abs=5e-5)
    assert center == pytest.approx(tallis(mean, variance, half, exact), abs=1e-3)


def tallis(mean, variance, half, probability):
    shift = np.zeros(mean.size)
    for k in range(mean.size):
        rest = np.arange(mean.size) != k
        for end, sign in ((-half[k], 1.0), (half[k], -1.0)):
            density = stats.norm.pdf(end, mean[k], np.sqrt(variance[k, k]))
            share = 1.0
            if rest.any():
                slope = variance[rest, k] / variance[k, k]
                within = variance[np.ix_(rest, rest)] - np.outer(slope, variance[k, rest])
                distribution = stats.multivariate_normal(mean[rest] + slope * (end - mean[k]), within)
                share = distribution.cdf(half[rest], lower_limit=-half[rest], rng=np.random.default_rng(2))
            shift += sign * variance[:, k] * density * share / probability
    return mean + shift


@pytest.mark.parametrize(("test", "form"), [("individual", "nis"), ("joint", "wald")])
@pytest.mark.parametrize("power", [0.5, 0.8])
def test_slope_equals_diff_diff(test, form, power):
    """diff-diff scales the linear trend to unit length; M is its norm over the periods before."""
    peer = PreTrendsPower(power=power, violation_type="linear", pretest_form=form).fit(
        diff_diff_result(BC_BETA, BC_SIGMA, 4)
    )
    ours = pretest_power(benzarti_carloni(), power=[power], test=test).iloc[0]
    distance = np.array([-4.0, -3, -2, -1])
    unit = peer.violation_weights / distance
    assert np.ptp(unit) == pytest.approx(0, abs=1e-12)
    assert ours["slope"] == pytest.approx(peer.mdv * abs(unit[0]), rel=2e-4)


def test_one_coefficient_in_closed_form():
    """One period before: power is that of a two-sided z test, and the bias is textbook."""
    variance = np.array([[0.04, 0.01], [0.01, 0.09]])
    path = example_path(np.array([0.1, 0.3]), variance, [-2, 0])
    for power in (0.5, 0.8):
        row = pretest_power(path, power=[power]).iloc[0]
        mean = row["slope"] / 0.2
        assert stats.norm.sf(Z - mean) + stats.norm.cdf(-Z - mean) == pytest.approx(power, abs=1e-9)
        # Trend is -slope before (one step) and +slope after; passing cuts the former to +-1.96.
        low, high = -Z + mean, Z + mean
        cut = 0.2 * (-mean + stats.truncnorm.mean(low, high))
        expected = row["slope"] + 0.01 / 0.04 * (cut + row["slope"])
        assert row["bias_if_passed"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("test", ["individual", "joint"])
def test_mean_if_passed_is_that_of_draws(test):
    estimates = benzarti_carloni()
    slope = float(pretest_power(estimates, power=[0.5], test=test)["slope"].iloc[0])
    table = pretest_path(estimates, slope, test=test)
    table = table[table["event_time"] != -1]
    trend = table["trend"].to_numpy()
    assert trend == pytest.approx(slope * (table["event_time"].to_numpy() + 1))
    draws = np.random.default_rng(3).multivariate_normal(trend, BC_SIGMA, size=200_000)
    before = draws[:, :4]
    if test == "individual":
        passed = (np.abs(before) <= Z * np.sqrt(np.diag(BC_SIGMA)[:4])).all(axis=1)
    else:
        wald = np.einsum("ni,ni->n", before @ np.linalg.inv(BC_SIGMA[:4, :4]), before)
        passed = wald <= stats.chi2.ppf(0.95, 4)
    # Four standard errors of 200,000 draws.
    assert passed.mean() == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / 200_000))
    error = draws[passed].std(axis=0) / np.sqrt(passed.sum())
    assert (np.abs(draws[passed].mean(axis=0) - table["mean_if_passed"]) < 4 * error + 1e-6).all()


def test_reference_row_and_order_of_the_path():
    table = pretest_path(benzarti_carloni(), 0.02)
    assert list(table["event_time"]) == [-5, -4, -3, -2, -1, 0, 1, 2, 3]
    assert (table.loc[table["event_time"] == -1, ["estimate", "trend", "mean_if_passed"]] == 0).all(axis=None)


def test_more_power_takes_a_steeper_slope_and_the_size_is_free():
    frame = pretest_power(medicaid(), power=[0.02, 0.3, 0.5, 0.8, 0.95], target=0)
    assert frame["slope"].iloc[0] == 0
    assert (np.diff(frame["slope"]) > 0).all()
    assert (frame["bias_if_passed"].iloc[1:] > 0).all()
    assert (frame["bayes_factor"].iloc[1:] < 1).all()


def test_power_is_reached_exactly():
    path = event_path(drawn(2, 7, 4))
    for test, passing in TESTS.items():
        row = pretest_power(drawn(2, 7, 4), power=[0.8], test=test).iloc[0]
        passed, _ = passing(path, row["slope"] * path.steps, 0.95)
        assert 1 - passed == pytest.approx(0.8, abs=1e-7)


def test_slope_is_per_unit_of_event_time():
    """A path of every second period: the same numbers two apart halve the slope."""
    every = example_path(BC_BETA, BC_SIGMA, [-5, -4, -3, -2, 0, 1, 2, 3])
    second = example_path(BC_BETA, BC_SIGMA, [-10, -8, -6, -4, 0, 2, 4, 6], reference=-2)
    one = pretest_power(every, target=0)["slope"].to_numpy()
    two = pretest_power(second, target=0)["slope"].to_numpy()
    assert two == pytest.approx(one / 2)


def test_detected_says_whether_the_data_reject():
    assert pretest_power(benzarti_carloni())["detected"].all()
    assert not pretest_power(medicaid())["detected"].any()
    assert not pretest_power(medicaid(), test="joint")["detected"].any()


# Printed by the README of R EquiTrends: standard errors and critical values of maxEquivTest,
# type "IU", threshold 1, alpha 0.05. At its critical value a coefficient is just equivalent.
@pytest.mark.parametrize(
    ("std_error", "critical"),
    [(0.009624, 0.9842), (0.008471, 0.9861), (0.008002, 0.9868), (0.008053, 0.9868)],
)
def test_smallest_bound_inverts_the_critical_values_of_equitrends(std_error, critical):
    assert smallest_bound(critical, std_error, 0.95) == pytest.approx(1, abs=6e-5)


def test_bounds_by_kind():
    frame = equivalence_test(benzarti_carloni(), threshold=0.1)
    assert list(frame["kind"]) == ["coefficient"] * 4 + ["max", "mean"]
    single = frame[frame["kind"] == "coefficient"]
    largest = frame[frame["kind"] == "max"].iloc[0]
    assert largest["smallest_bound"] == single["smallest_bound"].max()
    assert largest["p_value"] == single["p_value"].max()
    assert largest["event_time"] == -2
    mean = frame[frame["kind"] == "mean"].iloc[0]
    assert mean["estimate"] == pytest.approx(BC_BETA[:4].mean())
    assert mean["std_error"] == pytest.approx(np.sqrt(BC_SIGMA[:4, :4].sum()) / 4)
    assert (frame["smallest_bound"] <= frame["tost_bound"] + 1e-9).all()


def test_smallest_bound_has_p_value_alpha():
    frame = equivalence_test(medicaid())
    for _, row in frame[frame["smallest_bound"] > 0].iterrows():
        again = equivalence_test(medicaid(), threshold=row["smallest_bound"])
        same = again[(again["kind"] == row["kind"]) & (again["estimate"] == row["estimate"])]
        assert same["p_value"].iloc[0] == pytest.approx(0.05, abs=1e-9)
    assert frame["p_value"].isna().all()


def test_equivalence_holds_its_level_at_the_bound():
    """An estimate whose true size is the threshold is called equivalent in 5% of draws."""
    draws = np.abs(np.random.default_rng(4).normal(0.3, 0.2, size=40_000))
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if smallest_bound(middle, 0.2, 0.95) < 0.3 else (low, middle)
    assert (draws < low).mean() == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 40_000))


def test_wrong_uses_are_refused():
    with pytest.raises(SensitivityError, match=r"'power' must be a list of numbers, such as \[0.5, 0.8\]"):
        pretest_power(medicaid(), power=0.8)
    with pytest.raises(SensitivityError, match=r"Power lies between 0 and 1; got \[1\.5\]"):
        pretest_power(medicaid(), power=[0.5, 1.5])
    with pytest.raises(SensitivityError, match=r"pre-test 'jont' \(did you mean 'joint'\?\)"):
        pretest_power(medicaid(), test="jont")
    with pytest.raises(SensitivityError, match="positive number in units of the outcome; got -1"):
        equivalence_test(medicaid(), threshold=-1)
    rank_one = np.outer(BC_BETA, BC_BETA) + 1e-9 * np.diag([0, 0, 0, 0, 1, 1, 1, 1])
    singular = example_path(BC_BETA, rank_one, [-5, -4, -3, -2, 0, 1, 2, 3])
    with pytest.raises(SensitivityError, match="singular covariance"):
        pretest_power(singular)


def test_results_are_frames_with_names():
    for frame in (pretest_power(medicaid()), equivalence_test(medicaid())):
        assert isinstance(frame, pd.DataFrame)
        assert list(frame.columns[:4]) == ["spec_id", "study", "estimator", "outcome"]
        assert (frame["event_times"] == "-6..1").all()
