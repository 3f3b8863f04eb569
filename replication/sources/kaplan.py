"""County offenses from Kaplan's files (openICPSR 100707), as rates by county and year.

The JSON files hold rates per 100,000 people to four decimals, so the whole counts come back
exactly. Rape and motor vehicle theft are not among them: they are what remains of violent and of
property crime. No imputation, no coverage flag, no Connecticut.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from replication.core.errors import SourceError
from replication.sources import OFFENSES
from replication.sources.raw_checks import (
    FETCH_AGAIN,
    json_value,
    require_columns,
    require_nation,
    require_rows,
)

NATION: Final = {
    2009: 303_200_230,
    2010: 305_732_895,
    2011: 307_958_851,
    2012: 310_226_709,
    2013: 312_389_093,
    2014: 314_697_006,
}
"""People in the counties of each year's file."""

PRINTED: Final = [
    "murder",
    "robbery",
    "aggravated_assault",
    "burglary",
    "larceny",
    "violent_crime",
    "property_crime",
]
COUNTS: Final = list(OFFENSES)
LARGEST_ROUNDING: Final = 0.05
"""A rate to four decimals gives the count to within 5e-10 of the population: 0.005 at most."""


def read_kaplan(path: Path, year: int) -> pd.DataFrame:
    """Reported offenses of every county in one year, without imputation.

    Parameters
    ----------
    path : ``county_<year>.json``.
    year : year that the file is expected to hold, 2009 to 2014.

    Returns
    -------
    DataFrame
        ``fips``, ``year``, ``population``, and seven counts, missing for six counties in every
        year; sorted by ``fips``. A count is negative (-1 or -2) in four county-years, where more
        reports were withdrawn than made.

    Raises
    ------
    SourceError
        If the file is damaged, repeats a county, has rates that are not counts, or is another
        year's.
    """
    table = _table(path)
    require_nation(path, table["population"], NATION, year)
    counts = table[[f"county_{name}_rate" for name in PRINTED]].mul(table["population"], axis=0)
    counts = counts.set_axis(PRINTED, axis=1) / 1e5
    whole = counts.round()
    apart = (counts - whole).abs().max(axis=1)
    good = apart.isna() | (apart < LARGEST_ROUNDING)
    require_rows(table, good, path, "rates times population are not whole counts")
    whole["rape"] = whole["violent_crime"] - whole[PRINTED[:3]].sum(axis=1, skipna=False)
    stolen = whole["burglary"] + whole["larceny"]
    whole["motor_vehicle_theft"] = whole["property_crime"] - stolen
    tidy = pd.concat([table[["fips", "population"]], whole[COUNTS]], axis=1)
    tidy.insert(1, "year", year)
    return tidy.sort_values("fips", ignore_index=True)


def _table(path: Path) -> pd.DataFrame:
    """The file as a table of numbers, one row per county."""
    by_county = json_value(path)
    if not isinstance(by_county, dict) or not by_county:
        raise SourceError(f"{path}: not an object of counties. {FETCH_AGAIN}")
    table = pd.DataFrame.from_dict(by_county, orient="index").rename_axis("fips").reset_index()
    rates = [f"county_{name}_rate" for name in PRINTED]
    require_columns(table, ["population", *rates], path)
    table = table[["fips", "population", *rates]].apply(pd.to_numeric, errors="coerce")
    require_rows(
        table,
        table["fips"].between(1001, 78999) & (table["population"] > 0),
        path,
        "the county code or the population is not what it should be",
    )
    whole: pd.DataFrame = table[["fips", "population"]].astype("int64")
    return whole.join(table[rates])
