"""Coverage and crime of every county and month, whether or not it reports.

Index offenses of all agencies that reported are counted once per covered person and once per
resident: in the second, an agency that begins to report looks like a rise in crime.
"""

from __future__ import annotations

from typing import Final

import pandas as pd
import pandera.pandas as pa

from replication.cleaning import timing
from replication.cleaning.agency_coverage import years_of
from replication.cleaning.agency_months import Returns, as_agency_months
from replication.cleaning.codebook import FIPS_BOUNDS, column, conform, schema
from replication.cleaning.rates import PER, positive_log
from replication.sources import OFFENSES
from studies.secure_communities.schemas import CENSUS, state_columns
from studies.secure_communities_monthly import county_places
from studies.secure_communities_monthly.county_month import UNSCREENED, county_frame, start
from studies.secure_communities_monthly.monthly_schemas import (
    INF,
    month_columns,
    timing_columns,
)
from studies.secure_communities_monthly.return_a_schemas import RETURN_A, ROUNDING, UNUSED

NATION: Final = "US"


def reporting_columns() -> dict[str, pa.Column]:
    """People, how many of them are covered, and crime per covered person and per resident."""
    return {
        "population": column("int64", "Population on July 1", "people", CENSUS, bounds=(1, INF)),
        "population_2004": column(
            "int64", "Population on July 1, 2004 (the weight)", "people", CENSUS, bounds=(1, INF)
        ),
        "listed_population": column(
            "float64", "People of all agencies on file", "people", RETURN_A, bounds=(0, INF)
        ),
        "reporting_share": column(
            "float64",
            "People whose agency reported the month over people listed",
            "0 to 1",
            RETURN_A,
            bounds=(0, 1 + ROUNDING),
        ),
        "log_rate_index": column(
            "float64",
            "Log index offenses per covered person",
            "log per 100,000 covered residents",
            RETURN_A,
            missing=f"{UNUSED}, or no offense",
        ),
        "log_naive_index": column(
            "float64",
            "Log index offenses per resident, covered or not",
            "log per 100,000 residents",
            RETURN_A,
            missing=f"{UNUSED}, or no offense",
        ),
    }


REPORTING_MONTH: Final = schema(
    "reporting_month",
    {
        "fips": column(
            "int64", "County code; New York City is 36061", "FIPS code", RETURN_A, bounds=FIPS_BOUNDS
        ),
        **month_columns(RETURN_A),
        **state_columns(),
        **reporting_columns(),
        **timing_columns(),
    },
    ["fips", "month"],
)


def build_reporting_month(
    returns: Returns, crosswalk: pd.DataFrame, places: county_places.Places
) -> pd.DataFrame:
    """Every county that can be followed and has a date, described by ``REPORTING_MONTH``.

    Parameters are those of ``county_month.build_county_month``. A county without any agency on
    file reports nothing: its share is zero.
    """
    raw = as_agency_months(returns)
    shares, _, people, flow = start(raw, crosswalk, places, UNSCREENED.agencies)
    frame = county_places.month_grid(people["fips"], years_of(raw))
    frame, _ = county_places.followed_and_dated(frame, people, places, flow)
    base = people[people["year"] == county_places.WEIGHT_YEAR].set_index("fips")["population"]
    frame = frame.assign(population_2004=frame["fips"].map(base))
    frame = with_reporting(frame, county_frame(raw, UNSCREENED, shares))
    frame = county_places.with_timing(county_places.with_place(frame, places), places)
    return conform(frame[list(REPORTING_MONTH.columns)], REPORTING_MONTH)


def with_reporting(frame: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Adds coverage and the two rates to a frame with ``fips``, ``month``, ``population``.

    Parameters
    ----------
    frame : DataFrame
    found : DataFrame
        ``county_month.county_frame`` under the rule ``UNSCREENED``.
    """
    frame = frame.merge(found, how="left", on=["fips", "month"], validate="one_to_one")
    index = frame[list(OFFENSES)].sum(axis=1, skipna=False)
    return frame.assign(
        listed_population=frame["listed_population"].fillna(0.0),
        reporting_share=frame["reporting_share"].fillna(0.0),
        log_rate_index=_log_rate(index, frame["covered_population"]),
        log_naive_index=_log_rate(index, frame["population"]),
    )


def coverage_by_month(unscreened: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    """Share of people whose agency reported, by month and group of counties.

    Parameters
    ----------
    unscreened : DataFrame
        ``month``, ``listed_population``, ``reporting_share``, ``population`` of every county and
        month, before any rule.
    group : Series
        Group of every row.

    Returns
    -------
    DataFrame
        ``group``, ``time`` (year and its fraction), ``reporting_share``, ``covered_share`` (of the
        Census population).
    """
    covered = (unscreened["reporting_share"] * unscreened["listed_population"]).fillna(0)
    rows = pd.DataFrame(
        {
            "group": group.to_numpy(),
            "month": unscreened["month"],
            "covered": covered,
            "listed": unscreened["listed_population"].fillna(0),
            "people": unscreened["population"],
        }
    )
    summed = rows.groupby(["group", "month"]).sum().reset_index()
    return pd.DataFrame(
        {
            "group": summed["group"],
            "time": timing.STATA_ORIGIN + summed["month"] / county_places.MONTHS,
            "reporting_share": summed["covered"] / summed["listed"],
            "covered_share": summed["covered"] / summed["people"],
        }
    )


def coverage_by_state(unscreened: pd.DataFrame) -> pd.DataFrame:
    """``coverage_by_month`` by state (postal code), and of the country."""
    states = coverage_by_month(unscreened, unscreened["state_postal"])
    country = pd.Series(NATION, index=unscreened.index)
    return pd.concat([coverage_by_month(unscreened, country), states], ignore_index=True)


def _log_rate(count: pd.Series, people: pd.Series) -> pd.Series:
    return positive_log(PER * count / people.where(people > 0))
