"""Labels as files have them: blank cohorts, dates in either order, Stata quarters, levels of an index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from awkward_panel import COLUMNS, QUARTERS, STATES, plain_panel

import replication as rp
from replication.cli import main

KEYS: dict[str, Any] = {"unit": "state", "time": "quarter", "cohort": "law", "outcome": "rate"}
STARTS = pd.period_range("2010Q1", periods=24, freq="Q").start_time
ENDS = pd.period_range("2010Q1", periods=24, freq="Q").end_time.normalize()


def refusal(frame: pd.DataFrame | Path, **keys: Any) -> str:
    """The paragraph with which an estimate is refused."""
    with pytest.raises(rp.InputError) as refused:
        rp.estimate(frame, **{**KEYS, **keys})
    return str(refused.value)


def labeled(labels: Any) -> pd.DataFrame:
    """The plain panel with labels of the periods, in the time and the cohort column."""
    frame = plain_panel()
    law = [labels[place - 1] if place else None for place in frame["law"]]
    return frame.assign(quarter=[labels[place - 1] for place in frame["quarter"]], law=law)


def patterned(pattern: str) -> pd.DataFrame:
    """The plain panel with the first day of each quarter by a pattern."""
    return labeled([f"{day:{pattern}}" for day in STARTS])


@pytest.mark.parametrize("blank", ["", " ", "\t "])
@pytest.mark.parametrize("kind", ["object", "string", "category"])
def test_a_blank_cohort_is_an_empty_one(blank: str, kind: str) -> None:
    plain = plain_panel()
    expected = rp.estimate(plain, **KEYS)
    numbers = plain["law"].astype(str).where(plain["law"] > 0, blank).astype(kind)
    quarters = labeled(QUARTERS)
    texts = quarters["law"].fillna(blank).astype(kind)
    for frame in (plain.assign(law=numbers), quarters.assign(law=texts)):
        found = rp.estimate(frame, **KEYS)
        assert found.att == expected.att
        assert "20 units have a blank cohort and count as never treated" in found.notes
        checked = rp.check(frame, **KEYS)
        assert checked.refusal == ""
        assert any("20 units are never treated: the cohort is empty" in one.text for one in checked.findings)


def test_a_blank_cohort_of_a_file_is_an_empty_one(tmp_path: Path) -> None:
    plain = plain_panel()
    frame = plain.assign(law=plain["law"].astype(object).where(plain["law"] > 0, "  "))
    frame.to_csv(tmp_path / "panel.csv", index=False)
    frame.astype({"law": str}).to_parquet(tmp_path / "panel.parquet")
    for name in ("panel.csv", "panel.parquet"):
        assert rp.estimate(tmp_path / name, **KEYS).att == rp.estimate(plain, **KEYS).att


@pytest.mark.parametrize("blank", ["", " ", None])
@pytest.mark.parametrize("frame", [plain_panel(), labeled(QUARTERS)])
def test_a_cohort_that_is_blank_throughout_means_that_none_is_treated(
    blank: str | None, frame: pd.DataFrame
) -> None:
    assert "None of the 50 units in the sample is ever treated" in refusal(frame.assign(law=blank))


def test_a_blank_code_that_is_named_counts_as_before() -> None:
    frame = plain_panel()
    frame = frame.assign(law=frame["law"].astype(object).where(frame["law"] > 0, ""))
    notes = rp.estimate(frame, **KEYS, never=[""]).notes
    assert notes == ("20 units have the cohort  and count as never treated",)


def test_a_blank_policy_is_an_empty_cell() -> None:
    frame = plain_panel().assign(policy="1").drop(columns="law")
    frame.loc[3, "policy"] = " "
    assert "Fill in the empty cells, or name" in refusal(frame, cohort=None, cohort_from="policy")


@pytest.mark.parametrize("mark", ["/", ".", "-"])
def test_dates_in_either_order_are_named_with_both(mark: str) -> None:
    message = refusal(patterned(f"%m{mark}%d{mark}%Y"))
    month, day = f"--time-format %m{mark}%d{mark}%Y", f"--time-format %d{mark}%m{mark}%Y"
    assert f"If 04{mark}01{mark}2010 has the month first, set `{month}` (in YAML" in message
    assert f"if it has the day first, set `{day}` (in YAML" in message


@pytest.mark.parametrize(
    ("pattern", "order"),
    [("%m/28/%Y", "month"), ("28/%m/%Y", "day"), ("%m/28/%y", "month"), ("28.%m.%y", "day")],
)
def test_a_number_above_twelve_tells_the_order(pattern: str, order: str) -> None:
    message = refusal(patterned(pattern))
    proposed = pattern.replace("28", "%d")
    assert f"These are dates with the {order} first: set `--time-format {proposed}` (in YAML" in message
    assert rp.estimate(patterned(pattern), **KEYS, time_format=proposed).att


def test_the_wrong_order_of_day_and_month_is_named() -> None:
    american = patterned("%m/%d/%Y")
    message = refusal(american, time_format="%d/%m/%Y")
    assert message.startswith("Read by the pattern %d/%m/%Y, column 'quarter' contains several dates in one")
    assert "If the month comes first, set `--time-format %m/%d/%Y` (in YAML" in message
    expected = rp.estimate(plain_panel(), **KEYS).att
    assert rp.estimate(american, **KEYS, time_format="%m/%d/%Y").att == expected


def test_dates_of_the_cohort_beside_quarters_are_written_with_the_year_first() -> None:
    frame = patterned("%m/%d/%Y").assign(quarter=labeled(QUARTERS)["quarter"])
    message = refusal(frame)
    assert "720 of 1200 values of column 'law' cannot be read as periods" in message
    assert message.endswith("Write these dates with the year first, such as 2010-03-31.")


@pytest.mark.parametrize("labels", [STARTS, ENDS, pd.period_range("2010Q1", periods=24, freq="Q")])
def test_a_cohort_that_is_a_period_is_not_counted_in_one(labels: Any) -> None:
    notes = rp.estimate(labeled(labels), **KEYS).notes
    assert notes == ("the periods in 'quarter' were read as quarters (2010Q1 to 2015Q4)",)


@pytest.mark.parametrize(("frequency", "code"), [("Q", "tq"), ("M", "tm"), ("Y", "ty")])
def test_periods_of_stata_are_exact(tmp_path: Path, frequency: str, code: str) -> None:
    # Stata counts from 1960, pandas from 1970: neither origin is a code for never treated.
    days = pd.period_range("1968", periods=24, freq=frequency).start_time
    frame = plain_panel()
    frame = frame.assign(
        quarter=days[frame["quarter"] - 1], law=pd.Series(days[frame["law"] - 1]).mask(frame["law"] == 0)
    )
    kinds = {"quarter": code, "law": code}
    frame.to_stata(tmp_path / "panel.dta", write_index=False, convert_dates=kinds)
    found = rp.estimate(tmp_path / "panel.dta", **KEYS)
    assert found.att == rp.estimate(plain_panel(), **KEYS).att
    assert not any("counted in" in note for note in found.notes)


@pytest.mark.parametrize("outcome", ["rate", "log(rate)"])
def test_a_quarter_stored_as_a_date_is_printed_as_a_quarter(outcome: str) -> None:
    frame = labeled(STARTS)
    frame = frame.assign(rate=frame["rate"].abs().add(1).astype(object).mask(frame.index == 5, "x"))
    message = refusal(frame, outcome=outcome)
    assert "for state 1 in quarter 2011Q2" in message
    assert "00:00" not in message


def test_cohorts_that_differ_within_a_unit_are_printed_as_quarters() -> None:
    frame = labeled(STARTS)
    frame["law"] = frame["law"].mask(frame.index == 60, STARTS[3])
    assert "state 3 (2010Q4 and 2012Q1)" in refusal(frame)


def book(folder: Path, **sheets: pd.DataFrame) -> Path:
    """A workbook with these sheets."""
    with pd.ExcelWriter(folder / "two.xlsx") as writer:
        for name, frame in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False)
    return folder / "two.xlsx"


def test_the_sheet_that_has_the_columns_is_proposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = pd.DataFrame({"state": ["Alabama", "Ohio"], "note": ["one", "two"]})
    place = book(tmp_path, readme=text, data=plain_panel(), again=plain_panel())
    assert main(["check", str(place), *COLUMNS]) == 2
    assert "`--sheet data` (in YAML" in capsys.readouterr().err
    assert main(["check", str(place), *COLUMNS[:-2]]) == 2
    assert "`--sheet data` (in YAML" in capsys.readouterr().err
    assert "`--sheet data` (in YAML" in refusal(place, outcome="log(rate)")
    assert "`--sheet readme` (in YAML" in refusal(place, outcome="income")


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        (
            ["state", "quarter"],
            "'state' and 'quarter' are levels of the index of the data frame and not colu",
        ),
        (["quarter"], "'quarter' is a level of the index of the data frame and not a column"),
        (["rate"], "'rate' is a level of the index of the data frame and not a column"),
    ],
)
def test_levels_of_the_index_are_named(levels: list[str], words: str) -> None:
    frame = plain_panel().set_index(levels)
    assert words in refusal(frame)
    assert "Pass `frame.reset_index()`, in which" in refusal(frame)
    with pytest.raises(rp.InputError, match="of the index of the data frame"):
        rp.check(frame, **KEYS)
    assert rp.estimate(frame.reset_index(), **KEYS).att == rp.estimate(plain_panel(), **KEYS).att


def named_states(old: str, new: str) -> pd.DataFrame:
    """The plain panel with the names of states, one of them in two spellings."""
    frame = plain_panel()
    names = pd.Series([STATES[place - 1] for place in frame["state"]])
    return frame.assign(state=names.mask((names == old) & (frame["quarter"] > 12), new))


@pytest.mark.parametrize(
    ("old", "new"), [("Alabama", "alabama "), ("New York", "NEW YORK"), ("Ohio", " OHIO")]
)
@pytest.mark.parametrize("options", [[], ["--strip-blanks"]])
def test_names_that_differ_in_case_must_be_fixed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, options: list[str]
) -> None:
    place = tmp_path / "panel.csv"
    named_states(old, new).to_csv(place, index=False)
    assert main(["check", str(place), *COLUMNS, *options]) == 2
    fixed = capsys.readouterr().out.split("Must be fixed before estimation:")[1].split("Notes:")[0]
    assert f"{new.strip()!r} differ in capital letters only and count as two: use one spelling" in fixed
    out = ["--out", str(tmp_path / "out")]
    assert main(["estimate", "--panel", str(place), *COLUMNS, *options, *out]) == 2
    assert "Give each unit or group one spelling in the file." in capsys.readouterr().err


@pytest.mark.parametrize("pair", [("a", "A"), ("x7q", "x7Q")])
def test_codes_may_depend_on_case(pair: tuple[str, str]) -> None:
    frame = plain_panel()
    states = frame["state"].astype(str).replace({"1": pair[0], "2": pair[1]})
    found = rp.check(frame.assign(state=states), **KEYS)
    assert found.refusal == ""
    assert [one.refused for one in found.findings if "capital letters only" in one.text] == [False]
    assert np.isfinite(rp.estimate(frame.assign(state=states), **KEYS).att[0])


def test_a_policy_of_zeros_and_ones_as_the_cohort_is_proposed_as_one() -> None:
    frame = rp.simulated_panel(seed=1)
    quarters = [f"{2010 + time // 4}Q{1 + time % 4}" for time in frame["time"]]
    treated = (frame["cohort"] > 0) & (frame["time"] >= frame["cohort"])
    given = frame.assign(time=quarters, policy=treated.astype(int)).drop(columns="cohort")
    with pytest.raises(rp.InputError, match=r"set `--cohort-from policy`\.$"):
        rp.estimate(given, outcome="y", cohort="policy")
    assert rp.estimate(given, outcome="y", cohort_from="policy").att[0] > 0
