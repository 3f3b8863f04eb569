"""Every rule of the canonical panel on made counties: what it drops and what the flow says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_panels import PLACES, YEARS, Made

from replication.cleaning import coverage
from replication.cleaning.codebook import codebook, conform
from replication.cleaning.rates import OFFENCES, OUTCOMES
from replication.core.errors import PanelError
from studies.secure_communities import county_year
from studies.secure_communities.schemas import COUNTY_YEAR, COUNTY_YEAR_UNSCREENED

KEPT = [1001, 1003, 2158, 12086, 17031, 36061, 48201, 51005]
EVERYONE = sum(PLACES.values()) - 3000  # 02270 and 02158 are one place


def build(made: Made, **choices: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame, flow = county_year.build_county_year(made.sources(), **choices)
    return frame, flow.table().set_index("rule")


def line(table: pd.DataFrame, words: str) -> list[int]:
    """Counties and people before and after, of the one rule that has these words."""
    found = table[table.index.str.contains(words, regex=False)]
    assert len(found) == 1
    columns = ["counties_before", "counties_after", "people_before", "people_after"]
    return found[columns].iloc[0].tolist()


def test_geography_rules_and_what_they_cost(made: Made) -> None:
    frame, table = build(made)
    assert sorted(frame["fips"].unique()) == KEPT
    assert frame.groupby("fips").size().eq(len(YEARS)).all()
    assert line(table, "Records in the raw files") == [17, 17, EVERYONE, EVERYONE]
    assert line(table, "state-wide") == [17, 15, EVERYONE, EVERYONE]
    assert line(table, "absorbed") == [15, 14, EVERYONE, EVERYONE]
    assert line(table, "Alaska and Yellowstone") == [14, 12, EVERYONE, EVERYONE - 510]
    assert line(table, "five boroughs") == [12, 8, EVERYONE - 510, EVERYONE - 510]
    assert table["step"].tolist() == list(range(1, 12))
    assert (table["counties_before"].iloc[1:].to_numpy() == table["counties_after"].iloc[:-1]).all()
    assert table["counties_after"].iloc[-1] == len(KEPT)
    assert table["people_after"].iloc[-1] == frame.loc[frame["year"] == 2010, "population"].sum()


def test_merged_units_add_up(made: Made) -> None:
    frame, _ = build(made)
    city = frame[(frame["fips"] == 36061) & (frame["year"] == 2008)].iloc[0]
    assert (city["population"], city["covered_population"], city["murder"]) == (23_000, 23_000, 5)
    assert (city["agencies_offence"], city["index"]) == (10, 5 * 28)
    assert city["rate_index"] == pytest.approx(100_000 * 140 / 23_000)
    assert frame.loc[frame["new_york_city"], "fips"].unique().tolist() == [36061]
    alleghany = frame[(frame["fips"] == 51005) & (frame["year"] == 2008)].iloc[0]
    assert (alleghany["population"], alleghany["murder"]) == (2000, 2)


def spoil_missing(made: Made) -> None:
    rows = made.rows(1003, 2006)
    made.offences.loc[rows, list(OFFENCES)] = 0
    made.offences.loc[rows, "coverage_indicator"] = 0.0


def spoil_indicator(made: Made) -> None:
    made.offences.loc[made.rows(1003, 2011), "coverage_indicator"] = 79.9


def spoil_ratio_low(made: Made) -> None:
    made.offences.loc[made.rows(1003, 2004), "covered_population"] = 1599


def spoil_ratio_high(made: Made) -> None:
    made.offences.loc[made.rows(1003, 2012), "covered_population"] = 2401


def spoil_record(made: Made) -> None:
    made.offences = made.offences[~made.rows(1003, 2009)]


def spoil_census(made: Made) -> None:
    made.census = made.census[~((made.census["fips"] == 1003) & (made.census["year"] == 2007))]


def spoil_date(made: Made) -> None:
    made.days = made.days[made.days["fips"] != 1003]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_record, "record in every year"),
        (spoil_census, "Census population every year"),
        (spoil_date, "activation date"),
        (spoil_missing, "Reported in every year"),
        (spoil_indicator, "Coverage indicator at least 80"),
        (spoil_ratio_low, "Covered over Census"),
        (spoil_ratio_high, "Covered over Census"),
    ],
)
def test_one_bad_year_drops_the_county_by_its_rule(made: Made, spoil: object, words: str) -> None:
    spoil(made)
    frame, table = build(made)
    assert sorted(frame["fips"].unique()) == [code for code in KEPT if code != 1003]
    people = EVERYONE - 510
    assert line(table, words) == [8, 7, people, people - 2000]
    lost = table["counties_before"] - table["counties_after"]
    assert (lost[~lost.index.str.contains(words, regex=False)].iloc[5:] == 0).all()


def test_boundary_values_stay(made: Made) -> None:
    made.offences.loc[made.rows(1003), "coverage_indicator"] = 80.0
    made.offences.loc[made.rows(1003, 2005), "covered_population"] = 1600
    made.offences.loc[made.rows(1003, 2006), "covered_population"] = 2400
    assert 1003 in build(made)[0]["fips"].to_numpy()


def test_a_county_with_a_zero_indicator_and_offences_is_not_missing(made: Made) -> None:
    made.offences.loc[made.rows(1003, 2010), "coverage_indicator"] = 0.0
    _, table = build(made)
    assert line(table, "Reported in every year")[:2] == [8, 8]
    assert line(table, "Coverage indicator at least 80")[:2] == [8, 7]


def test_new_york_city_stays_with_silent_boroughs(made: Made) -> None:
    for borough in (36047, 36081, 36085):
        made.offences.loc[made.rows(borough, 2010), "coverage_indicator"] = 0.0
    frame, _ = build(made)
    city = frame[(frame["fips"] == 36061) & (frame["year"] == 2010)].iloc[0]
    assert city["coverage_indicator"] == pytest.approx(100 * 10_000 / 23_000)


def test_without_a_screen_unreported_years_are_missing(made: Made) -> None:
    spoil_missing(made)
    spoil_ratio_low(made)
    frame, table = build(made, rule=coverage.UNSCREENED)
    silent = frame[(frame["fips"] == 1003) & (frame["year"] == 2006)].iloc[0]
    assert silent[[*OUTCOMES, "rate_index", "log_rate_index"]].isna().all()
    assert frame[list(OUTCOMES)].isna().sum().eq(1).all()
    assert sorted(frame["fips"].unique()) == KEPT
    assert frame.columns.tolist() == list(COUNTY_YEAR_UNSCREENED.columns)
    assert not table.index.str.contains("Coverage indicator at least").any()


def test_timing_columns(made: Made) -> None:
    made.days["activation_date"] = pd.to_datetime(
        made.days["fips"].map({1001: "2008-10-27", 1003: "2013-01-22"}).fillna("2012-06-30")
    )
    frame, _ = build(made)
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


def test_alternative_dates_move_only_where_the_months_differ(made: Made) -> None:
    made.days["activation_date"] = pd.Timestamp(2011, 6, 30)
    made.months = made.months[made.months["fips"] != 12086].assign(activation_month=pd.Timestamp(2011, 6, 1))
    made.months.loc[made.months["fips"] == 1003, "activation_month"] = pd.Timestamp(2011, 7, 1)
    rows = build(made)[0].set_index(["fips", "year"])
    assert rows.loc[(1001, 2011), "alternative_share_of_year"] == pytest.approx(185 / 365)
    assert rows.loc[(1003, 2011), "alternative_share_of_year"] == pytest.approx(184 / 365)
    assert rows.loc[(1003, 2011), "share_of_year"] == pytest.approx(185 / 365)
    mid = ["cohort_mid_year", "alternative_cohort_mid_year"]
    assert rows.loc[(1003, 2011), mid].tolist() == [2011, 2012]
    assert rows.loc[(12086, 2011), mid].tolist() == [2011, 2011]
    assert pd.isna(rows.loc[(12086, 2011), "activation_month_alternative"])


def test_places_weights_and_order_of_rows(made: Made) -> None:
    made.census.loc[made.census["year"] == 2004, "population"] -= 1
    made.offences = made.offences.sample(frac=1, random_state=3)
    frame, _ = build(made)
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


def test_border_counties_are_flagged(made: Made) -> None:
    sources = replace(made.sources(), border_counties=pd.DataFrame({"fips": [48201, 6073]}))
    frame, _ = county_year.build_county_year(sources)
    assert frame.loc[frame["mexican_border"], "fips"].unique().tolist() == [48201]


def test_same_sources_same_bytes(made: Made) -> None:
    once, again = build(made)[0], build(made)[0]
    assert once.to_csv().encode() == again.to_csv().encode()


def test_an_absent_year_is_named(made: Made) -> None:
    made.offences = made.offences[~made.offences["year"].isin([2007, 2009])]
    with pytest.raises(PanelError, match="offences have no row for 2007, 2009, and the panel runs"):
        build(made)


def test_an_absent_census_year_is_named(made: Made) -> None:
    made.census = made.census[made.census["year"] != 2012]
    with pytest.raises(PanelError, match="Census populations have no row for 2012"):
        build(made)


def test_a_repeated_county_is_named(made: Made) -> None:
    made.offences = pd.concat([made.offences, made.offences[made.rows(1003, 2008)]])
    with pytest.raises(PanelError, match="1 repeated rows by fips and year, first fips 1003, year"):
        build(made)


def test_a_frame_without_a_column_is_refused(made: Made) -> None:
    made.offences = made.offences.rename(columns={"covered_population": "covered_populaton"})
    with pytest.raises(PanelError, match=r"no column 'covered_population' \(did you mean"):
        build(made)


def test_a_county_outside_every_state_is_refused(made: Made) -> None:
    sources = made.sources()
    regions = sources.regions[sources.regions["state_fips"] != 48]
    with pytest.raises(PanelError, match="9 missing values in column 'state_postal', first at fips 48201"):
        county_year.build_county_year(replace(sources, regions=regions))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("share_of_year", 1.5, r"column 'share_of_year'.*2 rows, first at fips 1003, year 2011"),
        ("index", 27, r"in its rows: totals that equal the sum of their offences fails in 2 rows"),
        ("share_of_year", 0.0, r"a share of the year that follows the date fails in 2 rows"),
        ("comparison_2012", "between", r"column 'comparison_2012'.*2 rows.*\(value between\)"),
        ("coverage_indicator", 100.5, r"column 'coverage_indicator'.*2 rows"),
        ("population_2004", 0, r"column 'population_2004'.*2 rows"),
        ("state", 72, r"column 'state'.*2 rows"),
        ("fips", 1001, r"2 repeated rows by fips and year, first fips 1001, year 2011"),
    ],
)
def test_the_schema_refuses_damage(made: Made, name: str, value: object, message: str) -> None:
    frame, _ = build(made)
    frame.loc[(frame["fips"] == 1003) & (frame["year"] >= 2011), name] = value
    with pytest.raises(PanelError, match=message):
        conform(frame, COUNTY_YEAR)


def test_the_codebook_describes_every_column(made: Made) -> None:
    frame, _ = build(made)
    book = codebook(frame, COUNTY_YEAR)
    assert book["name"].tolist() == frame.columns.tolist()
    assert (book[["label", "unit", "source", "range"]] != "").all(axis=None)
    assert book.set_index("name").loc["index", "range"] == "28 to 140"
