"""County populations of the Census Bureau: intercensal 2000-2010 and vintage 2019.

Both files carry the state totals beside the counties, so that damage is detected: in each
state and year the counties must add up to the state.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from replication.core.errors import SourceError
from replication.core.limits import shortened
from replication.sources.raw_checks import (
    FETCH_AGAIN,
    require_columns,
    require_rows,
    require_unique,
    text_cells,
)

STATE_LEVEL: Final = 40
COUNTY_LEVEL: Final = 50
STATES: Final = 51
KEYS: Final = ["SUMLEV", "STATE", "COUNTY"]


def read_intercensal(path: Path) -> pd.DataFrame:
    """County populations on July 1, 2000 to 2010, revised after the 2010 census.

    Parameters
    ----------
    path : ``co-est00int-tot.csv``.

    Returns
    -------
    DataFrame
        ``fips``, ``year``, ``population`` (people, whole numbers), sorted; counties only.

    Raises
    ------
    SourceError
        If the file is damaged, another edition, or its counties do not add up to its states.
    """
    return _populations(path, range(2000, 2011))


def read_vintage_2019(path: Path) -> pd.DataFrame:
    """County populations on July 1, 2010 to 2019, vintage 2019.

    Parameters
    ----------
    path : ``co-est2019-alldata.csv``.

    Returns
    -------
    DataFrame
        ``fips``, ``year``, ``population`` (people, whole numbers), sorted; counties only.

    Raises
    ------
    SourceError
        If the file is damaged, another edition, or its counties do not add up to its states.
    """
    return _populations(path, range(2010, 2020))


def _populations(path: Path, years: range) -> pd.DataFrame:
    estimates = [f"POPESTIMATE{year}" for year in years]
    table = _table(path, [*KEYS, *estimates])
    require_unique(table, KEYS, path)
    counties = table[table["SUMLEV"] == COUNTY_LEVEL]
    _require_sums(path, table[table["SUMLEV"] == STATE_LEVEL], counties, estimates)
    fips = 1000 * counties["STATE"] + counties["COUNTY"]
    wide = counties[estimates].set_axis(list(years), axis=1).set_axis(fips, axis=0)
    long = wide.rename_axis("fips").reset_index()
    long = long.melt("fips", var_name="year", value_name="population").astype("int64")
    return long.sort_values(["fips", "year"], ignore_index=True)


def _table(path: Path, columns: list[str]) -> pd.DataFrame:
    table = text_cells(path, "latin-1")
    require_columns(table, columns, path)
    numbers = table[columns].apply(pd.to_numeric, errors="coerce").astype("float64")
    broken = numbers.isna() | (numbers < 0) | (numbers % 1 != 0)
    if broken.any(axis=None):
        row = int(broken.any(axis=1).to_numpy().argmax())
        column = broken.columns[broken.iloc[row].to_numpy()][0]
        value = shortened(table[column].iloc[row])
        raise SourceError(
            f"{path}: {int(broken.any(axis=1).sum())} rows contain something other than a whole "
            f"number, first on line {row + 2} of the file, column {column}: {value}; the file "
            f"is cut off or its columns are shifted. {FETCH_AGAIN}"
        )
    whole: pd.DataFrame = numbers.astype("int64")
    return whole


def _require_sums(path: Path, states: pd.DataFrame, counties: pd.DataFrame, estimates: list[str]) -> None:
    """Refuse a file in which some state is not the sum of its counties."""
    if len(states) != STATES:
        raise SourceError(
            f"{path}: {len(states)} state totals where {STATES} belong; the file is cut off. {FETCH_AGAIN}"
        )
    stated = states.set_index("STATE")[estimates]
    summed = counties.groupby("STATE")[estimates].sum().reindex(stated.index, fill_value=0)
    off = (stated != summed).any(axis=1)
    if off.any():
        state = off.index[off.to_numpy()][0]
        column = str((stated.loc[state] != summed.loc[state]).idxmax())
        raise SourceError(
            f"{path}: in {int(off.sum())} states the counties do not add up to the state's own "
            f"row, first state {state}, {column}: {summed.loc[state, column]} against "
            f"{stated.loc[state, column]}; rows are missing, repeated, or shifted. {FETCH_AGAIN}"
        )


def read_county_names(path: Path) -> pd.DataFrame:
    """Names of the counties, as the vintage-2019 file writes them.

    Parameters
    ----------
    path : ``co-est2019-alldata.csv``.

    Returns
    -------
    DataFrame
        ``fips``, ``county_name`` (such as ``Harris County``), sorted.

    Raises
    ------
    SourceError
        If the file is damaged or repeats a county.
    """
    table = text_cells(path, "latin-1")
    require_columns(table, [*KEYS, "CTYNAME"], path)
    counties = table[pd.to_numeric(table["SUMLEV"], errors="coerce") == COUNTY_LEVEL]
    state, county = (pd.to_numeric(counties[key], errors="coerce") for key in KEYS[1:])
    tidy = pd.DataFrame({"fips": 1000 * state + county, "county_name": counties["CTYNAME"]})
    named = tidy["fips"].notna() & tidy["county_name"].fillna("").ne("")
    require_rows(tidy, named, path, "the county's code or name is missing")
    require_unique(tidy, ["fips"], path)
    return tidy.astype({"fips": "int64", "county_name": "str"}).sort_values("fips", ignore_index=True)
