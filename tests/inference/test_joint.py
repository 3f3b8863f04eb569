"""The joint test keeps its size where covariances rest on few clusters."""

import numpy as np
import pytest
from scipy import stats

from replication.inference.joint_tests import hotelling_test, joint_test, pretrend_test


def test_one_estimate_is_tested_by_t() -> None:
    found = hotelling_test(2.5**2, 1, 20)
    assert found.p_value == pytest.approx(2 * stats.t(19).sf(2.5), rel=1e-12)


def test_size_is_kept_with_22_estimates_and_43_clusters() -> None:
    """Normal cluster sums: 5% of 2,000 true null hypotheses; chi-squared rejects most of them."""
    rng = np.random.default_rng(3)
    wald = []
    for _ in range(2000):
        sums = rng.normal(size=(43, 22))
        mean = sums.mean(axis=0)
        wald.append(43 * mean @ np.linalg.solve(np.cov(sums.T), mean))
    share = np.mean([hotelling_test(value, 22, 43).p_value < 0.05 for value in wald])
    assert abs(share - 0.05) < 0.015
    assert np.mean(stats.chi2(22).sf(wald) < 0.05) > 0.6


def test_the_statistic_is_the_quadratic_form_scaled_to_f() -> None:
    """Three estimates of 12 clusters: (G-q) / (q (G-1)) b' V^-1 b with F(3, 9)."""
    estimate, root = np.array([0.3, -0.2, 0.5]), np.random.default_rng(1).normal(size=(3, 3))
    variance = root @ root.T
    found = joint_test(estimate, variance, 12)
    expected = 9 / (3 * 11) * estimate @ np.linalg.solve(variance, estimate)
    assert (found.df, found.df_resid) == (3, 9)
    assert found.statistic == pytest.approx(expected, rel=1e-9)
    assert found.p_value == pytest.approx(stats.f(3, 9).sf(expected), rel=1e-9)


def test_fixed_and_missing_estimates_are_not_tested() -> None:
    """A zero without variance is no restriction, and a missing estimate has no value to test."""
    alone = joint_test(np.array([0.4, 0.1]), np.diag([0.04, 0.01]), 15)
    beside = joint_test(np.array([0.4, 0.0, np.nan, 0.1]), np.diag([0.04, 0.0, 1.0, 0.01]), 15)
    assert beside == alone


def test_what_cannot_be_tested_gives_its_reason_and_count() -> None:
    unknown = joint_test(np.array([0.4, 0.3]), np.diag([0.04, 0.0]), 15)
    assert (unknown.df, unknown.reason) == (2, "1 of 2 coefficients have no standard error")
    assert joint_test(np.zeros(2), np.zeros((2, 2)), 15).reason.startswith("none of the coefficients")
    for clusters, possible in ((2, False), (3, True)):
        found = joint_test(np.array([0.4, 0.3]), np.eye(2), clusters)
        assert (found.statistic is not None) == possible


def test_a_redundant_estimate_adds_nothing_and_a_contradiction_is_no_test() -> None:
    """The third lead is minus the sum of two: their test, or none if its estimate is another."""
    two, loading = np.array([[0.04, 0.01], [0.01, 0.09]]), np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    variance, point = loading @ two @ loading.T, np.array([0.3, -0.5])
    found = joint_test(loading @ point, variance, 20)
    alone = joint_test(point, two, 20)
    assert found.df == 2
    assert found.statistic == pytest.approx(alone.statistic, rel=1e-8)
    other = joint_test(np.array([0.3, -0.5, 0.9]), variance, 20)
    assert "its rank is 2, so 1 combinations" in other.reason


def test_leads_end_before_adoption_less_anticipation_and_leave_the_reference_out() -> None:
    event, estimate = np.array([-3.0, -2.0, -1.0, 0.0]), np.array([0.3, 0.2, 0.0, 0.5])
    variance = np.diag([0.04, 0.01, 0.0, 0.02])
    both = pretrend_test(event, estimate, variance, 30)
    assert both.statistic == pytest.approx(28 / (2 * 29) * (0.09 / 0.04 + 0.04 / 0.01))
    shifted = pretrend_test(event, np.array([0.3, 0.0, 0.2, 0.5]), np.diag([0.04, 0.0, 0.01, 0.02]), 30, 1)
    assert shifted.statistic == pytest.approx(0.09 / 0.04)
    none = pretrend_test(event[2:], estimate[2:], variance[2:, 2:], 30)
    assert (none.df, none.statistic) == (0, None)


@pytest.mark.parametrize(("gap", "rank"), [(1e-10, 1), (1e-9, 2)])
def test_an_eigenvalue_below_a_ten_billionth_of_the_largest_is_none(gap: float, rank: int) -> None:
    """Correlation 1 - gap: the eigenvalues are gap and 2 - gap; equal estimates have no part in the first."""
    variance = np.array([[1.0, 1.0 - gap], [1.0 - gap, 1.0]])
    assert joint_test(np.array([0.5, 0.5]), variance, 20).df == rank
    apart = joint_test(np.array([0.5, -0.5]), variance, 20)
    assert (apart.statistic is None) == (rank == 1)
