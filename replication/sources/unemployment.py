"""County unemployment: annual averages of the Bureau of Labor Statistics, as compiled by USDA."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import pandas as pd

from replication.sources.archives import require_bounded
from replication.sources.raw_checks import parse_raw, raw_bytes, require_columns, require_rows, require_unique

YEARS: Final = range(2000, 2024)
HEADING_LINE: Final = 4
PARTS: Final = {
    "Civilian_labor_force": "labour_force",
    "Employed": "employed",
    "Unemployed": "unemployed",
    "Unemployment_rate": "unemployment_rate",
}


def read_unemployment(path: Path) -> pd.DataFrame:
    """Labor force and unemployment of every county, 2000-2023.

    Parameters
    ----------
    path : ``ers_unemployment_2000_2023.xlsx``.

    Returns
    -------
    DataFrame
        ``fips``, ``year``, ``labour_force``, ``unemployed`` (people, annual average),
        ``unemployment_rate`` (percent), sorted; counties only, missing where not published.

    Raises
    ------
    SourceError
        If the workbook is damaged, lacks a year, repeats a county, or has a labor force that is
        not the sum of the employed and the unemployed.
    """
    data = raw_bytes(path)
    require_bounded(path, data)
    wide = parse_raw(
        path,
        "an Excel workbook",
        lambda: pd.read_excel(io.BytesIO(data), header=HEADING_LINE, dtype={"FIPS_Code": "str"}),
    )
    names = [f"{part}_{year}" for part in PARTS for year in YEARS]
    require_columns(wide, ["FIPS_Code", *names], path)
    wide = wide[["FIPS_Code", *names]].copy()
    wide["fips"] = pd.to_numeric(wide["FIPS_Code"], errors="coerce")
    require_rows(wide[["FIPS_Code", "fips"]], wide["fips"].notna(), path, "FIPS_Code is not a number")
    require_unique(wide, ["fips"], path)
    counties = wide[wide["fips"] % 1000 != 0]
    long = pd.concat([_year(path, counties, year) for year in YEARS])
    kept = ["fips", "year", "labour_force", "unemployed", "unemployment_rate"]
    long["fips"] = long["fips"].astype("int64")
    return long[kept].sort_values(["fips", "year"], ignore_index=True)


def _year(path: Path, counties: pd.DataFrame, year: int) -> pd.DataFrame:
    """Columns of one year, with the labor force checked against its parts."""
    columns = {f"{part}_{year}": name for part, name in PARTS.items()}
    table = counties[["fips", *columns]].rename(columns=columns)
    numbers: pd.DataFrame = table.apply(pd.to_numeric, errors="coerce")
    gap = (numbers["labour_force"] - numbers["employed"] - numbers["unemployed"]).fillna(0)
    require_rows(numbers, gap == 0, path, f"labor force of {year} is not the sum of its two parts")
    return numbers.assign(year=year)
