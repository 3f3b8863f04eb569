"""The columns of the panel of castle doctrine laws."""

from __future__ import annotations

from typing import Final

import pandera.pandas as pa

from replication.cleaning.codebook import STATE_BOUNDS, TYPED, column, schema

CASTLE: Final = "causaldata `castle` (Cheng and Hoekstra 2013)"
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
# of this one: North Dakota shows 224 percent, which fits the number of men in Ohio.
CASTLE_CONTROLS: Final[dict[str, tuple[str, str]]] = {
    "l_police": ("Log of police per 100,000", "log rate"),
    "unemployrt": ("Unemployment rate", "percent"),
    "poverty": ("Poverty rate", "percent"),
    "l_income": ("Log of median income", "log dollars"),
    "l_prisoner": ("Log of prisoners per 100,000", "log rate"),
    "l_lagprisoner": ("Log of prisoners per 100,000, year before", "log rate"),
    "blackm_15_24": ("Black men aged 15 to 24, as shipped", "percent of people"),
    "whitem_15_24": ("White men aged 15 to 24, as shipped (some over 100)", "percent of people"),
    "blackm_25_44": ("Black men aged 25 to 44, as shipped", "percent of people"),
    "whitem_25_44": ("White men aged 25 to 44, as shipped (some over 100)", "percent of people"),
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
            "float64", "Mean population 2000-2010 (the weight)", "people", CASTLE, bounds=(1, float("inf"))
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
            "int64", "First year in force from its first day; 0 never", "year", TYPED, bounds=(0, 2011)
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
