"""What is written of independent software: zero where it agrees, a refusal where it does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from replication.workflow.check_step import (
    COLUMNS,
    TOLERANCE,
    EnginesDisagreeError,
    refuse_differences,
    without_noise,
)


def compared(second: list[float], ours: float = 0.0936751920439463) -> pd.DataFrame:
    rows = [("a", f"coef:x{i}", ours, value, abs(ours - value)) for i, value in enumerate(second)]
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.mark.parametrize("noise", [0.0, 3.33e-16, 3.05e-16, -2.6e-15, 9.9e-11, 0.99 * TOLERANCE])
def test_a_difference_within_the_tolerance_is_written_as_zero(noise: float) -> None:
    frame = compared([0.0936751920439463 + noise])
    refuse_differences(frame, "s")
    assert without_noise(frame)["difference"].tolist() == [0.0]


def test_two_processors_write_the_same_bytes() -> None:
    first, second = (
        without_noise(compared([0.0936751920439463 + noise])).to_csv(float_format="%.15g")
        for noise in (3.33e-16, -3.05e-15)
    )
    assert first == second
    assert ",0.0936751920439463,0.093675192,0\n" in first


@pytest.mark.parametrize("second", [0.0936751920439463 + 2 * TOLERANCE, np.nan])
def test_a_difference_beyond_the_tolerance_is_kept_and_refused(second: float) -> None:
    frame = compared([second])
    with pytest.raises(EnginesDisagreeError, match="1 of 1 coefficients of s differ"):
        refuse_differences(frame, "s")
    assert not (without_noise(frame)["difference"] == 0).any()
