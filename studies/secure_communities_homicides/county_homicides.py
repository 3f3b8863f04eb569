"""Homicides by county and month, with the Hispanic ethnicity of the victims.

The homicide reports have no zeros: an agency without a line in them had no homicide, or does not
report. A second count of murders by county and year distinguishes the two. States that
report less than half of their murders in some year are left out, then counties whose count does
not fit. The file of 2007 is missing, so its twelve months are absent from the panel; no month is
imputed for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from replication.cleaning import geography, rates
from replication.cleaning.codebook import conform
from replication.cleaning.column_checks import require_columns
from replication.cleaning.sample_flow import SampleFlow
from replication.core.errors import PanelError
from studies.secure_communities_homicides.homicide_comparison import (
    against_reference,
    compare_states,
    placed_victims,
)
from studies.secure_communities_homicides.homicide_schemas import COUNTY_MONTH_HOMICIDES, ETHNIC, GROUPS
from studies.secure_communities_monthly import county_places

YEARS: Final = tuple(range(2003, 2014))


@dataclass(frozen=True, slots=True)
class HomicideRule:
    """Screens for reporting.

    Attributes
    ----------
    lowest_state_ratio : float
        Smallest ratio of victims to murders that a state may have in any checked year.
    tolerated_share, tolerated_victims : float
        A county's victims may differ from its murders by this share of them, or by this many,
        in every checked year.
    minimum_known : float
        Share of victims whose ethnicity is known, in every year with victims, from which a county
        counts as one that reports ethnicity.
    """

    lowest_state_ratio: float = 0.5
    tolerated_share: float = 0.25
    tolerated_victims: float = 2.0
    minimum_known: float = 0.75


CANONICAL: Final = HomicideRule()
UNSCREENED: Final = HomicideRule(0.0, float("inf"))
"""Every county with people and a date, where no report is read as no homicide."""


@dataclass(frozen=True, slots=True)
class HomicideSources:
    """Frames of the homicide panel.

    Attributes
    ----------
    victims : DataFrame
        ``sources.homicides.read_homicides(...).victims`` of all years, one below the other.
    crosswalk : DataFrame
        ``sources.geography.read_agencies``.
    reference : DataFrame
        ``fips``, ``year``, ``murder``: a second count (county offenses of ICPSR/NACJD, Return A,
        or both for different years). Years that it lacks are not checked.
    places : Places
    """

    victims: pd.DataFrame
    crosswalk: pd.DataFrame
    reference: pd.DataFrame
    places: county_places.Places


@dataclass(frozen=True, slots=True)
class HomicidePanel:
    """The panel and its documentation.

    Attributes
    ----------
    frame : DataFrame
        Described by ``homicide_schemas.COUNTY_MONTH_HOMICIDES``.
    flow : SampleFlow
    comparison : DataFrame
        Victims against murders by state (``compare_states``).
    allocation : DataFrame
        ``year``, ``decided_by``, ``agencies``, ``people``, ``victims``.
    absent_years : tuple of int
        Years inside the panel without a file.
    """

    frame: pd.DataFrame
    flow: SampleFlow
    comparison: pd.DataFrame
    allocation: pd.DataFrame
    absent_years: tuple[int, ...]


def build_county_month(
    raw: HomicideSources, rule: HomicideRule = CANONICAL, years: Sequence[int] = YEARS
) -> HomicidePanel:
    """Panel of county and month for the years whose homicide file is there.

    Parameters
    ----------
    raw : HomicideSources
    rule : HomicideRule
    years : sequence of int
        Years of the panel; those without victims are absent from it and named in
        ``absent_years``.

    Raises
    ------
    PanelError
        If a frame lacks columns, no year has victims, or the panel breaks its codebook.
    """
    present = _years_present(raw.victims, years)
    units = county_places.units_of(raw.places)
    victims, allocation = placed_victims(raw.victims, raw.crosswalk, present)
    victims = victims.assign(fips=geography.recode(victims["fips"], units))
    compared = against_reference(victims, raw.reference, units)
    people = county_places.populations(raw.places, units, present)
    flow = county_places.flow_of(people, units)
    frame = county_places.month_grid(people["fips"], present)
    flow = flow.record(_opening(present, years), frame, frame)
    frame, flow = county_places.followed_and_dated(frame, people, raw.places, flow)
    frame, flow = _reporting(frame, compared, rule, flow)
    frame = county_places.with_people(frame, people, raw.places)
    frame = county_places.with_timing(county_places.with_place(frame, raw.places), raw.places)
    frame = _with_counts(frame, victims, rule)
    absent = tuple(sorted(set(range(min(present), max(present))) - set(present)))
    tidy = conform(frame, COUNTY_MONTH_HOMICIDES)
    return HomicidePanel(tidy, flow, compare_states(compared), allocation, absent)


def _years_present(victims: pd.DataFrame, years: Sequence[int]) -> list[int]:
    require_columns(victims, ["year", "month", "ori", "kind", "ethnicity"], "The victims")
    present = sorted(set(years) & set(victims["year"].unique().tolist()))
    if not present:
        raise PanelError(
            f"The victims have no row in {min(years)}-{max(years)}. Read the homicide files of "
            "these years, or choose other years."
        )
    return present


def _opening(present: Sequence[int], years: Sequence[int]) -> str:
    absent = [str(year) for year in years if year not in present]
    gap = f" ({', '.join(absent)} absent: no homicide file)" if absent else ""
    return f"Census counties, months of {min(present)}-{max(present)}{gap}"


def _reporting(
    frame: pd.DataFrame, compared: pd.DataFrame, rule: HomicideRule, flow: SampleFlow
) -> tuple[pd.DataFrame, SampleFlow]:
    """States, then counties, whose reports fit the second count in every checked year."""
    if rule == UNSCREENED:
        return frame, flow
    years = ", ".join(str(year) for year in sorted(compared["year"].unique()))
    by_state = compared.groupby(["state", "year"])[["murders", "victims"]].sum()
    short = by_state["victims"] < rule.lowest_state_ratio * by_state["murders"]
    silent = short[short].index.get_level_values("state").unique()
    frame, flow = flow.keep(
        frame,
        ~(frame["fips"] // 1000).isin(silent),
        f"State reports at least {rule.lowest_state_ratio:.0%} of its murders in every year "
        f"checked ({years})",
    )
    gap = (compared["victims"] - compared["murders"]).abs()
    allowed = np.maximum(rule.tolerated_share * compared["murders"], rule.tolerated_victims)
    unfit = compared.loc[gap > allowed, "fips"]
    seen = frame["fips"].isin(compared["fips"])
    return flow.keep(
        frame,
        seen & ~frame["fips"].isin(unfit),
        f"County's SHR victims within {100 * rule.tolerated_share:g} percent (or {rule.tolerated_victims:g}) "
        "of its reported murders in every year checked",
    )


def _with_counts(frame: pd.DataFrame, victims: pd.DataFrame, rule: HomicideRule) -> pd.DataFrame:
    """Victims of each county and month, all and by ethnicity, with rates."""
    keys = ["fips", "year", "month_of_year"]
    group = victims["ethnicity"].map(GROUPS)
    found = victims.rename(columns={"month": "month_of_year"}).groupby([*keys, group]).size()
    wide = found.unstack(fill_value=0).reindex(columns=list(ETHNIC), fill_value=0)
    by_offender = victims[victims["offender_ethnicity"] == "hispanic"]
    wide["hispanic_offender_victims"] = (
        by_offender.rename(columns={"month": "month_of_year"}).groupby(keys).size()
    )
    names = [*ETHNIC, "hispanic_offender_victims"]
    frame = frame.merge(wide.reset_index(), how="left", on=keys, validate="one_to_one")
    frame[names] = frame[names].fillna(0).astype("int64")
    frame["homicides"] = frame[list(ETHNIC)].sum(axis=1)
    frame = _with_ethnicity(frame, rule)
    pairs = {
        "homicides": "population",
        "hispanic_victims": "hispanic_population",
        "non_hispanic_victims": "non_hispanic_population",
    }
    for name, people in pairs.items():
        frame = frame.join(rates.rates(frame, [name], people))
    return frame


def _with_ethnicity(frame: pd.DataFrame, rule: HomicideRule) -> pd.DataFrame:
    """Share of known ethnicity, and victims with the unknown allocated as the known of the same county."""
    known = frame["hispanic_victims"] + frame["non_hispanic_victims"]
    parts = pd.DataFrame({"hispanic": frame["hispanic_victims"], "known": known})
    parts["all"] = frame["homicides"]
    by_county = parts.groupby(frame["fips"]).sum()
    by_year = parts.groupby([frame["fips"], frame["year"]]).sum()
    poor = by_year["known"] < rule.minimum_known * by_year["all"]
    unsure = poor.groupby(level="fips").any()
    share = _share(parts.groupby([frame["fips"], frame["year"]]).transform("sum"))
    share = share.fillna(_share(parts.groupby(frame["fips"]).transform("sum")))
    share = share.fillna(_share(parts.groupby(frame["state"]).transform("sum")))
    added = (frame["unknown_ethnicity_victims"] * share).where(frame["unknown_ethnicity_victims"] > 0, 0.0)
    return frame.assign(
        hispanic_victims_allocated=frame["hispanic_victims"] + added,
        non_hispanic_victims_allocated=frame["homicides"] - frame["hispanic_victims"] - added,
        ethnicity_known_share=frame["fips"].map(by_county["known"] / by_county["all"]),
        reports_ethnicity=~frame["fips"].map(unsure).astype(bool),
    )


def _share(parts: pd.DataFrame) -> pd.Series:
    share: pd.Series = parts["hispanic"] / parts["known"].where(parts["known"] > 0)
    return share
