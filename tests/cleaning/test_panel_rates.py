"""Totals, rates and logs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.cleaning import rates
from replication.core.errors import PanelError
from replication.sources import OFFENSES


def counts(*values: float) -> pd.DataFrame:
    return pd.DataFrame([values], columns=list(OFFENSES))


def test_totals_by_definition() -> None:
    totals = rates.totals(counts(1, 10, 100, 1000, 10_000, 100_000, 1_000_000)).iloc[0]
    assert totals.to_dict() == {
        "index": 1_111_111,
        "violent": 1111,
        "violent_no_rape": 1101,
        "property": 1_110_000,
    }


def test_a_missing_offense_makes_its_totals_missing_and_no_other() -> None:
    totals = rates.totals(counts(1, np.nan, 1, 1, 1, 1, 1)).iloc[0]
    assert totals[["index", "violent"]].isna().all()
    assert totals["violent_no_rape"] == 3
    assert totals["property"] == 3


def test_negative_counts_are_refused() -> None:
    with pytest.raises(PanelError, match="1 offense counts are negative, first in column 'rape'"):
        rates.totals(counts(0, -1, 0, 0, 0, 0, 0))


def test_rates_are_per_hundred_thousand_and_missing_where_no_one_is_covered() -> None:
    frame = pd.DataFrame({"murder": [5, 0, 3, np.nan], "covered": [200_000, 50_000, 0, 100]})
    per = rates.rates(frame, ["murder"], "covered")
    assert per["rate_murder"].tolist()[:2] == [2.5, 0.0]
    assert per["rate_murder"].isna().tolist() == [False, False, True, True]
    logs = rates.log_rates(per, ["murder"])["log_rate_murder"]
    assert logs[0] == pytest.approx(np.log(2.5))
    assert logs.isna().tolist() == [False, True, True, True]


@given(st.integers(1, 10**6), st.integers(1, 10**7), st.integers(2, 50))
def test_log_rates_move_by_the_log_of_a_scale(count: int, people: int, scale: int) -> None:
    frame = pd.DataFrame({"larceny": [count, count * scale], "people": people})
    logs = rates.log_rates(rates.rates(frame, ["larceny"], "people"), ["larceny"])
    assert logs["log_rate_larceny"].diff()[1] == pytest.approx(np.log(scale), abs=1e-9)
