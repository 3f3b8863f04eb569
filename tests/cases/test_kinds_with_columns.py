"""The kinds of input of ``test_kinds_of_input`` for estimators that need a column of their own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from eligible_panels import eligible_panel
from sampled_people import sampled_people
from unit_dose_panels import dosed_panel

import replication as rp
from replication.core.errors import InputError

CASES = {
    "triple": (eligible_panel, {"estimator": "triple_difference", "eligible": "eligible"}),
    "triple_adjusted": (
        eligible_panel,
        {"estimator": "triple_difference", "eligible": "eligible", "covariates": ["x1", "x2"]},
    ),
    "dose": (dosed_panel, {"estimator": "continuous_dose", "dose": "dose"}),
    "people": (sampled_people, {"repeated_cross_sections": True, "cluster": "state"}),
    "people_adjusted": (
        sampled_people,
        {"repeated_cross_sections": True, "cluster": "state", "covariates": ["x1", "x2"]},
    ),
    "interacted": (eligible_panel, {"estimator": "twfe", "covariates": ["x1_by_time"]}),
}
NUMBERS = ["estimate", "std_error"]
every = pytest.mark.parametrize("case", CASES)


def drawn(case: str) -> pd.DataFrame:
    return pd.DataFrame(CASES[case][0](3))


def run(case: str, data: pd.DataFrame) -> pd.DataFrame:
    return rp.estimate(data, outcome="y", **CASES[case][1]).table


@every
@pytest.mark.parametrize("level", [1e6, 1e9])
def test_adding_a_constant_changes_nothing(case: str, level: float) -> None:
    """At 1e9 the outcome itself is rounded to 1e-7, and a path sums dozens of cells."""
    data = drawn(case)
    moved = run(case, data.assign(y=data["y"] + level))
    np.testing.assert_allclose(moved[NUMBERS], run(case, data)[NUMBERS], atol=level * 1e-14)


@every
@pytest.mark.parametrize("unit", [1e-8, 1e8])
def test_the_unit_of_the_outcome_is_that_of_the_estimates(case: str, unit: float) -> None:
    data = drawn(case)
    scaled = run(case, data.assign(y=data["y"] * unit))
    np.testing.assert_allclose(scaled[NUMBERS] / unit, run(case, data)[NUMBERS], atol=1e-9)


@every
@pytest.mark.parametrize("never", [np.nan, np.inf])
def test_an_empty_or_infinite_cohort_is_never_treated(case: str, never: float) -> None:
    data = drawn(case)
    other = run(case, data.assign(cohort=data["cohort"].replace(0, never)))
    pd.testing.assert_frame_equal(other, run(case, data))


@every
def test_months_keep_their_labels(case: str) -> None:
    data = drawn(case)
    shift = 202008  # periods 1 to 6 become September 2020 to February 2021

    def month(number: pd.Series) -> pd.Series:
        return number + np.where(number > 4, shift + 88, shift)

    dated = run(
        case, data.assign(time=month(data["time"]), cohort=month(data["cohort"]).where(data["cohort"] > 0, 0))
    )
    plain = run(case, data)
    np.testing.assert_allclose(dated[NUMBERS], plain[NUMBERS], atol=1e-12)
    np.testing.assert_array_equal(dated["event_time"], plain["event_time"])
    known = plain["cohort"].notna()
    np.testing.assert_array_equal(dated["cohort"][known], month(plain["cohort"][known]))


@every
def test_no_treated_unit_is_refused(case: str) -> None:
    with pytest.raises(InputError):
        run(case, drawn(case).assign(cohort=0))
