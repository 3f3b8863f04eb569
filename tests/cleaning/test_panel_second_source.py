"""Kaplan's counts on made counties, and the series that pass from one source to the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from artificial_context import CODES_OF_2009, artificial_context
from artificial_panels import PLACES, Made

from replication.core.errors import PanelError
from replication.sources import OFFENSES
from studies.secure_communities import county_year
from studies.secure_communities.county_context import extend_county_year
from studies.secure_communities.county_schemas import COUNTY_YEAR_CONTEXT
from studies.secure_communities.second_source import build_second_source
from studies.secure_communities.transcriptions import compare_transcriptions

KEPT = [1001, 1003, 2158, 12086, 17031, 36061, 48201, 51005]


@pytest.fixture
def kaplan() -> pd.DataFrame:
    grid = pd.MultiIndex.from_product([CODES_OF_2009, range(2009, 2015)], names=["fips", "year"])
    frame = grid.to_frame(index=False)
    frame["population"] = frame["fips"].map(PLACES)
    for position, name in enumerate(OFFENSES):
        frame[name] = float(2 * (position + 1))
    return frame


def build(artificial: Made, kaplan: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    raw, context = artificial.sources(), artificial_context(artificial)
    core, _ = county_year.build_county_year(raw)
    first = extend_county_year(core, raw, context, COUNTY_YEAR_CONTEXT)
    frame, flow = build_second_source(kaplan, first[first["fips"] != 1003], raw, context)
    return frame, flow.table()


def test_counties_counts_and_flow(artificial: Made, kaplan: pd.DataFrame) -> None:
    frame, flow = build(artificial, kaplan)
    assert sorted(frame["fips"].unique()) == KEPT
    city = frame[(frame["fips"] == 36061) & (frame["year"] == 2014)].iloc[0]
    assert (city["population"], city["murder"], city["index"]) == (23_000, 10, 5 * 56)
    assert city["rate_index"] == pytest.approx(100_000 * 280 / 23_000)
    assert city["share_of_year"] == 1
    # 14 codes: four boroughs join the fifth, and two are left out by geography.
    assert flow["counties_after"].tolist() == [14, 14, 10, 8, 8, 8]
    assert flow["people_after"].iloc[-1] == sum(PLACES.values()) - 3000 - 510


def test_withdrawn_reports_are_missing_not_negative(artificial: Made, kaplan: pd.DataFrame) -> None:
    kaplan.loc[(kaplan["fips"] == 1001) & (kaplan["year"] == 2011), "murder"] = -1
    kaplan.loc[(kaplan["fips"] == 36085) & (kaplan["year"] == 2012), "rape"] = np.nan
    frame, flow = build(artificial, kaplan)
    assert sorted(set(KEPT) - set(frame["fips"])) == [1001, 36061]
    line = flow[flow["rule"].str.startswith("Has all seven counts")].iloc[0]
    assert (line["counties_before"], line["counties_after"]) == (8, 6)


def test_a_spliced_series_changes_source_after_2012(artificial: Made, kaplan: pd.DataFrame) -> None:
    rows = build(artificial, kaplan)[0].set_index(["fips", "year"])
    ours = np.log(100_000 * 28 / 9000)
    theirs = np.log(100_000 * 56 / 9000)
    assert rows.loc[(12086, 2012), "nacjd_log_rate_index"] == pytest.approx(ours)
    assert rows.loc[(12086, 2012), "spliced_log_rate_index"] == pytest.approx(ours)
    assert rows.loc[(12086, 2012), "log_rate_index"] == pytest.approx(theirs)
    assert np.isnan(rows.loc[(12086, 2013), "nacjd_log_rate_index"])
    assert rows.loc[(12086, 2013), "spliced_log_rate_index"] == pytest.approx(theirs)
    # 1003 is not in the first panel.
    assert not rows.loc[(1003, 2012), "in_county_year"]
    assert rows.loc[1003, ["nacjd_log_rate_index", "spliced_log_rate_index"]].isna().all(axis=None)
    assert np.isfinite(rows.loc[(1003, 2013), "log_rate_index"])


def test_an_absent_year_and_a_repeated_county_are_named(artificial: Made, kaplan: pd.DataFrame) -> None:
    with pytest.raises(PanelError, match="Kaplan's county offenses have no row for 2013"):
        build(artificial, kaplan[kaplan["year"] != 2013])
    with pytest.raises(PanelError, match="1 repeated rows by fips and year, first fips 1001"):
        build(artificial, pd.concat([kaplan, kaplan.head(1)]))


def test_both_lists_of_dates_are_compared(artificial: Made) -> None:
    days = pd.DataFrame(
        {
            "fips": [1001, 18063, 48201],
            "activation_date": pd.to_datetime(["2010-05-31", "2011-05-31", "2008-10-27"]),
        }
    )
    months = pd.DataFrame(
        {
            "fips": [1001, 18063, 55001],
            "activation_month": pd.to_datetime(["2010-05-01", "2011-06-01", "2011-01-01"]),
        }
    )
    names = pd.DataFrame({"fips": [18063], "county_name": ["Hendricks County"]})
    found = compare_transcriptions(days, months, names, artificial.sources().regions)
    assert found.set_index("fips")["agreement"].to_dict() == {
        1001: "same month",
        18063: "other month",
        48201: "first list only",
        55001: "second list only",
    }
    assert found["state_postal"].tolist() == ["AL", "IN", "TX", "WI"]
    assert found["county_name"].tolist()[1] == "Hendricks County"
    with pytest.raises(PanelError, match="days of activation contain 1 repeated rows"):
        compare_transcriptions(pd.concat([days, days.head(1)]), months, names, artificial.sources().regions)
