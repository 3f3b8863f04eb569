"""Neighbors of made counties, against sums written out pair by pair."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from artificial_context import artificial_context
from artificial_panels import Made

from replication.cleaning.geography import NEW_YORK_CITY
from studies.secure_communities import border_pairs, county_year, neighbors
from studies.secure_communities.county_context import extend_county_year
from studies.secure_communities.county_schemas import COUNTY_YEAR_CONTEXT

DATES = pd.Series(pd.to_datetime(["2010-01-01", "2011-07-02", "2012-01-01"]), index=[1001, 1003, 12086])
PEOPLE = pd.Series({1001: 1000.0, 1003: 3000.0, 12086: 500.0})


def pairs_of(*pairs: tuple[int, int]) -> pd.DataFrame:
    both = [*pairs, *((b, a) for a, b in pairs)]
    return neighbors.unit_pairs(pd.DataFrame(both, columns=["fips", "neighbor"]), {})


def test_parts_of_one_unit_are_not_neighbors() -> None:
    frame = pd.DataFrame({"fips": [36005, 36061, 36047, 34003], "neighbor": [36061, 36005, 34003, 36047]})
    pairs = neighbors.unit_pairs(pd.concat([frame, frame]), NEW_YORK_CITY)
    assert pairs.to_numpy().tolist() == [[34003, 36061], [36061, 34003]]


def test_exposure_weights_neighbors_by_people() -> None:
    pairs = neighbors.dated_pairs(
        pairs_of((1001, 1003), (1003, 12086), (1001, 12086), (1001, 99)), DATES, PEOPLE
    )
    assert len(pairs) == 7  # 99 has no date: it is no neighbor of 1001, but has one itself
    found = neighbors.exposure(pairs, [2010, 2011]).set_index(["fips", "year"])
    half = 183 / 365
    assert found.loc[(1001, 2011), "neighbors_share_of_year"] == pytest.approx(half * 3000 / 3500)
    assert found.loc[(1001, 2011), "neighbors_active_share"] == pytest.approx(1 / 2)
    assert found.loc[(1003, 2010), "neighbors_share_of_year"] == pytest.approx(1000 / 1500)
    assert found.loc[(12086, 2011), "neighbors_share_of_year"] == pytest.approx((1000 + half * 3000) / 4000)
    assert found.loc[(12086, 2011), "neighbors_active_share"] == 1


def test_neighborhood_flags() -> None:
    pairs = neighbors.dated_pairs(pairs_of((1001, 1003), (1003, 12086)), DATES, PEOPLE)
    found = neighbors.neighborhood(pairs, DATES)
    assert found["neighbors"].to_dict() == {1001: 1, 1003: 2, 12086: 1}
    assert found["neighbor_other_year"].all()
    assert found["neighbor_treated_2011"].to_dict() == {1001: False, 1003: True, 12086: False}
    assert found["on_state_border"].to_dict() == {1001: False, 1003: True, 12086: True}
    same = DATES.where(DATES.index != 1003, pd.Timestamp(2010, 12, 31))
    pairs = neighbors.dated_pairs(pairs_of((1001, 1003)), same, PEOPLE)
    assert not neighbors.neighborhood(pairs, same)["neighbor_other_year"].any()


def test_state_border_pairs_are_numbered_once() -> None:
    pairs = pairs_of((1001, 1003), (1003, 12086), (1001, 12086), (1001, 28001))
    found = neighbors.state_border_pairs(pairs, [1001, 1003, 12086])
    rows = found[["border_pair", "fips", "neighbor", "border_segment", "pair_member"]]
    assert rows.to_numpy().tolist() == [
        [1, 1001, 12086, 1012, 1],
        [1, 12086, 1001, 1012, 2],
        [2, 1003, 12086, 1012, 3],
        [2, 12086, 1003, 1012, 4],
    ]


@pytest.fixture
def extended(artificial: Made) -> pd.DataFrame:
    artificial.days["activation_date"] = pd.to_datetime(
        artificial.days["fips"].map({1001: "2010-03-01", 1003: "2012-04-01"}).fillna("2012-05-01")
    )
    raw = artificial.sources()
    core, _ = county_year.build_county_year(raw)
    return extend_county_year(core, raw, artificial_context(artificial), COUNTY_YEAR_CONTEXT)


def test_columns_in_the_panel(extended: pd.DataFrame) -> None:
    rows = extended.set_index(["fips", "year"])
    # 1003 touches 1001 (1,000 people, active) and 12086 (9,000, not yet).
    assert rows.loc[(1003, 2011), "neighbors_share_of_year"] == pytest.approx(1000 / 10_000)
    assert rows.loc[(1003, 2011), "neighbors_active_share"] == pytest.approx(1 / 2)
    first = extended.drop_duplicates("fips").set_index("fips")
    assert first["donut_2011"].to_dict() == {
        1001: False,
        1003: True,
        2158: False,
        12086: False,
        17031: False,
        36061: False,
        48201: True,
        51005: False,
    }
    assert first.loc[17031, ["neighbors", "on_state_border"]].tolist() == [0, False]
    alone = extended["fips"].isin([17031, 2158, 51005, 36061])  # 34999 has no date
    assert extended["neighbors_share_of_year"].isna().equals(alone)
    product = extended["share_of_year"] * extended["neighbors_share_of_year"]
    assert np.allclose(extended["share_of_year_x_neighbors"][~alone], product[~alone])


def test_border_panel(artificial: Made, extended: pd.DataFrame) -> None:
    frame, flow = border_pairs.build_border_pairs(
        extended, artificial.sources(), artificial_context(artificial)
    )
    assert sorted(frame["fips"].unique()) == [1001, 1003, 12086, 48201]
    assert frame.groupby("pair_member").size().eq(9).all()
    assert frame["pair_member"].nunique() == 4
    assert (frame["pair_weight"] == frame["population_2004"]).all()  # one pair each
    assert flow.table()["counties_after"].tolist() == [8, 4]
    assert flow.table()["people_after"].iloc[-1] == 1000 + 2000 + 9000 + 8000
