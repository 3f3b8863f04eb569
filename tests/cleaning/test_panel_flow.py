"""The sample flow: counts, people, merges, and the file."""

from __future__ import annotations

import pandas as pd
import pytest

from replication.cleaning.sample_flow import SampleFlow


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame({"fips": [1, 1, 2, 2, 9], "year": [2004, 2005] * 2 + [2004]})


def test_each_rule_writes_units_people_and_rows(frame: pd.DataFrame) -> None:
    flow = SampleFlow(pd.Series({1: 100, 2: 30}))
    kept, flow = flow.keep(frame, frame["fips"] != 9, "no nine")
    kept, flow = flow.keep(kept, kept["year"] == 2004, "first year")
    kept, flow = flow.keep(kept, kept["fips"] == 2, "only two")
    table = flow.table()
    assert table.columns.tolist() == [
        "step",
        "rule",
        "counties_before",
        "counties_after",
        "people_before",
        "people_after",
        "rows_before",
        "rows_after",
    ]
    assert table.drop(columns="rule").to_numpy().tolist() == [
        [1, 3, 2, 130, 130, 5, 4],
        [2, 2, 2, 130, 130, 4, 2],
        [3, 2, 1, 130, 30, 2, 1],
    ]
    assert table["rule"].tolist() == ["no nine", "first year", "only two"]
    assert kept.index.tolist() == [0]


def test_a_merge_costs_units_and_no_people(frame: pd.DataFrame) -> None:
    flow = SampleFlow(pd.Series({1: 100, 2: 30}), merged={9: 2})
    merged = frame.assign(fips=frame["fips"].replace({9: 2}))
    line = flow.record("nine into two", frame, merged).table().iloc[0]
    assert (line["counties_before"], line["counties_after"]) == (3, 2)
    assert (line["people_before"], line["people_after"]) == (130, 130)


def test_flows_do_not_change_in_place_and_name_their_units(frame: pd.DataFrame) -> None:
    empty = SampleFlow(pd.Series({1: 100}), noun="states")
    longer = empty.record("start", frame, frame)
    assert (len(empty.lines), len(longer.lines)) == (0, 1)
    assert empty.table().empty
    assert longer.table().iloc[0].to_dict() == {
        "step": 1,
        "rule": "start",
        "states_before": 3,
        "states_after": 3,
        "people_before": 100,
        "people_after": 100,
        "rows_before": 5,
        "rows_after": 5,
    }
