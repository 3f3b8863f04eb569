"""Codes, merges and populations on made frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replication.cleaning import geography
from replication.core.errors import PanelError
from replication.sources import hand_entered


def offenses(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"year": 2010, **columns})


def test_typed_changes_give_the_six_codes_of_the_design(typed_folder: Path) -> None:
    changes = hand_entered.read_fips_changes(typed_folder / "county_fips_changes.csv")
    assert geography.recodings(changes) == {
        51560: 51005,
        51780: 51083,
        51515: 51019,
        46113: 46102,
        2270: 2158,
        12025: 12086,
    }


def test_a_chain_of_changes_is_refused() -> None:
    changes = pd.DataFrame({"old_fips": [1, 2], "new_fips": [2, 3], "kind": "renamed"})
    with pytest.raises(PanelError, match="from one old code to another \\(00002\\)"):
        geography.recodings(changes)


def test_changes_without_their_kind_are_refused() -> None:
    with pytest.raises(PanelError, match="no column 'kind'"):
        geography.recodings(pd.DataFrame({"old_fips": [1], "new_fips": [2]}))


def test_statewide_codes_and_areas_left_out() -> None:
    codes = pd.Series([1777, 34999, 1001, 2270, 2275, 30113, 55078])
    assert geography.is_statewide(codes).tolist() == [True, True, *[False] * 5]
    assert geography.is_left_out(codes).tolist() == [False] * 4 + [True, True, False]


def test_merge_adds_counts_and_weights_the_indicator_by_covered_people() -> None:
    frame = offenses(
        fips=[36005, 36061, 1001],
        coverage_indicator=[100.0, 0.0, 60.0],
        covered_population=[300, 100, 7],
        murder=[4, 5, 6],
    )
    merged = geography.merge_offenses(frame, geography.NEW_YORK_CITY, ["murder", "covered_population"])
    assert merged["fips"].tolist() == [1001, 36061]
    assert merged["murder"].tolist() == [6, 9]
    assert merged["covered_population"].tolist() == [7, 400]
    assert merged["coverage_indicator"].tolist() == [60.0, 75.0]


def test_merge_of_parts_that_cover_no_one_takes_the_plain_mean() -> None:
    frame = offenses(fips=[51005, 51560], coverage_indicator=[0.0, 50.0], covered_population=[0, 0])
    merged = geography.merge_offenses(frame, {51560: 51005}, ["covered_population"])
    assert merged["coverage_indicator"].tolist() == [25.0]


def test_merge_does_not_depend_on_the_order_of_rows() -> None:
    rng = np.random.default_rng(1)
    frame = offenses(
        fips=[36005, 36047, 36061, 36081],
        coverage_indicator=[10.0, 20.0, 30.0, 40.0],
        covered_population=[1, 2, 3, 4],
    )
    args = (geography.NEW_YORK_CITY, ["covered_population"])
    shuffled = frame.iloc[rng.permutation(4)]
    pd.testing.assert_frame_equal(
        geography.merge_offenses(frame, *args), geography.merge_offenses(shuffled, *args)
    )


def test_populations_are_spliced_at_the_seam_and_added_up() -> None:
    years = pd.DataFrame({"fips": [51005] * 2 + [51560] * 2, "year": [2009, 2010] * 2})
    spliced = geography.splice_populations(
        years.assign(population=[10, 99, 5, 99]), years.assign(population=[99, 20, 99, 6])
    )
    merged = geography.merge_populations(spliced, {51560: 51005})
    assert merged["population"].tolist() == [15, 26]
    assert merged["year"].tolist() == [2009, 2010]


def test_merged_units_take_the_earliest_date() -> None:
    frame = pd.DataFrame({"fips": [51005, 51560], "day": pd.to_datetime(["2010-06-15", "2010-06-01"])})
    dates = geography.merge_dates(frame, {51560: 51005}, "day")
    assert dates.to_dict() == {51005: pd.Timestamp(2010, 6, 1)}
