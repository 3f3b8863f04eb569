"""The canonical panel from the real files: what STUDIES.md says that it must be.

The rules themselves are proved on made counties in ``test_panel_secure_communities``; here the
numbers that they must give on the real files are typed in.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from artificial_panels import TYPED, dummies, two_way

from replication.cleaning import county_coverage, geography
from replication.sources import census, hand_entered, nacjd
from studies.secure_communities import activations, county_year
from studies.secure_communities.county_year import CountySources

FLOW = [
    (3178, 3178),
    (3178, 3143),
    (3143, 3140),
    (3140, 3135),
    (3135, 3131),
    (3131, 3131),
    (3131, 3131),
    (3131, 3131),
    (3131, 2903),
    (2903, 2322),
    (2322, 2049),
]


@pytest.fixture(scope="module")
def raw(mirror: Path) -> CountySources:
    offenses = [
        nacjd.read_county_offenses(mirror / "nacjd" / f"{nacjd.STUDY[year]:05d}-0004-Data.txt", year)
        for year in county_year.YEARS
    ]
    dates = mirror / "secure_communities"
    return CountySources(
        pd.concat(offenses, ignore_index=True),
        activations.read_activation_days(dates / "securecommunities.dta"),
        activations.read_activation_months(dates / "activation_dates_makayla_revisedforbalance.dta"),
        census.read_intercensal(mirror / "census" / "co-est00int-tot.csv"),
        census.read_vintage_2019(mirror / "census" / "co-est2019-alldata.csv"),
        hand_entered.read_fips_changes(TYPED / "county_fips_changes.csv"),
        hand_entered.read_regions(TYPED / "census_regions.csv"),
        hand_entered.read_border_counties(TYPED / "mexican_border_counties.csv"),
    )


@pytest.fixture(scope="module")
def built(raw: CountySources) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame, flow = county_year.build_county_year(raw)
    return frame, flow.table()


def test_roster(raw: CountySources) -> None:
    dates = raw.activation_days.set_index("fips")["activation_date"]
    assert dates.dt.year.value_counts().sort_index().to_dict() == {
        2008: 14,
        2009: 91,
        2010: 790,
        2011: 1099,
        2012: 1043,
        2013: 106,
    }
    assert (dates <= "2010-08-10").sum() == 546
    active = dates.index[dates <= "2011-05-17"]
    assert (len(active), (active // 1000).nunique()) == (1302, 42)
    assert dates.loc[raw.border_counties["fips"]].max() == pd.Timestamp(2010, 7, 27)


def test_merged_counties_share_their_date(raw: CountySources) -> None:
    units = {**geography.recodings(raw.fips_changes), **geography.NEW_YORK_CITY}
    dates = raw.activation_days.assign(unit=geography.recode(raw.activation_days["fips"], units))
    assert dates.groupby("unit")["activation_date"].nunique().max() == 1


def test_counties_people_and_flow(built: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    frame, flow = built
    assert frame["fips"].nunique() == 2049
    assert len(frame) == 2049 * 9
    assert frame.loc[frame["year"] == 2010, "population"].sum() == 260_975_294
    assert [tuple(row) for row in flow[["counties_before", "counties_after"]].to_numpy()] == FLOW
    assert flow["people_after"].iloc[-1] == 260_975_294


def test_roles_and_years(built: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    counties = built[0].drop_duplicates("fips")
    assert counties["comparison_2012"].value_counts().to_dict() == {
        "treated": 1082,
        "left_out": 579,
        "comparison": 388,
    }
    before = counties["cohort_mid_year"] <= 2011
    assert before.equals(counties["comparison_2012"] == "treated")


def test_transcriptions_differ_in_indiana_alone(raw: CountySources) -> None:
    both = raw.activation_days.merge(raw.activation_months, on="fips")
    differ = both["activation_date"].dt.to_period("M") != both["activation_month"].dt.to_period("M")
    assert (len(both), int(differ.sum())) == (3102, 8)
    assert (both.loc[differ, "fips"] // 1000).unique().tolist() == [18]
    assert both.loc[differ, "activation_date"].unique().tolist() == [pd.Timestamp(2011, 5, 31)]


@pytest.mark.parametrize(("trends", "estimate", "std_error"), [(False, -0.057, 0.019), (True, -0.008, 0.015)])
def test_log_index_rate(
    built: tuple[pd.DataFrame, pd.DataFrame], trends: bool, estimate: float, std_error: float
) -> None:
    frame = built[0]
    missing = frame["log_rate_index"].isna().groupby(frame["fips"]).transform("any")
    sample = frame[~missing]
    assert sample["fips"].nunique() == 2043
    columns = np.hstack([sample[["share_of_year"]].to_numpy(), dummies(sample["year"])])
    got = two_way(
        sample["log_rate_index"].to_numpy(),
        columns,
        2043,
        sample["population_2004"].to_numpy(float),
        sample["state"].to_numpy(),
        trends=trends,
    )
    assert got == pytest.approx((estimate, std_error), abs=5e-4)


def test_without_a_screen_every_followed_county_stays(raw: CountySources) -> None:
    frame, _ = county_year.build_county_year(raw, rule=county_coverage.UNSCREENED)
    assert frame["fips"].nunique() == 3131
    assert frame["index"].isna().sum() > 0
