"""Rounding does not decide the order of equal estimates."""

import numpy as np
import pytest

from replication.report.summary.numbers import QuotedEffect
from replication.report.summary.phrases import spread
from replication.report.tie_order import ranks


@pytest.mark.parametrize("digit", [-1e-16, 0.0, 1e-16])
def test_estimates_equal_but_for_rounding_share_a_rank(digit) -> None:
    assert ranks([0.3, -0.06303018 + digit, 0.1, -0.06303018]).tolist() == [2, 0, 1, 0]
    assert ranks([1e-17 + digit, 0.5, -1e-17]).tolist() == [0, 1, 0]


def test_other_estimates_keep_their_order_and_missing_ones_come_last() -> None:
    values = np.random.default_rng(1).normal(size=50)
    assert (ranks(values) == values.argsort().argsort()).all()
    assert ranks([np.nan, 0.2, 0.1]).tolist() == [2, 1, 0]
    assert ranks([]).size == 0


@pytest.mark.parametrize("digit", [-1e-16, 1e-16])
def test_the_lowest_of_equal_effects_is_the_first_by_source(digit) -> None:
    lowest = QuotedEffect(-0.06, -0.09, -0.03, 0.01, "imputation")
    equal = QuotedEffect(-0.06 + digit, -0.10, -0.02, 0.01, "two_stage")
    highest = QuotedEffect(0.01, -0.01, 0.03, 0.3, "twfe")
    for effects in ([equal, highest, lowest], [lowest, equal, highest]):
        assert spread(effects) == (lowest, highest)
