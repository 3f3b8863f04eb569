"""The columns that monthly panels share, as codebook entries."""

from __future__ import annotations

from typing import Final

import pandas as pd
import pandera.pandas as pa

from replication.cleaning.codebook import FIPS_BOUNDS, amount, column
from studies.secure_communities.schemas import ACTIVATION, CENSUS, COMPARISON_2012, DATES, state_columns

ACS: Final = "American Community Survey, pooled 2005-2009"
MONTH_BOUNDS: Final = (0, 1440)
COHORT_NOTE: Final = "month number (12 x (year - 1960) + month - 1); 0 never"
INF: Final = float("inf")


def place_columns(source: str) -> dict[str, pa.Column]:
    """County, month and state; ``source`` is where the county code comes from."""
    return {
        "fips": column(
            "int64", "County code; New York City is 36061", "FIPS code", source, bounds=FIPS_BOUNDS
        ),
        **month_columns(source),
        **state_columns(),
    }


def month_columns(source: str) -> dict[str, pa.Column]:
    """The month, as a number and taken apart."""
    return {
        "month": column(
            "int64", "Month: 12 x (year - 1960) + month - 1", "month", source, bounds=MONTH_BOUNDS
        ),
        "year": column("int64", "Calendar year", "year", source),
        "month_of_year": column("int64", "Month of the year", "1 to 12", source, bounds=(1, 12)),
    }


def people_columns() -> dict[str, pa.Column]:
    """County population, its weight year and its composition."""
    both, absent = f"{CENSUS}; {ACS}", "county not in the survey, or no such people"
    return {
        "population": column("int64", "Population on July 1", "people", CENSUS, bounds=(1, INF)),
        "population_2004": column(
            "int64", "Population on July 1, 2004 (the weight)", "people", CENSUS, bounds=(1, INF)
        ),
        "log_population": column("float64", "Log of population (Poisson offset)", "log", CENSUS),
        "hispanic_share": column(
            "float64",
            "Hispanic share of the population",
            "0 to 1",
            ACS,
            bounds=(0, 1),
            missing="county not in the survey",
        ),
        "hispanic_population": amount("Population times Hispanic share", "people", both, missing=absent),
        "non_hispanic_population": amount(
            "Population without the Hispanic one", "people", both, missing=absent
        ),
        "log_hispanic_population": column(
            "float64", "Log of Hispanic population (Poisson offset)", "log", both, missing=absent
        ),
        "log_non_hispanic_population": column(
            "float64", "Log of non-Hispanic population (Poisson offset)", "log", both, missing=absent
        ),
    }


def timing_columns() -> dict[str, pa.Column]:
    """Activation timing of the county."""
    return {
        **ACTIVATION,
        "share_of_month": column(
            "float64", "Share of month active", "share of the month's days", DATES, bounds=(0, 1)
        ),
        "cohort_mid_month": column(
            "int64",
            "Month of activation until its 15th day, else the next",
            COHORT_NOTE,
            DATES,
            bounds=MONTH_BOUNDS,
        ),
        "cohort_first_full_month": column(
            "int64", "First month in force from its first day", COHORT_NOTE, DATES, bounds=MONTH_BOUNDS
        ),
        "cohort_calendar_month": column(
            "int64", "Month of activation", COHORT_NOTE, DATES, bounds=MONTH_BOUNDS
        ),
        "comparison_2012": COMPARISON_2012,
        "cohort_design_2011": column(
            "int64",
            "Cohort in the design that ends in 2011: cohort_first_full_month if treated, 0 for the others",
            COHORT_NOTE,
            DATES,
            bounds=MONTH_BOUNDS,
        ),
    }


def share_follows_date(frame: pd.DataFrame) -> pd.Series:
    """In force for some of the month exactly from the calendar month of activation on."""
    cohort = frame["cohort_calendar_month"]
    started = (cohort > 0) & (frame["month"] >= cohort)
    return (frame["share_of_month"] > 0) == started


TIMING_CHECK: Final = pa.Check(share_follows_date, error="a share of the month that follows the date")
