"""The columns of the monthly panels made from Return A."""

from __future__ import annotations

from typing import Final

import pandas as pd
import pandera.pandas as pa

from replication.cleaning.codebook import FIPS_BOUNDS, amount, column, schema
from replication.cleaning.rates import OUTCOMES, TOTALS
from studies.secure_communities.schemas import WORDS, state_columns
from studies.secure_communities_monthly.monthly_schemas import (
    ACS,
    INF,
    TIMING_CHECK,
    month_columns,
    people_columns,
    place_columns,
    timing_columns,
)

RETURN_A: Final = "FBI Return A"
CROSSWALK: Final = "agency crosswalk"
CLEARANCE_SHARE: Final = "Cleared per offense of the same agencies"
COVERED_2004: Final = (
    "Covered population, mean of the months of 2004 or of the first year (the weight of Return A)"
)
UNUSED: Final = "no agency used in the month"
NO_CLEARANCES: Final = "no agency used that files clearances"
ROUNDING: Final = 1e-6
"""Counts of agencies in several counties are shares of whole numbers."""


def _coverage() -> dict[str, pa.Column]:
    return {
        "listed_population": amount(
            "People of all agencies on file", "people", RETURN_A, missing="no agency on file"
        ),
        "covered_population": amount("People of the agencies used", "people", RETURN_A),
        "log_covered_population": column(
            "float64", "Log of covered population (Poisson offset)", "log", RETURN_A, missing=UNUSED
        ),
        "covered_population_2004": amount(COVERED_2004, "people", RETURN_A),
        "clearance_population": amount(
            "People of the agencies used that file clearances", "people", RETURN_A
        ),
        "reporting_share": column(
            "float64",
            "People whose agency reported the month over people listed",
            "0 to 1",
            RETURN_A,
            bounds=(0, 1 + ROUNDING),
            missing="no one listed",
        ),
        "census_ratio": amount("Covered / Census population", "ratio", "NACJD and Census"),
        "agencies_used": amount("Agencies used", "agencies", RETURN_A),
    }


def outcome_columns(missing: str | None, people: str) -> dict[str, pa.Column]:
    """Offenses, clearances, rates and logs of every outcome.

    Parameters
    ----------
    missing : str or None
        Meaning of a missing count; None where none may be missing.
    people : str
        The population of the rates.
    """
    absent = "no one covered or nothing reported"
    counts = (
        ("", "Offenses known", "offenses", missing),
        ("cleared_", "Cleared by arrest", "offenses", NO_CLEARANCES),
        ("clearance_share_", CLEARANCE_SHARE, "ratio", f"{NO_CLEARANCES}, or no offense"),
        ("rate_", "Rate of a month", f"per 100,000 {people}", absent),
    )
    found = {
        f"{start}{name}": amount(f"{words}: {WORDS[name]}", unit, RETURN_A, missing=meaning)
        for start, words, unit, meaning in counts
        for name in OUTCOMES
    }
    unit, absent = f"log per 100,000 {people}", "count of zero, or no rate"
    return found | {
        f"log_rate_{name}": column("float64", f"Log rate: {WORDS[name]}", unit, RETURN_A, missing=absent)
        for name in OUTCOMES
    }


def _totals_add_up(frame: pd.DataFrame) -> pd.Series:
    """Each total equals the sum of its offenses."""
    fits = pd.Series(True, index=frame.index)
    for name, parts in TOTALS.items():
        off = (frame[name] - frame[list(parts)].sum(axis=1)).abs()
        fits &= (off <= ROUNDING * (1 + frame[name])) | frame[name].isna()
    return fits


def _county_month(name: str, missing: str | None) -> pa.DataFrameSchema:
    columns = {
        **place_columns(RETURN_A),
        **people_columns(),
        **_coverage(),
        **timing_columns(),
        **outcome_columns(missing, "covered residents"),
    }
    checks = [TIMING_CHECK, pa.Check(_totals_add_up, error="totals that equal their offenses")]
    return schema(name, columns, ["fips", "month"], checks)


COUNTY_MONTH: Final = _county_month("county_month", None)
"""Offenses and clearances by county and month."""

COUNTY_MONTH_UNSCREENED: Final = _county_month("county_month_unscreened", UNUSED)
"""The same columns with the county-months of which nothing is used."""

_RULE_KEPT: Final = (
    *place_columns(RETURN_A),
    *_coverage(),
    *timing_columns(),
    *(f"log_rate_{name}" for name in ("index", "violent", "property")),
)

COUNTY_MONTH_RULE: Final = schema(
    "county_month_rule",
    {name: spec for name, spec in COUNTY_MONTH.columns.items() if name in _RULE_KEPT},
    ["fips", "month"],
    [TIMING_CHECK],
)
"""The columns in which a panel under another coverage rule is estimated."""


def _agency() -> dict[str, pa.Column]:
    return {
        "ori": column("str", "Agency (originating agency identifier)", "code", RETURN_A),
        "name": column("str", "Name of the agency", "name", RETURN_A),
        **month_columns(RETURN_A),
        "fips": column(
            "int64",
            "County in which most of its people live; New York City is 36061",
            "FIPS code",
            f"{CROSSWALK}; {RETURN_A}",
            bounds=FIPS_BOUNDS,
        ),
        "place_fips": column(
            "float64",
            "Place code within the state",
            "FIPS code",
            CROSSWALK,
            bounds=(0, 99999),
            missing="not in the crosswalk",
        ),
        **state_columns(),
        "population": column("float64", "People of the agency", "people", RETURN_A, bounds=(1, INF)),
        "population_base": column(
            "float64",
            "People of the agency in 2004, or in the first year (the weight)",
            "people",
            RETURN_A,
            bounds=(1, INF),
        ),
        "log_population": column("float64", "Log of people (Poisson offset)", "log", RETURN_A),
        "hispanic_share": column(
            "float64",
            "Hispanic share of the county's population",
            "0 to 1",
            ACS,
            bounds=(0, 1),
            missing="county not in the survey",
        ),
    }


CITY_MONTH: Final = schema(
    "city_month",
    {**_agency(), **timing_columns(), **outcome_columns(None, "people")},
    ["ori", "month"],
    [TIMING_CHECK, pa.Check(_totals_add_up, error="totals that equal their offenses")],
)
"""Offenses and clearances by municipal agency and month."""
