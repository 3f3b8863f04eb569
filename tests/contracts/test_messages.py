"""Messages to people with files of their own: columns that are no periods, counts of one, labels, codes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from awkward_panel import plain_panel

import replication as rp
from replication.checks.panel_check import check_panel, check_text
from replication.core.errors import PanelError
from replication.core.reading import shown
from replication.core.wording import agreeing, counted, label_text

KEYS = {"unit": "state", "time": "quarter", "cohort": "law"}


@pytest.fixture
def frame() -> pd.DataFrame:
    """50 states over 24 quarters, with a population of the state and one that grows."""
    frame = plain_panel()
    size = 1000 + 31 * frame["state"]
    return frame.assign(Population=size, people=size * 100 + 7 * frame["quarter"] + frame["state"])


def refusal(frame: pd.DataFrame, **keys: object) -> str:
    """What an estimate is refused with."""
    with pytest.raises(PanelError) as error:
        rp.estimate(frame, **{"outcome": "rate", **KEYS, **keys})
    return str(error.value)


@pytest.mark.parametrize(
    ("column", "why"),
    [("Population", "the same in every row of a unit"), ("people", "units share hardly any")],
)
def test_a_column_that_is_no_period_is_named_with_the_one_that_is(
    frame: pd.DataFrame, column: str, why: str
) -> None:
    message = refusal(frame, time=column)
    assert message.startswith(f"The time column '{column}' seems to contain no periods")
    assert why in message
    assert "Perhaps 'quarter' is meant: `--time quarter`" in message
    found = check_panel(frame, {**KEYS, "time": column}, ["rate"])
    assert why in found.refusal
    assert "differ in rate" not in check_text(found, "")


def test_unit_and_time_exchanged_are_noticed(frame: pd.DataFrame) -> None:
    named = frame.assign(state="S" + frame["state"].astype(str), quarter=2000 + frame["quarter"])
    assert "perhaps the two are exchanged" in refusal(named, unit="quarter", time="state")


def test_a_plain_panel_with_few_units_or_gaps_has_periods(frame: pd.DataFrame) -> None:
    few = frame[frame["state"].isin([1, 3])]
    assert rp.read_panel(few, outcome="rate", **KEYS).y.shape == (2, 24)
    sparse = frame[(frame["state"] + frame["quarter"]) % 3 == 0]
    assert rp.read_panel(sparse, outcome="rate", **KEYS).y.shape == (50, 24)


def test_a_count_of_one_is_in_the_singular(frame: pd.DataFrame) -> None:
    double = pd.concat([frame, frame.iloc[[7]]], ignore_index=True)
    assert "drops 1 row." in refusal(double)
    alone = frame.assign(law=frame["law"].mask(frame["state"] == 7, 12))
    said = check_text(check_panel(alone, KEYS, ["rate"]), "")
    assert "1 cohort has only one unit; the standard errors of its effects reflect sampling" in said
    moved = frame.assign(law=frame["law"].where((frame["state"] != 3) | (frame["quarter"] > 5), 7))
    assert "takes different values within 1 unit" in refusal(moved).replace("1 of 50 units", "1 unit")
    assert agreeing("1 rows that share their unit were dropped. Rows have units.") == (
        "1 row that shares its unit was dropped. Rows have units."
    )
    assert agreeing("1 of 50 units have gaps; drop them") == "1 of 50 units has gaps; drop them"
    assert agreeing("11 of 50 units have gaps") == "11 of 50 units have gaps"
    assert str(PanelError("1 rows have cohort 0")) == "1 row has cohort 0"
    assert [counted(number, "row") for number in (1, 1202)] == ["1 row", "1,202 rows"]


def test_years_that_became_floating_point_are_printed_as_in_the_file() -> None:
    frame = rp.simulated_panel(seed=1)
    frame = frame.assign(time=frame["time"] + 2009.0, cohort=frame["cohort"].replace(0, np.nan) + 2009)
    frame["unit"] = frame["unit"].astype(float)
    columns = {"outcome": "y", "unit": "unit", "time": "time", "cohort": "cohort"}
    for bad in (
        pd.concat([frame, frame.iloc[[3]].assign(y=9.0)]),
        frame.assign(y=frame["y"].astype(object).where(frame.index != 3, "x")),
        frame.assign(size=frame["size"].where(frame.index != 3, -1.0)),
    ):
        with pytest.raises(PanelError) as error:
            rp.estimate(bad, weights="size", **columns)
        assert "unit 1 at time 2013" in str(error.value)
        assert "2013.0" not in str(error.value)
    assert label_text(2010.0) == shown(np.float64(2010)) == "2010"
    assert shown(2010.5) == "2010.5"


def test_one_code_or_mark_or_covariate_needs_no_list(frame: pd.DataFrame) -> None:
    coded = frame.assign(law=frame["law"].replace(0, 9999))
    whole = rp.estimate(frame, outcome="rate", **KEYS)
    for never in (9999, "9999", [9999]):
        fit = rp.estimate(coded, outcome="rate", never=never, **KEYS)
        assert fit.att == whole.att
    assert not rp.check(coded, outcome="rate", never=9999, **KEYS).refusal
    marked = frame.assign(rate=frame["rate"].astype(object).where(frame.index != 3, "."))
    panels = [rp.read_panel(marked, outcome="rate", read={"missing": one}, **KEYS) for one in (".", ["."])]
    assert all(np.isnan(panel.y).sum() == 1 for panel in panels)
    fits = [rp.estimate(frame, outcome="rate", covariates=one, **KEYS) for one in ("people", ["people"])]
    assert fits[0].att == fits[1].att


def test_an_infinitive_after_a_negated_verb_is_no_verb_of_its_own() -> None:
    assert agreeing("1 rows do not have the 12 fields") == "1 row does not have the 12 fields"
