"""The further columns of the county panels, and the panels that are made of them."""

from __future__ import annotations

from typing import Final

import pandera.pandas as pa

from replication.cleaning.codebook import FIPS_BOUNDS, TYPED, amount, column, schema
from studies.secure_communities import schemas
from studies.secure_communities.county_people import CLASSES
from studies.secure_communities.schemas import CENSUS, DATES, NACJD

INF: Final = float("inf")
SHAPES: Final = "Census TIGER/Line 2009 (bokeh_sampledata)"
ACS: Final = "American Community Survey 2005-2009"
LAUS: Final = "BLS local area unemployment, by USDA"
ADJACENCY: Final = "Census county adjacency"
NEXT_DOOR: Final = f"{ADJACENCY}; {DATES}"
EARLIER: Final = "ICPSR/NACJD county-level offenses, part 4, 2000-2004"
WEIGHTED_HALF: Final = "above the share at which half of the panel's 2004 population is reached"
WORDS: Final = {
    "index": "all seven index offenses",
    "violent": "violent offenses",
    "property": "property offenses",
}


def _flag(label: str, source: str) -> pa.Column:
    return column("bool", label, "flag", source)


def _people() -> dict[str, pa.Column]:
    share = (0.0, 1.0)
    return {
        "county_name": column("str", "Name of the county", "name", CENSUS),
        "latitude": column("float64", "Middle of the county, north", "degrees", SHAPES, bounds=(-90, 90)),
        "longitude": column(
            "float64", "Middle of the county, east (west negative)", "degrees", SHAPES, bounds=(-180, 180)
        ),
        "hispanic_share": column("float64", "Hispanic share of the population", "share", ACS, bounds=share),
        "noncitizen_share": column(
            "float64",
            "Noncitizen share of the population (2005-2009 is the earliest for every county)",
            "share",
            ACS,
            bounds=share,
        ),
        "unemployment_rate": column(
            "float64",
            "Unemployment rate of the year",
            "% of the labor force",
            LAUS,
            bounds=(0, 100),
            missing="not published",
        ),
        "unemployment_2007": column(
            "float64",
            "Unemployment rate in 2007",
            "% of the labor force",
            LAUS,
            bounds=(0, 100),
            missing="not published",
        ),
        "population_class": column("str", "Size of the county in 2004", "people", CENSUS, allowed=CLASSES),
        "large": _flag("100,000 people or more in 2004", CENSUS),
        "early": _flag("Activated by the end of 2010", DATES),
        "hispanic_high": _flag(f"Hispanic share {WEIGHTED_HALF}", ACS),
        "noncitizen_high": _flag(f"Noncitizen share {WEIGHTED_HALF}", ACS),
    }


def _earlier() -> dict[str, pa.Column]:
    found = {}
    for name, words in WORDS.items():
        found[f"baseline_log_rate_{name}"] = column(
            "float64",
            f"Mean log rate 2004-2006: {words}",
            "log per 100,000 covered residents",
            NACJD,
            missing="no offense in any of the years",
        )
    for name, words in WORDS.items():
        found[f"earlier_growth_{name}"] = column(
            "float64",
            f"Slope of the log rate 2000-2004: {words}",
            "log points a year",
            EARLIER,
            missing="fewer than four of the five years reported",
        )
    return found


def _neighbors() -> dict[str, pa.Column]:
    share = (0.0, 1.0)
    return {
        "neighbors": column("int64", "Adjacent units with a date", "units", ADJACENCY, bounds=(0, INF)),
        "neighbor_other_year": _flag("A neighbor was activated in another calendar year", NEXT_DOOR),
        "neighbor_treated_2011": _flag("A neighbor was activated before July 2011", NEXT_DOOR),
        "on_state_border": _flag("Touches a county of another state", ADJACENCY),
        "donut_2011": _flag(
            "In the comparison of the design that ends in 2011, with a treated neighbor", NEXT_DOOR
        ),
        "neighbors_share_of_year": column(
            "float64",
            "Neighbors' share of year active, weighted by 2004 population",
            "share",
            NEXT_DOOR,
            bounds=share,
            missing="no adjacent county",
        ),
        "neighbors_active_share": column(
            "float64",
            "Share of the neighbors active on December 31",
            "share",
            NEXT_DOOR,
            bounds=share,
            missing="no adjacent county",
        ),
    }


