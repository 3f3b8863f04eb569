"""The columns of the cleaned panels, which validate them and print as their codebooks."""

from __future__ import annotations

from typing import Final

import pandas as pd
import pandera.pandas as pa

from replication.cleaning.codebook import FIPS_BOUNDS, STATE_BOUNDS, TYPED, amount, column, schema
from replication.cleaning.rates import OUTCOMES, TOTALS

NACJD: Final = "ICPSR/NACJD county-level offenses, part 4"
CENSUS: Final = "Census Bureau: intercensal 2000-2010, vintage 2019 from 2010"
DATES: Final = "Secure Communities activation list, by day"
MONTHS: Final = "Secure Communities activation list, by month (second digitized list)"
ROLES: Final = ("treated", "comparison", "left_out")
SHARE: Final = "share of the year's days"
COHORT_NOTE: Final = "0 never; a year after the panel's end stays that year"

WORDS: Final = {
    "murder": "murder and nonnegligent manslaughter",
    "rape": "forcible rape",
    "robbery": "robbery",
    "aggravated_assault": "aggravated assault",
    "burglary": "burglary",
    "larceny": "larceny",
    "motor_vehicle_theft": "motor vehicle theft",
    "index": "all seven index offenses",
    "violent": "murder, rape, robbery and aggravated assault",
    "violent_no_rape": "murder, robbery and aggravated assault",
    "property": "burglary, larceny and motor vehicle theft",
}


def _place() -> dict[str, pa.Column]:
    return {
        "fips": column(
            "int64", "County code; New York City is 36061", "FIPS code", NACJD, bounds=FIPS_BOUNDS
        ),
        "year": column("int64", "Calendar year", "year", NACJD),
        **state_columns(),
    }


def state_columns() -> dict[str, pa.Column]:
    """State, region and the two flags of special places."""
    return {
        "state": column("int64", "State code", "FIPS code", "from fips", bounds=STATE_BOUNDS),
        "state_postal": column("str", "State", "postal code", TYPED),
        "region": column("int64", "Census region", "1 to 4", TYPED, bounds=(1, 4)),
        "division": column("int64", "Census division", "1 to 9", TYPED, bounds=(1, 9)),
        "new_york_city": column("bool", "The five boroughs of New York City", "flag", "from fips"),
        "mexican_border": column("bool", "Touches the Mexican border", "flag", TYPED),
    }


def _people() -> dict[str, pa.Column]:
    inf = float("inf")
    return {
        "population": column("int64", "Population on July 1", "people", CENSUS, bounds=(1, inf)),
        "population_2004": column(
            "int64", "Population on July 1, 2004 (the weight)", "people", CENSUS, bounds=(1, inf)
        ),
        "log_population": column("float64", "Log of population", "log", CENSUS),
        "covered_population": column(
            "int64", "People covered by agencies that report", "people", NACJD, bounds=(0, inf)
        ),
        "log_covered_population": column(
            "float64", "Log of covered population (Poisson offset)", "log", NACJD, missing="no one covered"
        ),
        "census_ratio": amount("Covered / Census population", "ratio", "NACJD and Census"),
        "coverage_indicator": column(
            "float64", "Share of months reported, weighted by people", "0 to 100", NACJD, bounds=(0, 100)
        ),
        "agencies_offense": column(
            "int64", "Agencies that report offenses", "agencies", NACJD, bounds=(0, inf)
        ),
    }


ACTIVATION: Final = {
    "activation_date": column("datetime64[ns]", "Day of activation", "date", DATES),
    "state_first_activation": column(
        "datetime64[ns]", "Day of the first activation in the state", "date", DATES
    ),
}
COMPARISON_2012: Final = column(
    "str",
    "Role in the design that ends in 2011: activated before July 2011, from March 20, 2012, or between",
    "role",
    DATES,
    allowed=ROLES,
)


def _timing() -> dict[str, pa.Column]:
    design = "Cohort in the design that ends in 2011: cohort_mid_year if treated, 0 for the others"
    return {
        **ACTIVATION,
        "share_of_year": column("float64", "Share of year active", SHARE, DATES, bounds=(0, 1)),
        "cohort_mid_year": _year(f"Year of activation in January-June, else the next; {COHORT_NOTE}", DATES),
        "cohort_first_full_year": _year(f"First year in force from its first day; {COHORT_NOTE}", DATES),
        "cohort_calendar_year": _year(f"Year of activation; {COHORT_NOTE}", DATES),
        "comparison_2012": COMPARISON_2012,
        "cohort_design_2011": _year(design, DATES),
        **_alternative_timing(),
    }


def _year(label: str, source: str) -> pa.Column:
    return column("int64", label, "year", source, bounds=(0, 2100))


def _alternative_timing() -> dict[str, pa.Column]:
    share = "Share of year active; where the months differ, from the first day of the alternative month"
    cohorts = {
        f"alternative_cohort_{rule}": _year(
            f"As cohort_{rule}, by the alternative month where the two differ", MONTHS
        )
        for rule in ("mid_year", "first_full_year", "calendar_year")
    }
    return {
        "activation_month_alternative": column(
            "datetime64[ns]",
            "Month of activation (its first day)",
            "date",
            MONTHS,
            missing="county not in the second digitized list",
        ),
        "alternative_share_of_year": column("float64", share, SHARE, MONTHS, bounds=(0, 1)),
        **cohorts,
    }


def _offenses(counts: str, missing: str | None) -> dict[str, pa.Column]:
    inf = float("inf")
    found: dict[str, pa.Column] = {}
    for name in OUTCOMES:
        found[name] = column(
            counts, f"Offenses known: {WORDS[name]}", "offenses", NACJD, bounds=(0, inf), missing=missing
        )
    for name in OUTCOMES:
        found[f"rate_{name}"] = amount(
            f"Rate: {WORDS[name]}",
            "per 100,000 covered residents",
            NACJD,
            missing="no one covered or nothing reported",
        )
    for name in OUTCOMES:
        found[f"log_rate_{name}"] = column(
            "float64",
            f"Log rate: {WORDS[name]}",
            "log per 100,000 covered residents",
            NACJD,
            missing="count of zero, or no rate",
        )
    return found


def _totals_add_up(frame: pd.DataFrame) -> pd.Series:
    """Each total equals the sum of its offenses."""
    fits = pd.Series(True, index=frame.index)
    for name, parts in TOTALS.items():
        fits &= (frame[name] == frame[list(parts)].sum(axis=1)) | frame[name].isna()
    return fits


def _share_follows_date(frame: pd.DataFrame) -> pd.Series:
    """In force for some of the year exactly from the calendar year of activation on."""
    started = (frame["cohort_calendar_year"] > 0) & (frame["year"] >= frame["cohort_calendar_year"])
    return (frame["share_of_year"] > 0) == started


def _county_year(name: str, counts: str, missing: str | None) -> pa.DataFrameSchema:
    columns = {**_place(), **_people(), **_timing(), **_offenses(counts, missing)}
    checks = [
        pa.Check(_totals_add_up, error="totals that equal the sum of their offenses"),
        pa.Check(_share_follows_date, error="a share of the year that follows the date"),
    ]
    return schema(name, columns, ["fips", "year"], checks)


COUNTY_YEAR: Final = _county_year("county_year", "int64", None)
"""Secure Communities, canonical annual panel."""

COUNTY_YEAR_UNSCREENED: Final = _county_year(
    "county_year_unscreened", "float64", "nothing reported (coverage indicator 0, all counts 0)"
)
"""The same columns with the county-years that were not reported."""
