"""Every simulated county and month, however it reports: how coverage moves, and what it does.

Index offences of all agencies that reported are counted once per covered person and once per
resident: the second mistakes an agency that begins to report for a rise of crime.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from replication.panel import monthly
from replication.panel.agency_months import AgencyMonths
from replication.panel.codebook import column, conform, schema
from replication.panel.county_month import UNSCREENED, allocations, county_frame
from replication.panel.monthly_schemas import INF, month_columns, timing_columns
from replication.panel.rates import OFFENCES, PER, positive_log
from replication.panel.return_a_schemas import RETURN_A, UNUSED
from replication.panel.schemas import CENSUS, FIPS_BOUNDS, STATE_BOUNDS
from replication.simulation.panel import Country, known_agencies, places
from replication.simulation.settings import YEARS

SCHEMA: Final = schema(
    "reporting_month",
    {
        "fips": column("int64", "County code (made)", "even number", "simulated",
                       bounds=FIPS_BOUNDS),
        **month_columns("simulated"),
        "state": column("int64", "State code", "FIPS code", "from fips", bounds=STATE_BOUNDS),
        "population": column("int64", "Population on 1 July", "people", CENSUS, bounds=(1, INF)),
        "population_2004": column("int64", "Population on 1 July 2004 (the weight)", "people",
                                  CENSUS, bounds=(1, INF)),
        "listed_population": column("float64", "People of all agencies on file", "people",
                                    RETURN_A, bounds=(0, INF)),
        "reporting_share": column("float64", "People whose agency reported the month over people "
                                  "listed", "0 to 1", RETURN_A, bounds=(0, 1 + 1e-6)),
        "log_rate_index": column("float64", "Log index offences per covered person",
                                 "log per 100,000 covered people", RETURN_A,
                                 missing=f"{UNUSED}, or no offence"),
        "log_naive_index": column("float64", "Log index offences per resident, covered or not",
                                  "log per 100,000 residents", RETURN_A,
                                  missing=f"{UNUSED}, or no offence"),
        **timing_columns(),
    },
    ["fips", "month"],
)  # fmt: skip


def build_reporting_month(returns: AgencyMonths, country: Country) -> pd.DataFrame:
    """The unscreened panel, described by ``SCHEMA``."""
    here = places(country)
    shares, _ = allocations(returns, known_agencies(country), UNSCREENED.agencies)
    people = monthly.populations(here, {}, YEARS)
    frame = monthly.month_grid(country.counties["fips"], YEARS)
    frame = frame.merge(people, on=["fips", "year"], validate="many_to_one")
    found = county_frame(returns, UNSCREENED, shares)
    frame = frame.merge(found, how="left", on=["fips", "month"], validate="one_to_one")
    base = people[people["year"] == monthly.WEIGHT_YEAR].set_index("fips")["population"]
    dates = country.counties.set_index("fips")["activation_date"]
    index = frame[list(OFFENCES)].sum(axis=1, skipna=False)
    frame = frame.assign(
        state=frame["fips"] // 1000,
        population_2004=frame["fips"].map(base),
        activation_date=frame["fips"].map(dates),
        listed_population=frame["listed_population"].fillna(0.0),
        reporting_share=frame["reporting_share"].fillna(0.0),
        log_rate_index=_log_rate(index, frame["covered_population"]),
        log_naive_index=_log_rate(index, frame["population"]),
    )
    frame = monthly.with_timing(frame, here)
    return conform(frame[list(SCHEMA.columns)], SCHEMA)


def _log_rate(count: pd.Series, people: pd.Series) -> pd.Series:
    return positive_log(PER * count / people.where(people > 0))
