"""Numbers as they are printed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from replication.display import formatting

M = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("value", "digits", "printed"),
    [
        (-0.0571, 3, f"{M}0.057"),
        (0.0, 3, "0.000"),
        (-0.0001, 3, "0.000"),
        (1234567.4, 0, "1,234,567"),
        (np.nan, 3, ""),
        (None, 3, ""),
        (np.inf, 2, "\N{INFINITY}"),
        (-1234.5, 1, f"{M}1,234.5"),
        (0.0005, 3, "0.001"),
    ],
)
def test_fixed(value: Any, digits: int, printed: str) -> None:
    assert formatting.fixed(value, digits) == printed


def test_sizes_choose_their_digits() -> None:
    values = [0.01234, 8.1177, 41.256, 341.26, 3412.2]
    assert [formatting.adaptive(v) for v in values] == ["0.012", "8.118", "41.26", "341.3", "3,412"]


def test_p_values_and_stars() -> None:
    assert [formatting.probability(p) for p in (0.0004, 0.0456, np.nan)] == ["< 0.001", "0.046", ""]
    assert [formatting.stars(p) for p in (0.009, 0.049, 0.099, 0.1, np.nan)] == ["***", "**", "*", "", ""]
    assert formatting.p_equals(0.4753).replace("\N{NO-BREAK SPACE}", " ") == "p = 0.475"
    assert formatting.p_equals(0.0).replace("\N{NO-BREAK SPACE}", " ") == "p < 0.001"


def test_words() -> None:
    assert formatting.listed(["a", "", "b", "c"]) == "a, b, and c"
    assert formatting.sentence("dashed line: the U.S. total.") == "Dashed line: the U.S. total."
    assert formatting.interval(-0.1, 0.2, 1) == f"[{M}0.1, 0.2]"
