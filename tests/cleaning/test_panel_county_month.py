"""County-month and city-month panels: nine made years end to end, and the real one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from artificial_monthly import agency, crosswalk, month, places, read_years
from sources.artificial_masters import Agency, Month
from test_panel_homicides import real_places

from replication.cleaning.agency_counties import AgencyRule
from replication.cleaning.agency_months import agency_months
from replication.cleaning.codebook import codebook
from replication.cleaning.rates import OUTCOMES
from replication.core.errors import PanelError
from replication.sources import OFFENSES
from replication.sources.crosswalks import read_agencies
from replication.sources.return_a import ReturnA, read_return_a
from studies.secure_communities_cities.city_month import CityRule, build_city_month
from studies.secure_communities_monthly.county_month import (
    UNSCREENED,
    MonthlyRule,
    build_county_month,
    county_year_murders,
)
from studies.secure_communities_monthly.return_a_schemas import (
    CITY_MONTH,
    COUNTY_MONTH,
    COUNTY_MONTH_UNSCREENED,
)

YEARS = range(2004, 2013)
ALL = [1001, 1003, 12086, 36061, 48085, 48113]
INDEX = 28.0
"""Index offenses of a steady agency in a month; five of them are cleared."""


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> list[ReturnA]:
    return read_years(tmp_path_factory.mktemp("steady"), YEARS)


def changed(tmp_path: Path, steady: list[ReturnA], year: int, *artificial: Agency) -> list[ReturnA]:
    """The steady years with some agencies of one year written anew."""
    (other,) = read_years(tmp_path, [year], {year: {one.ori: one for one in artificial}})
    return [other if tidy.year == year else tidy for tidy in steady]


def rows(frame: pd.DataFrame, fips: int, year: int) -> pd.DataFrame:
    return frame[(frame["fips"] == fips) & (frame["year"] == year)].set_index("month_of_year")


def test_nine_steady_years(steady: list[ReturnA]) -> None:
    panel = build_county_month(agency_months(steady), crosswalk(), places())
    frame = panel.frame
    assert sorted(frame["fips"].unique()) == ALL
    assert frame.shape == (6 * 108, len(COUNTY_MONTH.columns))
    assert frame.groupby("fips")["month"].apply(list).map(lambda m: m == list(range(528, 636))).all()
    index = frame.groupby("fips")["index"].agg(["min", "max"])
    assert index["min"].to_dict() == pytest.approx(
        {
            1001: 2 * INDEX,
            1003: INDEX,
            12086: INDEX,
            36061: 2 * INDEX,
            48085: (1 + 1 / 24) * INDEX,
            48113: (1 + 23 / 24) * INDEX,
        }
    )
    assert index["max"].to_numpy() == pytest.approx(index["min"].to_numpy())
    assert (frame["reporting_share"] == 1).all()
    assert frame["census_ratio"].to_numpy() == pytest.approx(1)
    assert frame["clearance_share_index"].to_numpy() == pytest.approx(5 / 28)
    assert frame["clearance_share_aggravated_assault"].to_numpy() == pytest.approx(1 / 4)
    assert frame["clearance_share_burglary"].to_numpy() == pytest.approx(0)
    one = rows(frame, 1001, 2009).loc[6]
    assert one[list(OFFENSES)].tolist() == [2, 4, 6, 8, 10, 12, 14]
    assert one[["violent", "violent_no_rape", "property", "cleared_index"]].tolist() == [
        20,
        16,
        36,
        10,
    ]
    assert one["rate_index"] == pytest.approx(1e5 * 56 / 50_000)
    assert one["log_rate_index"] == pytest.approx(np.log(1e5 * 56 / 50_000))
    assert one["log_covered_population"] == pytest.approx(np.log(50_000))
    assert one["agencies_used"] == 2


def test_what_every_rule_cost(steady: list[ReturnA]) -> None:
    table = build_county_month(agency_months(steady), crosswalk(), places()).flow.table()
    assert table["counties_after"].tolist() == [7, 6, 6, 6, 6, 6]
    assert table["people_after"].iloc[-1] == 300_000
    assert table["rule"].tolist()[0] == "Census counties, months of 2004-2012"
    assert "report all 12 months" in table["rule"].iloc[4]


def test_treatment_by_month(steady: list[ReturnA]) -> None:
    frame = build_county_month(agency_months(steady), crosswalk(), places()).frame
    alabama = rows(frame, 1001, 2010)
    assert alabama["share_of_month"].tolist()[5:8] == pytest.approx([0, 30 / 31, 1])
    assert (alabama["cohort_calendar_month"] == 606).all()
    assert (alabama["cohort_mid_month"] == 606).all()
    assert (alabama["cohort_first_full_month"] == 607).all()
    assert (alabama["population_2004"] == 50_000).all()


def test_months_count_only_for_complete_reporters(tmp_path: Path, steady: list[ReturnA]) -> None:
    gap = {m: month() for m in range(1, 12)}
    years = changed(tmp_path, steady, 2008, agency("AL00101", 1, "4", (20_000, "001"), months=gap))
    panel = build_county_month(agency_months(years), crosswalk(), places())
    assert sorted(panel.frame["fips"].unique()) == [code for code in ALL if code != 1001]
    lenient = build_county_month(
        agency_months(years), crosswalk(), places(), MonthlyRule(minimum_share=0.5, lowest_ratio=0.5)
    )
    county = rows(lenient.frame, 1001, 2008)
    assert county["index"].tolist() == [INDEX] * 12
    assert county["covered_population"].tolist() == [30_000] * 12
    assert county["reporting_share"].tolist() == [1.0] * 11 + [0.6]
    assert county["rate_index"].to_numpy() == pytest.approx(1e5 * INDEX / 30_000)
    assert rows(lenient.frame, 1001, 2009)["index"].tolist() == [2 * INDEX] * 12


@pytest.mark.parametrize("rule", ["scaled", "interpolated"])
def test_the_other_rules_fill_the_gap(tmp_path: Path, steady: list[ReturnA], rule: str) -> None:
    gap = {m: month() for m in range(1, 12)}
    years = changed(tmp_path, steady, 2008, agency("AL00101", 1, "4", (20_000, "001"), months=gap))
    panel = build_county_month(agency_months(years), crosswalk(), places(), MonthlyRule(coverage=rule))
    county = rows(panel.frame, 1001, 2008)
    assert county["index"].to_numpy() == pytest.approx(2 * INDEX)
    assert county["covered_population"].tolist() == [50_000] * 12
    assert county["reporting_share"].tolist() == [1.0] * 11 + [0.6]


def test_without_screens_silent_months_are_missing(tmp_path: Path, steady: list[ReturnA]) -> None:
    silent = {m: month() for m in range(1, 7)}
    years = changed(tmp_path, steady, 2010, agency("AL00200", 1, "8B", (20_000, "002"), months=silent))
    frame = build_county_month(agency_months(years), crosswalk(), places(), UNSCREENED).frame
    assert list(frame.columns) == list(COUNTY_MONTH_UNSCREENED.columns)
    county = rows(frame, 1003, 2010)
    assert county["index"].tolist()[:6] == [INDEX] * 6
    assert county[["index", "rate_index", "cleared_murder"]].iloc[6:].isna().all(axis=None)
    assert county["covered_population"].tolist() == [20_000] * 6 + [0] * 6
    assert county["reporting_share"].tolist() == [1.0] * 6 + [0.0] * 6


def test_covered_agencies_and_state_police(tmp_path: Path, steady: list[ReturnA]) -> None:
    covered = agency("AL00103", 1, "5", (8000, "001"), months={}, covered_by="AL00100")
    years = changed(tmp_path, steady, 2006, covered)
    panel = build_county_month(agency_months(years), crosswalk(), places())
    county = rows(panel.frame, 1001, 2006)
    assert county["listed_population"].tolist() == [50_000] * 12
    assert county["index"].tolist() == [2 * INDEX] * 12
    repairs = panel.repairs.set_index(["year", "what"])["count"]
    assert repairs[2006, "agencies covered by another (no people of their own)"] == 1
    table = panel.allocation.set_index(["year", "decided_by"])["agencies"]
    assert table[2006, "left out: state police without a county or by rule"] == 1
    assert table[2006, "FBI county number"] == 1
    university = MonthlyRule(agencies=AgencyRule(zero_population="drop"))
    less = build_county_month(agency_months(years), crosswalk(), places(), university)
    assert rows(less.frame, 36061, 2006)["index"].tolist() == [INDEX] * 12


def test_totals_only_counties_have_no_clearances(tmp_path: Path, steady: list[ReturnA]) -> None:
    totals = {m: month("02000") for m in range(1, 13)}
    years = changed(tmp_path, steady, 2011, agency("AL00200", 1, "8B", (20_000, "002"), months=totals))
    frame = build_county_month(agency_months(years), crosswalk(), places()).frame
    county = rows(frame, 1003, 2011)
    assert county["index"].tolist() == [INDEX] * 12
    assert county[["cleared_index", "clearance_share_index"]].isna().all(axis=None)
    assert (county["clearance_population"] == 0).all()


def test_corrections_leave_no_negative_count(tmp_path: Path, steady: list[ReturnA]) -> None:
    months = {m: month() for m in range(1, 13)} | {2: month(burglary=-9)}
    years = changed(tmp_path, steady, 2011, agency("AL00200", 1, "8B", (20_000, "002"), months=months))
    frame = build_county_month(agency_months(years), crosswalk(), places()).frame
    assert rows(frame, 1003, 2011)["burglary"].tolist()[:3] == [0, 0, 5]


def test_years_need_not_be_neighbors(steady: list[ReturnA]) -> None:
    panel = build_county_month(agency_months([steady[8], steady[0]]), crosswalk(), places())
    assert sorted(panel.frame["year"].unique()) == [2004, 2012]
    assert panel.flow.table()["rule"].iloc[0].endswith("months of 2004, 2012")


def test_the_panels_are_their_codebooks(steady: list[ReturnA]) -> None:
    county = build_county_month(agency_months(steady[:1]), crosswalk(), places()).frame
    assert codebook(county, COUNTY_MONTH)["name"].tolist() == list(county.columns)
    city = build_city_month(agency_months(steady[:1]), crosswalk(), places()).frame
    assert codebook(city, CITY_MONTH)["name"].tolist() == list(city.columns)


@pytest.mark.parametrize("bad", [{"minimum_share": 80}, {"lowest_ratio": 1.3}, {"coverage": "complet"}])
def test_impossible_rules_are_refused(steady: list[ReturnA], bad: Mapping[str, float]) -> None:
    with pytest.raises(PanelError, match=r"thresholds are out of order|did you mean 'complete'"):
        build_county_month(agency_months(steady[:1]), crosswalk(), places(), MonthlyRule(**bad))  # type: ignore[arg-type]


def test_cities(steady: list[ReturnA]) -> None:
    panel = build_city_month(agency_months(steady), crosswalk(), places())
    frame = panel.frame
    assert sorted(frame["ori"].unique()) == ["AL00101", "NY03030", "TXDPD00"]
    assert (frame["index"] == INDEX).all()
    assert frame["clearance_share_index"].to_numpy() == pytest.approx(5 / 28)
    dallas = frame[(frame["ori"] == "TXDPD00") & (frame["month"] == 586)].iloc[0]
    assert (dallas["fips"], dallas["place_fips"], dallas["name"]) == (48113, 1009, "MADE TXDPD00")
    assert (dallas["population"], dallas["population_base"]) == (24_000, 24_000)
    assert dallas["rate_index"] == pytest.approx(1e5 * INDEX / 24_000)
    assert dallas["share_of_month"] == pytest.approx(0.5)
    assert dallas["hispanic_share"] == 0.4
    city = frame[frame["ori"] == "NY03030"]
    assert (city["fips"] == 36061).all()
    table = panel.flow.table()
    assert table["agencies_after"].tolist() == [10, 3, 3, 3, 3, 3]


def test_which_cities_are_left_out(tmp_path: Path, steady: list[ReturnA]) -> None:
    gap = {m: month() for m in range(2, 13)}
    years = changed(
        tmp_path,
        steady,
        2009,
        agency("AL00101", 1, "4", (20_000, "001"), months=gap),
        agency("TXDPD00", 42, "4", (8000, "057"), (1000, "043")),
    )
    frame = build_city_month(agency_months(years), crosswalk(), places()).frame
    assert frame["ori"].unique().tolist() == ["NY03030"]
    small = build_city_month(
        agency_months(years), crosswalk(), places(), CityRule(minimum_population=5000)
    ).frame
    assert small["ori"].unique().tolist() == ["NY03030", "TXDPD00"]
    filled = build_city_month(
        agency_months(years), crosswalk(), places(), CityRule("interpolated", minimum_population=0)
    )
    assert filled.frame["ori"].unique().tolist() == ["AL00101", "NY03030", "TXDPD00"]
    alabama = filled.frame[(filled.frame["ori"] == "AL00101") & (filled.frame["year"] == 2009)]
    assert alabama["index"].tolist() == [INDEX] * 12
    covered = agency("AL00101", 1, "4", (20_000, "001"), months={}, covered_by="AL00100")
    years = changed(tmp_path, steady, 2012, covered)
    others = build_city_month(agency_months(years), crosswalk(), places())
    assert others.flow.table()["agencies_after"].tolist() == [10, 3, 2, 2, 2, 2]


def test_murders_for_the_second_count(tmp_path: Path, steady: list[ReturnA]) -> None:
    some = {m: month() for m in (1, 2, 3, 4)}
    few = {m: month() for m in (1, 2)}
    years = changed(
        tmp_path,
        steady,
        2010,
        agency("AL00101", 1, "4", (20_000, "001"), months=some),
        agency("AL00200", 1, "8B", (20_000, "002"), months=few),
    )
    table = county_year_murders(years, crosswalk(), places()).set_index(["fips", "year"])["murder"]
    assert table[1001, 2010] == pytest.approx(24)
    assert table[1003, 2009] == pytest.approx(12)
    assert (1003, 2010) not in table.index
    assert len(table) == 6 * 9 - 1


def test_one_pass_over_the_years_serves_both_panels(steady: list[ReturnA]) -> None:
    once = agency_months(iter(steady))
    county = build_county_month(once, crosswalk(), places()).frame
    again = build_county_month(iter(steady), crosswalk(), places()).frame
    pd.testing.assert_frame_equal(county, again)
    with pytest.raises(PanelError, match="No year of Return A was given"):
        build_city_month([], crosswalk(), places())


def test_a_month_included_in_the_next_is_shared_out(tmp_path: Path, steady: list[ReturnA]) -> None:
    months = {m: month() for m in range(1, 13)} | {4: Month("00000", 5), 5: month(times=2)}
    years = changed(tmp_path, steady, 2005, agency("AL00200", 1, "8B", (20_000, "002"), months=months))
    frame = build_county_month(agency_months(years), crosswalk(), places()).frame
    assert rows(frame, 1003, 2005)["index"].tolist() == [INDEX] * 12


def test_the_real_year_2013(mirror: Path) -> None:
    raw = agency_months([read_return_a(mirror / "fbi/return_a/reta2013.zipx", 2013)])
    walk = read_agencies(mirror / "geography/kaplan_crosswalk.rds")
    real = real_places(mirror)
    panel = build_county_month(raw, walk, real)
    assert panel.flow.table()["counties_after"].tolist() == [3138, 3132, 3132, 3132, 2534, 2514]
    assert panel.frame.shape == (2514 * 12, len(COUNTY_MONTH.columns))
    assert 12 not in set(panel.frame["state"])  # Florida files half-yearly figures
    assert panel.frame["clearance_share_index"].dropna().median() == pytest.approx(0.24, abs=0.02)
    assert panel.frame.loc[panel.frame["state"] == 17, "clearance_share_index"].isna().mean() > 0.9
    scaled = build_county_month(raw, walk, real, MonthlyRule(coverage="scaled"))
    assert scaled.frame["fips"].nunique() == 2732
    city = build_city_month(raw, walk, real)
    assert city.frame["ori"].nunique() == 3280
    assert (city.frame[list(OUTCOMES)] >= 0).all(axis=None)


def test_nine_years_of_real_size_take_seconds(mirror: Path) -> None:
    """The year 2013 nine times under other numbers: the size of the panel of 2004 to 2012."""
    tidy = read_return_a(mirror / "fbi/return_a/reta2013.zipx", 2013)
    walk, real = read_agencies(mirror / "geography/kaplan_crosswalk.rds"), real_places(mirror)
    start = time.process_time()
    raw = agency_months(replace(tidy, year=year) for year in YEARS)
    panel = build_county_month(raw, walk, real)
    assert time.process_time() - start < 60
    assert panel.frame["fips"].nunique() == 2340