def _timing() -> dict[str, pa.Column]:
    share, days = (0.0, 1.0), "share of the year's days"
    return {
        "share_of_year_next": column("float64", "Share of the next year in force", days, DATES, bounds=share),
        "state_share_of_year": column(
            "float64", "Share of the year since the state's first activation", days, DATES, bounds=share
        ),
        "state_ahead_share": column(
            "float64",
            "Share of the year between the first activation in the state and that of the county",
            days,
            DATES,
            bounds=share,
        ),
        "cohort_state_first": column(
            "int64", "As cohort_mid_year, by the state's first activation", "year", DATES, bounds=(0, 2100)
        ),
    }


def _coverage() -> dict[str, pa.Column]:
    both = f"{NACJD}; {CENSUS}"
    return {
        "reported": _flag("Anything was reported in the year", NACJD),
        "passes_coverage": _flag("Passes the canonical coverage screens in the year", both),
        "coverage_canonical": _flag("Passes the canonical coverage screens in every year", both),
        "coverage_90": _flag("The same with a coverage indicator of at least 90", both),
        "coverage_95": _flag("The same with a coverage indicator of at least 95", both),
        "coverage_ratio_90": _flag("The same with covered over Census from 0.9 to 1.1", both),
        "coverage_loose": _flag(
            "The same with an indicator of at least 50 and covered over Census from 0.5 to 1.5",
            both,
        ),
        "agencies_constant": _flag("The number of reporting agencies never changes", NACJD),
    }


def _interactions() -> dict[str, pa.Column]:
    splits = {
        "hispanic_high": ACS,
        "noncitizen_high": ACS,
        "mexican_border": TYPED,
        "large": CENSUS,
        "early": DATES,
    }
    found = {
        f"share_of_year_x_{name}": column(
            "float64", f"share_of_year where {name}, else 0", "share", source, bounds=(0, 1)
        )
        for name, source in splits.items()
    }
    found["share_of_year_x_neighbors"] = column(
        "float64",
        "share_of_year times neighbors_share_of_year",
        "share",
        NEXT_DOOR,
        bounds=(0, 1),
        missing="no adjacent county",
    )
    return found


def _extended(core: pa.DataFrameSchema, name: str) -> pa.DataFrameSchema:
    more = {**_people(), **_earlier(), **_neighbors(), **_timing(), **_coverage()}
    columns = {**core.columns, **more, **_interactions()}
    return schema(name, columns, ["fips", "year"], core.checks)


COUNTY_YEAR_CONTEXT: Final = _extended(schemas.COUNTY_YEAR, "county_year")
"""The canonical annual panel with its context."""

COUNTY_YEAR_ALL: Final = _extended(schemas.COUNTY_YEAR_UNSCREENED, "county_year_all")
"""Every county with consistent borders, regardless of its reporting."""

PAIR_COLUMNS: Final = (
    "fips",
    "year",
    "county_name",
    "state",
    "state_postal",
    "population_2004",
    "activation_date",
    "share_of_year",
    "cohort_mid_year",
    "rate_index",
    "rate_violent",
    "rate_property",
    "log_rate_index",
    "log_rate_violent",
    "log_rate_property",
)


def _border_pairs() -> pa.DataFrameSchema:
    pair = {
        "pair_member": column("int64", "A county in one of its pairs", "number", ADJACENCY, bounds=(1, INF)),
        "border_pair": column(
            "int64", "Pair of counties on two sides of a state border", "number", ADJACENCY, bounds=(1, INF)
        ),
        "border_segment": column(
            "int64",
            "Pair of states: 1000 x lower code + higher code",
            "code",
            ADJACENCY,
            bounds=(1002, 56056),
        ),
        "neighbor": column(
            "int64", "The other county of the pair", "FIPS code", ADJACENCY, bounds=FIPS_BOUNDS
        ),
        "pair_weight": amount("2004 population over the number of the county's pairs", "people", CENSUS),
    }
    shared = {name: COUNTY_YEAR_CONTEXT.columns[name] for name in PAIR_COLUMNS}
    return schema("county_year_border_pairs", {**pair, **shared}, ["pair_member", "year"])


BORDER_PAIRS: Final = _border_pairs()
"""Neighbors across state borders: a county once for every such neighbor."""
