"""The raw files of the county panels of Secure Communities, found and read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from replication.sources import (
    acs,
    census,
    crosswalks,
    hand_entered,
    kaplan,
    nacjd,
    unemployment,
)
from replication.sources.county_shapes import read_county_places
from replication.sources.raw_files import Place, finder, typed_table
from studies.secure_communities import activations
from studies.secure_communities.county_context import ContextSources
from studies.secure_communities.county_year import YEARS, CountySources
from studies.secure_communities.earlier_crime import GROWTH
from studies.secure_communities.second_source import YEARS as KAPLAN_YEARS


def county_sources(root: Path) -> CountySources:
    """Every raw file of the canonical annual panel, read."""
    place = finder(root)
    return CountySources(
        offenses=county_offenses(place, YEARS),
        activation_days=activations.read_activation_days(place("activation_days")),
        activation_months=activations.read_activation_months(place("activation_months")),
        intercensal=census.read_intercensal(place("census_intercensal")),
        vintage_2019=census.read_vintage_2019(place("census_vintage_2019")),
        fips_changes=hand_entered.read_fips_changes(typed_table(root, "county_fips_changes")),
        regions=hand_entered.read_regions(typed_table(root, "census_regions")),
        border_counties=hand_entered.read_border_counties(typed_table(root, "mexican_border_counties")),
    )


def context_sources(root: Path) -> ContextSources:
    """Names, places, people, earlier crime and neighbors of the counties, read."""
    place = finder(root)
    return ContextSources(
        names=census.read_county_names(place("census_vintage_2019")),
        places=read_county_places(),
        acs=acs.read_acs(place("acs_2009"), 2009),
        noncitizens=acs.read_noncitizens(place("noncitizens")),
        unemployment=unemployment.read_unemployment(place("unemployment")),
        earlier_offenses=county_offenses(place, range(GROWTH[0], GROWTH[1] + 1)),
        adjacency=crosswalks.read_adjacency(place("adjacency")),
    )


def second_source(root: Path) -> pd.DataFrame:
    """Kaplan's county offenses of all years, one below the other."""
    place = finder(root)
    years = [kaplan.read_kaplan(place(f"kaplan_{year}"), year) for year in KAPLAN_YEARS]
    return pd.concat(years, ignore_index=True)


def county_offenses(place: Place, years: Iterable[int]) -> pd.DataFrame:
    """Records of NACJD of some years, one below the other."""
    frames = [nacjd.read_county_offenses(place(f"nacjd_{year}"), year) for year in years]
    return pd.concat(frames, ignore_index=True)
