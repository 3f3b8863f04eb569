"""Offenses and clearances by municipal police agency and month.

The unit of Treyger, Chalfin, and Loeffler (2014). Clearances by arrest per offense serve as a
measure of police behavior, because arrests by ethnicity were not collected in these years.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.cleaning import geography
from replication.cleaning.agency_counties import AgencyRule
from replication.cleaning.agency_coverage import apply_rule, years_of
from replication.cleaning.agency_months import MONTHS, AgencyMonths, Returns, as_agency_months
from replication.cleaning.codebook import conform
from replication.cleaning.rates import positive_log
from replication.cleaning.sample_flow import SampleFlow
from replication.sources import OFFENSES
from studies.secure_communities_monthly import county_places
from studies.secure_communities_monthly.county_month import MonthlyPanel, allocations, with_outcomes
from studies.secure_communities_monthly.return_a_schemas import CITY_MONTH

CITY_GROUPS: Final = tuple("1234567")
LOCAL: Final = "local police department"


@dataclass(frozen=True, slots=True)
class CityRule:
    """Selection of agencies for the

    panel. Attributes
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
    returns: Returns, crosswalk: pd.DataFrame, places: county_places.Places, rule: CityRule = CANONICAL
) -> MonthlyPanel:
    """Panel of municipal agency and month over the years given.

    Parameters
    ----------
    returns : iterable of ReturnA, or AgencyMonths
        As for ``county_month.build_county_month``.
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
    raw = as_agency_months(returns)
    used = apply_rule(raw, rule.coverage)
    shares, allocation = allocations(raw, crosswalk, AgencyRule())
    about = _agencies(raw, used, crosswalk).assign(home=_home(raw, shares, places))
    people = pd.Series(_first_positive(raw.people))
    flow = SampleFlow(people, "agency", "agencies")
    frame = _rows(raw)
    flow = flow.record("Agencies on file", frame, frame)
    frame, flow = _municipal(frame, about, rule, flow)
    frame, flow = _dated(frame, about, places, flow)
    frame = _with_counts(frame, raw, used)
    frame = county_places.with_timing(county_places.with_place(frame, places), places)
    frame = with_outcomes(frame, "population").drop(columns="agency")
    return MonthlyPanel(conform(frame, CITY_MONTH), flow, allocation, raw.notes)


def _rows(raw: AgencyMonths) -> pd.DataFrame:
    """Every agency (by position) and month."""
    n, t = raw.people.shape
    return pd.DataFrame(
        {
            "agency": np.repeat(np.arange(n), t),
            "month": np.tile(raw.months, n),
            "year": np.tile(np.repeat(years_of(raw), MONTHS), n),
            "month_of_year": np.tile(raw.months % MONTHS + 1, n),
        }
    )


def _agencies(raw: AgencyMonths, used: AgencyMonths, crosswalk: pd.DataFrame) -> pd.DataFrame:
    """One row per agency: header of the last year on file, kind, place, and what it reports."""
    headers = pd.concat(raw.headers).drop_duplicates("ori", keep="last")
    about = headers[["ori", "name", "group", "covered_by"]].merge(
        crosswalk[["ori", "agency_type", "place_fips"]], how="left", on="ori", validate="1:1"
    )
    about = about.sort_values("ori", ignore_index=True)  # as raw.ori is
    return about.assign(
        place_fips=about["place_fips"].astype("float64"),
        fewest_people=raw.people.min(axis=1),
        always_used=np.asarray(used.reported.all(axis=1)),
    )


def _home(raw: AgencyMonths, shares: pd.DataFrame, places: county_places.Places) -> NDArray[np.float64]:
    """County with most of each agency's people over the years (the lowest code in a tie)."""
    coded = shares.assign(fips=geography.recode(shares["fips"], county_places.units_of(places)))
    total = coded.groupby(["ori", "fips"])["share"].sum().reset_index()
    total = total.sort_values(["ori", "share", "fips"], ascending=[True, False, True])
    home = total.drop_duplicates("ori").set_index("ori")["fips"].astype("float64")
    return np.asarray(home.reindex(raw.ori), dtype=np.float64)


def _first_positive(people: NDArray[np.float64]) -> NDArray[np.float64]:
    """People of each agency in its first year with any; 0 if there is none."""
    column = (people > 0).argmax(axis=1)[:, None]
    return np.take_along_axis(people, column, axis=1)[:, 0]


def _municipal(
    frame: pd.DataFrame, about: pd.DataFrame, rule: CityRule, flow: SampleFlow
) -> tuple[pd.DataFrame, SampleFlow]:
    """Local police of cities that are large enough and are used in every month."""
    city = about["group"].str[:1].isin(CITY_GROUPS) & (about["agency_type"] == LOCAL)
    rules = {
        "Police departments of cities (population groups 1 to 7)": city,
        "Not covered by another agency": about["covered_by"] == "",
        f"At least {rule.minimum_population:,.0f} people in every year": (
            about["fewest_people"] >= max(rule.minimum_population, 1)
        ),
        f"Used in every month (rule {rule.coverage})": about["always_used"],
    }
    for text, passes in rules.items():
        frame, flow = flow.keep(frame, passes.to_numpy(dtype=bool)[frame["agency"]], text)
    return frame, flow


def _dated(
    frame: pd.DataFrame, about: pd.DataFrame, places: county_places.Places, flow: SampleFlow
) -> tuple[pd.DataFrame, SampleFlow]:
    """Agencies whose county has a date, with characteristics of the agency and the county."""
    units = county_places.units_of(places)
    dates = geography.merge_dates(places.activation_days, units, "activation_date")
    home = about["home"].fillna(0).astype("int64")
    dated = home.isin(dates.dropna().index) & ~geography.is_left_out(home)
    kept = dated.to_numpy(dtype=bool)[frame["agency"]]
    frame, flow = flow.keep(frame, kept, "County known, followed and dated")
    own = about.loc[frame["agency"], ["ori", "name", "place_fips"]].reset_index(drop=True)
    fips = home.loc[frame["agency"]].reset_index(drop=True)
    frame = pd.concat([own, frame.assign(fips=fips)], axis=1)
    return frame.assign(
        activation_date=frame["fips"].map(dates),
        hispanic_share=frame["fips"].map(county_places.hispanic_shares(places)),
    ), flow


def _with_counts(frame: pd.DataFrame, raw: AgencyMonths, used: AgencyMonths) -> pd.DataFrame:
    """People, offenses and clearances; offenses also of the months with clearances alone."""
    row = frame["agency"].to_numpy()
    column = np.searchsorted(raw.months, frame["month"].to_numpy())
    base = int(np.searchsorted(years_of(raw), county_places.WEIGHT_YEAR))
    first = MONTHS * base if county_places.WEIGHT_YEAR in years_of(raw) else 0
    people = pd.Series(raw.people[row, column])
    columns = {
        "population": people,
        "population_base": raw.people[row, first],
        "log_population": positive_log(people),
    }
    for k, name in enumerate(OFFENSES):
        known = used.actual[row, column, k].astype(float)
        cleared = used.cleared[row, column, k].astype(float)
        columns[name], columns[f"cleared_{name}"] = known, cleared
        columns[f"base_{name}"] = np.where(np.isnan(cleared), np.nan, known)
    return pd.concat([frame, pd.DataFrame(columns)], axis=1)
