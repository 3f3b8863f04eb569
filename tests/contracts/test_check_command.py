"""``replication check`` finds what is planted, names the row and the key, and its command runs."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from awkward_panel import COLUMNS, FLAGS, awkward_panel, plain_panel

import replication as rp
from replication.checks import trial_estimate
from replication.checks.panel_check import PanelCheck, check_panel
from replication.cli import main

KEYS = {"unit": "state", "time": "quarter", "cohort": "law"}


def check(frame: pd.DataFrame, tmp_path: Path, **keys: object) -> PanelCheck:
    frame.to_csv(tmp_path / "panel.csv", index=False)
    return check_panel(tmp_path / "panel.csv", {**KEYS, **keys}, ["rate"])


def finding(found: PanelCheck, words: str) -> tuple[str, int, int, dict[str, object], bool]:
    """Column, rows, first row, keys and refusal of the only finding with these words."""
    (one,) = [one for one in found.findings if words in one.text]
    return one.column, one.rows, one.line, dict(one.keys), one.refused


def test_an_awkward_file_is_mended_by_the_command_that_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = awkward_panel()
    place = tmp_path / "panel.csv"
    frame.to_csv(place, index=False)
    assert main(["check", str(place), *COLUMNS]) == 2
    said = capsys.readouterr().out
    command = said.strip().splitlines()[-1].strip()
    assert "Estimation will fail as is. This command works:" in said
    arguments = shlex.split(command)[1:]
    arguments[-1] = str(tmp_path / "out")
    assert main(arguments) == 0
    assert (tmp_path / "out" / "event_study.png").is_file()
    capsys.readouterr()
    assert main(["check", str(place), *COLUMNS, *FLAGS]) == 0
    assert "Must be fixed before estimation" not in capsys.readouterr().out


def test_findings_name_the_column_the_count_the_row_and_the_key(tmp_path: Path) -> None:
    frame = awkward_panel()
    found = check(frame, tmp_path)
    stray = frame["state"].isin(["Ohio ", " New  York"])
    line = int(np.flatnonzero(stray)[0]) + 2
    assert finding(found, "trailing spaces") == (
        "state",
        int(stray.sum()),
        line,
        {"read.strip_blanks": True},
        True,
    )
    code = frame["law"] == "9999"
    line = int(np.flatnonzero(code)[0]) + 2
    assert finding(found, "looks like a code") == ("law", int(code.sum()), line, {"never": [9999]}, True)
    assert finding(found, "are identical")[1:] == (6, 7, {"duplicates": "drop_identical"}, True)
    assert finding(found, "the cohort is empty")[1] == int(frame["law"].isna().sum())
    assert found.cohorts is not None
    assert found.cohorts[["cohort", "units", "before", "after"]].to_numpy().tolist() == [
        ["never", 20, 24, 0],
        ["2012Q1", 10, 8, 16],
        ["2013Q3", 10, 14, 10],
        ["2014Q2", 10, 17, 7],
    ]


def test_gaps_late_entry_and_uneven_periods(tmp_path: Path) -> None:
    frame = plain_panel()
    hole = (frame["state"] == 4) & frame["quarter"].isin([6, 7])
    late = (frame["state"] == 9) & (frame["quarter"] < 3)
    early = frame["state"].isin([10, 11]) & (frame["quarter"] > 22)
    found = check(frame[~hole & ~late & ~early & (frame["quarter"] != 12)], tmp_path)
    texts = [one.text for one in found.findings]
    assert "1 of 50 units (unit 4) have gaps between their first and last period (2 unit-periods)" in texts
    assert "1 of 50 units (unit 9) are first observed after the first period" in texts
    assert "2 of 50 units are not observed through the last period, for example units 10 and 11" in texts
    assert "unevenly spaced: 11 is followed by 13" in found.head
    assert "1,142 of 1,150 unit-periods observed" in found.head
    assert not found.refusal


def test_outcomes_with_text_gaps_infinity_or_one_value(tmp_path: Path) -> None:
    frame = plain_panel().astype({"rate": object})
    frame.loc[3, "rate"] = "1,5"
    assert finding(check(frame, tmp_path), "not numbers") == ("rate", 1, 5, {"read.decimal": ","}, True)
    frame.loc[3, "rate"] = "."
    found = check(frame, tmp_path)
    assert finding(found, "not numbers") == ("rate", 1, 5, {"read.missing": ["."]}, True)
    assert found.refusal
    assert not found.remaining
    frame.loc[4, "rate"] = "1,200.5"
    both = {"read.missing": ["."], "read.thousands": ","}
    assert finding(check(frame, tmp_path), "not numbers") == ("rate", 2, 5, both, True)
    assert not check(frame, tmp_path).remaining
    frame = plain_panel().astype({"rate": object})
    frame.loc[3, "rate"] = "1,234"
    assert finding(check(frame, tmp_path), "decimal mark or commas separate thousands")[3] == {}
    frame.loc[3, "rate"] = np.inf
    assert finding(check(frame, tmp_path), "infinite") == ("rate", 1, 5, {}, True)
    frame.loc[3, "rate"] = np.nan
    assert finding(check(frame, tmp_path), "missing values") == ("rate", 1, 5, {}, False)
    assert finding(check(plain_panel().assign(rate=2.0), tmp_path), "the same value")[:2] == ("rate", 1200)


def test_codes_of_never_among_plain_numbers_are_worth_knowing(tmp_path: Path) -> None:
    frame = plain_panel()
    found = check(frame.assign(law=frame["law"].replace(0, 9999)), tmp_path)
    assert finding(found, "looks like a code")[3:] == ({"never": [9999]}, False)
    assert not found.refusal
    assert finding(check(frame, tmp_path), "the cohort is 0")[1] == int((frame["law"] == 0).sum())


def test_spelling_and_design_are_noted(tmp_path: Path) -> None:
    frame = awkward_panel().iloc[:1200]
    frame = frame.assign(state=frame["state"].replace("Utah", "ohio"))
    assert finding(check(frame, tmp_path), "capital letters only")[0] == "state"
    plain = plain_panel()
    alone = plain.assign(law=plain["law"].mask(plain["state"] == 7, 12).replace(0, 1))
    texts = " ".join(one.text for one in check(alone, tmp_path).findings)
    assert "1 cohort has only one unit" in texts
    assert "are treated in every period" in texts
    assert "There are no never-treated units; not-yet-treated cohorts are the only control group" in texts
    together = check(plain.assign(law=12), tmp_path)
    assert finding(together, "All units adopt in period 12, so there is no control group")
    assert "later cohorts" not in " ".join(one.text for one in together.findings)


def test_percent_signs_and_differing_rows_are_named(tmp_path: Path) -> None:
    plain = plain_panel()
    percent = check(plain.assign(rate=plain["rate"].round(1).astype(str) + "%"), tmp_path)
    (found,) = [one for one in percent.findings if "values with a percent sign: " in one.text]
    assert "and others (12% is read as 12; to read it as 0.12, set `--percent share` instead)" in found.text
    assert found.keys == {"read.percent": "points"}
    twice = pd.concat([plain.astype({"state": float}), plain.iloc[[3]].assign(rate=9.0)])
    (found,) = [one for one in check(twice, tmp_path).findings if "differ in" in one.text]
    row = plain.iloc[3]
    named = f"differ in rate, such as state {row['state']:.0f} at quarter {row['quarter']:.0f}. Find out"
    assert named in found.text


def test_days_are_refused_with_what_to_do(tmp_path: Path) -> None:
    frame = plain_panel()
    days = pd.Timestamp("2010-01-01") + pd.to_timedelta(frame["quarter"], "D")
    found = check(frame.assign(quarter=days), tmp_path)
    assert found.refusal
    assert found.remaining
    assert any(one.refused and "days or weeks" in one.text for one in found.findings)


def test_a_file_that_cannot_be_read_or_lacks_a_column_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "panel.csv"
    plain_panel().to_csv(place, index=False, sep=";")
    assert main(["check", str(place), *COLUMNS]) == 2
    assert "--sep ';'" in capsys.readouterr().err
    assert (
        main(["check", str(place), "--sep", ";", "--unit", "stat", "--time", "quarter", "--cohort", "law"])
        == 2
    )
    assert "did you mean 'state'" in capsys.readouterr().err
    assert main(["check", str(place), "--sep", ";", *COLUMNS[:6]]) == 0
    assert "50 units (state), 24 periods" in capsys.readouterr().out


def test_a_policy_column_is_checked_as_well(tmp_path: Path) -> None:
    frame = plain_panel()
    policy = ((frame["law"] > 0) & (frame["quarter"] >= frame["law"])).astype(int)
    frame = frame.assign(policy=policy).drop(columns="law")
    frame.to_csv(tmp_path / "panel.csv", index=False)
    keys = {"unit": "state", "time": "quarter", "cohort_from": "policy"}
    found = check_panel(tmp_path / "panel.csv", keys, ["rate"])
    assert not found.refusal
    assert found.cohorts is not None
    assert found.cohorts["cohort"].tolist() == ["never", "9", "15", "18"]


def panel_of(tmp_path: Path, frame: pd.DataFrame) -> list[str]:
    """The command that checks a frame of the simulated panel."""
    frame.to_csv(tmp_path / "panel.csv", index=False)
    return ["check", str(tmp_path / "panel.csv"), "--outcome", "y"]


def test_what_the_proposed_estimate_refuses_is_not_ready(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = rp.simulated_panel(seed=1)
    treated = panel_of(tmp_path, frame[frame["cohort"] > 0])
    assert main([*treated, "--set", "control_group=never_treated"]) == 2
    said = capsys.readouterr().out
    assert "Ready" not in said
    assert "only control group" not in said
    assert "'control_group' is 'never_treated', and none of the 45 units" in said
    assert main(treated) == 0
    assert "not-yet-treated cohorts are the only control group" in capsys.readouterr().out
    x = np.random.default_rng(3).normal(size=len(frame))
    collinear = panel_of(tmp_path, frame.assign(x=x, x2=2 * x))
    assert main([*collinear, "--covariates", "x", "x2"]) == 2
    said = capsys.readouterr().out
    assert "Estimation will fail:" in said
    assert "collinear" in said
    assert main([*collinear, "--covariates", "x"]) == 0
    assert "Ready to estimate:" in capsys.readouterr().out


def test_check_tries_the_estimator_and_the_method_that_are_set() -> None:
    frame = rp.simulated_panel(seed=1)
    together = frame.assign(cohort=5)
    assert rp.check(together, outcome="y", estimator="imputation").refusal
    assert rp.check(frame, outcome="y", estimator="imputation").refusal == ""
    assert "does not support" in rp.check(frame, outcome="y", inference={"method": "wild"}).refusal
    few = rp.check(frame, outcome="y", inference={"method": "permutation", "draws": 5})
    assert "draws are too few" in few.refusal
    drawn = rp.check(frame, outcome="y", inference={"method": "permutation"})
    assert drawn.refusal == ""
    assert "Not checked: whether `inference.method: permutation`" in str(drawn)


def test_a_large_panel_says_what_was_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_estimate, "MOST_VALUES", 500)
    found = rp.check(rp.simulated_panel(seed=1), outcome="y")
    assert found.refusal == ""
    assert "Not checked: whether callaway_santanna can estimate an effect" in str(found)


def test_a_panel_without_a_named_outcome_is_tried_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = rp.simulated_panel(seed=1)
    command = panel_of(tmp_path, frame[frame["cohort"] > 0])[:-2]
    assert main(command) == 0
    assert "Ready to estimate:" in capsys.readouterr().out
    assert main([*command, "--set", "control_group=never_treated"]) == 2
    assert "none of the 45 units" in capsys.readouterr().out
    assert main([*command, "--cluster", "county"]) == 2
    error = capsys.readouterr().err
    assert error.endswith(f"Its columns are: {', '.join(frame.columns)}.\n")


@pytest.mark.parametrize(
    "keys",
    [
        {"weights": "pop"},
        {"offset": "pop"},
        {"trends": ["pop_by_time"]},
        {"treatment": "pop"},
        {"covariates": "pop"},
    ],
)
def test_every_column_that_is_named_must_be_there(keys: dict[str, object]) -> None:
    with pytest.raises(rp.InputError, match="The panel has no column 'pop'"):
        rp.check(rp.simulated_panel(seed=1), outcome="y", **keys)
