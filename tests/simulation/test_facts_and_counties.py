"""Typed facts, and counties, people and offenses held against them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from replication.cleaning.geography import NEW_YORK_CITY, is_left_out, recodings
from replication.sources import OFFENSES
from studies.secure_communities_simulated.simulation.simulated_agencies import CITY, SHERIFF, draw_agencies
from studies.secure_communities_simulated.simulation.simulated_counties import (
    divided,
    draw_counties,
    populations,
)
from studies.secure_communities_simulated.simulation.simulated_crime import levels, national
from studies.secure_communities_simulated.simulation.simulation_settings import YEARS, Facts, Settings

# FBI, Crime in the United States 2013, Table 1: violent and property crime of the country. They
# are totals of what is typed, so that a mistyped offense cannot go unseen.
VIOLENT = {
    2004: 1360088,
    2005: 1390745,
    2006: 1435123,
    2007: 1422970,
    2008: 1394461,
    2009: 1325896,
    2010: 1251248,
    2011: 1206005,
    2012: 1217057,
}
PROPERTY = {
    2004: 10319386,
    2005: 10174754,
    2006: 10019601,
    2007: 9882212,
    2008: 9774152,
    2009: 9337060,
    2010: 9112625,
    2011: 9052743,
    2012: 9001992,
}
# STUDIES: newly active counties by year.
ACTIVATED = {2008: 14, 2009: 91, 2010: 790, 2011: 1099, 2012: 1043, 2013: 106}


def test_typed_offenses_add_up_to_the_published_totals(facts: Facts) -> None:
    years = facts.by_year.set_index("year")
    assert years[list(OFFENSES[:4])].sum(axis=1).to_dict() == VIOLENT
    assert years[list(OFFENSES[4:])].sum(axis=1).to_dict() == PROPERTY


def test_typed_months_are_those_of_the_master_of_2013(mirror, facts: Facts) -> None:
    from replication.cleaning.agency_months import agency_months
    from replication.sources.return_a import read_return_a

    path = mirror / "fbi" / "return_a" / "reta2013.zipx"
    if not path.is_file():
        pytest.skip("no Return A master of 2013 on this machine")
    months = agency_months([read_return_a(path, 2013)])
    whole = months.reported.all(axis=1) & np.isfinite(months.actual).all(axis=(1, 2))
    assert int(whole.sum()) == 14702
    counted = months.actual[whole].sum(axis=0, dtype=float)
    assert (facts.by_month[list(OFFENSES)].to_numpy() == counted).all()


def test_typed_months_hold_most_of_the_offenses_of_2013(facts: Facts) -> None:
    # Whole-file totals from the FBI's description of the 2013 master.
    totals = facts.by_month[list(OFFENSES)].sum()
    assert 0.9 < totals["murder"] / 14114 < 1
    assert 0.9 < totals["robbery"] / 341538 < 1
    assert 0.9 < totals["burglary"] / 1884358 < 1


def test_all_counties_and_people_of_every_state_and_date(facts: Facts) -> None:
    counties = draw_counties(Settings(), facts)
    drawn = counties.groupby(["state", "activation_date"])["population_2010"].agg(["size", "sum"])
    typed = facts.activations.set_index(["state_fips", "activation_date"]).sort_index()
    assert (drawn["size"].to_numpy() == typed["counties"].to_numpy()).all()
    assert (drawn["sum"].to_numpy() == typed["population_2010"].to_numpy()).all()
    assert counties["activation_date"].dt.year.value_counts().to_dict() == ACTIVATED
    assert counties["population_2010"].min() >= 500


def test_codes_are_even_and_touch_no_rule_about_real_places(facts: Facts) -> None:
    fips = draw_counties(Settings(), facts)["fips"]
    assert fips.is_unique
    assert (fips % 2 == 0).all()
    assert not is_left_out(fips).any()
    assert not fips.isin([*NEW_YORK_CITY, *NEW_YORK_CITY.values()]).any()
    assert not fips.isin(list(recodings(facts.fips_changes))).any()
    assert not fips.isin(facts.border_counties["fips"]).any()


@pytest.mark.parametrize(("share", "least"), [(1e-6, 372), (0.35, 0.35 * 3143)])
def test_a_share_keeps_every_state_and_date(facts: Facts, share: float, least: float) -> None:
    counties = draw_counties(Settings(share=share), facts)
    assert len(counties) >= least
    kept = counties[["state", "activation_date"]].drop_duplicates()
    assert len(kept) == len(facts.activations) == 372


def test_people_grow_as_the_country_does(facts: Facts) -> None:
    counties = draw_counties(Settings(share=1e-6), facts)
    people = populations(counties, facts).pivot(index="fips", columns="year", values="population")
    assert (people[2010].to_numpy() == counties["population_2010"].to_numpy()).all()
    growth = facts.by_year.set_index("year")["population"]
    assert people[2004].sum() / people[2010].sum() == pytest.approx(growth[2004] / growth[2010], rel=1e-5)


@pytest.mark.parametrize(("total", "parts"), [(2938, 2), (3997, 1), (9_823_246, 1), (900_000, 76)])
def test_division_is_exact(total: int, parts: int) -> None:
    people = divided(total, parts, np.random.default_rng(3))
    assert people.sum() == total
    assert people.size == parts
    assert people.min() >= 500


def test_agencies_share_out_the_people_of_their_county(facts: Facts) -> None:
    settings = Settings(share=1e-6)
    counties = draw_counties(settings, facts)
    agencies = draw_agencies(counties, settings)
    own = agencies[agencies["covered_by"] == ""]
    shares = own.groupby("row")["people_share"].sum()
    has_sheriff = shares.index.isin(own.loc[own["kind"] == SHERIFF, "row"])
    assert shares[has_sheriff].to_numpy() == pytest.approx(1.0)
    assert (shares[~has_sheriff] < 0.7).all()
    cover = agencies.loc[agencies["covered_by"] != "", "covered_by"]
    assert len(cover) > 0
    assert cover.isin(agencies["ori"]).all()
    assert agencies["ori"].is_unique
    assert (agencies["ori"].str.len() == 7).all()
    assert set(agencies.loc[agencies["kind"] == CITY, "group"]) <= set("1234567")


def test_expected_offenses_are_the_published_ones(facts: Facts) -> None:
    settings = Settings(share=1e-6)
    counties = draw_counties(settings, facts)
    agencies = draw_agencies(counties, settings)
    level = levels(counties, agencies, settings, facts)
    part = counties["population_2010"].sum() / 309330219
    by_year = level.reshape(len(agencies), len(YEARS), 12, len(OFFENSES)).sum(axis=(0, 2))
    published = facts.by_year.set_index("year").loc[list(YEARS), list(OFFENSES)].to_numpy()
    assert by_year == pytest.approx(part * published, rel=1e-9)
    season = national(counties, facts)[:12] / by_year[0]
    typed = facts.by_month[list(OFFENSES)]
    assert season == pytest.approx((typed / typed.sum()).to_numpy(), rel=1e-9)


def test_spread_table_is_plausible(facts: Facts) -> None:
    spread = facts.spread.set_index("offense")
    assert list(spread.index) == list(OFFENSES)
    assert (spread["city_rate"] > spread["county_rate"]).all()
    assert spread["cleared_share"].between(0, 1).all()
    # The national clearance rates of 2012 (Crime in the United States, Table 25) lie close.
    published = pd.Series(
        {"murder": 0.625, "rape": 0.401, "robbery": 0.281, "burglary": 0.127, "larceny": 0.220}
    )
    assert (spread["cleared_share"].loc[published.index] - published).abs().max() < 0.03
