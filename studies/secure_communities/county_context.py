"""The annual county panel with context: population, earlier crime, neighbors and variants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd
import pandera.pandas as pa

from replication.cleaning import county_coverage, geography, timing
from replication.cleaning.codebook import conform
from replication.cleaning.column_checks import require_columns
from replication.sources import OFFENSES
from studies.secure_communities import county_people, county_year, earlier_crime, neighbors
from studies.secure_communities.county_year import CountySources

EARLY_UNTIL: Final = pd.Timestamp(2010, 12, 31)
SPLITS: Final = ("hispanic_high", "noncitizen_high", "mexican_border", "large", "early")
"""Flags for heterogeneity of the effect, chosen before estimation."""

CANONICAL: Final = county_coverage.CANONICAL
VARIANTS: Final[dict[str, county_coverage.CoverageRule]] = {
    "coverage_canonical": CANONICAL,
    "coverage_90": replace(CANONICAL, minimum_indicator=90.0),
    "coverage_95": replace(CANONICAL, minimum_indicator=95.0),
    "coverage_ratio_90": replace(CANONICAL, lowest_ratio=0.9, highest_ratio=1.1),
    "coverage_loose": replace(CANONICAL, minimum_indicator=50.0, lowest_ratio=0.5, highest_ratio=1.5),
}


@dataclass(frozen=True, slots=True)
class ContextSources:
    """Further frames, as the readers return them.

    Attributes
    ----------
    names : DataFrame
        County names (``sources.census``).
    places : DataFrame
        Coordinates (``sources.county_shapes``).
    acs, noncitizens : DataFrame
        Composition in 2005-2009 (``sources.acs``).
    unemployment : DataFrame
        Labor force by year (``sources.unemployment``).
    earlier_offenses : DataFrame
        Records of 2000-2004 (``sources.nacjd``).
    adjacency : DataFrame
        Pairs of counties (``sources.geography``).
    """

    names: pd.DataFrame
    places: pd.DataFrame
    acs: pd.DataFrame
    noncitizens: pd.DataFrame
    unemployment: pd.DataFrame
    earlier_offenses: pd.DataFrame
    adjacency: pd.DataFrame


def extend_county_year(
    frame: pd.DataFrame, raw: CountySources, context: ContextSources, schema: pa.DataFrameSchema
) -> pd.DataFrame:
    """The panel of ``secure_communities.build_county_year`` with further columns, no row lost.

    Parameters
    ----------
    frame : DataFrame
        Panel of county and year.
    raw, context : sources
        Frames as the readers return them.
    schema : DataFrameSchema
        ``county_schemas.COUNTY_YEAR_CONTEXT`` or ``county_schemas.COUNTY_YEAR_ALL``.

    Raises
    ------
    PanelError
        If a source lacks columns, or a county of the panel has no name, place or composition.
    """
    units = merged_units(raw)
    frame = _with_people(frame, context, units)
    frame = _with_earlier_crime(frame, raw, context, units)
    frame = _with_neighbors(frame, raw, context, units)
    frame = _with_timing(frame)
    frame = with_coverage_variants(frame)
    return conform(with_interactions(frame), schema)


def merged_units(raw: CountySources) -> dict[int, int]:
    """Code of a part -> code of the unit: absorbed and renamed counties, New York City."""
    return {**geography.recodings(raw.fips_changes), **geography.NEW_YORK_CITY}


def _with_people(frame: pd.DataFrame, context: ContextSources, units: Mapping[int, int]) -> pd.DataFrame:
    shares = county_people.composition(context.acs, context.noncitizens, units)
    places = county_people.unit_places(context.places, units)
    rate = county_people.unemployment(context.unemployment, units).rename("unemployment_rate")
    frame = frame.join(places, on="fips").join(shares, on="fips").join(rate, on=["fips", "year"])
    base = rate.xs(county_people.UNEMPLOYMENT_YEAR, level="year")
    frame = frame.assign(
        county_name=county_people.named(context.names, frame["fips"]),
        unemployment_2007=frame["fips"].map(base),
        population_class=county_people.size_class(frame["population_2004"]),
        large=frame["population_2004"] >= county_people.LARGE,
        early=frame["activation_date"] <= EARLY_UNTIL,
    )
    counties = frame.drop_duplicates("fips").set_index("fips")
    for group in ("hispanic", "noncitizen"):
        above = county_people.upper_half(counties[f"{group}_share"], counties["population_2004"])
        frame[f"{group}_high"] = frame["fips"].map(above)
    return frame


def _with_earlier_crime(
    frame: pd.DataFrame, raw: CountySources, context: ContextSources, units: Mapping[int, int]
) -> pd.DataFrame:
    years = range(earlier_crime.GROWTH[0], earlier_crime.GROWTH[1] + 1)
    people = county_year.populations(raw, units, years)
    growth = earlier_crime.earlier_growth(context.earlier_offenses, people, units)
    return frame.join(earlier_crime.baseline(frame), on="fips").join(growth, on="fips")


def _with_neighbors(
    frame: pd.DataFrame, raw: CountySources, context: ContextSources, units: Mapping[int, int]
) -> pd.DataFrame:
    dates = geography.merge_dates(raw.activation_days, units, "activation_date")
    weight_year = county_year.WEIGHT_YEAR
    rows = county_year.populations(raw, units, [weight_year])
    people = rows[rows["year"] == weight_year].set_index("fips")["population"]
    pairs = neighbors.unit_pairs(context.adjacency, units)
    pairs = neighbors.dated_pairs(pairs, dates, people)
    fixed = neighbors.neighborhood(pairs, dates)
    moving = neighbors.exposure(pairs, sorted(frame["year"].unique()))
    frame = frame.join(fixed, on="fips").merge(moving, how="left", on=["fips", "year"])
    for name in fixed.columns:
        alone = 0 if name == "neighbors" else False
        frame[name] = frame[name].astype(object).where(frame[name].notna(), alone)
    donut = frame["neighbor_treated_2011"].astype(bool)
    return frame.assign(donut_2011=(frame["comparison_2012"] == "comparison") & donut)


def _with_timing(frame: pd.DataFrame) -> pd.DataFrame:
    """Anticipation: next year's share, and earlier activation in the state."""
    state = timing.share_of_year(frame["state_first_activation"], frame["year"])
    return frame.assign(
        share_of_year_next=timing.share_of_year(frame["activation_date"], frame["year"] + 1),
        state_share_of_year=state,
        state_ahead_share=state - frame["share_of_year"],
        cohort_state_first=timing.cohort_mid_year(frame["state_first_activation"]),
    )


