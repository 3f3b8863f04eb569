"""The canonical annual panel of Secure Communities: counties by 2004-2012."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from replication.cleaning import county_coverage, geography, rates, timing
from replication.cleaning.codebook import conform
from replication.cleaning.column_checks import require_columns, require_unique, require_years
from replication.cleaning.sample_flow import SampleFlow
from replication.core.arrays import Bools
from replication.sources import OFFENSES
from studies.secure_communities.schemas import COUNTY_YEAR, COUNTY_YEAR_UNSCREENED

YEARS: Final = tuple(range(2004, 2013))
WEIGHT_YEAR: Final = 2004
PEOPLE_YEAR: Final = 2010
SUMS: Final = (*OFFENSES, "covered_population", "agencies_offense")
TREATED_BEFORE: Final = pd.Timestamp(2011, 7, 1)
COMPARISON_FROM: Final = pd.Timestamp(2012, 3, 20)


@dataclass(frozen=True, slots=True)
class CountySources:
    """The frames that the readers return, as they return them.

    Attributes
    ----------
    offenses : DataFrame
        Records of all years, one below the other (``sources.nacjd``).
    activation_days, activation_months : DataFrame
        The two digitized lists of the dates (``activations``).
    intercensal, vintage_2019 : DataFrame
        County populations (``sources.census``).
    fips_changes, regions, border_counties : DataFrame
        Typed tables (``sources.hand_entered``).
    """

    offenses: pd.DataFrame
    activation_days: pd.DataFrame
    activation_months: pd.DataFrame
    intercensal: pd.DataFrame
    vintage_2019: pd.DataFrame
    fips_changes: pd.DataFrame
    regions: pd.DataFrame
    border_counties: pd.DataFrame


def build_county_year(
    raw: CountySources,
    years: Sequence[int] = YEARS,
    rule: county_coverage.CoverageRule = county_coverage.CANONICAL,
) -> tuple[pd.DataFrame, SampleFlow]:
    """Panel of county and year, and its sample flow.

    Parameters
    ----------
    raw : CountySources
        Frames as the readers return them.
    years : sequence of int
        Years of the panel; a county needs every one of them.
    rule : CoverageRule
        Definition of reported county-years. The canonical rule keeps 2,049 counties; with
        ``county_coverage.UNSCREENED`` all counties stay and the offenses of years that were not
        reported are missing.

    Returns
    -------
    frame : DataFrame
        Sorted by ``fips`` and ``year``, described by ``schemas.COUNTY_YEAR`` (or, where missing
        years stay, ``schemas.COUNTY_YEAR_UNSCREENED``).
    flow : SampleFlow
        One line per rule, people counted by the 2010 Census population.

    Raises
    ------
    PanelError
        If a frame lacks columns or years, a key is repeated, or the panel breaks its codebook.
    """
    changes = geography.recodings(raw.fips_changes)
    units = {**changes, **geography.NEW_YORK_CITY}
    people = populations(raw, units, years)
    flow = SampleFlow(_people_of(people, years), merged=units)
    frame, flow = follow_counties(raw.offenses, changes, years, flow)
    dates = geography.merge_dates(raw.activation_days, units, "activation_date")
    months = geography.merge_dates(raw.activation_months, units, "activation_month")
    frame = frame.merge(people, how="left", on=["fips", "year"], validate="one_to_one")
    frame["activation_date"] = frame["fips"].map(dates)
    frame["activation_month_alternative"] = frame["fips"].map(months)
    frame, flow = followed_and_dated(frame, years, flow)
    frame = frame.assign(census_ratio=frame["covered_population"] / frame["population"])
    frame, flow = reported(frame, rule, years, flow)
    frame = with_place(frame, raw.regions, raw.border_counties)
    frame = _with_people(frame, people)
    frame = _with_timing(frame, dates)
    frame = _with_outcomes(frame)
    schema = COUNTY_YEAR if rule.drop_missing else COUNTY_YEAR_UNSCREENED
    return conform(frame, schema), flow


def populations(raw: CountySources, units: Mapping[int, int], years: Sequence[int]) -> pd.DataFrame:
    """Census population of every unit: intercensal before 2010, vintage 2019 from then on."""
    columns = ["fips", "year", "population"]
    require_columns(raw.intercensal, columns, "The intercensal populations")
    require_columns(raw.vintage_2019, columns, "The vintage-2019 populations")
    people = geography.splice_populations(raw.intercensal, raw.vintage_2019)
    require_unique(people, ["fips", "year"], "The Census populations")
    require_years(people, [*years, WEIGHT_YEAR], "The Census populations")
    return geography.merge_populations(people, units)


def follow_counties(
    offenses: pd.DataFrame, changes: Mapping[int, int], years: Sequence[int], flow: SampleFlow
) -> tuple[pd.DataFrame, SampleFlow]:
    """Records of units with constant borders, in the order of the sample flow."""
    what = "The county offenses"
    require_columns(offenses, ["fips", "year", "coverage_indicator", *SUMS], what)
    require_years(offenses, years, what)
    records = offenses[offenses["year"].isin(years)].reset_index(drop=True)
    flow = flow.record("Records in the raw files", records, records)
    frame, flow = flow.keep(
        records,
        ~geography.is_statewide(records["fips"]),
        "Drop statewide and unallocated records (county codes 777 and 999)",
    )
    require_unique(frame, ["fips", "year"], what)
    merged = geography.merge_offenses(frame, changes, SUMS)
    flow = flow.record("Merge absorbed counties and recode renamed ones", frame, merged)
    frame, flow = flow.keep(
        merged,
        ~geography.is_left_out(merged["fips"]),
        "Drop reorganized areas of Alaska and Yellowstone National Park, if on file",
    )
    city = geography.merge_offenses(frame, geography.NEW_YORK_CITY, SUMS)
    return city, flow.record("Merge the five boroughs of New York City", frame, city)


def followed_and_dated(
    frame: pd.DataFrame, years: Sequence[int], flow: SampleFlow
) -> tuple[pd.DataFrame, SampleFlow]:
    """Units with a record, a Census population and a date."""
    everywhere = np.ones(len(frame), dtype=bool)
    frame, flow = flow.keep(
        frame,
        county_coverage.in_every_year(frame, everywhere, years),
        f"Record in every year {min(years)}-{max(years)}",
    )
    counted = (frame["population"] > 0).to_numpy(dtype=bool)
    frame, flow = flow.keep(
        frame, county_coverage.in_every_year(frame, counted, years), "Census population in every year"
    )
    return flow.keep(frame, frame["activation_date"].notna(), "Activation date known")


def reported(
    frame: pd.DataFrame, rule: county_coverage.CoverageRule, years: Sequence[int], flow: SampleFlow
) -> tuple[pd.DataFrame, SampleFlow]:
    """Units that were reported in every year, by the three coverage screens."""
    if not rule.drop_missing:
        frame = _unreported_as_missing(frame)
        flow = flow.record("Offenses of years without a report set to missing", frame, frame)
    for text, passes in _coverage_steps(rule):
        frame, flow = flow.keep(frame, county_coverage.in_every_year(frame, passes(frame), years), text)
    return frame, flow


def _unreported_as_missing(frame: pd.DataFrame) -> pd.DataFrame:
    silent = county_coverage.is_missing(frame, OFFENSES)
    counts = frame[list(OFFENSES)].astype(float)
    return frame.assign(**counts.mask(pd.Series(silent, index=frame.index)))


def _coverage_steps(rule: county_coverage.CoverageRule) -> list[tuple[str, Callable[[pd.DataFrame], Bools]]]:
    """Label and condition of each rule that can drop units."""
    steps: list[tuple[str, Callable[[pd.DataFrame], Bools]]] = []
    if rule.drop_missing:
        text = "Reported in every year (drops counties with zero coverage and zero counts)"
        steps.append((text, lambda rows: ~county_coverage.is_missing(rows, OFFENSES)))
    if rule.minimum_indicator > 0:
        exempt = " (New York City exempt)" if geography.NEW_YORK_COUNTY in rule.exempt else ""
        text = f"Coverage indicator at least {rule.minimum_indicator:g} in every year{exempt}"
        steps.append((text, lambda rows: county_coverage.indicator_passes(rows, rule)))
    if rule.lowest_ratio > 0 or rule.highest_ratio < np.inf:
        bounds = f"{rule.lowest_ratio:g} to {rule.highest_ratio:g}"
        text = f"Covered / Census population {bounds} in every year"
        steps.append((text, lambda rows: county_coverage.ratio_passes(rows, rule)))
    return steps


def comparison_role(date: pd.Series) -> pd.Series:
    """Role of a county in the group-time design that ends in 2011.

    ``treated``: activated before July 2011, hence in a cohort of 2011 or earlier by the mid-year
    rule. ``comparison``: activated from March 20, 2012 (the last quartile of the counties), still
    untreated when 2011 ends. ``left_out``: activated between, neither treated for half a year
    nor a clean comparison.
    """
    role = np.select([date < TREATED_BEFORE, date >= COMPARISON_FROM], ["treated", "comparison"], "left_out")
    return pd.Series(role, index=date.index)


def alternative_dates(date: pd.Series, month: pd.Series) -> pd.Series:
    """Dates by the second digitized list: its month's first day where the months differ.

    Where it names the same month, or none, the day of the first digitized list is kept.
    """
    same = date.dt.to_period("M") == month.dt.to_period("M")
    chosen: pd.Series = date.where(same | month.isna(), month)
    return chosen


def _people_of(people: pd.DataFrame, years: Sequence[int]) -> pd.Series:
    """Population in 2010, or in the last year of a panel that ends before."""
    year = PEOPLE_YEAR if PEOPLE_YEAR in years else max(years)
    return people[people["year"] == year].set_index("fips")["population"]


def with_place(frame: pd.DataFrame, regions: pd.DataFrame, border_counties: pd.DataFrame) -> pd.DataFrame:
    """Adds state, Census region and division, and the two flags of special places."""
    names = ["state_fips", "postal", "region", "division"]
    require_columns(regions, names, "The Census regions")
    require_columns(border_counties, ["fips"], "The border counties")
    regions = regions[names].rename(columns={"state_fips": "state", "postal": "state_postal"})
    frame = frame.assign(
        state=frame["fips"] // 1000,
        new_york_city=frame["fips"] == geography.NEW_YORK_COUNTY,
        mexican_border=frame["fips"].isin(border_counties["fips"]),
    )
    return frame.merge(regions, how="left", on="state", validate="many_to_one")


def _with_people(frame: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    base = people[people["year"] == WEIGHT_YEAR].set_index("fips")["population"]
    return frame.assign(
        population_2004=frame["fips"].map(base),
        log_population=rates.positive_log(frame["population"]),
        log_covered_population=rates.positive_log(frame["covered_population"]),
    )


def _with_timing(frame: pd.DataFrame, dates: pd.Series) -> pd.DataFrame:
    date, year = frame["activation_date"], frame["year"]
    first_in_state = dates.groupby(dates.index // 1000).min()
    other = alternative_dates(date, frame["activation_month_alternative"])
    role = comparison_role(date)
    return frame.assign(
        state_first_activation=frame["state"].map(first_in_state),
        comparison_2012=role,
        cohort_design_2011=timing.cohort_mid_year(date) * (role == "treated"),
        share_of_year=timing.share_of_year(date, year),
        cohort_mid_year=timing.cohort_mid_year(date),
        cohort_first_full_year=timing.cohort_first_full_year(date),
        cohort_calendar_year=timing.cohort_calendar_year(date),
        alternative_share_of_year=timing.share_of_year(other, year),
        alternative_cohort_mid_year=timing.cohort_mid_year(other),
        alternative_cohort_first_full_year=timing.cohort_first_full_year(other),
        alternative_cohort_calendar_year=timing.cohort_calendar_year(other),
    )


def _with_outcomes(frame: pd.DataFrame) -> pd.DataFrame:
    frame = pd.concat([frame, rates.totals(frame)], axis=1)
    per = rates.rates(frame, rates.OUTCOMES, "covered_population")
    return pd.concat([frame, per, rates.log_rates(per, rates.OUTCOMES)], axis=1)
