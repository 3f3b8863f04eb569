"""Index crime and clearances by county and month, from the available years of Return A.

The unit of Miles and Cox (2014): reports of agencies summed to counties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.cleaning import geography, rates
from replication.cleaning.agency_counties import AgencyRule, allocate
from replication.cleaning.agency_coverage import (
    apply_rule,
    county_counts,
    county_coverage,
    county_shares,
    years_of,
)
from replication.cleaning.agency_months import AgencyMonths, Returns, as_agency_months
from replication.cleaning.codebook import conform
from replication.cleaning.sample_flow import SampleFlow
from replication.core.errors import PanelError
from replication.sources import OFFENSES
from studies.secure_communities_monthly import county_places
from studies.secure_communities_monthly.return_a_schemas import COUNTY_MONTH, COUNTY_MONTH_UNSCREENED

CLEARED, BASE, SHARE = "cleared_", "base_", "clearance_share_"


@dataclass(frozen=True, slots=True)
class MonthlyRule:
    """Screens for agency-months and for the counties that they cover.

    Attributes
    ----------
    coverage : str
        ``complete``, ``scaled`` or ``interpolated`` (``panel.monthly_coverage.RULES``).
    minimum_share : float
        Smallest share of the county's people, as listed in the headers, whose agencies are used,
        in every month.
    lowest_ratio, highest_ratio : float
        Bounds of covered over Census population, in every month.
    agencies : AgencyRule
        What becomes of agencies without people.
    drop_uncovered : bool
        Whether counties that fail are dropped; if not, their counts are missing in months in
        which no agency is used.
    """

    coverage: str = "complete"
    minimum_share: float = 0.8
    lowest_ratio: float = 0.8
    highest_ratio: float = 1.2
    agencies: AgencyRule = field(default_factory=AgencyRule)
    drop_uncovered: bool = True

    def __post_init__(self) -> None:
        if not (0 <= self.minimum_share <= 1 and 0 <= self.lowest_ratio <= self.highest_ratio):
            raise PanelError(
                f"The coverage thresholds are out of order: share {self.minimum_share:g} (0 to 1), "
                f"ratio from {self.lowest_ratio:g} to {self.highest_ratio:g}. Put them in order."
            )


AGENCIES: Final = {
    "complete": "Agencies that report all 12 months of the year",
    "scaled": "Agencies that report at least 3 months of the year",
    "interpolated": "Agencies with reported or interpolated months",
}
"""Whom the coverage rules count, for the sample flow."""

CANONICAL: Final = MonthlyRule()
UNSCREENED: Final = MonthlyRule(coverage="interpolated", drop_uncovered=False)


@dataclass(frozen=True, slots=True)
class MonthlyPanel:
    """The panel and its documentation.

    Attributes
    ----------
    frame : DataFrame
        Described by ``return_a_schemas``.
    flow : SampleFlow
    allocation : DataFrame
        ``year``, ``decided_by``, ``agencies``, ``people``.
    repairs : DataFrame
        ``year``, ``what``, ``count``: corrections to the returns.
    """

    frame: pd.DataFrame
    flow: SampleFlow
    allocation: pd.DataFrame
    repairs: pd.DataFrame


def build_county_month(
    returns: Returns, crosswalk: pd.DataFrame, places: county_places.Places, rule: MonthlyRule = CANONICAL
) -> MonthlyPanel:
    """Panel of county and month over the years given.

    Parameters
    ----------
    returns : iterable of ReturnA, or AgencyMonths
        One a year (``sources.return_a.read_return_a``), or ``agency_months`` of them where more
        than one panel is built; years need not follow one another.
    crosswalk : DataFrame
        ``sources.geography.read_agencies``.
    places : Places
    rule : MonthlyRule

    Raises
    ------
    PanelError
        If no year is given, a frame lacks columns, or the panel breaks its codebook.
    """
    raw = as_agency_months(returns)
    shares, allocation, people, flow = start(raw, crosswalk, places, rule.agencies)
    years = years_of(raw)
    frame = county_places.month_grid(people["fips"], years)
    flow = flow.record(f"Census counties, months of {_list(years)}", frame, frame)
    frame, flow = county_places.followed_and_dated(frame, people, places, flow)
    frame = _with_coverage(frame, county_frame(raw, rule, shares))
    frame, flow = _covered(frame, rule, flow)
    frame = county_places.with_people(frame, people, places)
    frame = county_places.with_timing(county_places.with_place(frame, places), places)
    frame = with_outcomes(frame, "covered_population")
    schema = COUNTY_MONTH if rule.drop_uncovered else COUNTY_MONTH_UNSCREENED
    return MonthlyPanel(conform(frame, schema), flow, allocation, raw.notes)


def start(
    raw: AgencyMonths, crosswalk: pd.DataFrame, places: county_places.Places, rule: AgencyRule
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, SampleFlow]:
    """Shares of agencies in counties of constant borders, how decided, people, empty flow."""
    units = county_places.units_of(places)
    shares, allocation = allocations(raw, crosswalk, rule)
    shares = shares.assign(fips=geography.recode(shares["fips"], units))
    people = county_places.populations(places, units, years_of(raw))
    return shares, allocation, people, county_places.flow_of(people, units)


def county_year_murders(
    returns: Returns, crosswalk: pd.DataFrame, places: county_places.Places
) -> pd.DataFrame:
    """Murders of every county and year, for comparison with the homicide reports.

    Months of agencies are scaled as in the county files of ICPSR/NACJD; a county has a row for a
    year in which agencies with the canonical share of its people are used in every month.

    Returns
    -------
    DataFrame
        ``fips``, ``year``, ``murder``.
    """
    rule = MonthlyRule(coverage="scaled", drop_uncovered=False)
    frame = build_county_month(returns, crosswalk, places, rule).frame
    covered = frame["covered_population"] >= rule.minimum_share * frame["listed_population"]
    used = covered & frame["murder"].notna()
    months = frame[used].groupby(["fips", "year"])["murder"].agg(["sum", "size"])
    whole = months.loc[months["size"] == county_places.MONTHS, "sum"].rename("murder")
    return whole.reset_index()


def allocations(
    raw: AgencyMonths, crosswalk: pd.DataFrame, rule: AgencyRule
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shares and decisions of every year (``agencies.allocate``), with the column ``year``."""
    found = [allocate(header, crosswalk, rule) for header in raw.headers]
    years = years_of(raw)
    shares = [part.shares.assign(year=year) for year, part in zip(years, found, strict=True)]
    tables = [part.table.assign(year=year) for year, part in zip(years, found, strict=True)]
    names = ["year", "decided_by", "agencies", "people"]
    return pd.concat(shares, ignore_index=True), pd.concat(tables, ignore_index=True)[names]


