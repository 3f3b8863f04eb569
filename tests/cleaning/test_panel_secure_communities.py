"""Every rule of the canonical panel on made counties: what it drops and what the flow says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from artificial_panels import PLACES, YEARS, Made

from replication.cleaning import county_coverage
from replication.cleaning.codebook import codebook, conform
from replication.cleaning.rates import OUTCOMES
from replication.core.errors import PanelError
from replication.sources import OFFENSES
from studies.secure_communities import county_year
from studies.secure_communities.schemas import COUNTY_YEAR, COUNTY_YEAR_UNSCREENED

KEPT = [1001, 1003, 2158, 12086, 17031, 36061, 48201, 51005]
EVERYONE = sum(PLACES.values()) - 3000  # 02270 and 02158 are one place


def build(artificial: Made, **choices: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame, flow = county_year.build_county_year(artificial.sources(), **choices)
    return frame, flow.table().set_index("rule")


def line(table: pd.DataFrame, words: str) -> list[int]:
    """Counties and people before and after, of the one rule that has these words."""
    found = table[table.index.str.contains(words, regex=False)]
    assert len(found) == 1
    columns = ["counties_before", "counties_after", "people_before", "people_after"]
    return found[columns].iloc[0].tolist()


def test_geography_rules_and_what_they_cost(artificial: Made) -> None:
    frame, table = build(artificial)
    assert sorted(frame["fips"].unique()) == KEPT
    assert frame.groupby("fips").size().eq(len(YEARS)).all()
    assert line(table, "Records in the raw files") == [17, 17, EVERYONE, EVERYONE]
    assert line(table, "statewide") == [17, 15, EVERYONE, EVERYONE]
    assert line(table, "absorbed") == [15, 14, EVERYONE, EVERYONE]
    assert line(table, "Yellowstone National Park") == [14, 12, EVERYONE, EVERYONE - 510]
    assert line(table, "five boroughs") == [12, 8, EVERYONE - 510, EVERYONE - 510]
    assert table["step"].tolist() == list(range(1, 12))
    assert (table["counties_before"].iloc[1:].to_numpy() == table["counties_after"].iloc[:-1]).all()
    assert table["counties_after"].iloc[-1] == len(KEPT)
    assert table["people_after"].iloc[-1] == frame.loc[frame["year"] == 2010, "population"].sum()


def test_merged_units_add_up(artificial: Made) -> None:
    frame, _ = build(artificial)
    city = frame[(frame["fips"] == 36061) & (frame["year"] == 2008)].iloc[0]
    assert (city["population"], city["covered_population"], city["murder"]) == (23_000, 23_000, 5)
    assert (city["agencies_offense"], city["index"]) == (10, 5 * 28)
    assert city["rate_index"] == pytest.approx(100_000 * 140 / 23_000)
    assert frame.loc[frame["new_york_city"], "fips"].unique().tolist() == [36061]
    alleghany = frame[(frame["fips"] == 51005) & (frame["year"] == 2008)].iloc[0]
    assert (alleghany["population"], alleghany["murder"]) == (2000, 2)


def spoil_missing(artificial: Made) -> None:
    rows = artificial.rows(1003, 2006)
    artificial.offenses.loc[rows, list(OFFENSES)] = 0
    artificial.offenses.loc[rows, "coverage_indicator"] = 0.0


def spoil_indicator(artificial: Made) -> None:
    artificial.offenses.loc[artificial.rows(1003, 2011), "coverage_indicator"] = 79.9


def spoil_ratio_low(artificial: Made) -> None:
    artificial.offenses.loc[artificial.rows(1003, 2004), "covered_population"] = 1599


def spoil_ratio_high(artificial: Made) -> None:
    artificial.offenses.loc[artificial.rows(1003, 2012), "covered_population"] = 2401


def spoil_record(artificial: Made) -> None:
    artificial.offenses = artificial.offenses[~artificial.rows(1003, 2009)]


def spoil_census(artificial: Made) -> None:
    artificial.census = artificial.census[
        ~((artificial.census["fips"] == 1003) & (artificial.census["year"] == 2007))
    ]


def spoil_date(artificial: Made) -> None:
    artificial.days = artificial.days[artificial.days["fips"] != 1003]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_record, "Record in every year"),
        (spoil_census, "Census population in every year"),
        (spoil_date, "Activation date known"),
        (spoil_missing, "Reported in every year"),
        (spoil_indicator, "Coverage indicator at least 80"),
        (spoil_ratio_low, "Covered / Census"),
        (spoil_ratio_high, "Covered / Census"),
    ],
)
def test_one_bad_year_drops_the_county_by_its_rule(artificial: Made, spoil: object, words: str) -> None:
    spoil(artificial)
    frame, table = build(artificial)
    assert sorted(frame["fips"].unique()) == [code for code in KEPT if code != 1003]
    people = EVERYONE - 510
    assert line(table, words) == [8, 7, people, people - 2000]
    lost = table["counties_before"] - table["counties_after"]
    assert (lost[~lost.index.str.contains(words, regex=False)].iloc[5:] == 0).all()


def test_boundary_values_stay(artificial: Made) -> None:
    artificial.offenses.loc[artificial.rows(1003), "coverage_indicator"] = 80.0
    artificial.offenses.loc[artificial.rows(1003, 2005), "covered_population"] = 1600
    artificial.offenses.loc[artificial.rows(1003, 2006), "covered_population"] = 2400
    assert 1003 in build(artificial)[0]["fips"].to_numpy()


def test_a_county_with_a_zero_indicator_and_offenses_is_not_missing(artificial: Made) -> None:
    artificial.offenses.loc[artificial.rows(1003, 2010), "coverage_indicator"] = 0.0
    _, table = build(artificial)
    assert line(table, "Reported in every year")[:2] == [8, 8]
    assert line(table, "Coverage indicator at least 80")[:2] == [8, 7]


def test_new_york_city_stays_with_silent_boroughs(artificial: Made) -> None:
    for borough in (36047, 36081, 36085):
        artificial.offenses.loc[artificial.rows(borough, 2010), "coverage_indicator"] = 0.0
    frame, _ = build(artificial)
    city = frame[(frame["fips"] == 36061) & (frame["year"] == 2010)].iloc[0]
    assert city["coverage_indicator"] == pytest.approx(100 * 10_000 / 23_000)


def test_without_a_screen_unreported_years_are_missing(artificial: Made) -> None:
    spoil_missing(artificial)
    spoil_ratio_low(artificial)
    frame, table = build(artificial, rule=county_coverage.UNSCREENED)
    silent = frame[(frame["fips"] == 1003) & (frame["year"] == 2006)].iloc[0]
    assert silent[[*OUTCOMES, "rate_index", "log_rate_index"]].isna().all()
    assert frame[list(OUTCOMES)].isna().sum().eq(1).all()
    assert sorted(frame["fips"].unique()) == KEPT
    assert frame.columns.tolist() == list(COUNTY_YEAR_UNSCREENED.columns)
    assert not table.index.str.contains("Coverage indicator at least").any()


def test_timing_columns(artificial: Made) -> None:
    artificial.days["activation_date"] = pd.to_datetime(
        artificial.days["fips"].map({1001: "2008-10-27", 1003: "2013-01-22"}).fillna("2012-06-30")
    )
    frame, _ = build(artificial)
    rows = frame.set_index(["fips", "year"])
    assert rows.loc[(1001, 2007), "share_of_year"] == 0
    assert rows.loc[(1001, 2008), "share_of_year"] == pytest.approx(66 / 366)
    assert rows.loc[(1001, 2009), "share_of_year"] == 1
    names = ["cohort_mid_year", "cohort_first_full_year", "cohort_calendar_year"]
    assert rows.loc[(1001, 2004), names].tolist() == [2009, 2009, 2008]
    assert rows.loc[(1003, 2004), names].tolist() == [2013, 2014, 2013]  # after the panel's end
    assert rows.loc[(12086, 2004), names].tolist() == [2012, 2013, 2012]
    assert rows.loc[(1003, 2004), "state_first_activation"] == pd.Timestamp(2008, 10, 27)


@pytest.mark.parametrize(
    ("day", "role"),
    [
        ("2008-10-27", "treated"),
        ("2011-06-30", "treated"),
        ("2011-07-01", "left_out"),
        ("2012-03-19", "left_out"),
        ("2012-03-20", "comparison"),
        ("2013-01-22", "comparison"),
    ],
)
def test_roles_in_the_design_that_ends_in_2011(day: str, role: str) -> None:
    dates = pd.Series(pd.to_datetime([day]), index=[7])
    assert county_year.comparison_role(dates).to_dict() == {7: role}


def test_alternative_dates_move_only_where_the_months_differ(artificial: Made) -> None:
    artificial.days["activation_date"] = pd.Timestamp(2011, 6, 30)
    artificial.months = artificial.months[artificial.months["fips"] != 12086].assign(
        activation_month=pd.Timestamp(2011, 6, 1)
    )
    artificial.months.loc[artificial.months["fips"] == 1003, "activation_month"] = pd.Timestamp(2011, 7, 1)
    rows = build(artificial)[0].set_index(["fips", "year"])
    assert rows.loc[(1001, 2011), "alternative_share_of_year"] == pytest.approx(185 / 365)
    assert rows.loc[(1003, 2011), "alternative_share_of_year"] == pytest.approx(184 / 365)
    assert rows.loc[(1003, 2011), "share_of_year"] == pytest.approx(185 / 365)
    mid = ["cohort_mid_year", "alternative_cohort_mid_year"]
    assert rows.loc[(1003, 2011), mid].tolist() == [2011, 2012]
    assert rows.loc[(12086, 2011), mid].tolist() == [2011, 2011]
    assert pd.isna(rows.loc[(12086, 2011), "activation_month_alternative"])


def test_places_weights_and_order_of_rows(artificial: Made) -> None:
    artificial.census.loc[artificial.census["year"] == 2004, "population"] -= 1
    artificial.offenses = artificial.offenses.sample(frac=1, random_state=3)
    frame, _ = build(artificial)
    assert frame.columns.tolist() == list(COUNTY_YEAR.columns)
    assert frame[["fips", "year"]].equals(frame[["fips", "year"]].sort_values(["fips", "year"]))
    harris = frame[frame["fips"] == 48201]
    assert harris["population_2004"].unique().tolist() == [7999]
    assert harris["log_population"].iloc[-1] == pytest.approx(np.log(8000))
    assert harris[["state", "state_postal", "region", "division"]].iloc[0].tolist() == [
        48,
        "TX",
        3,
        7,
    ]
    assert not harris["mexican_border"].any()


def test_border_counties_are_flagged(artificial: Made) -> None:
    sources = replace(artificial.sources(), border_counties=pd.DataFrame({"fips": [48201, 6073]}))
    frame, _ = county_year.build_county_year(sources)
    assert frame.loc[frame["mexican_border"], "fips"].unique().tolist() == [48201]


def test_same_sources_same_bytes(artificial: Made) -> None:
    once, again = build(artificial)[0], build(artificial)[0]
    assert once.to_csv().encode() == again.to_csv().encode()


def test_an_absent_year_is_named(artificial: Made) -> None:
    artificial.offenses = artificial.offenses[~artificial.offenses["year"].isin([2007, 2009])]
    with pytest.raises(PanelError, match="offenses have no row for 2007, 2009, and the panel runs"):
        build(artificial)


def test_an_absent_census_year_is_named(artificial: Made) -> None:
    artificial.census = artificial.census[artificial.census["year"] != 2012]
    with pytest.raises(PanelError, match="Census populations have no row for 2012"):
        build(artificial)


def test_a_repeated_county_is_named(artificial: Made) -> None:
    artificial.offenses = pd.concat([artificial.offenses, artificial.offenses[artificial.rows(1003, 2008)]])
    with pytest.raises(PanelError, match="1 repeated rows by fips and year, first fips 1003, year"):
        build(artificial)


def test_a_frame_without_a_column_is_refused(artificial: Made) -> None:
    artificial.offenses = artificial.offenses.rename(columns={"covered_population": "covered_populaton"})
    with pytest.raises(PanelError, match=r"no column 'covered_population' \(did you mean"):
        build(artificial)


def test_a_county_outside_every_state_is_refused(artificial: Made) -> None:
    sources = artificial.sources()
    regions = sources.regions[sources.regions["state_fips"] != 48]
    with pytest.raises(PanelError, match="9 missing values in column 'state_postal', first at fips 48201"):
        county_year.build_county_year(replace(sources, regions=regions))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("share_of_year", 1.5, r"column 'share_of_year'.*2 rows, first at fips 1003, year 2011"),
        ("index", 27, r"in its rows: totals that equal the sum of their offenses fails in 2 rows"),
        ("share_of_year", 0.0, r"a share of the year that follows the date fails in 2 rows"),
        ("comparison_2012", "between", r"column 'comparison_2012'.*2 rows.*\(value between\)"),
        ("coverage_indicator", 100.5, r"column 'coverage_indicator'.*2 rows"),
        ("population_2004", 0, r"column 'population_2004'.*2 rows"),
        ("state", 72, r"column 'state'.*2 rows"),
        ("fips", 1001, r"2 repeated rows by fips and year, first fips 1001, year 2011"),
    ],
)
def test_the_schema_refuses_damage(artificial: Made, name: str, value: object, message: str) -> None:
    frame, _ = build(artificial)
    frame.loc[(frame["fips"] == 1003) & (frame["year"] >= 2011), name] = value
    with pytest.raises(PanelError, match=message):
        conform(frame, COUNTY_YEAR)


def test_the_codebook_describes_every_column(artificial: Made) -> None:
    frame, _ = build(artificial)
    book = codebook(frame, COUNTY_YEAR)
    assert book["name"].tolist() == frame.columns.tolist()
    assert (book[["label", "unit", "source", "range"]] != "").all(axis=None)
    assert book.set_index("name").loc["index", "range"] == "28 to 140"
