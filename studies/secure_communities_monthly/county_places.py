"""Places, population and timing shared by the monthly panels of Secure Communities.

Months are numbered as Stata does (``timing.month_number``): January 2004 is 528.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from replication.cleaning import geography, rates, timing
from replication.cleaning.column_checks import require_columns, require_unique, require_years
from replication.cleaning.sample_flow import SampleFlow
from studies.secure_communities import county_year
from studies.secure_communities.county_year import comparison_role

MONTHS: Final = 12
WEIGHT_YEAR: Final = 2004
FLOW_YEAR: Final = 2010


@dataclass(frozen=True, slots=True)
class Places:
    """Frames about counties that the readers return, as they return them.

    Attributes
    ----------
    activation_days : DataFrame
        ``secure_communities.activations.read_activation_days``.
    intercensal, vintage_2019 : DataFrame
        County populations (``sources.census``).
    fips_changes, regions, border_counties : DataFrame
        Typed tables (``sources.hand_entered``).
    composition : DataFrame
        ``fips``, ``population``, ``hispanic`` of one year (``sources.acs.read_acs``, 2009: the
        last pool of five years that begins before the roll-out and ends in its first year).
    """

    activation_days: pd.DataFrame
    intercensal: pd.DataFrame
    vintage_2019: pd.DataFrame
    fips_changes: pd.DataFrame
    regions: pd.DataFrame
    border_counties: pd.DataFrame
    composition: pd.DataFrame


def units_of(places: Places) -> dict[int, int]:
    """Code of a county that was absorbed, renamed or is a borough of New York -> code used."""
    return {**geography.recodings(places.fips_changes), **geography.NEW_YORK_CITY}


def populations(places: Places, units: Mapping[int, int], years: Sequence[int]) -> pd.DataFrame:
    """``fips``, ``year``, ``population`` of every unit in ``years`` and the year of the weight.

    Raises
    ------
    PanelError
        If a year has no population (the Census files run from 2000 to 2019).
    """
    what = "The Census populations"
    people = geography.splice_populations(places.intercensal, places.vintage_2019)
    require_unique(people, ["fips", "year"], what)
    requested = sorted({*years, WEIGHT_YEAR})
    require_years(people, requested, what)
    merged = geography.merge_populations(people, units)
    return merged[merged["year"].isin([*requested, FLOW_YEAR])].reset_index(drop=True)


def flow_of(people: pd.DataFrame, units: Mapping[int, int]) -> SampleFlow:
    """An empty sample flow that counts people by the 2010 Census population."""
    in_2010 = people[people["year"] == FLOW_YEAR].set_index("fips")["population"]
    return SampleFlow(in_2010, merged=units)


def month_grid(fips: Iterable[int], years: Sequence[int]) -> pd.DataFrame:
    """Every unit in every month: ``fips``, ``month`` (number), ``year``, ``month_of_year``."""
    codes = np.array(sorted(set(fips)), dtype=np.int64)
    year = np.repeat(np.array(sorted(years), dtype=np.int64), MONTHS)
    of_year = np.tile(np.arange(1, MONTHS + 1), len(years))
    return pd.DataFrame(
        {
            "fips": np.repeat(codes, year.size),
            "month": np.tile(timing.month_number(year, of_year), codes.size),
            "year": np.tile(year, codes.size),
            "month_of_year": np.tile(of_year, codes.size),
        }
    )


def followed_and_dated(
    frame: pd.DataFrame, people: pd.DataFrame, places: Places, flow: SampleFlow
) -> tuple[pd.DataFrame, SampleFlow]:
    """Units with constant borders, a population and a date; adds both columns.

    Returns
    -------
    frame : DataFrame
        ``population`` and ``activation_date`` added.
    flow : SampleFlow
    """
    frame, flow = flow.keep(
        frame,
        ~geography.is_left_out(frame["fips"]),
        "Drop reorganized areas of Alaska and Yellowstone National Park, if on file",
    )
    frame = frame.merge(people, how="left", on=["fips", "year"], validate="many_to_one")
    uncounted = frame.loc[~(frame["population"] > 0), "fips"].unique()
    frame, flow = flow.keep(frame, ~frame["fips"].isin(uncounted), "Census population in every year")
    dates = geography.merge_dates(places.activation_days, units_of(places), "activation_date")
    frame = frame.assign(activation_date=frame["fips"].map(dates))
    return flow.keep(frame, frame["activation_date"].notna(), "Activation date known")


def with_people(frame: pd.DataFrame, people: pd.DataFrame, places: Places) -> pd.DataFrame:
    """Adds ``population_2004``, ``log_population``, ``hispanic_share`` and people by ethnicity."""
    base = people[people["year"] == WEIGHT_YEAR].set_index("fips")["population"]
    frame = frame.assign(
        population_2004=frame["fips"].map(base),
        log_population=rates.positive_log(frame["population"]),
        hispanic_share=frame["fips"].map(hispanic_shares(places)),
    )
    hispanic = frame["population"] * frame["hispanic_share"]
    others = frame["population"] - hispanic
    return frame.assign(
        hispanic_population=hispanic,
        non_hispanic_population=others,
        log_hispanic_population=rates.positive_log(hispanic),
        log_non_hispanic_population=rates.positive_log(others),
    )


def hispanic_shares(places: Places) -> pd.Series:
    """Share of the population that is Hispanic, 0 to 1, by ``fips``."""
    names = ["population", "hispanic"]
    require_columns(places.composition, ["fips", *names], "The composition of the counties")
    require_unique(places.composition, ["fips"], "The composition of the counties")
    coded = geography.recode(places.composition["fips"], units_of(places))
    merged = places.composition[names].groupby(coded.to_numpy()).sum()
    share: pd.Series = merged["hispanic"] / merged["population"].where(merged["population"] > 0)
    return share


def with_place(frame: pd.DataFrame, places: Places) -> pd.DataFrame:
    """Adds state, Census region and division, and the two flags of special places."""
    return county_year.with_place(frame, places.regions, places.border_counties)


def with_timing(frame: pd.DataFrame, places: Places) -> pd.DataFrame:
    """Adds the share of month active, the cohorts and the role in the design of 2011.

    Needs ``fips``, ``state``, ``month`` and ``activation_date``.
    """
    dates = geography.merge_dates(places.activation_days, units_of(places), "activation_date")
    first_in_state = dates.groupby(dates.index // 1000).min()
    date, role = frame["activation_date"], comparison_role(frame["activation_date"])
    return frame.assign(
        state_first_activation=frame["state"].map(first_in_state),
        share_of_month=timing.share_of_month(date, frame["month"]),
        cohort_mid_month=timing.cohort_mid_month(date),
        cohort_first_full_month=timing.cohort_first_full_month(date),
        cohort_calendar_month=timing.cohort_calendar_month(date),
        comparison_2012=role,
        cohort_design_2011=timing.cohort_first_full_month(date) * (role == "treated"),
    )
