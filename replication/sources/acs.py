"""County composition from the American Community Survey: 5-year tables and noncitizens."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from replication.core.errors import SourceError
from replication.sources.raw_checks import (
    FETCH_AGAIN,
    json_value,
    require_columns,
    require_nation,
    require_rows,
    require_unique,
    text_cells,
)

NATION: Final = {2009: 305_401_642, 2010: 307_727_594, 2011: 310_346_358, 2012: 312_855_438}
"""People in all counties, Puerto Rico included, by last year of the five (table B03002)."""

NAMES: Final = {
    "B03002_001E": "population",
    "B03002_003E": "white_not_hispanic",
    "B03002_004E": "black_not_hispanic",
    "B03002_012E": "hispanic",
}
MEN_15_24: Final = [f"B01001_{line:03d}E" for line in range(6, 11)]


def read_acs(path: Path, year: int) -> pd.DataFrame:
    """Population by ethnicity of every county, pooled over five years.

    Parameters
    ----------
    path : ``acs5_<year>.json``: a heading and rows of text, as the Census Bureau's interface sends.
    year : last of the five years that the file is expected to hold, 2009 to 2012.

    Returns
    -------
    DataFrame
        ``fips``, ``year``, ``population``, ``white_not_hispanic``, ``black_not_hispanic``,
        ``hispanic``, ``men_15_24`` (people), sorted by ``fips``; Puerto Rico included.

    Raises
    ------
    SourceError
        If the file is damaged, repeats a county, or is another year's.
    """
    rows = json_value(path)
    if not (isinstance(rows, list) and len(rows) > 1 and all(isinstance(r, list) for r in rows)):
        raise SourceError(f"{path}: not a list of rows with a heading. {FETCH_AGAIN}")
    if uneven := [n for n, row in enumerate(rows) if len(row) != len(rows[0])]:
        raise SourceError(
            f"{path}: {len(uneven)} rows do not have the {len(rows[0])} fields of the heading, "
            f"first row {uneven[0]}; columns are shifted. {FETCH_AGAIN}"
        )
    table = pd.DataFrame(rows[1:], columns=rows[0])
    columns = ["state", "county", *NAMES, *MEN_15_24]
    require_columns(table, columns, path)
    numbers = table[columns].apply(pd.to_numeric, errors="coerce")
    require_rows(numbers, (numbers >= 0).all(axis=1), path, "something else than a count stands")
    require_unique(numbers, ["state", "county"], path)
    require_nation(path, numbers["B03002_001E"], NATION, year)
    tidy: pd.DataFrame = numbers.astype("int64").rename(columns=NAMES)
    parts = tidy[["white_not_hispanic", "black_not_hispanic", "hispanic"]].sum(axis=1)
    require_rows(tidy, parts <= tidy["population"], path, "groups exceed the population")
    tidy["men_15_24"] = tidy[MEN_15_24].sum(axis=1)
    tidy.insert(0, "fips", 1000 * tidy["state"] + tidy["county"])
    tidy.insert(1, "year", year)
    kept = ["fips", "year", *NAMES.values(), "men_15_24"]
    return tidy[kept].sort_values("fips", ignore_index=True)


def read_noncitizens(path: Path) -> pd.DataFrame:
    """Noncitizens by county, 5-year estimates ending 2009 to 2018.

    Parameters
    ----------
    path : ``non_citizen_pop.csv``.

    Returns
    -------
    DataFrame
        ``fips``, ``year`` (last of the five), ``noncitizens`` (people) and ``margin`` (90% margin
        of error), sorted; both missing in Puerto Rico.

    Raises
    ------
    SourceError
        If the file is damaged, repeats a county and year, or holds years outside 2009-2018.
    """
    table = text_cells(path, "ascii")
    names = {"fips": "fips", "year": "year", "noncit_pop": "noncitizens", "moe": "margin"}
    require_columns(table, names, path)
    table = table[list(names)].replace("NA", None).rename(columns=names)
    tidy: pd.DataFrame = table.apply(pd.to_numeric, errors="coerce")
    require_rows(
        tidy,
        tidy["fips"].between(1001, 78999)
        & tidy["year"].between(2009, 2018)
        & (tidy.notna() | table.isna()).all(axis=1)
        & ~(tidy["noncitizens"] < 0),
        path,
        "the county, the year (2009 to 2018) or a count is not what it should be",
    )
    require_unique(tidy, ["fips", "year"], path)
    for name in ("fips", "year"):
        tidy[name] = tidy[name].astype("int64")
    return tidy.sort_values(["fips", "year"], ignore_index=True)
