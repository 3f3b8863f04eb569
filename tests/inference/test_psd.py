"""Variances that are no covariances, sums over clusterings, and small-sample factors."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_panels import draw_panel

from replication.inference.cluster import (
    dense_codes,
    distinct_rows,
    influence_factor,
    multiway_variance,
    small_sample_factor,
    sum_by_cluster,
)
from replication.inference.psd import eigenvalues, nearest_psd, repaired_variance

# Its eigenvalues are -1 and 3.
INDEFINITE = np.array([[1.0, 2.0], [2.0, 1.0]])


def covariance(seed: int, size: int) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(size, size))
    return root @ root.T


def test_eigenvalues_are_those_of_the_correlation_whatever_the_units() -> None:
    variance, units = covariance(1, 4), np.diag([1e-2, 1.0, 30.0, 1e3])
    root = np.sqrt(np.diag(variance))
    expected = np.linalg.eigvalsh(variance / np.outer(root, root))
    np.testing.assert_allclose(eigenvalues(variance), expected, atol=1e-12)
    np.testing.assert_allclose(eigenvalues(units @ variance @ units), expected, atol=1e-9)
    np.testing.assert_array_equal(eigenvalues(np.zeros((2, 2))), [0, 0])


def test_a_covariance_is_not_repaired_even_where_a_contrast_has_no_variance() -> None:
    """Two equal coefficients: their difference has variance zero, which is not below zero."""
    variance, contrast = np.ones((2, 2)), np.array([[1.0, -1.0], [1.0, 1.0]])
    found = repaired_variance(variance, "The variance", contrast)
    np.testing.assert_allclose(found.variance, [[0, 0], [0, 4]], atol=1e-15)
    assert not found.negative.any()
    assert found.notes == ()


def test_negative_eigenvalues_are_set_to_zero_and_counted() -> None:
    """3 (1, 1)(1, 1)' / 2 is what is left of the matrix."""
    np.testing.assert_allclose(nearest_psd(INDEFINITE), np.full((2, 2), 1.5), atol=1e-12)
    found = repaired_variance(INDEFINITE, "The two-way variance")
    np.testing.assert_allclose(found.variance, np.full((2, 2), 1.5), atol=1e-12)
    assert not found.negative.any()
    (note,) = found.notes
    assert "1 of 2 eigenvalues were negative (the largest of them 0.33 of the largest eigenvalue)" in note


def test_rows_of_negative_variance_have_none_and_are_counted() -> None:
    """The difference has variance 1 + 1 - 2 x 2 = -2; zeros take its place in row and column."""
    for loading, count, words in (
        ([[1.0, -1.0], [1.0, 0.0]], 1, "1 estimate has a variance below zero in the two-way"),
        ([[1.0, -1.0], [-2.0, 2.0], [0.0, 1.0]], 2, "2 estimates have a variance below zero"),
    ):
        found = repaired_variance(INDEFINITE, "The two-way variance", np.array(loading))
        assert int(found.negative.sum()) == count
        assert not found.variance[:count].any()
        assert not found.variance[:, :count].any()
        assert found.variance[-1, -1] == pytest.approx(1.5)
        assert words in found.notes[1]


def test_values_that_are_fixed_stay_so() -> None:
    whole = np.zeros((3, 3))
    whole[np.ix_([0, 2], [0, 2])] = INDEFINITE
    found = nearest_psd(whole)
    assert not found[1].any()
    assert not found[:, 1].any()
    np.testing.assert_allclose(found[np.ix_([0, 2], [0, 2])], np.full((2, 2), 1.5), atol=1e-12)


def test_the_factor_is_that_of_reghdfe() -> None:
    assert small_sample_factor(10, 100, 5) == pytest.approx(10 / 9 * 99 / 95, rel=1e-15)


def test_influence_functions_are_corrected_for_clusters_above_the_unit_only() -> None:
    assert influence_factor(draw_panel(1), "clusters") == 1
    clustered = draw_panel(1, n_clusters=8)
    assert influence_factor(clustered, "clusters") == pytest.approx(8 / 7)
    assert influence_factor(clustered, "none") == 1


def test_sums_over_three_clusterings_alternate_in_sign() -> None:
    """A + B + C - AB - AC - BC + ABC, each from its own loop over groups."""
    rng = np.random.default_rng(2)
    scores, codes = rng.normal(size=(60, 3)), [rng.integers(0, size, 60) for size in (4, 5, 6)]

    def one(*chosen: int) -> np.ndarray:
        labels = list(zip(*(codes[place] for place in chosen), strict=True))
        sums = [sum(s for s, own in zip(scores, labels, strict=True) if own == g) for g in set(labels)]
        return np.array(sums).T @ np.array(sums)

    expected = one(0) + one(1) + one(2) - one(0, 1) - one(0, 2) - one(1, 2) + one(0, 1, 2)
    np.testing.assert_allclose(multiway_variance(scores, codes), expected, atol=1e-12)


def test_sums_by_cluster_with_one_row_each_or_several() -> None:
    scores = np.arange(8.0).reshape(4, 2)
    np.testing.assert_array_equal(sum_by_cluster(scores, np.array([2, 0, 3, 1])), scores[[1, 3, 0, 2]])
    expected = [scores[0] + scores[2], scores[1] + scores[3]]
    np.testing.assert_array_equal(sum_by_cluster(scores, np.array([0, 1, 0, 1])), expected)


@pytest.mark.parametrize("spread", [1, 1000])
def test_codes_are_those_of_the_sorted_values(spread: int) -> None:
    values = spread * np.array([3, -2, 3, 7, -2])
    assert dense_codes(values).tolist() == [1, 0, 1, 2, 0]
    first, codes = distinct_rows([values, np.array([1, 5, 0, 1, 5])])
    assert codes.tolist() == [2, 0, 1, 3, 0]
    assert first.tolist() == [1, 2, 0, 3]


@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e8])
def test_what_is_repaired_does_not_depend_on_the_unit(unit: float) -> None:
    loading = np.array([[1.0, -1.0], [1.0, 0.0]])
    plain, scaled = (repaired_variance(u * INDEFINITE, "The variance", loading) for u in (1.0, unit))
    assert scaled.negative.tolist() == [True, False]
    assert scaled.notes == plain.notes
    np.testing.assert_allclose(scaled.variance, unit * plain.variance, rtol=1e-9)
    contrast = repaired_variance(unit * np.ones((2, 2)), "The variance", np.array([[1.0, -1.0]]))
    assert not contrast.negative.any()


@pytest.mark.parametrize(("share", "repaired"), [(1e-11, False), (1e-9, True)])
def test_eigenvalues_below_a_ten_billionth_of_the_largest_are_rounding(share: float, repaired: bool) -> None:
    """A hundred rows with correlation one: the largest eigenvalue is 100."""
    along = np.where(np.arange(100) % 2, 1.0, -1.0) / 10
    found = repaired_variance(np.ones((100, 100)) - 100 * share * np.outer(along, along), "The variance")
    assert bool(found.notes) == repaired
