"""Crime before the program: its level in 2004-2006 and its growth in 2000-2004."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from replication.cleaning import county_coverage, geography, rates
from replication.cleaning.column_checks import require_columns, require_unique, require_years
from replication.core.arrays import Bools
from replication.sources import OFFENSES

TOTALS: Final = ("index", "violent", "property")
BASELINE: Final = (2004, 2006)
GROWTH: Final = (2000, 2004)
FEWEST_YEARS: Final = 4


def baseline(frame: pd.DataFrame) -> pd.DataFrame:
    """Mean log rates of 2004-2006 by ``fips``.

    Parameters
    ----------
    frame : DataFrame
        ``fips``, ``year`` and ``log_rate_<total>``; years of zero offenses do not count.

    Returns
    -------
    DataFrame
        ``baseline_log_rate_<total>``, missing where no year counts.
    """
    chosen = frame[frame["year"].between(*BASELINE)]
    means = chosen.groupby("fips")[[f"log_rate_{name}" for name in TOTALS]].mean()
    return means.add_prefix("baseline_").reindex(frame["fips"].unique())


def earlier_growth(
    offenses: pd.DataFrame,
    people: pd.DataFrame,
    changes: Mapping[int, int],
    rule: county_coverage.CoverageRule = county_coverage.CANONICAL,
) -> pd.DataFrame:
    """Growth of crime before the panel: slope of the log rate on the year, 2000-2004.

    Parameters
    ----------
    offenses : DataFrame
        Records of 2000-2004 as the reader returns them.
    people : DataFrame
        ``fips``, ``year``, ``population`` of the units.
    changes : mapping of int to int
        Code of a part -> code of the unit, New York City included.
    rule : CoverageRule
        County-years that count; a county needs four of the five.

    Returns
    -------
    DataFrame
        By ``fips``: ``earlier_growth_<total>`` in log points a year, missing with fewer years.
    """
    needed = ["fips", "year", "coverage_indicator", "covered_population", *OFFENSES]
    require_columns(offenses, needed, "The county offenses of 2000-2004")
    years = range(GROWTH[0], GROWTH[1] + 1)
    require_years(offenses, years, "The county offenses")
    records = offenses[offenses["year"].isin(years)]
    records = records[~geography.is_statewide(records["fips"])]
    require_unique(records, ["fips", "year"], "The county offenses")
    sums = [*OFFENSES, "covered_population"]
    frame = geography.merge_offenses(records, changes, sums)
    frame = frame.merge(people, how="inner", on=["fips", "year"], validate="one_to_one")
    frame["census_ratio"] = frame["covered_population"] / frame["population"]
    frame = frame[usable(frame, rule)].reset_index(drop=True)
    frame = pd.concat([frame, rates.totals(frame)], axis=1)
    logs = rates.log_rates(rates.rates(frame, TOTALS, "covered_population"), TOTALS)
    slopes = {
        f"earlier_growth_{name}": slope(frame["fips"], frame["year"], logs[f"log_rate_{name}"])
        for name in TOTALS
    }
    return pd.DataFrame(slopes)


def usable(frame: pd.DataFrame, rule: county_coverage.CoverageRule) -> Bools:
    """County-years that pass every coverage screen."""
    silent = county_coverage.is_missing(frame, OFFENSES)
    passes = county_coverage.indicator_passes(frame, rule) & county_coverage.ratio_passes(frame, rule)
    found: Bools = passes & ~silent
    return found


def slope(unit: pd.Series, year: pd.Series, value: pd.Series) -> pd.Series:
    """Least-squares slope of the values on the years, by unit; missing with fewer than four."""
    rows = pd.DataFrame({"unit": unit, "year": year.astype(float), "value": value}).dropna()
    centered = rows[["year", "value"]] - rows.groupby("unit")[["year", "value"]].transform("mean")
    products = (
        pd.DataFrame(
            {
                "cross": centered["year"] * centered["value"],
                "square": centered["year"] ** 2,
            }
        )
        .groupby(rows["unit"])
        .sum()
    )
    count = rows.groupby("unit").size()
    found: pd.Series = (products["cross"] / products["square"]).where(count >= FEWEST_YEARS, np.nan)
    return found
