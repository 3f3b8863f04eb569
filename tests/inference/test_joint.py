"""The joint test keeps its size where covariances rest on few clusters."""

import numpy as np
import pytest
from scipy import stats

from replication.inference.joint_tests import hotelling_test


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
