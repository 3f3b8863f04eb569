"""Small tables typed from publications: `data_raw/typed`, whose README names each source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from replication.core.errors import SourceError
from replication.core.limits import shortened
from replication.sources import OFFENSES
from replication.sources.raw_checks import FETCH_AGAIN, require_columns, require_unique, text_cells

RESTORE: Final = "Restore the table from the repository (`git checkout -- data_raw/typed`)."


def read_castle_adoption(path: Path) -> pd.DataFrame:
    """Castle doctrine laws: ``castle_doctrine_adoption.csv``.

    Returns
    -------
    DataFrame
        21 states: ``state``, ``state_fips``, ``sid`` (number in the causaldata panel),
        ``effective_year``, ``share_of_effective_year_in_force`` (0 to 1).
    """
    kinds = {
        "state": "str",
        "state_fips": "int64",
        "sid": "int64",
        "effective_year": "int64",
        "share_of_effective_year_in_force": "float64",
    }
    return hand_entered_table(path, kinds, ["state_fips"])


def read_right_to_carry(path: Path) -> pd.DataFrame:
    """Right-to-carry laws: ``right_to_carry_adoption.csv``.

    Returns
    -------
    DataFrame
        29 states: ``state``, ``state_fips``, ``first_year_in_force`` (1977: in force before).
    """
    kinds = {"state": "str", "state_fips": "int64", "first_year_in_force": "int64"}
    return hand_entered_table(path, kinds, ["state_fips"])


def read_fips_changes(path: Path) -> pd.DataFrame:
    """Changes of county codes: ``county_fips_changes.csv``.

    Returns
    -------
    DataFrame
        ``old_fips``, ``new_fips`` (missing where a county was made from parts of several),
        ``effective`` (date), ``kind`` (absorbed, renamed, created, split), ``note``.
    """
    kinds = {
        "old_fips": "int64",
        "new_fips": "Int64",
        "effective": "datetime64[ns]",
        "kind": "str",
        "note": "str",
    }
    return hand_entered_table(path, kinds, ["old_fips"])


def read_border_counties(path: Path) -> pd.DataFrame:
    """Counties on the Mexican border: ``fips``, ``county``, ``state`` (postal code), 23 rows."""
    return hand_entered_table(path, {"fips": "int64", "county": "str", "state": "str"}, ["fips"])


def read_offenses_by_year(path: Path) -> pd.DataFrame:
    """National offenses: ``offenses_by_year.csv``.

    Returns
    -------
    DataFrame
        2004-2012: ``year``, ``population``, and one column per offense.
    """
    kinds = dict.fromkeys(("year", "population", *OFFENSES), "int64")
    return hand_entered_table(path, kinds, ["year"])


def read_offenses_by_month(path: Path) -> pd.DataFrame:
    """Offenses by calendar month: ``offenses_by_month_2013.csv``.

    Returns
    -------
    DataFrame
        12 rows: ``month`` (1 to 12), and one column per offense.
    """
    return hand_entered_table(path, dict.fromkeys(("month", *OFFENSES), "int64"), ["month"])


def read_offense_spread(path: Path) -> pd.DataFrame:
    """How offenses vary between agencies: ``offense_spread_2013.csv``.

    Returns
    -------
    DataFrame
        7 offenses: ``offense``, ``city_rate``, ``county_rate`` (a year, per 100,000 people),
        ``log_rate_sd``, ``overdispersion``, ``cleared_share``.
    """
    names = ("city_rate", "county_rate", "log_rate_sd", "overdispersion", "cleared_share")
    return hand_entered_table(path, {"offense": "str", **dict.fromkeys(names, "float64")}, ["offense"])


def read_regions(path: Path) -> pd.DataFrame:
    """States and Census regions: ``census_regions.csv``.

    Returns
    -------
    DataFrame
        51 rows: ``state_fips``, ``postal``, ``state``, ``region`` (1 to 4), ``region_name``,
        ``division`` (1 to 9), ``division_name``.
    """
    kinds = {
        "state_fips": "int64",
        "postal": "str",
        "state": "str",
        "region": "int64",
        "region_name": "str",
        "division": "int64",
        "division_name": "str",
    }
    return hand_entered_table(path, kinds, ["state_fips"])


def hand_entered_table(path: Path, kinds: Mapping[str, str], keys: Sequence[str]) -> pd.DataFrame:
    """A CSV with these columns, unique in ``keys``; the repository itself is where to get it."""
    try:
        table = text_cells(path, "utf-8")
        require_columns(table, kinds, path)
        if table.empty:
            raise SourceError(f"{path}: the table has a heading and no rows. {FETCH_AGAIN}")
        typed = {name: _column(path, table[name], kind) for name, kind in kinds.items()}
        tidy = pd.DataFrame(typed)
        require_unique(tidy, keys, path)
    except SourceError as error:
        raise SourceError(str(error).replace(FETCH_AGAIN, RESTORE)) from None
    return tidy


def _column(path: Path, column: pd.Series, kind: str) -> pd.Series:
    """One column in its type; only Int64 columns may have empty cells."""
    if kind == "datetime64[ns]":
        converted = pd.to_datetime(column, format="%Y-%m-%d", errors="coerce")
    elif kind == "str":
        converted = column
    else:
        converted = pd.to_numeric(column, errors="coerce")
    lost = converted.isna() & (column.notna() if kind == "Int64" else True)
    if lost.any():
        row = int(lost.to_numpy().argmax())
        raise SourceError(
            f"{path}: column {column.name}, line {row + 2}: {shortened(column.iloc[row])} where a "
            f"{_NOUN[kind]} belongs ({int(lost.sum())} such cells). {FETCH_AGAIN}"
        )
    return pd.Series(converted, dtype=kind)


_NOUN: Final = {
    "str": "word",
    "int64": "whole number",
    "Int64": "whole number",
    "float64": "number",
    "datetime64[ns]": "date written as 2009-12-31",
}
