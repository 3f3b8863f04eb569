"""Shares of a period in force and cohorts: typed days, then properties over all days."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.cleaning import timing
from replication.core.errors import PanelError

DAYS = st.dates(date(1950, 1, 1), date(2049, 12, 31))
YEARS = st.integers(1950, 2050)
MONTHS = st.integers(-120, 1080)


@pytest.mark.parametrize(
    ("day", "year", "share"),
    [
        ("2008-10-27", 2008, 66 / 366),  # leap year: 5 days of October, 30, 31
        ("2010-01-01", 2010, 1.0),
        ("2010-12-31", 2010, 1 / 365),
        ("2012-02-29", 2012, 307 / 366),
        ("2013-01-22", 2012, 0.0),
        ("2009-06-30", 2011, 1.0),
    ],
)
def test_share_of_year_counts_the_starting_day(day: str, year: int, share: float) -> None:
    assert timing.share_of_year([day], [year])[0] == pytest.approx(share, abs=1e-15)


@pytest.mark.parametrize(
    ("day", "month", "share"),
    [
        ("2012-02-29", (2012, 2), 1 / 29),
        ("2011-02-01", (2011, 2), 1.0),
        ("2011-05-31", (2011, 5), 1 / 31),
        ("2011-06-01", (2011, 5), 0.0),
    ],
)
def test_share_of_month(day: str, month: tuple[int, int], share: float) -> None:
    number = timing.month_number(*month)
    assert timing.share_of_month([day], [number])[0] == pytest.approx(share, abs=1e-15)


@pytest.mark.parametrize(
    ("day", "calendar", "middle", "full"),
    [
        ("2010-01-01", 2010, 2010, 2010),
        ("2010-01-02", 2010, 2010, 2011),
        ("2010-06-30", 2010, 2010, 2011),
        ("2010-07-01", 2010, 2011, 2011),
        ("2012-12-31", 2012, 2013, 2013),
        (None, 0, 0, 0),
    ],
)
def test_cohorts_of_years(day: str | None, calendar: int, middle: int, full: int) -> None:
    dates = pd.Series(pd.to_datetime([day]))
    assert timing.cohort_calendar_year(dates)[0] == calendar
    assert timing.cohort_mid_year(dates)[0] == middle
    assert timing.cohort_first_full_year(dates)[0] == full


@pytest.mark.parametrize(
    ("day", "calendar", "middle", "full"),
    [
        ("1960-01-16", 0, 1, 1),
        ("1960-02-01", 1, 1, 1),
        ("2010-08-02", 607, 607, 608),
        ("2010-08-15", 607, 607, 608),
        ("2010-12-16", 611, 612, 612),
        ("1959-12-15", -1, -1, 0),
    ],
)
def test_cohorts_of_months_are_numbered_as_in_stata(day: str, calendar: int, middle: int, full: int) -> None:
    assert timing.cohort_calendar_month([day])[0] == calendar
    assert timing.cohort_mid_month([day])[0] == middle
    assert timing.cohort_first_full_month([day])[0] == full


def test_time_of_day_does_not_matter() -> None:
    late = pd.Series(pd.to_datetime(["2010-06-30 23:59:59"]))
    assert timing.cohort_mid_year(late)[0] == 2010
    assert timing.share_of_year(late, [2010])[0] == pytest.approx(185 / 365)


def test_backward_periods_and_impossible_months_are_refused() -> None:
    with pytest.raises(PanelError, match="1 period ends before it begins"):
        timing.share_of_period(["2010-01-01"], ["2010-02-01"], ["2010-01-01"])
    with pytest.raises(PanelError, match="outside 1 to 12"):
        timing.month_number([2010], [13])


@given(DAYS, YEARS)
def test_days_in_force_are_whole_and_agree_with_the_calendar(day: date, year: int) -> None:
    first, last = date(year, 1, 1), date(year, 12, 31)
    length = (last - first).days + 1
    days = sum(first + timedelta(k) >= day for k in range(length))
    assert timing.share_of_year([day], [year])[0] == pytest.approx(days / length, abs=1e-15)


@given(DAYS, YEARS)
def test_a_year_is_the_day_weighted_mean_of_its_months(day: date, year: int) -> None:
    months = timing.month_number(np.full(12, year), np.arange(1, 13))
    start = (months + 12 * (1960 - 1970)).astype("datetime64[M]")
    length = ((start + 1).astype("datetime64[D]") - start.astype("datetime64[D]")).astype(float)
    mean = np.average(timing.share_of_month([day] * 12, months), weights=length)
    assert timing.share_of_year([day], [year])[0] == pytest.approx(mean, abs=1e-12)


@given(DAYS)
def test_rules_are_ordered_and_at_most_one_period_apart(day: date) -> None:
    years = [
        timing.cohort_calendar_year([day])[0],
        timing.cohort_mid_year([day])[0],
        timing.cohort_first_full_year([day])[0],
    ]
    months = [
        timing.cohort_calendar_month([day])[0],
        timing.cohort_mid_month([day])[0],
        timing.cohort_first_full_month([day])[0],
    ]
    for rules in (years, months):
        assert rules == sorted(rules)
        assert rules[2] - rules[0] <= 1


@given(DAYS)
def test_cohorts_agree_with_the_shares(day: date) -> None:
    calendar = int(timing.cohort_calendar_year([day])[0])
    middle = int(timing.cohort_mid_year([day])[0])
    full = int(timing.cohort_first_full_year([day])[0])
    assert timing.share_of_year([day], [calendar])[0] > 0
    assert timing.share_of_year([day], [calendar - 1])[0] == 0
    assert timing.share_of_year([day], [full])[0] == 1
    assert timing.share_of_year([day], [full - 1])[0] < 1
    share = timing.share_of_year([day], [calendar])[0]
    assert share > 0.5 if middle == calendar else share <= 184 / 365


@given(MONTHS, MONTHS)
def test_share_of_month_never_falls(start: int, later: int) -> None:
    day = np.array(start - 120, dtype="datetime64[M]").astype("datetime64[D]") + 9
    ordered = sorted([start, later])
    shares = timing.share_of_month([day, day], ordered)
    assert shares[0] <= shares[1]


def test_a_period_of_one_day_is_a_period() -> None:
    assert timing.share_of_period(["2010-01-01"], ["2010-01-01"], ["2010-01-01"]) == [1.0]
    assert timing.share_of_period(["2010-01-02"], ["2010-01-01"], ["2010-01-01"]) == [0.0]


def test_january_and_december_are_months_and_0_is_none() -> None:
    assert timing.month_number([1960, 1960, 1961], [1, 12, 1]).tolist() == [0, 11, 12]
    with pytest.raises(PanelError, match="outside 1 to 12"):
        timing.month_number([2010, 2010], [0, 5])
