"""Columns that surround the county panel, on made counties with answers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from artificial_context import artificial_context
from artificial_panels import Made

from replication.cleaning import county_coverage
from replication.core.errors import PanelError
from replication.sources import OFFENSES
from studies.secure_communities import county_people, county_year, earlier_crime
from studies.secure_communities.county_context import SPLITS, extend_county_year, with_coverage_variants
from studies.secure_communities.county_schemas import COUNTY_YEAR_ALL, COUNTY_YEAR_CONTEXT


def build(artificial: Made, context: object = None) -> pd.DataFrame:
    raw = artificial.sources()
    core, _ = county_year.build_county_year(raw)
    context = context or artificial_context(artificial)
    return extend_county_year(core, raw, context, COUNTY_YEAR_CONTEXT)


def by_county(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop_duplicates("fips").set_index("fips")


def test_no_row_is_lost_and_the_core_is_untouched(artificial: Made) -> None:
    core, _ = county_year.build_county_year(artificial.sources())
    frame = build(artificial)
    pd.testing.assert_frame_equal(frame[core.columns], core)
    assert frame.columns.tolist() == list(COUNTY_YEAR_CONTEXT.columns)


def test_merged_units_have_the_people_of_their_parts(artificial: Made) -> None:
    context = artificial_context(artificial)
    hispanic = context.acs["hispanic"].mask(context.acs["fips"] == 36085, 1000)
    context = replace(context, acs=context.acs.assign(hispanic=hispanic))
    counties = by_county(build(artificial, context))
    # 4,000 + 5,000 + 6,000 + 7,000 people with a tenth, 1,000 people with all.
    assert counties.loc[36061, "hispanic_share"] == pytest.approx((2200 + 1000) / 23_000)
    assert counties.loc[36061, "noncitizen_share"] == pytest.approx(0.02)
    assert counties.loc[36061, "county_name"] == "New York City"
    boroughs = [36.005, 36.047, 36.061, 36.081, 36.085]
    assert counties.loc[36061, "latitude"] == pytest.approx(np.mean(boroughs))
    assert counties.loc[2158, "latitude"] == pytest.approx(2.270)  # 02270 before its new name


def test_unemployment_of_the_year_and_of_2007(artificial: Made) -> None:
    context = artificial_context(artificial)
    work = context.unemployment
    queens = (work["fips"] == 36081) & (work["year"] == 2006)
    work = work.assign(unemployed=work["unemployed"].mask(queens))
    frame = build(artificial, replace(context, unemployment=work)).set_index(["fips", "year"])
    assert frame.loc[(1001, 2011), "unemployment_rate"] == pytest.approx(11.0)
    assert frame["unemployment_2007"].eq(7.0).all()
    assert np.isnan(frame.loc[(36061, 2006), "unemployment_rate"])
    assert frame.loc[(36061, 2007), "unemployment_rate"] == pytest.approx(7.0)


def test_growth_is_the_slope_of_doubling(artificial: Made) -> None:
    counties = by_county(build(artificial))
    assert counties["earlier_growth_index"].to_numpy() == pytest.approx(np.log(2))
    level = np.log(100_000 * 28 / 1000)
    assert counties.loc[1001, "baseline_log_rate_index"] == pytest.approx(level)


def test_growth_needs_four_reported_years(artificial: Made) -> None:
    context = artificial_context(artificial)
    records = context.earlier_offenses
    spoiled = records["fips"].eq(1001) & records["year"].le(2001)
    spoiled |= records["fips"].eq(1003) & records["year"].eq(2002)
    low = records.assign(coverage_indicator=records["coverage_indicator"].mask(spoiled, 79.0))
    counties = by_county(build(artificial, replace(context, earlier_offenses=low)))
    assert np.isnan(counties.loc[1001, "earlier_growth_violent"])
    assert counties.loc[1003, "earlier_growth_violent"] == pytest.approx(np.log(2))


def test_slope_equals_polyfit() -> None:
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"unit": np.repeat([1, 2], 5), "year": np.tile(range(2000, 2005), 2)})
    rows["value"] = rng.normal(size=10)
    rows.loc[3, "value"] = np.nan
    found = earlier_crime.slope(rows["unit"], rows["year"], rows["value"])
    for unit, part in rows.dropna().groupby("unit"):
        assert found[unit] == pytest.approx(np.polyfit(part["year"] - 2002, part["value"], 1)[0])


@pytest.mark.parametrize(
    ("people", "name"),
    [
        (24_999, "under 25,000"),
        (25_000, "25,000-100,000"),
        (99_999, "25,000-100,000"),
        (100_000, "100,000-500,000"),
        (500_000, "500,000 or more"),
    ],
)
def test_classes_of_size(people: int, name: str) -> None:
    assert county_people.size_class(pd.Series([people])).tolist() == [name]


def test_the_upper_half_holds_about_half_of_the_people() -> None:
    values = pd.Series([0.1, 0.2, 0.3, 0.4], index=[7, 5, 3, 1])
    people = pd.Series([10, 20, 30, 40], index=[7, 5, 3, 1])
    # 10, 30, 60 of 100: half is reached at 0.3, and only 0.4 lies above it.
    assert county_people.upper_half(values, people).tolist() == [False, False, False, True]
    even = pd.Series(1, index=values.index)
    assert county_people.upper_half(values, even).tolist() == [False, False, True, True]


def test_early_and_the_anticipation_columns(artificial: Made) -> None:
    artificial.days["activation_date"] = pd.to_datetime(
        artificial.days["fips"].map({1001: "2010-12-31", 1003: "2011-01-01"}).fillna("2012-07-01")
    )
    frame = build(artificial).set_index(["fips", "year"])
    assert frame["early"].groupby("fips").first().loc[[1001, 1003]].tolist() == [True, False]
    assert frame.loc[(1003, 2010), "share_of_year_next"] == 1
    assert frame.loc[(12086, 2011), "share_of_year_next"] == pytest.approx(184 / 366)
    assert frame.loc[(12086, 2012), "share_of_year_next"] == 1
    # Alabama began on the last day of 2010.
    assert frame.loc[(1003, 2010), "state_share_of_year"] == pytest.approx(1 / 365)
    assert frame.loc[(1003, 2010), "state_ahead_share"] == pytest.approx(1 / 365)
    assert frame.loc[(1003, 2011), "state_ahead_share"] == 0
    assert frame.loc[(1003, 2004), "cohort_state_first"] == 2011


def test_variants_of_coverage(artificial: Made) -> None:
    rows = artificial.offenses
    rows.loc[artificial.rows(1001, 2005), "coverage_indicator"] = 92.0
    rows.loc[artificial.rows(1003, 2005), "covered_population"] = 1700  # of 2,000
    rows.loc[artificial.rows(12086, 2009), "coverage_indicator"] = 60.0
    rows.loc[artificial.rows(17031, 2009), list(OFFENSES)] = 0
    rows.loc[artificial.rows(17031, 2009), "coverage_indicator"] = 0.0
    rows.loc[artificial.rows(48201, 2009), "agencies_offense"] = 3
    raw = artificial.sources()
    core, _ = county_year.build_county_year(raw, rule=county_coverage.UNSCREENED)
    frame = extend_county_year(core, raw, artificial_context(artificial), COUNTY_YEAR_ALL)
    names = [
        "coverage_canonical",
        "coverage_90",
        "coverage_95",
        "coverage_ratio_90",
        "coverage_loose",
        "agencies_constant",
    ]
    flags = by_county(frame)[names].astype(int)
    expected = {
        1001: [1, 1, 0, 1, 1, 1],
        1003: [1, 1, 1, 0, 1, 1],
        12086: [0, 0, 0, 0, 1, 1],
        17031: [0, 0, 0, 0, 0, 1],
        48201: [1, 1, 1, 1, 1, 0],
        36061: [1, 1, 1, 1, 1, 1],
    }
    assert {code: flags.loc[code].tolist() for code in expected} == expected
    yearly = frame.set_index(["fips", "year"])
    assert yearly.loc[(17031, 2009), ["reported", "passes_coverage"]].tolist() == [False, False]
    assert yearly.loc[(12086, 2009), ["reported", "passes_coverage"]].tolist() == [True, False]
    assert yearly.loc[(12086, 2008), "passes_coverage"]
    assert yearly["reported"].sum() == len(frame) - 1


def test_products_follow_their_flags(artificial: Made) -> None:
    frame = build(artificial)
    for name in SPLITS:
        product = frame[f"share_of_year_x_{name}"]
        assert product[frame[name]].equals(frame["share_of_year"][frame[name]])
        assert (product[~frame[name]] == 0).all()


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("names", "county_name"),
        ("places", "latitude"),
        ("acs", "hispanic"),
        ("noncitizens", "noncitizens"),
        ("unemployment", "labour_force"),
        ("earlier_offenses", "murder"),
        ("adjacency", "neighbor"),
    ],
)
def test_a_source_without_a_column_is_refused(artificial: Made, name: str, column: str) -> None:
    context = artificial_context(artificial)
    spoiled = getattr(context, name).rename(columns={column: "other"})
    with pytest.raises(PanelError, match=f"have no column '{column}'"):
        build(artificial, replace(context, **{name: spoiled}))


def test_a_county_without_composition_is_named(artificial: Made) -> None:
    context = artificial_context(artificial)
    acs = context.acs[context.acs["fips"] != 1003]
    with pytest.raises(PanelError, match="column 'hispanic_share', first at fips 1003, year 2004"):
        build(artificial, replace(context, acs=acs))


def test_variants_need_the_coverage_columns() -> None:
    with pytest.raises(PanelError, match="no column 'agencies_offense'"):
        with_coverage_variants(pd.DataFrame({"fips": [1], "year": [2004]}))
