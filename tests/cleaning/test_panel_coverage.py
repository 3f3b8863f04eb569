"""Which rows and units pass, and rules that cannot be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from replication.cleaning import county_coverage
from replication.cleaning.county_coverage import CoverageRule
from replication.core.errors import PanelError


def test_missing_needs_a_zero_indicator_and_no_count_at_all() -> None:
    frame = pd.DataFrame(
        {"coverage_indicator": [0.0, 0.0, 50.0, 0.0], "murder": [0, 0, 0, 1], "larceny": [0, 3, 0, 0]}
    )
    assert county_coverage.is_missing(frame, ["murder", "larceny"]).tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("fips", "indicator", "passes"),
    [(1001, 80.0, True), (1001, 79.9999, False), (36061, 36.3, True), (36005, 36.3, False)],
)
def test_indicator_is_inclusive_and_exempts_new_york_city(fips: int, indicator: float, passes: bool) -> None:
    frame = pd.DataFrame({"fips": [fips], "coverage_indicator": [indicator]})
    assert county_coverage.indicator_passes(frame, county_coverage.CANONICAL).tolist() == [passes]


@pytest.mark.parametrize(
    ("ratio", "passes"),
    [(0.8, True), (1.2, True), (0.7999, False), (1.2001, False), (np.nan, False)],
)
def test_ratio_bounds_are_inclusive(ratio: float, passes: bool) -> None:
    frame = pd.DataFrame({"census_ratio": [ratio]})
    assert county_coverage.ratio_passes(frame, county_coverage.CANONICAL).tolist() == [passes]


def test_one_bad_or_absent_year_costs_the_unit_its_place() -> None:
    frame = pd.DataFrame({"fips": [1, 1, 2, 2, 3, 4, 4], "year": [2004, 2005, 2004, 2005, 2004, 2004, 2006]})
    passes = np.array([True, True, True, False, True, True, True])
    kept = county_coverage.in_every_year(frame, passes, [2004, 2005])
    assert kept.tolist() == [True, True, False, False, False, False, False]


def test_years_outside_the_panel_do_not_count() -> None:
    frame = pd.DataFrame({"fips": [1, 1, 1], "year": [2003, 2004, 2005]})
    passes = np.array([False, True, True])
    assert county_coverage.in_every_year(frame, passes, [2004, 2005]).all()


@pytest.mark.parametrize("threshold", [-1.0, 101.0])
def test_a_threshold_outside_0_to_100_is_refused(threshold: float) -> None:
    with pytest.raises(PanelError, match="the indicator runs from 0 to 100"):
        CoverageRule(minimum_indicator=threshold)


def test_bounds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(PanelError, match=r"between 1\.2 and 0\.8"):
        CoverageRule(lowest_ratio=1.2, highest_ratio=0.8)


def test_bounds_that_meet_or_begin_at_zero_and_thresholds_at_the_ends_are_allowed() -> None:
    exact = CoverageRule(lowest_ratio=1.0, highest_ratio=1.0)
    frame = pd.DataFrame({"census_ratio": [0.99, 1.0, 1.01]})
    assert county_coverage.ratio_passes(frame, exact).tolist() == [False, True, False]
    assert CoverageRule(minimum_indicator=0.0, lowest_ratio=0.0).lowest_ratio == 0
    assert CoverageRule(minimum_indicator=100.0).minimum_indicator == 100
    with pytest.raises(PanelError, match="not below zero"):
        CoverageRule(lowest_ratio=-0.1)


def test_without_screens_every_county_passes_and_keeps_its_missing_years() -> None:
    frame = pd.DataFrame(
        {"fips": [1001] * 3, "coverage_indicator": [0.0, 0.5, 100.0], "census_ratio": [0.0, 0.5, 40.0]}
    )
    assert county_coverage.indicator_passes(frame, county_coverage.UNSCREENED).all()
    assert county_coverage.ratio_passes(frame, county_coverage.UNSCREENED).all()
    assert county_coverage.CANONICAL.drop_missing
    assert not county_coverage.UNSCREENED.drop_missing