def county_frame(raw: AgencyMonths, rule: MonthlyRule, shares: pd.DataFrame) -> pd.DataFrame:
    """Coverage, offenses and clearances of every county with an agency, by month.

    Returns
    -------
    DataFrame
        ``fips``, ``month``, then what ``county_coverage`` and ``county_counts`` give.
    """
    used = apply_rule(raw, rule.coverage)
    by_county = county_shares(shares, raw)
    arrays: Mapping[str, NDArray[np.float64]] = {
        **county_coverage(raw, used, by_county),
        **county_counts(used, by_county),
    }
    flat = {name: values.reshape(-1) for name, values in arrays.items()}
    keys = {
        "fips": np.repeat(by_county.fips, raw.months.size),
        "month": np.tile(raw.months, by_county.fips.size),
    }
    return pd.DataFrame({**keys, **flat})


def with_outcomes(frame: pd.DataFrame, people: str) -> pd.DataFrame:
    """Totals, clearances per offense, rates and log rates of every outcome.

    Parameters
    ----------
    frame : DataFrame
        For each of the seven offenses its count, ``cleared_<offense>`` and ``base_<offense>``;
        the last are used up.
    people : str
        Column by which rates are counted.
    """
    parts = [frame, rates.totals(frame)]
    for prefix in (CLEARED, BASE):
        named = frame[[prefix + name for name in OFFENSES]]
        parts.append(rates.totals(named.set_axis(OFFENSES, axis=1)).add_prefix(prefix))
    frame = pd.concat(parts, axis=1)
    per_offense = {
        SHARE + name: frame[CLEARED + name] / frame[BASE + name].where(frame[BASE + name] > 0)
        for name in rates.OUTCOMES
    }
    frame = frame.drop(columns=[BASE + name for name in rates.OUTCOMES])
    per = rates.rates(frame, rates.OUTCOMES, people)
    logs = rates.log_rates(per, rates.OUTCOMES)
    return pd.concat([frame, pd.DataFrame(per_offense), per, logs], axis=1)


def _list(years: Sequence[int]) -> str:
    whole = list(range(min(years), max(years) + 1)) == list(years) and len(years) > 1
    return f"{min(years)}-{max(years)}" if whole else ", ".join(map(str, years))


def _with_coverage(frame: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Coverage and counts joined to the counties; a county without any agency has no covered population."""
    frame = frame.merge(found, how="left", on=["fips", "month"], validate="one_to_one")
    none = ["covered_population", "clearance_population", "agencies_used"]
    frame[none] = frame[none].fillna(0.0)
    return frame.assign(
        covered_population_2004=frame["fips"].map(_covered_at_first(frame)),
        census_ratio=frame["covered_population"] / frame["population"],
        log_covered_population=rates.positive_log(frame["covered_population"]),
    )


def _covered_at_first(frame: pd.DataFrame) -> pd.Series:
    """Mean covered population of each county in the year of the weight, or in the first year."""
    years = frame["year"]
    year = county_places.WEIGHT_YEAR if (years == county_places.WEIGHT_YEAR).any() else years.min()
    first: pd.Series = frame[years == year].groupby("fips")["covered_population"].mean()
    return first


def _covered(frame: pd.DataFrame, rule: MonthlyRule, flow: SampleFlow) -> tuple[pd.DataFrame, SampleFlow]:
    """Counties covered well enough in every month, with the losses by rule."""
    if not rule.drop_uncovered:
        text = f"Months without an agency used (rule {rule.coverage}) have missing counts"
        return frame, flow.record(text, frame, frame)
    share = frame["covered_population"] / frame["listed_population"]
    frame, flow = flow.keep(
        frame,
        _every_month(frame, (share >= rule.minimum_share) & (frame["agencies_used"] > 0)),
        f"{AGENCIES[rule.coverage]} cover at least {rule.minimum_share:.0%} of the county's listed "
        "population, in every month",
    )
    return flow.keep(
        frame,
        _every_month(frame, frame["census_ratio"].between(rule.lowest_ratio, rule.highest_ratio)),
        f"Covered / Census population {rule.lowest_ratio:g} to {rule.highest_ratio:g}, in every month",
    )


def _every_month(frame: pd.DataFrame, passes: pd.Series) -> pd.Series:
    every: pd.Series = passes.groupby(frame["fips"]).transform("all")
    return every
