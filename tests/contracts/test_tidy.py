"""What a tidy frame must be, and what is said when it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from replication.core.errors import PanelError
from replication.core.panel_builder import build_panel
from replication.core.spec import parse_spec

YEARS = (2001, 2002, 2004)


def frame() -> pd.DataFrame:
    """Six units by three years with a gap between; one unit never treated."""
    rng = np.random.default_rng(7)
    rows = pd.MultiIndex.from_product([list("abcdef"), YEARS], names=["unit", "time"]).to_frame(index=False)
    cohort = {"a": 2002, "b": 2002, "c": 2003, "d": 2004, "e": 0, "f": 1999}
    return rows.assign(
        y=rng.normal(size=18),
        x=rng.normal(size=18),
        cohort=rows["unit"].map(cohort),
        people=rows["unit"].map(dict(zip("abcdef", range(1, 7), strict=True))),
        state=rows["unit"].map({"a": "A", "b": "A", "c": "B", "d": "B", "e": "C", "f": "C"}),
    )


def spec(**keys):
    return parse_spec({"id": "s", "outcome": "y", "estimator": "twfe", **keys})


def test_shapes_labels_and_first_treated_columns() -> None:
    data = frame().sample(frac=1, random_state=3)
    panel = build_panel(data, spec(weights="people", cluster="state"))
    assert panel.units.tolist() == list("abcdef")
    assert panel.periods.tolist() == list(YEARS)
    assert panel.first.tolist() == [1, 1, 2, 2, 3, 0]
    assert panel.cluster.tolist() == [0, 0, 1, 1, 2, 2]
    assert panel.unit_weight.tolist() == [1, 2, 3, 4, 5, 6]
    expected = frame().pivot(index="unit", columns="time", values="y").to_numpy()
    assert np.array_equal(panel.y, expected)


def test_empty_cohort_means_never() -> None:
    data = frame()
    data.loc[data["cohort"] == 0, "cohort"] = np.nan
    assert build_panel(data, spec()).cohort.tolist() == [2002, 2002, 2003, 2004, 0, 1999]


def test_gaps_are_kept_as_missing_and_counted() -> None:
    panel = build_panel(frame().drop(index=[4]), spec())
    assert not panel.balanced
    assert np.isnan(panel.y[1, 1])
    assert panel.notes == ("1 of 18 unit-periods are not observed",)


def test_balanced_drops_units_with_a_gap_and_says_how_many() -> None:
    data = frame()
    data.loc[[0, 9], "y"] = np.nan
    panel = build_panel(data, spec(sample={"balanced": True}))
    assert panel.units.tolist() == list("bcef")
    assert panel.notes == (
        "2 units with a missing outcome in at least one period were dropped, for example units a and d",
    )


def test_missing_covariates_are_counted() -> None:
    data = frame()
    data.loc[[0, 9], "x"] = np.nan
    panel = build_panel(data, spec(covariates=["x"]))
    assert "2 rows with a missing x were dropped" in panel.notes


def test_rows_without_an_offset_are_counted() -> None:
    data = frame().assign(log_people=1.0)
    data.loc[[0, 1, 2, 9], "log_people"] = np.nan
    panel = build_panel(data, spec(estimator="poisson", offset="log_people"))
    assert "4 rows with a missing log_people were dropped" in panel.notes
    assert panel.units.tolist() == list("bcdef")


def test_sample_where_drop_and_years() -> None:
    panel = build_panel(
        frame(),
        spec(sample={"years": [2001, 2002], "where": {"state": ["A", "B"]}, "drop": {"unit": ["a"]}}),
    )
    assert panel.units.tolist() == list("bcd")
    assert panel.periods.tolist() == [2001, 2002]


def test_values_that_no_row_has_are_noted_with_a_near_one() -> None:
    panel = build_panel(frame(), spec(sample={"where": {"state": ["A", "BB"]}, "drop": {"people": ["6"]}}))
    assert panel.units.tolist() == ["a", "b"]
    assert panel.notes == (
        "'sample.where' names 'BB', which column 'state' does not have (did you mean 'B'?)",
        "'sample.drop' names '6', which column 'people' does not have (it has 6: mind the quotation marks)",
    )


@pytest.mark.parametrize(
    ("cohort", "output"),
    [
        (
            20030,
            "1 units have a first treated period long after the last period in the panel (2004) and are "
            "treated as never treated (unit c: first treated in 20030)",
        ),
        (
            203,
            "1 units have a first treated period long before the first period in the panel (2001) and are "
            "treated as always treated (unit c: first treated in 203)",
        ),
        # A rollout that goes on after the panel, or began before it, is no mistake.
        (2005, None),
        (2008, None),
        (1997, None),
        (0, None),
    ],
)
def test_a_cohort_further_off_than_the_panel_is_long_is_noted(cohort: int, output: str) -> None:
    data = frame()
    data.loc[data["unit"] == "c", "cohort"] = cohort
    assert build_panel(data, spec()).notes == ((output,) if output else ())


def test_cohort_rule_finds_its_column() -> None:
    data = frame().rename(columns={"cohort": "cohort_mid_year"})
    assert build_panel(data, spec(cohort_rule="mid_year")).cohort[0] == 2002


def _double(data: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([data, data.iloc[[3, 5]]])


def _set(column: str, rows: object, value: object):
    def change(data: pd.DataFrame) -> pd.DataFrame:
        data = data.astype({column: object})
        data.loc[rows, column] = value
        return data.infer_objects() if not isinstance(value, str) else data

    return change


@pytest.mark.parametrize(
    ("change", "keys", "words"),
    [
        (lambda d: d, {"outcome": "yy"}, ["no column 'yy'", "did you mean 'y'"]),
        (lambda d: d, {"unit": "county"}, ["no column 'county'", "Its columns are"]),
        (_double, {}, ["4 rows share", "unit b at time 2001"]),
        (_set("y", 2, "n/a"), {}, ["1 of 18 values of column 'y'", "'n/a' (first for unit a at time 2004"]),
        (_set("y", 2, np.inf), {}, ["'y'", "infinite", "first for unit a at time 2004"]),
        (
            _set("x", [3, 4], "."),
            {"covariates": ["x"]},
            ["2 of 18 values", "'.' (first for unit b at time 200"],
        ),
        (_set("people", 5, "?"), {"weights": "people"}, ["'?' (first for unit b at time 2004"]),
        (_set("cohort", 5, "?"), {}, ["1 of 18 values of column 'cohort'", "'?' (row 6, for unit b)"]),
        (_set("x", 3, np.nan), {"treatment": "x"}, ["missing", "first for unit b at time"]),
        (_set("time", 2, 2004.5), {}, ["1 of 18 values of column 'time'", "2004.5 for unit a", "whole"]),
        (_set("time", 2, "May"), {}, ["'May' (row 3, for unit a)"]),
        (lambda d: d, {"sample": {"where": {"state": ["AA"]}}}, ["No row", "'AA'", "mean 'A'"]),
        (_set("cohort", 2, 2004), {}, ["takes different values within 1 of 6 units", "unit a"]),
        (_set("cohort", [0, 1, 2], 2002.5), {}, ["1 unit has", "whole number"]),
        (_set("people", 2, -1), {"weights": "people"}, ["1 of 18 weights", "unit a at time 2004"]),
        (_set("people", 2, np.nan), {"weights": "people"}, ["negative or missing"]),
        (lambda d: d.assign(people=0), {"weights": "people"}, ["are zero"]),
        (lambda d: d.assign(state=1), {"cluster": "state"}, ["one cluster", "finer column"]),
        (_set("state", 2, None), {"cluster": "state"}, ["1 of 18 rows has no cluster"]),
        (lambda d: d.assign(d=[0, 1, 0] * 6), {"treatment": "d"}, ["falls within 6 units"]),
        (lambda d: d.assign(y=np.nan), {}, ["is missing in all 18 rows"]),
        (
            lambda d: d,
            {"sample": {"years": [1900, 1901]}},
            ["'sample.years' keeps 1900 to 1901, and"],
        ),
        (lambda d: d, {"trends": "region_by_time"}, ["no column 'region'"]),
        (lambda d: d.assign(g=range(18)), {"trends": "g_by_time"}, ["6 units change their 'g'"]),
        (_set("unit", 2, None), {}, ["1 of 18 rows has no 'unit'"]),
        (
            lambda d: d.assign(time=pd.Timestamp("2001-01-01") + pd.to_timedelta(d["time"] - 2001, "D")),
            {},
            ["contains dates", "2001-01-01 and 2001-01-02"],
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_count(change, keys, words) -> None:
    with pytest.raises(PanelError) as refusal:
        build_panel(change(frame()), spec(**keys))
    message = str(refusal.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def test_a_falling_treatment_is_allowed_on_request() -> None:
    data = frame().assign(d=[0, 1, 0] * 6)
    panel = build_panel(data, spec(treatment="d", reversals="allow"))
    assert panel.dose.sum() == 6


def test_parts_of_a_panel_carry_everything_along() -> None:
    panel = build_panel(frame(), spec(cluster="state", covariates=["x"], trends="state_by_time"))
    part = panel.keep_units(panel.cohort != 2002, "two left").keep_periods(panel.periods > 2001)
    assert part.y.shape == (4, 2)
    assert part.covariates.shape == (1, 4, 2)
    assert part.cluster.tolist() == [0, 0, 1, 1]
    assert part.strata["state"].tolist() == [0, 0, 1, 1]
    assert part.notes == ("two left",)
    assert np.array_equal(part.y, panel.y[2:, 1:])
