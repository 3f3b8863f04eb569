"""Offences and clearances by municipal police agency and month.

The unit of Treyger, Chalfin and Loeffler (2014). Clearances by arrest per offence stand for the
behaviour of police, because arrests by ethnicity were not collected in these years.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from replication.panel import geography, monthly
from replication.panel.agencies import AgencyRule
from replication.panel.agency_months import MONTHS, AgencyMonths, agency_months
from replication.panel.codebook import conform
from replication.panel.county_month import MonthlyPanel, allocations, with_outcomes
from replication.panel.flow import SampleFlow
from replication.panel.monthly_coverage import apply_rule, years_of
from replication.panel.rates import positive_log
from replication.panel.return_a_schemas import CITY_MONTH
from replication.sources.return_a import ReturnA

CITY_GROUPS: Final = tuple("1234567")
LOCAL: Final = "local police department"
HELPERS: Final = {
    "group": "",
    "covered_by": "",
    "agency_type": "",
    "people": np.nan,
    "used": False,
}


@dataclass(frozen=True, slots=True)
class CityRule:
    """Which agencies are in the panel.

    Attributes
    ----------
    coverage : str
        Rule by which an agency's month is used; it must be used in every month.
    minimum_population : float
        Fewest people of the agency, in every year.
    """

    coverage: str = "complete"
    minimum_population: float = 10_000


CANONICAL: Final = CityRule()


def build_city_month(
    returns: Iterable[ReturnA],
    crosswalk: pd.DataFrame,
    places: monthly.Places,
    rule: CityRule = CANONICAL,
) -> MonthlyPanel:
    """Panel of municipal agency and month over the years given.

    Parameters
    ----------
    returns : iterable of ReturnA
        One a year.
    crosswalk : DataFrame
        ``sources.geography.read_agencies``.
    places : Places
        Decides the date, by the county in which most of the agency's people live.
    rule : CityRule

    Raises
    ------
    PanelError
        If no year is given, a frame lacks columns, or the panel breaks its codebook.
    """
    tidy = sorted(returns, key=lambda part: part.year)
    raw = agency_months(tidy)
    used = apply_rule(raw, rule.coverage)
    shares, allocation = allocations(tidy, crosswalk, AgencyRule())
    frame = _long(raw, used)
    frame = _with_headers(frame, tidy, crosswalk)
    frame["fips"] = frame["ori"].map(_home(shares, places))
    flow = SampleFlow(
        _people_in_first_year(frame), "ori", "agencies", "people of the agency, first year"
    )
    flow = flow.record("Agencies on file", frame, frame)
    frame, flow = _municipal(frame, rule, flow)
    frame, flow = _dated(frame, places, flow)
    frame = frame.drop(columns=[name for name in (*HELPERS, "log_people") if name in frame])
    frame = monthly.with_timing(monthly.with_place(frame, places), places)
    frame = with_outcomes(frame, "population")
    return MonthlyPanel(conform(frame, CITY_MONTH), flow, allocation, raw.notes)


def _long(raw: AgencyMonths, used: AgencyMonths) -> pd.DataFrame:
    """Every agency and month: people, whether it is used, offences and clearances."""
    n, t = raw.people.shape
    year = np.repeat(years_of(raw), MONTHS)
    columns = {
        "ori": np.repeat(raw.ori, t),
        "month": np.tile(raw.months, n),
        "year": np.tile(year, n),
        "month_of_year": np.tile(raw.months % MONTHS + 1, n),
        "people": raw.people.reshape(-1),
        "used": used.reported.reshape(-1),
    }
    for k, name in enumerate(raw.offences):
        known = used.actual[:, :, k].reshape(-1).astype(float)
        cleared = used.cleared[:, :, k].reshape(-1).astype(float)
        columns |= {
            name: known,
            f"cleared_{name}": cleared,
            f"base_{name}": np.where(np.isnan(cleared), np.nan, known),
        }
    return pd.DataFrame(columns)


def _with_headers(
    frame: pd.DataFrame, returns: Sequence[ReturnA], crosswalk: pd.DataFrame
) -> pd.DataFrame:
    """Name, group and covering agency of the last year on file; kind and place by crosswalk."""
    headers = pd.concat([tidy.agencies for tidy in returns]).drop_duplicates("ori", keep="last")
    about = headers[["ori", "name", "group", "covered_by"]].merge(
        crosswalk[["ori", "agency_type", "place_fips"]], how="left", on="ori", validate="1:1"
    )
    about["place_fips"] = about["place_fips"].astype("float64")
    return frame.merge(about, how="left", on="ori", validate="many_to_one")


def _home(shares: pd.DataFrame, places: monthly.Places) -> pd.Series:
    """County with most of the agency's people over the years (the lowest code in a tie)."""
    coded = shares.assign(fips=geography.recode(shares["fips"], monthly.units_of(places)))
    total = coded.groupby(["ori", "fips"])["share"].sum().reset_index()
    total = total.sort_values(["ori", "share", "fips"], ascending=[True, False, True])
    home: pd.Series = total.drop_duplicates("ori").set_index("ori")["fips"]
    return home


def _people_in_first_year(frame: pd.DataFrame) -> pd.Series:
    counted: pd.Series = frame[frame["people"] > 0].groupby("ori")["people"].first()
    return counted


def _municipal(
    frame: pd.DataFrame, rule: CityRule, flow: SampleFlow
) -> tuple[pd.DataFrame, SampleFlow]:
    """Local police of cities that are large enough and are used in every month."""
    frame, flow = flow.keep(
        frame,
        frame["group"].str[:1].isin(CITY_GROUPS) & (frame["agency_type"] == LOCAL),
        "Police departments of cities (population groups 1 to 7)",
    )
    frame, flow = flow.keep(frame, frame["covered_by"] == "", "Not covered by another agency")
    enough = frame["people"] >= rule.minimum_population
    frame, flow = flow.keep(
        frame,
        enough.groupby(frame["ori"]).transform("all"),
        f"At least {rule.minimum_population:,.0f} people in every year",
    )
    return flow.keep(
        frame,
        frame["used"].groupby(frame["ori"]).transform("all"),
        f"Used in every month (rule {rule.coverage})",
    )


def _dated(
    frame: pd.DataFrame, places: monthly.Places, flow: SampleFlow
) -> tuple[pd.DataFrame, SampleFlow]:
    """Agencies whose county has a date, with people, weight and the county's composition."""
    units = monthly.units_of(places)
    dates = geography.merge_dates(places.activation_days, units, "activation_date")
    frame = frame.assign(activation_date=frame["fips"].map(dates))
    followed = frame["activation_date"].notna() & ~geography.is_left_out(frame["fips"].fillna(0))
    frame, flow = flow.keep(frame, followed, "County known, followed and dated")
    base = frame[frame["year"] == _base_year(frame)].groupby("ori")["people"].first()
    frame = frame.assign(
        fips=frame["fips"].astype("int64"),
        population=frame["people"],
        population_base=frame["ori"].map(base),
        log_population=positive_log(frame["people"]),
    )
    return frame.assign(hispanic_share=frame["fips"].map(monthly.hispanic_shares(places))), flow


def _base_year(frame: pd.DataFrame) -> int:
    years = set(frame["year"].unique().tolist())
    return monthly.WEIGHT_YEAR if monthly.WEIGHT_YEAR in years else min(years, default=0)
