"""County characteristics: names, coordinates, composition, unemployment, size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from replication.cleaning.column_checks import require_columns, require_unique
from replication.cleaning.geography import NEW_YORK_COUNTY, recode

COMPOSITION_YEAR: Final = 2009
"""Last of the five years (2005-2009) of the first American Community Survey of every county."""
UNEMPLOYMENT_YEAR: Final = 2007
"""Last full year before the first activation and before the recession."""
LARGE: Final = 100_000
CLASS_BOUNDS: Final = (25_000, LARGE, 500_000)
CLASSES: Final = ("under 25,000", "25,000-100,000", "100,000-500,000", "500,000 or more")


def named(names: pd.DataFrame, fips: pd.Series) -> pd.Series:
    """Names of counties; New York City under its own."""
    require_columns(names, ["fips", "county_name"], "The county names")
    known = names.set_index("fips")["county_name"]
    found: pd.Series = fips.map(known).mask(fips == NEW_YORK_COUNTY, "New York City")
    return found


def unit_places(frame: pd.DataFrame, units: Mapping[int, int]) -> pd.DataFrame:
    """``latitude`` and ``longitude`` by ``fips``: the mean over the parts of merged units."""
    require_columns(frame, ["fips", "latitude", "longitude"], "The county places")
    coded = recode(frame["fips"], units)
    return frame[["latitude", "longitude"]].groupby(coded).mean()


def composition(acs: pd.DataFrame, noncitizens: pd.DataFrame, units: Mapping[int, int]) -> pd.DataFrame:
    """``hispanic_share`` and ``noncitizen_share`` by ``fips``, 0 to 1.

    Both are shares of the same people: the American Community Survey of 2005-2009. No earlier
    one covers every county.

    Parameters
    ----------
    acs : DataFrame
        ``fips``, ``year``, ``population``, ``hispanic``.
    noncitizens : DataFrame
        ``fips``, ``year``, ``noncitizens``.
    units : mapping of int to int
        Code of a part -> code of the unit.
    """
    require_columns(acs, ["fips", "year", "population", "hispanic"], "The ACS counts")
    require_columns(noncitizens, ["fips", "year", "noncitizens"], "The noncitizen counts")
    people = acs.loc[acs["year"] == COMPOSITION_YEAR, ["fips", "population", "hispanic"]]
    others = noncitizens.loc[noncitizens["year"] == COMPOSITION_YEAR, ["fips", "noncitizens"]]
    require_unique(people, ["fips"], "The ACS counts")
    require_unique(others, ["fips"], "The noncitizen counts")
    both = people.merge(others, how="left", on="fips").assign(fips=lambda rows: recode(rows["fips"], units))
    summed = both.groupby("fips").agg("sum", skipna=False)
    shares = summed[["hispanic", "noncitizens"]].div(summed["population"], axis=0)
    return shares.set_axis(["hispanic_share", "noncitizen_share"], axis=1)


def unemployment(frame: pd.DataFrame, units: Mapping[int, int]) -> pd.Series:
    """Unemployment rate (percent of the labor force) by ``fips`` and ``year``.

    Merged units have the rate of all their people; missing where a part is.
    """
    columns = ["fips", "year", "labour_force", "unemployed"]
    require_columns(frame, columns, "The unemployment counts")
    coded = frame[columns].assign(fips=recode(frame["fips"], units))
    summed = coded.groupby(["fips", "year"]).agg("sum", skipna=False)
    rate: pd.Series = 100 * summed["unemployed"] / summed["labour_force"].where(lambda n: n > 0)
    return rate


def size_class(population: pd.Series) -> pd.Series:
    """Class of size of each population, a name of ``CLASSES``."""
    place = np.searchsorted(CLASS_BOUNDS, population.to_numpy(), side="right")
    return pd.Series(np.asarray(CLASSES, dtype=object)[place], index=population.index)


def upper_half(values: pd.Series, people: pd.Series) -> pd.Series:
    """Whether a unit lies above the population-weighted median.

    Half of the people, not of the units, because the estimates are weighted by people: both
    sides of the split then weigh about the same.

    Parameters
    ----------
    values, people : Series
        One row per unit.
    """
    order = values.sort_values(kind="stable").index
    reached = people.loc[order].cumsum() / people.sum()
    middle = values.loc[order[int(np.searchsorted(reached.to_numpy(), 0.5))]]
    above: pd.Series = values > middle
    return above
