"""The raw files of the monthly panels of Secure Communities, found and read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from replication.cleaning.agency_months import AgencyMonths, agency_months
from replication.sources import acs, census, crosswalks, hand_entered
from replication.sources.raw_files import Place, finder, typed_table
from replication.sources.return_a import ReturnA, read_return_a
from replication.sources.supplementary_homicides import read_homicides
from studies.secure_communities import activations
from studies.secure_communities.county_sources import county_offenses
from studies.secure_communities.county_year import YEARS
from studies.secure_communities_homicides.county_homicides import HomicideSources
from studies.secure_communities_monthly.county_places import Places

HOMICIDE_YEARS = (2003, 2004, 2005, 2006, 2008, 2009, 2010, 2011, 2012, 2013)
"""The file named 2007 contains 2006; the year has no file."""


@dataclass(frozen=True, slots=True)
class ReturnASources:
    """Input of the panels made from Return A.

    Attributes
    ----------
    returns : AgencyMonths
        All nine years.
    crosswalk : DataFrame
        ``sources.geography.read_agencies``.
    places : Places
    """

    returns: AgencyMonths
    crosswalk: pd.DataFrame
    places: Places


def return_a_sources(root: Path) -> ReturnASources:
    """Every raw file of the panels made from Return A, read; a missing one is reported first."""
    place = finder(root)
    masters = {year: place(f"return_a_{year}") for year in YEARS}
    around = read_places(root)
    crosswalk = crosswalks.read_agencies(place("agency_crosswalk"))
    return ReturnASources(agency_months(read_masters(masters)), crosswalk, around)


def read_masters(masters: Mapping[int, Path]) -> Iterator[ReturnA]:
    """One year after the other, so that no more than one is in memory as it was read."""
    for year, path in masters.items():
        yield read_return_a(path, year)


def read_places(root: Path) -> Places:
    """County data for the monthly panels."""
    place = finder(root)
    return Places(
        activation_days=activations.read_activation_days(place("activation_days")),
        intercensal=census.read_intercensal(place("census_intercensal")),
        vintage_2019=census.read_vintage_2019(place("census_vintage_2019")),
        fips_changes=hand_entered.read_fips_changes(typed_table(root, "county_fips_changes")),
        regions=hand_entered.read_regions(typed_table(root, "census_regions")),
        border_counties=hand_entered.read_border_counties(typed_table(root, "mexican_border_counties")),
        composition=acs.read_acs(place("acs_2009"), 2009),
    )


def homicide_sources(root: Path) -> HomicideSources:
    """Every raw file of the homicide panel, read; murders of NACJD are the second count."""
    place = finder(root)
    return HomicideSources(
        victims=homicide_victims(place),
        crosswalk=crosswalks.read_agencies(place("agency_crosswalk")),
        reference=county_offenses(place, YEARS),
        places=read_places(root),
    )


def homicide_victims(place: Place) -> pd.DataFrame:
    """Victims of all years, one year below the other."""
    years = [read_homicides(place(f"homicides_{year}"), year).victims for year in HOMICIDE_YEARS]
    return pd.concat(years, ignore_index=True)
