"""Periods, cohorts and files as people have them give the numbers of the same panel in plain integers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from awkward_panel import COLUMNS, FLAGS, QUARTERS, awkward_panel, plain_panel

import replication as rp
from replication.cli import main
from replication.core.errors import InputError, PanelError, SpecError
from replication.core.reading import Read, numbers_in

SAME = 1e-12
"""The same sums in the same order but for the order of the units, which are sorted by name here."""
KEYS: dict[str, Any] = {"unit": "state", "time": "quarter", "cohort": "law", "outcome": "rate"}


def path_of(fit: rp.Estimates) -> pd.DataFrame:
    """Estimates and standard errors of the overall effect and the path."""
    rows = fit.table[fit.table["term"].isin(["att", "event"])]
    return rows[["event_time", "estimate", "std_error"]].reset_index(drop=True)


def require_same(found: rp.Estimates, expected: rp.Estimates) -> None:
    pd.testing.assert_frame_equal(path_of(found), path_of(expected), rtol=SAME, atol=SAME)


@pytest.fixture(scope="module")
def expected() -> rp.Estimates:
    return rp.estimate(plain_panel(), **KEYS)


def test_an_awkward_file_gives_the_numbers_and_the_figure_in_one_command(
    tmp_path: Path, expected: rp.Estimates, capsys: pytest.CaptureFixture[str]
) -> None:
    awkward_panel().to_csv(tmp_path / "panel.csv", index=False)
    out = tmp_path / "out"
    command = ["estimate", "--panel", str(tmp_path / "panel.csv"), *COLUMNS, *FLAGS, "--out", str(out)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert (out / "event_study.png").stat().st_size > 10_000
    table = pd.read_csv(out / "estimates.csv")
    pd.testing.assert_frame_equal(
        table.loc[table["term"].isin(["att", "event"]), ["event_time", "estimate", "std_error"]].reset_index(
            drop=True
        ),
        path_of(expected),
        rtol=SAME,
        atol=SAME,
    )
    assert (table["n_units"] == 50).all()
    assert (table["n_obs"] == 1200).all()
    assert "read as quarters (2010Q1 to 2015Q4)" in said
    assert "10 units have the cohort 9999 and count as never treated" in said
    assert "3 rows that share their unit and period" in said


@pytest.mark.parametrize(
    ("dropped", "words"),
    [
        ((), ["'9999' (first on line 26 of the file, for state Alaska)", "`never: [9999]`", "--never 9999"]),
        (("--never", "9999"), ["' New  York'", "`read: {strip_blanks: true}`", "--strip-blanks"]),
        (
            ("--never", "9999", "--strip-blanks"),
            ["6 rows share", "`duplicates: drop_identical`", "drops 3 rows"],
        ),
    ],
)
def test_each_refusal_names_the_key_that_helps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], dropped: tuple[str, ...], words: list[str]
) -> None:
    awkward_panel().to_csv(tmp_path / "panel.csv", index=False)
    command = ["estimate", "--panel", str(tmp_path / "panel.csv"), *COLUMNS, *dropped]
    assert main([*command, "--out", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    for word in words:
        assert word in message, message
    assert not (tmp_path / "out").exists()


def by_position(names: list[str]) -> dict[str, Any]:
    """The plain panel with other labels of the periods, in the time and the cohort column."""
    frame = plain_panel()
    period = [names[place - 1] for place in frame["quarter"]]
    cohort = [names[place - 1] if place else None for place in frame["law"]]
    return {"data": frame.assign(quarter=period, law=cohort), **KEYS}


MONTHS = pd.period_range("2010-11", periods=24, freq="M")
QUARTER_STARTS = pd.period_range("2010Q1", periods=24, freq="Q").start_time


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (QUARTERS, {}),
        ([name.replace("Q", "-Q") for name in QUARTERS], {}),
        ([name.replace("Q", " q") for name in QUARTERS], {}),
        ([f"Q{name[-1]} {name[:4]}" for name in QUARTERS], {}),
        ([name.replace("Q", "-") for name in QUARTERS], {"time_format": "quarter"}),
        ([int(name.replace("Q", "")) for name in QUARTERS], {"time_format": "quarter"}),
        ([f"{month:%Y-%m}" for month in MONTHS], {}),
        ([f"{month:%Ym}{month.month}" for month in MONTHS], {}),
        ([f"{month:%b %Y}" for month in MONTHS], {}),
        ([f"{month:%B %Y}" for month in MONTHS], {}),
        ([f"{month:%m/%Y}" for month in MONTHS], {}),
        ([f"{month:%Y%m}" for month in MONTHS], {}),
        ([int(f"{month:%Y%m}") for month in MONTHS], {}),
        ([f"{month:%y/%m}" for month in MONTHS], {"time_format": "%y/%m"}),
        ([f"{month:%Y-%m}-15" for month in MONTHS], {}),
        ([f"15.{month:%m.%Y}" for month in MONTHS], {"time_format": "%d.%m.%Y"}),
        ([f"{day:%Y-%m-%d}" for day in QUARTER_STARTS], {}),
        (list(QUARTER_STARTS), {}),
        ([f"{day:%d/%m/%Y}" for day in QUARTER_STARTS], {"time_format": "%d/%m/%Y"}),
        ([f"{year}-01-01" for year in range(1990, 2014)], {}),
        ([str(year) for year in range(1990, 2014)], {"time_format": "year"}),
    ],
)
def test_periods_in_any_spelling_are_counted_one_apart(
    names: list[str], options: dict[str, Any], expected: rp.Estimates
) -> None:
    require_same(rp.estimate(**by_position(names), **options), expected)


@pytest.mark.parametrize("kind", ["category", "period[Q-DEC]"])
def test_columns_of_categories_and_periods(kind: str, expected: rp.Estimates) -> None:
    call = by_position(QUARTERS)
    frame = call["data"]
    typed = frame.assign(quarter=frame["quarter"].astype(kind), law=frame["law"].astype(kind))
    require_same(rp.estimate(**{**call, "data": typed}), expected)


def test_half_years_of_quarters_stay_two_apart() -> None:
    names = [f"{year}Q{quarter}" for year in range(2000, 2012) for quarter in (1, 3)]
    panel = rp.read_panel(**by_position(names))
    assert set(np.diff(panel.periods)) == {2}
    assert panel.label(panel.periods[0]) == 20001


def test_a_day_of_adoption_counts_in_its_quarter(expected: rp.Estimates) -> None:
    call = by_position(QUARTERS)
    days = {None: None, "2012Q1": "2012-03-31", "2013Q3": "2013-07-01", "2014Q2": "2014-05-17"}
    fit = rp.estimate(**{**call, "data": call["data"].assign(law=call["data"]["law"].map(days))})
    require_same(fit, expected)
    assert any("counted in the quarter that contains them" in note for note in fit.notes)


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (
            {"quarter": lambda d: d["quarter"].replace("2011Q2", "2011Q7")},
            {},
            ["50 of 1200 values", "'2011Q7'", "Correct"],
        ),
        (
            {"law": lambda d: d["law"].replace("2012Q1", "2012")},
            {},
            ["contains quarters", "'2012'", "is a year, not a quarter"],
        ),
        ({"law": lambda d: d["law"].fillna("never")}, {}, ["'never'", "`never: [never]`"]),
        (
            {"quarter": lambda d: d["quarter"].str.replace("Q", "-")},
            {},
            ["months or quarters", "time_format"],
        ),
        (
            {"quarter": lambda d: "x" + d["quarter"]},
            {},
            ["1200 of 1200 values", "'x2010Q1'", "time_format: '%d/%m/%Y'"],
        ),
        ({}, {"time_format": "%d/%m/%Y"}, ["matches the pattern %d/%m/%Y", "'2010Q1'"]),
    ],
)
def test_what_is_no_period_is_refused(
    change: dict[str, Any], options: dict[str, Any], words: list[str]
) -> None:
    call = by_position(QUARTERS)
    with pytest.raises(PanelError) as refusal:
        rp.read_panel(**{**call, "data": call["data"].assign(**change)}, **options)
    for word in words:
        assert word in str(refusal.value), refusal.value


def test_codes_of_never_in_text_and_numbers(expected: rp.Estimates) -> None:
    frame = plain_panel()
    codes = np.array(["0", "9999", "Never ", "-1", "Inf"])[frame["state"] // 5 % 5]
    law = frame["law"].astype(str).where(frame["law"] > 0, codes)
    fit = rp.estimate(frame.assign(law=law), **KEYS, never=[9999, "never", -1])
    require_same(fit, expected)
    assert sum("count as never treated" in note for note in fit.notes) == 4


def test_a_code_that_no_row_has_is_noted() -> None:
    panel = rp.read_panel(plain_panel(), **KEYS, never=[7777])
    assert "'never' names 7777, which column 'law' does not have" in panel.notes


def with_policy() -> pd.DataFrame:
    frame = plain_panel()
    return frame.assign(policy=((frame["law"] > 0) & (frame["quarter"] >= frame["law"])).astype(int)).drop(
        columns="law"
    )


def test_the_cohort_is_the_first_one_of_a_policy(expected: rp.Estimates) -> None:
    require_same(rp.estimate(with_policy(), **{**KEYS, "cohort": None}, cohort_from="policy"), expected)
    text = with_policy().assign(policy=lambda d: d["policy"].map({0: "False", 1: "True"}))
    require_same(rp.estimate(text, **{**KEYS, "cohort": None}, cohort_from="policy"), expected)


def test_a_policy_that_returns_to_zero_is_refused_unless_allowed(expected: rp.Estimates) -> None:
    frame = with_policy()
    off = (frame["state"] == 3) & (frame["quarter"] == 20)
    frame = frame.assign(policy=frame["policy"].mask(off, 0))
    call = {**KEYS, "cohort": None, "cohort_from": "policy"}
    with pytest.raises(PanelError, match=r"in state 3 in quarter 20.*reversals: allow"):
        rp.read_panel(frame, **call)
    allowed = rp.read_panel(frame, **call, reversals="allow")
    assert np.array_equal(allowed.cohort, rp.read_panel(plain_panel(), **KEYS).cohort)


@pytest.mark.parametrize(
    ("value", "words", "todo"),
    [
        (0.5, "0.5 for state 1", "Recode the column to 0 and 1, or name"),
        (np.nan, "nan for state 1", "Fill in the empty cells, or name"),
    ],
)
def test_a_policy_is_zero_or_one(value: float, words: str, todo: str) -> None:
    frame = with_policy().astype({"policy": float})
    frame.loc[0, "policy"] = value
    with pytest.raises(
        PanelError, match=rf"1 of 1200 values of 'policy' is neither, for example {words}.*{todo}"
    ):
        rp.read_panel(frame, **{**KEYS, "cohort": None}, cohort_from="policy")


def test_a_policy_beside_a_cohort_is_refused() -> None:
    with pytest.raises(SpecError, match="Leave one of the two out"):
        rp.read_panel(with_policy().assign(law=0), **KEYS, cohort_from="policy")


@pytest.mark.parametrize(("rule", "value"), [("first", 1.0), ("last", 3.0), ("mean", 2.0)])
def test_duplicates_are_reduced_as_the_key_says(rule: str, value: float) -> None:
    frame = plain_panel()
    double = pd.concat([frame, frame.iloc[[7]]], ignore_index=True)
    double.loc[7, "rate"], double.loc[1200, "rate"] = 1.0, 3.0
    panel = rp.read_panel(double, **KEYS, duplicates=rule)
    assert panel.y[0, 7] == value
    assert panel.y.shape == (50, 24)
    with pytest.raises(PanelError, match=r"2 rows share.*differ in 'rate'"):
        rp.read_panel(double, **KEYS, duplicates="drop_identical")
    with pytest.raises(PanelError, match="`--duplicates first`, `last`, or `mean`"):
        rp.read_panel(double, **KEYS)


def test_the_mean_of_rows_whose_cohorts_differ_is_refused() -> None:
    frame = plain_panel()
    double = pd.concat([frame, frame.iloc[[7]].assign(law=5)], ignore_index=True)
    with pytest.raises(PanelError, match=r"averages measurements only.*differ in 'law'"):
        rp.read_panel(double, **KEYS, duplicates="mean")


def european(frame: pd.DataFrame) -> pd.DataFrame:
    """Rates multiplied by 10,000 as Europeans write them: 12.345,5."""
    text = frame["rate"].map(lambda value: f"{value * 1e4:,.1f}".translate(str.maketrans(",.", ".,")))
    return frame.assign(rate=text)


def test_semicolons_decimal_commas_and_thousands(tmp_path: Path) -> None:
    place = tmp_path / "panel.csv"
    european(plain_panel()).to_csv(place, index=False, sep=";")
    with pytest.raises(
        PanelError, match=r"separated by ';'. Set `--sep ';'` \(in YAML `read: \{sep: ;\}`, in Python "
    ):
        rp.read_panel(place, **KEYS)
    read = {"sep": ";", "decimal": ",", "thousands": "."}
    with pytest.raises(PanelError, match=r"not numbers.*thousands"):
        rp.read_panel(place, **KEYS, read={"sep": ";"})
    found = rp.read_panel(place, **KEYS, read=read)
    plain = plain_panel().assign(rate=lambda d: (d["rate"] * 1e4).round(1))
    np.testing.assert_allclose(found.y, rp.read_panel(plain, **KEYS).y, rtol=SAME)


@pytest.mark.parametrize(
    ("texts", "read", "numbers"),
    [
        (["1,234", "12"], Read(thousands=","), [1234, 12]),
        (["1,5", "12"], Read(thousands=","), None),
        (["1.234,5", "-2"], Read(decimal=",", thousands="."), [1234.5, -2]),
        (["1.2", "3"], Read(decimal=",", thousands="."), None),
        (["12%", "7.5 %"], Read(percent="points"), [12, 7.5]),
        (["12%", "7.5%"], Read(percent="share"), [0.12, 0.075]),
        (["12%", "7"], Read(percent="share"), None),
        (["12%"], Read(decimal=","), None),
        (["01", "2"], Read(decimal=","), None),
        (["12345678901234567890"], Read(decimal=","), None),
        (["1e3", "2,5e-1"], Read(decimal=","), [1000, 0.25]),
        (["1 234", "5"], Read(thousands=" "), [1234, 5]),
    ],
)
def test_numbers_in_text(texts: list[str], read: Read, numbers: list[float] | None) -> None:
    found = numbers_in(pd.Series(texts), read)
    assert (None if found is None else found.tolist()) == (
        numbers if numbers is None else pytest.approx(numbers)
    )


def test_marks_of_missing_values(tmp_path: Path) -> None:
    place = tmp_path / "panel.csv"
    frame = plain_panel().astype({"rate": object})
    frame.loc[[0, 30], "rate"] = ".", "-999"
    frame.to_csv(place, index=False)
    with pytest.raises(PanelError, match=r"`read: \{missing: \[\.\]\}`"):
        rp.read_panel(place, **KEYS)
    panel = rp.read_panel(place, **KEYS, read={"missing": [".", -999]})
    assert np.isnan(panel.y[0, 0])
    assert np.isnan(panel.y[1, 6])
    assert int(np.isnan(panel.y).sum()) == 2


def test_other_files_give_the_same_numbers(tmp_path: Path, expected: rp.Estimates) -> None:
    frame = plain_panel()
    frame.to_csv(tmp_path / "panel.csv.gz", index=False)
    with pd.ExcelWriter(tmp_path / "panel.xlsx") as book:
        frame.to_excel(book, sheet_name="panel", index=False)
        pd.DataFrame({"note": ["one", "two"]}).to_excel(book, sheet_name="codebook", index=False)
    dates = QUARTER_STARTS[frame["quarter"] - 1]
    law = pd.Series(QUARTER_STARTS[frame["law"] - 1]).mask(frame["law"] == 0)
    stata = frame.assign(quarter=dates, law=law)
    stata.to_stata(tmp_path / "panel.dta", write_index=False, convert_dates={"quarter": "tq", "law": "tq"})
    require_same(rp.estimate(tmp_path / "panel.csv.gz", **KEYS), expected)
    require_same(rp.estimate(tmp_path / "panel.dta", **KEYS), expected)
    require_same(rp.estimate(tmp_path / "panel.xlsx", **KEYS, read={"sheet": "panel"}), expected)
    require_same(rp.estimate(tmp_path / "panel.xlsx", **KEYS, read={"sheet": 1}), expected)
    with pytest.raises(PanelError, match=r"2 sheets with rows \(panel, codebook\).*sheet: panel"):
        rp.read_panel(tmp_path / "panel.xlsx", **KEYS)
    with pytest.raises(PanelError, match=r"no sheet 'panl'.*did you mean 'panel'"):
        rp.read_panel(tmp_path / "panel.xlsx", **KEYS, read={"sheet": "panl"})


def test_an_encoding_is_proposed(tmp_path: Path) -> None:
    place = tmp_path / "panel.csv"
    frame = plain_panel()
    frame = frame.assign(state=frame["state"].map(lambda number: f"Doña {number}"))
    frame.to_csv(place, index=False, encoding="latin-1")
    with pytest.raises(PanelError, match="encoding: latin-1"):
        rp.read_panel(place, **KEYS)
    assert rp.read_panel(place, **KEYS, read={"encoding": "latin-1"}).units[0] == "Doña 1"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (
            {"state": ["CA"]},
            "no column 'state', which 'sample' names; did you mean 'state_postal', which has 'CA'",
        ),
        ({"name": ["CA"]}, r"column 'name' does not have \(column 'state_postal' has it\)"),
    ],
)
def test_a_sample_rule_finds_the_column_that_has_its_values(rule: dict[str, list[str]], words: str) -> None:
    frame = plain_panel().rename(columns={"state": "fips"})
    frame = frame.assign(state_postal=np.where(frame["fips"] == 5, "CA", "NY"), name="x")
    with pytest.raises(InputError, match=words):
        rp.read_panel(frame, **{**KEYS, "unit": "fips"}, sample={"where": rule})


def test_years_of_a_sample_hold_for_quarters() -> None:
    panel = rp.read_panel(**by_position(QUARTERS), sample={"years": [2011, 2012]})
    assert panel.label(panel.periods).tolist() == [20111, 20112, 20113, 20114, 20121, 20122, 20123, 20124]


def test_keys_of_a_file_and_options_say_the_same(tmp_path: Path) -> None:
    place = tmp_path / "panel.csv"
    awkward_panel().to_csv(place, index=False)
    (tmp_path / "spec.yaml").write_text(
        "id: own\noutcome: rate\nestimator: imputation\nunit: state\ntime: quarter\ncohort: law\n"
        "never: [9999]\nduplicates: drop_identical\nread: {strip_blanks: true}\n",
        encoding="utf-8",
    )
    first, second = tmp_path / "a", tmp_path / "b"
    assert main(["estimate", str(tmp_path / "spec.yaml"), "--panel", str(place), "--out", str(first)]) == 0
    flags = [*COLUMNS, *FLAGS, "--estimator", "imputation", "--set", "id=own"]
    assert main(["estimate", "--panel", str(place), *flags, "--out", str(second)]) == 0
    for name in ("estimates.csv", "vcov.csv", "spec.yaml"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


# Found by drawn cases: each ended in an exception of pandas or of Python.


@pytest.mark.parametrize("time_format", [None, "quarter", "date"])
def test_a_time_column_without_a_value_is_refused(time_format: str | None) -> None:
    empty = plain_panel().assign(quarter=pd.NaT)
    with pytest.raises(PanelError, match=r"'quarter' is empty in all \d+ rows"):
        rp.estimate(empty, time_format=time_format, **KEYS)


def test_an_infinite_cohort_beside_periods_in_text_is_refused() -> None:
    frame = awkward_panel().assign(quarter="2010Q1", law="-inf")
    with pytest.raises(InputError, match="law"):
        rp.estimate(frame.drop_duplicates("state"), **KEYS)


def test_numbers_beyond_the_range_of_floats_are_not_whole() -> None:
    found = numbers_in(pd.Series(["1e400", "2"]), Read(decimal=","))
    assert found is not None
    assert found.tolist() == [np.inf, 2.0]


@pytest.mark.parametrize("year", ["about 2004", pd.Timestamp("2004-01-01")])
def test_years_of_a_sample_in_text_or_dates_are_refused(year: object) -> None:
    frame = rp.simulated_panel(seed=1).assign(year=year)
    with pytest.raises(PanelError, match="'year'"):
        rp.estimate(frame, outcome="y", sample={"years": [2004, 2012]})


@pytest.mark.parametrize("cohorts", [[4, 6], ["4", "6"]])
def test_cohorts_that_are_numbers_beside_quarters_are_refused_by_name(cohorts: list[object]) -> None:
    frame = plain_panel()
    dates = [f"{2010 + (quarter - 1) // 4}Q{(quarter - 1) % 4 + 1}" for quarter in frame["quarter"]]
    law = np.where(frame["state"] < 9, cohorts[0], cohorts[1])
    with pytest.raises(PanelError) as refusal:
        rp.read_panel(frame.assign(quarter=dates, law=law), **KEYS)
    assert str(refusal.value) == (
        "Column 'quarter' contains quarters (2010Q1 to 2015Q4), but the cohort column 'law' contains numbers "
        "(4, 6). Write the cohort in the same form as the periods, such as 2015Q4, or name a time column of "
        "numbers (`--time COLUMN`)."
    )
