"""The columns of the homicide panels."""

from __future__ import annotations

from typing import Final

import pandas as pd
import pandera.pandas as pa

from replication.cleaning.codebook import FIPS_BOUNDS, amount, column, schema
from studies.secure_communities.schemas import CENSUS, state_columns
from studies.secure_communities_monthly.monthly_schemas import (
    ACS,
    INF,
    TIMING_CHECK,
    month_columns,
    people_columns,
    place_columns,
    timing_columns,
)

SHR: Final = "FBI Supplementary Homicide Reports"
GROUPS: Final = {
    "hispanic": "hispanic_victims",
    "not_hispanic": "non_hispanic_victims",
    "unknown": "unknown_ethnicity_victims",
    "not_reported": "unknown_ethnicity_victims",
}
"""Ethnicity as read -> column in which the victim is counted."""
ETHNIC: Final = ("hispanic_victims", "non_hispanic_victims", "unknown_ethnicity_victims")


def _counts() -> dict[str, pa.Column]:
    whole = {
        "homicides": "Victims of murder and nonnegligent manslaughter",
        "hispanic_victims": "Hispanic victims among them",
        "non_hispanic_victims": "of them not Hispanic",
        "unknown_ethnicity_victims": "of them of unknown or unreported ethnicity",
        "hispanic_offender_victims": "of them by an offender (the first named) who is Hispanic",
    }
    shared = "unknown ethnicity divided as known in the county and year (else county, else state)"
    absent = "no victim of known ethnicity to go by"
    found = {name: column("int64", label, "victims", SHR, bounds=(0, INF)) for name, label in whole.items()}
    for name, who in (("hispanic", "Hispanic"), ("non_hispanic", "Non-Hispanic")):
        found[f"{name}_victims_allocated"] = amount(
            f"{who} victims, {shared}", "victims", SHR, missing=absent
        )
    found["ethnicity_known_share"] = column(
        "float64",
        "Share of the county's victims, all months, of known ethnicity",
        "0 to 1",
        SHR,
        bounds=(0, 1),
        missing="no victim in any month",
    )
    found["reports_ethnicity"] = column(
        "bool",
        "Ethnicity known for at least three victims in four in every year (by default); true without victims",
        "flag",
        SHR,
    )
    return found


def _rates() -> dict[str, pa.Column]:
    labels = {
        "homicides": ("Homicides", "people", CENSUS),
        "hispanic_victims": ("Hispanic victims", "Hispanic people", f"{CENSUS}; {ACS}"),
        "non_hispanic_victims": ("Non-Hispanic victims", "other people", f"{CENSUS}; {ACS}"),
    }
    return {
        f"rate_{name}": amount(
            f"{label}, rate of a month", f"per 100,000 {people}", f"{SHR}; {source}", missing="no such people"
        )
        for name, (label, people, source) in labels.items()
    }


def _ethnicities_add_up(frame: pd.DataFrame) -> pd.Series:
    """Victims of the three ethnicities are all victims."""
    return frame[list(ETHNIC)].sum(axis=1) == frame["homicides"]


COUNTY_MONTH_HOMICIDES: Final = schema(
    "county_month_homicides",
    {**place_columns(SHR), **people_columns(), **timing_columns(), **_counts(), **_rates()},
    ["fips", "month"],
    [TIMING_CHECK, pa.Check(_ethnicities_add_up, error="ethnicities that add up")],
)
"""Homicides by county and month; the months of years without a file are absent."""


def _by_ethnicity() -> dict[str, pa.Column]:
    both = f"{CENSUS}; {ACS}"
    return {
        "unit": column("int64", "10 x county code + hispanic", "code", "from fips"),
        "fips": column("int64", "County code", "FIPS code", SHR, bounds=FIPS_BOUNDS),
        **month_columns(SHR),
        **state_columns(),
        "hispanic": column("int64", "1 Hispanic victims, 0 other victims", "0 or 1", SHR, allowed=(0, 1)),
        "victims": column("int64", "Victims of murder of known ethnicity", "victims", SHR, bounds=(0, INF)),
        "victims_allocated": amount(
            "Victims, with those of unknown ethnicity allocated",
            "victims",
            SHR,
            missing="no victim of known ethnicity to go by",
        ),
        "group_population": amount("People of the group", "people", both),
        "log_group_population": column("float64", "Log of people of the group (Poisson offset)", "log", both),
        "population_2004": people_columns()["population_2004"],
        "hispanic_share": column("float64", "Hispanic share of the population", "0 to 1", ACS, bounds=(0, 1)),
        "reports_ethnicity": _counts()["reports_ethnicity"],
        **timing_columns(),
        "hispanic_share_of_month": column(
            "float64",
            "share_of_month for Hispanic victims, 0 for others (triple difference)",
            "share of the month's days",
            SHR,
            bounds=(0, 1),
        ),
    }


COUNTY_MONTH_ETHNICITY: Final = schema(
    "county_month_ethnicity", _by_ethnicity(), ["unit", "month"], [TIMING_CHECK]
)
"""Two rows per county and month, for the triple difference of Hispanic and other victims."""
