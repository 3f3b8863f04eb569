"""Activation dates of Secure Communities by county, from two independently digitized lists.

``securecommunities.dta`` gives the day, ``activation_dates_makayla_revisedforbalance.dta`` the
month. They agree on the month in 3,094 of 3,102 common counties; the other eight are in Indiana
(May 31 against June 2011).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import pandas as pd

from replication.core.errors import SourceError
from replication.sources.hand_entered import hand_entered_table
from replication.sources.raw_checks import (
    FETCH_AGAIN,
    parse_raw,
    raw_bytes,
    require_columns,
    require_rows,
    require_unique,
)

FIRST_DAY: Final = pd.Timestamp(2008, 10, 27)
LAST_DAY: Final = pd.Timestamp(2013, 1, 22)
DAY_COLUMNS: Final = ["statefips", "year", "county", "date_secure", "year_secure"]
MONTH_COLUMNS: Final = ["statefips", "countyfips", "activation_month", "activation_year"]


def read_activation_days(path: Path) -> pd.DataFrame:
    """Day of activation of every dated county.

    The file is long, county by year, and shows a county's date only from its first active year
    on; the date is therefore taken over all years of the county.

    Parameters
    ----------
    path : Path
        ``securecommunities.dta``.

    Returns
    -------
    DataFrame
        ``fips``, ``activation_date``, sorted by ``fips``; counties without a date (four in the
        file) are left out.

    Raises
    ------
    SourceError
        If the file is damaged, repeats a county and year, gives a county two dates, or holds a
        date outside the roll-out.
    """
    long = _stata(path, DAY_COLUMNS)
    require_rows(long, long["county"] // 1000 == long["statefips"], path, "state and county disagree")
    require_unique(long, ["county", "year"], path)
    dated = long[long["date_secure"].notna()]
    require_rows(
        dated,
        dated["date_secure"].between(FIRST_DAY, LAST_DAY)
        & (dated["date_secure"].dt.year == dated["year_secure"]),
        path,
        f"date_secure is outside {FIRST_DAY:%B %-d, %Y} to {LAST_DAY:%B %-d, %Y} or not in year_secure",
    )
    dates = dated.groupby("county")["date_secure"].agg(["min", "max"])
    torn = dates[dates["min"] != dates["max"]]
    if len(torn):
        raise SourceError(
            f"{path}: {len(torn)} counties have more than one date_secure, first county "
            f"{torn.index[0]} ({torn['min'].iloc[0]:%Y-%m-%d} and "
            f"{torn['max'].iloc[0]:%Y-%m-%d}). {FETCH_AGAIN}"
        )
    return _tidy(dates.index, dates["min"], "activation_date")


def read_activation_months(path: Path) -> pd.DataFrame:
    """Month of activation of every dated county.

    Parameters
    ----------
    path : Path
        ``activation_dates_makayla_revisedforbalance.dta``.

    Returns
    -------
    DataFrame
        ``fips``, ``activation_month`` (first day of the month), sorted by ``fips``; places
        without a date (Puerto Rico, most of Alaska, towns) are left out.

    Raises
    ------
    SourceError
        If the file is damaged, repeats a county, or holds a month outside the roll-out.
    """
    table = _stata(path, MONTH_COLUMNS)
    require_rows(table, table["countyfips"] // 1000 == table["statefips"], path, "state and county disagree")
    require_unique(table, ["countyfips"], path)
    dated = table.dropna(subset=["activation_month", "activation_year"])
    serial = 12 * dated["activation_year"] + dated["activation_month"]
    require_rows(
        dated,
        serial.between(12 * FIRST_DAY.year + 10, 12 * LAST_DAY.year + 1)
        & dated["activation_month"].between(1, 12),
        path,
        f"the month is outside {FIRST_DAY:%B %Y} to {LAST_DAY:%B %Y}",
    )
    month = pd.to_datetime(
        {
            "year": dated["activation_year"].astype("int64"),
            "month": dated["activation_month"].astype("int64"),
            "day": 1,
        }
    )
    return _tidy(dated["countyfips"], month, "activation_month")


def read_activations_by_state(path: Path) -> pd.DataFrame:
    """The rollout by state and day: ``secure_communities_activations_by_state.csv``.

    Returns
    -------
    DataFrame
        ``state_fips``, ``activation_date``, ``counties`` (number activated that day),
        ``population_2010`` (people in them).
    """
    kinds = {
        "state_fips": "int64",
        "activation_date": "datetime64[ns]",
        "counties": "int64",
        "population_2010": "int64",
    }
    return hand_entered_table(path, kinds, ["state_fips", "activation_date"])


def _stata(path: Path, columns: list[str]) -> pd.DataFrame:
    data = raw_bytes(path)
    table = parse_raw(
        path, "a Stata file", lambda: pd.read_stata(io.BytesIO(data), convert_categoricals=False)
    )
    require_columns(table, columns, path)
    for name in columns:
        kind = table[name].dtype
        dated = name.startswith("date_")
        fits = pd.api.types.is_datetime64_any_dtype if dated else pd.api.types.is_numeric_dtype
        if not fits(kind):
            raise SourceError(
                f"{path}: column {name} contains {kind} where {'dates' if dated else 'numbers'} "
                f"belong; it is damaged, or another file. {FETCH_AGAIN}"
            )
    return table[columns]


def _tidy(fips: pd.Index | pd.Series, when: pd.Series, name: str) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "fips": fips.to_numpy(dtype="int64"),
            name: when.to_numpy().astype("datetime64[ns]"),
        }
    )
    return table.sort_values("fips", ignore_index=True)
