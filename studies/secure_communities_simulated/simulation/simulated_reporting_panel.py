"""Every simulated county and month, regardless of its reporting."""

from __future__ import annotations

from typing import Final

import pandas as pd

from replication.cleaning.agency_months import AgencyMonths
from replication.cleaning.codebook import FIPS_BOUNDS, STATE_BOUNDS, column, conform, schema
from studies.secure_communities_monthly import county_places
from studies.secure_communities_monthly.county_month import UNSCREENED, allocations, county_frame
from studies.secure_communities_monthly.monthly_schemas import month_columns, timing_columns
from studies.secure_communities_monthly.reporting_month import reporting_columns, with_reporting
from studies.secure_communities_simulated.simulation.simulated_panel import (
    Country,
    known_agencies,
    simulated_places,
)
from studies.secure_communities_simulated.simulation.simulation_settings import YEARS

SCHEMA: Final = schema(
    "reporting_month",
    {
        "fips": column("int64", "County code (simulated)", "even number", "simulated", bounds=FIPS_BOUNDS),
        **month_columns("simulated"),
        "state": column("int64", "State code", "FIPS code", "from fips", bounds=STATE_BOUNDS),
        **reporting_columns(),
        **timing_columns(),
    },
    ["fips", "month"],
)


def build_reporting_month(returns: AgencyMonths, country: Country) -> pd.DataFrame:
    """The unscreened panel, described by ``SCHEMA``."""
    here = simulated_places(country)
    shares, _ = allocations(returns, known_agencies(country), UNSCREENED.agencies)
    people = county_places.populations(here, {}, YEARS)
    frame = county_places.month_grid(country.counties["fips"], YEARS)
    frame = frame.merge(people, on=["fips", "year"], validate="many_to_one")
    base = people[people["year"] == county_places.WEIGHT_YEAR].set_index("fips")["population"]
    dates = country.counties.set_index("fips")["activation_date"]
    frame = frame.assign(
        state=frame["fips"] // 1000,
        population_2004=frame["fips"].map(base),
        activation_date=frame["fips"].map(dates),
    )
    frame = with_reporting(frame, county_frame(returns, UNSCREENED, shares))
    frame = county_places.with_timing(frame, here)
    return conform(frame[list(SCHEMA.columns)], SCHEMA)
