"""Shares of a period in force and cohorts from the day on which a policy starts.

A period is a year (``2010``) or a month, numbered as Stata does: 12 x (year - 1960) + month - 1,
so that months are whole numbers one apart. A cohort is the first period that counts as treated;
``NEVER`` (0) marks units without a date. Three rules are offered for each length of period:
count the period in which the date falls, only the first one that is in force from its first day,
or the one in between (first half of the period counts, second half does not).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.core.arrays import Floats, Ints
from replication.core.errors import PanelError

Days = NDArray[np.datetime64]

NEVER: Final = 0
STATA_ORIGIN: Final = 1960
LAST_DAY_OF_FIRST_HALF: Final = 15


def share_of_period(date: Any, first_day: Any, last_day: Any) -> Floats:
    """Share of the days of a period on which the policy is in force.

    ``share = (last_day - date + 1) / (last_day - first_day + 1)``, held between 0 and 1; the
    starting day counts as in force. Zero where there is no date.

    Parameters
    ----------
    date : (rows,) dates
        First day in force; missing for never.
    first_day, last_day : (rows,) dates
        Bounds of the period, both belonging to it.

    Raises
    ------
    PanelError
        If a period ends before it begins.
    """
    start, end = _days(first_day), _days(last_day)
    length = (end - start).astype(float) + 1
    backwards = int((length < 1).sum())
    if backwards:
        raise PanelError(
            f"{backwards} periods end before they begin. Give the first and the last day of each."
        )
    date = _days(date)
    active = (end - date).astype(float) + 1
    return np.where(np.isnat(date), 0.0, np.clip(active / length, 0.0, 1.0))


def share_of_year(date: Any, year: Any) -> Floats:
    """Share of the calendar year ``year`` on which the policy is in force."""
    january = np.asarray(year, dtype=np.int64) - 1970
    start = january.astype("datetime64[Y]")
    return share_of_period(date, start, (start + 1).astype("datetime64[D]") - 1)


def share_of_month(date: Any, month: Any) -> Floats:
    """Share of the month numbered ``month`` (Stata's numbering) on which it is in force."""
    start = (np.asarray(month, dtype=np.int64) + 12 * (STATA_ORIGIN - 1970)).astype("datetime64[M]")
    return share_of_period(date, start, (start + 1).astype("datetime64[D]") - 1)


def month_number(year: Any, month: Any) -> Ints:
    """Number of a month: 12 x (year - 1960) + month - 1, as Stata's ``ym()``."""
    years, months = np.asarray(year, dtype=np.int64), np.asarray(month, dtype=np.int64)
    if ((months < 1) | (months > 12)).any():
        raise PanelError("A month lies outside 1 to 12. Give months of the calendar.")
    return 12 * (years - STATA_ORIGIN) + months - 1


def cohort_calendar_year(date: Any) -> Ints:
    """Year in which the date falls."""
    return _cohort(date, _never_later)


def cohort_mid_year(date: Any) -> Ints:
    """Year of the date if it lies in January to June, the next year otherwise."""
    return _cohort(date, lambda day: _month(day) > 6)


def cohort_first_full_year(date: Any) -> Ints:
    """First year that is in force from January 1 on."""
    return _cohort(date, lambda day: day > day.astype("datetime64[Y]"))


def cohort_calendar_month(date: Any) -> Ints:
    """Number of the month in which the date falls."""
    return _cohort_month(date, _never_later)


def cohort_mid_month(date: Any) -> Ints:
    """Number of the month if the date is its 15th day or earlier, of the next one otherwise."""
    return _cohort_month(date, lambda day: _day_of_month(day) > LAST_DAY_OF_FIRST_HALF)


def cohort_first_full_month(date: Any) -> Ints:
    """Number of the first month that is in force from its first day on."""
    return _cohort_month(date, lambda day: _day_of_month(day) > 1)


Later = Callable[[Days], NDArray[Any]]


def _never_later(day: Days) -> NDArray[np.bool_]:
    return np.zeros(day.shape, dtype=bool)


def _cohort(date: Any, later: Later) -> Ints:
    day = _days(date)
    year = day.astype("datetime64[Y]").astype(np.int64) + 1970
    return np.where(np.isnat(day), NEVER, year + later(day).astype(np.int64))


def _cohort_month(date: Any, later: Later) -> Ints:
    day = _days(date)
    month = day.astype("datetime64[M]").astype(np.int64) + 12 * (1970 - STATA_ORIGIN)
    return np.where(np.isnat(day), NEVER, month + later(day).astype(np.int64))


def _month(day: Days) -> Ints:
    return day.astype("datetime64[M]").astype(np.int64) % 12 + 1


def _day_of_month(day: Days) -> Ints:
    days: Ints = (day - day.astype("datetime64[M]")).astype(np.int64) + 1
    return days


def _days(date: Any) -> Days:
    """Dates to the day, without time of day."""
    if isinstance(date, pd.Series):
        date = date.to_numpy()
    return np.asarray(date).astype("datetime64[D]")
