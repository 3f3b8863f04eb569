"""The cell with covariates: its three estimators written out, trimming, overlap and collinearity."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from replication.estimators.callaway_santanna.doubly_robust import (
    ADJUSTMENTS,
    CellProblem,
    Comparison,
    comparison_weight,
    inverse,
    propensity,
    require_overlap,
    standardized,
)


def drawn(seed: int, scale: float = 1.0) -> Comparison:
    """Sixty units of unequal weight, two covariates, changes in two periods."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 2))
    treated = rng.random(60) < 1 / (1 + np.exp(-0.6 * x[:, 0]))
    change = x @ np.array([[0.5, -0.2], [0.3, 0.8]]) + rng.normal(size=(60, 2)) + treated[:, None]
    weight = scale * rng.uniform(0.5, 2, 60)
    return Comparison(change, treated, np.column_stack([np.ones(60), x]), weight)


def maximum_likelihood(data: Comparison) -> np.ndarray:
    """Propensities at the maximum of the weighted logit likelihood, by a general optimizer."""

    def loss(beta: np.ndarray) -> float:
        index = data.x @ beta
        return float(data.weight @ (np.logaddexp(0, index) - data.treated * index))

    found = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    return 1 / (1 + np.exp(-data.x @ found.x))


def points_by_hand(data: Comparison, method: str) -> np.ndarray:
    """Differences of weighted means, with a regression, the odds of treatment, or both."""
    own, other, w = data.treated, ~data.treated, data.weight
    root = np.sqrt(w[other])[:, None]
    beta = np.linalg.lstsq(data.x[other] * root, data.change[other] * root, rcond=None)[0]
    left = data.change if method == "ipw" else data.change - data.x @ beta
    mean_own = np.average(left[own], axis=0, weights=w[own])
    if method == "outcome_regression":
        return mean_own
    share = maximum_likelihood(data)[other]
    return mean_own - np.average(left[other], axis=0, weights=w[other] * share / (1 - share))


@pytest.mark.parametrize("method", ["outcome_regression", "ipw", "doubly_robust"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_points_are_those_by_hand(method: str, seed: int) -> None:
    data = drawn(seed)
    # A general optimizer stops at a gradient of 1e-9 of a sum of sixty terms.
    np.testing.assert_allclose(ADJUSTMENTS[method](data)[0], points_by_hand(data, method), atol=1e-6)


@pytest.mark.parametrize("method", ["outcome_regression", "ipw", "doubly_robust"])
def test_scores_are_the_derivative_by_the_weight_of_each_unit(method: str) -> None:
    """The influence of a unit over the sum of weights is its weight times that derivative.

    Central differences with steps of 1e-5 are exact to about 1e-9.
    """
    data, step = drawn(4), 1e-5
    scores = ADJUSTMENTS[method](data)[1]
    for unit in range(0, 60, 7):
        alone = step * (np.arange(60) == unit)
        up, down = (
            ADJUSTMENTS[method](Comparison(data.change, data.treated, data.x, data.weight + moved))[0]
            for moved in (alone, -alone)
        )
        np.testing.assert_allclose(scores[unit], data.weight[unit] * (up - down) / (2 * step), atol=1e-7)


@pytest.mark.parametrize("method", ["outcome_regression", "ipw", "doubly_robust"])
def test_the_scale_of_the_weights_changes_nothing(method: str) -> None:
    for plain, small in zip(ADJUSTMENTS[method](drawn(5)), ADJUSTMENTS[method](drawn(5, 1e-6)), strict=True):
        np.testing.assert_allclose(small, plain, rtol=1e-7, atol=1e-12)


def test_the_inverse_information_is_that_of_the_logit() -> None:
    data = drawn(6)
    share, bread = propensity(data)
    np.testing.assert_allclose(data.x.T @ (data.weight * (data.treated - share)), 0, atol=1e-8)
    information = (data.x * (data.weight * share * (1 - share))[:, None]).T @ data.x
    np.testing.assert_allclose(bread @ information, np.eye(3), atol=1e-9)


def test_comparison_units_are_weighted_by_their_odds_and_trimmed_from_0995_on() -> None:
    share = np.array([0.5, 0.75, 0.9949, 0.995, 0.5])
    data = Comparison(
        np.zeros((5, 1)), np.array([False] * 4 + [True]), np.ones((5, 1)), np.array([1.0, 2.0, 1.0, 1.0, 3.0])
    )
    expected = [1.0, 2 * 3, 0.9949 / 0.0051, 0.0, 0.0]
    np.testing.assert_allclose(comparison_weight(data, share), expected, rtol=1e-10)


def test_a_propensity_of_0999_is_no_overlap() -> None:
    require_overlap(np.array([0.2, 0.9989]))
    with pytest.raises(CellProblem, match=r"2 of 3 units have a propensity score of 0\.999 or higher"):
        require_overlap(np.array([0.2, 0.999, 1.0]))


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_whether_a_matrix_is_singular_does_not_depend_on_the_unit(unit: float) -> None:
    matrix = unit * np.array([[2.0, 1.0], [1.0, 3.0]])
    np.testing.assert_allclose(inverse(matrix, "") @ matrix, np.eye(2), atol=1e-12)
    with pytest.raises(CellProblem, match="collinear"):
        inverse(unit * np.array([[1.0, 2.0], [2.0, 4.0]]), "collinear")


def test_standardized_covariates_have_mean_zero_and_spread_one_or_none() -> None:
    found = standardized(np.column_stack([[1e6, 2e6, 6e6], [4.0, 4.0, 4.0]]))
    np.testing.assert_array_equal(found[:, 0], 1)
    np.testing.assert_allclose([found[:, 1].mean(), found[:, 1].std()], [0, 1], atol=1e-12)
    np.testing.assert_array_equal(found[:, 2], 0)