def with_coverage_variants(frame: pd.DataFrame) -> pd.DataFrame:
    """Flags of stricter and looser screens, and of counties with a constant number of agencies.

    ``reported`` and ``passes_coverage`` speak of the year; the others of the county, which must
    pass in every year of the panel.
    """
    require_columns(frame, ["agencies_offense", "coverage_indicator", "census_ratio"], "The rows")
    years = sorted(frame["year"].unique())
    reported = ~county_coverage.is_missing(frame.fillna(dict.fromkeys(OFFENSES, 0)), OFFENSES)
    found = {"reported": reported}
    for name, rule in VARIANTS.items():
        passes = reported & county_coverage.indicator_passes(frame, rule)
        passes = passes & county_coverage.ratio_passes(frame, rule)
        if rule == CANONICAL:
            found["passes_coverage"] = passes
        found[name] = county_coverage.in_every_year(frame, passes, years)
    agencies = frame.groupby("fips")["agencies_offense"]
    same = agencies.transform("min") == agencies.transform("max")
    return frame.assign(**found, agencies_constant=same)


def with_interactions(frame: pd.DataFrame) -> pd.DataFrame:
    """``share_of_year_x_<flag>`` for each split, and with the neighbors' share."""
    share = frame["share_of_year"]
    products = {f"share_of_year_x_{name}": share * frame[name].astype(float) for name in SPLITS}
    products["share_of_year_x_neighbors"] = share * frame["neighbors_share_of_year"]
    return frame.assign(**products)
