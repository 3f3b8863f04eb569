"""A refusal names the line, the row or the option, and says nothing that the reader has done already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import replication as rp
from replication.checks.compare_cells import Verdict
from replication.checks.compare_numbers import report
from replication.core.frames import read_frame
from replication.core.spec import load_specs
from replication.report.trace.trace_keys import Key, find
from replication.workflow.estimate_file import specs_of

FRAME = rp.simulated_panel(seed=1)
HEADER = "unit,time,cohort,y\n"


def refusal(frame: pd.DataFrame, **keys: Any) -> str:
    """The paragraph with which an estimate of a frame is refused."""
    with pytest.raises(rp.InputError) as refused:
        rp.estimate(frame, **{"outcome": "y", **keys})
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "p.csv",
            HEADER.encode() + b"1,1,0,1\n1,2,0,1,5\n",
            "line 3 has 5 fields where the lines before have 4",
        ),
        ("p.xlsx", HEADER.encode(), "is not an Excel workbook, although its name ends in .xlsx"),
        ("p.csv", HEADER.encode() + b"caf\xe9,1,0,1\n", "is not encoded as UTF-8"),
        ("p.dta", b"x", "cannot be read as a Stata file"),
        ("p.parquet", b"x", "cannot be read as a parquet file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """In the words of the reader, not in those of a library."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(rp.InputError) as refused:
        read_frame(tmp_path / name)
    assert words in str(refused.value)
    assert not any(word in str(refused.value) for word in ("tokenizing", "codec", "zip file", "buffer"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id: a\nid: b\n", "s.yaml, line 2: the key 'id' is given twice. Remove one."),
        ("id: a\n\toutcome: y\n", "line 2 is indented with a tab. Use spaces."),
        ("id: a: b\n", "line 1: mapping values are not allowed"),
        ("- a\n", "contains a list; a specification is a mapping with keys such as id"),
        ("text\n", "contains text; a specification"),
        ("3\n", "contains the single value 3; a specification"),
        ("", "is empty; a specification"),
    ],
)
def test_specifications_that_cannot_be_read(tmp_path: Path, text: str, words: str) -> None:
    """The file, the line, and what to change."""
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(rp.InputError) as refused:
        load_specs(tmp_path / "s.yaml")
    assert words in str(refused.value)
    assert "unicode string" not in str(refused.value)
    assert ("quotation marks" in str(refused.value)) is ("mapping values" in words)


def test_text_in_the_cohort_column_may_mean_never_treated() -> None:
    named = FRAME.assign(cohort=FRAME["cohort"].astype(object).where(FRAME["cohort"] > 0, "never treated"))
    with pytest.raises(rp.InputError, match="If this means never treated, set `--never 'never treated'`"):
        rp.estimate(named, outcome="y")
    assert rp.estimate(named, outcome="y", never=["never treated"]).att == rp.estimate(FRAME, outcome="y").att


def test_a_specification_file_is_found_by_its_path_as_text(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("{id: a, outcome: y, estimator: twfe}\n", encoding="utf-8")
    assert rp.load_specs(str(tmp_path / "s.yaml"))[0].id == "a"
    with pytest.raises(
        rp.InputError, match=r"There is no specification file nofile\.yaml\. Check the path\."
    ):
        rp.load_specs("nofile.yaml")


def test_a_pattern_of_dates_that_matches_nothing() -> None:
    """The pattern that was given is at fault, and no other is proposed."""
    dates = "01/01/" + (FRAME["time"] + 2000).astype(str)
    text = refusal(FRAME.assign(date=dates), time="date", time_format="%d-%m-%Y")
    assert "No value of column 'date' matches the pattern %d-%m-%Y, for example '01/01/2001'" in text


def test_a_bad_year_is_located_by_its_row() -> None:
    """Not by the year itself, which cannot be read."""
    years = (FRAME["time"] + 2000).astype(str)
    years[5] = "20x4"
    assert "'20x4' (row 6, for unit 1). Correct it." in refusal(FRAME.assign(year=years), time="year")


def test_a_column_of_text_has_no_marks_of_missing_values() -> None:
    """If every value is text the column is none of numbers; a few marks may stand for missing values."""
    region = "R" + (FRAME["unit"] % 4).astype(str)
    text = refusal(FRAME.assign(region=region), covariates=["region"])
    assert "Column 'region' is text and contains no number" in text
    assert "--missing" not in text
    marked = FRAME["y"].astype(object).where(FRAME.index > 2, "n.a.")
    assert "--missing n.a." in refusal(FRAME.assign(y=marked))


@pytest.mark.parametrize("name", ["unit", "time", "cohort"])
def test_a_column_of_a_default_name_is_asked_for_by_its_option(name: str) -> None:
    """The user has not typed the name."""
    text = refusal(FRAME.rename(columns={name: "other"}))
    assert f"no column '{name}'" in text
    assert f"`--{name} COLUMN`" in text


def test_a_value_given_twice_is_refused() -> None:
    """An option and ``--set`` with different values; the same one twice does no harm."""
    with pytest.raises(rp.InputError, match="'outcome' is given twice: --outcome y and --set outcome=x"):
        specs_of(None, {"outcome": "y"}, ["outcome=x"])
    assert specs_of(None, {"outcome": "y"}, ["outcome=y"])[0].outcome == "y"


def test_counts_of_one_are_singular() -> None:
    """Nouns and verbs agree, in refusals and in notes."""
    low = FRAME["y"].abs() + 1
    assert "1 of 600 values of column 'y' is zero and has no" in refusal(
        FRAME.assign(y=low.where(FRAME.index != 3, 0)), outcome="log(y)"
    )
    assert "drops 1 row." in refusal(pd.concat([FRAME, FRAME.head(1)]))
    treated = (FRAME["cohort"] > 0) & (FRAME["time"] >= FRAME["cohort"])
    back = treated & ~((FRAME["unit"] == 2) & (FRAME["time"] == 9))
    text = refusal(FRAME.assign(d=back.astype(int)).drop(columns="cohort"), cohort_from="d")
    assert "returns to 0 in unit 2 at time 9" in text
    assert "treat this unit as adopting permanently in its first period with 1" in text
    half = FRAME["cohort"] + 0.5 * (FRAME["unit"] == 2)
    assert "1 unit has a cohort in 'cohort' that is not a whole number, for example 4.5" in refusal(
        FRAME.assign(cohort=half)
    )
    early = FRAME.assign(cohort=np.where(FRAME["unit"] == 2, 1, FRAME["cohort"]))
    for estimator in ("callaway_santanna", "stacked", "imputation", "etwfe"):
        notes = rp.estimate(early, outcome="y", estimator=estimator).notes
        assert any("it is treated in or before the first period (1) and has no" in note for note in notes)


def test_a_verdict_without_committed_numbers_claims_none() -> None:
    """Files that are compared with nothing in ``expected/`` are not counted as agreeing with it."""
    text = report(
        [Verdict("jobs", "tables/main.md", 1, 0, "", "are reproduced exactly from the saved estimates")]
    )
    assert text == "1 of 1 files are reproduced exactly from the saved estimates"


def test_a_heading_is_found_by_its_words() -> None:
    """Hyphens and case do not matter; a number suggests no other number."""
    keys = [Key("1", "(1)", "Baseline"), Key("2", "(2)", "Region-by-year FE")]
    assert find(keys, "Region by year", "column").key == "2"
    with pytest.raises(rp.InputError, match=r"no column '\(9\)'\. There are"):
        find(keys, "(9)", "column")
    with pytest.raises(rp.InputError, match="did you mean '2'"):
        find(keys, "Year by region", "column")


@pytest.mark.parametrize(
    ("name", "place"),
    [("p.csv", "line 7 of the file"), ("p.csv.gz", "line 7 of the file"), ("p.xlsx", "line 7 of the file")],
)
def test_a_cell_of_a_file_is_located_by_its_line(tmp_path: Path, name: str, place: str) -> None:
    """As a text editor or a spreadsheet counts, the header being line 1."""
    years = (FRAME["time"] + 2000).astype(str)
    years[5] = "20x4"
    path = tmp_path / name
    write = FRAME.assign(year=years).to_excel if name.endswith("xlsx") else FRAME.assign(year=years).to_csv
    write(path, index=False)
    with pytest.raises(rp.InputError, match=f"'20x4' .{place}, for unit 1"):
        rp.read_panel(path, outcome="y", time="year")


def test_rows_are_counted_where_lines_would_mislead(tmp_path: Path) -> None:
    """A blank line is no row of the data, so that lines and rows part."""
    years = (FRAME["time"] + 2000).astype(str)
    years[5] = "20x4"
    text = FRAME.assign(year=years).to_csv(index=False)
    path = tmp_path / "p.csv"
    path.write_text(text.replace("\n", "\n\n", 2))
    with pytest.raises(rp.InputError, match=r"'20x4' .row 6, for unit 1"):
        rp.read_panel(path, outcome="y", time="year")


def test_years_that_were_called_quarters_are_named() -> None:
    text = refusal(FRAME.assign(year=FRAME["time"] + 2000), time="year", time_format="quarter")
    assert "Column 'year' holds years (2001, 2002, ...), not quarters. Leave out" in text


def test_an_outcome_of_text_is_no_category() -> None:
    assert "_by_time" not in refusal(FRAME.assign(y="high"))
    assert "_by_time" in refusal(FRAME.assign(region="R"), covariates=["region"])


@pytest.mark.parametrize(
    "estimator", ["callaway_santanna", "sun_abraham", "imputation", "two_stage", "etwfe", "event_study"]
)
def test_anticipation_that_leaves_no_pre_treatment_period_is_what_the_refusal_names(estimator: str) -> None:
    message = refusal(FRAME, estimator=estimator, anticipation=9)
    assert "'anticipation'" in message
    assert "ever treated" not in message


@pytest.mark.parametrize(
    "estimator",
    [
        "callaway_santanna",
        "sun_abraham",
        "imputation",
        "two_stage",
        "etwfe",
        "stacked",
        "local_projections",
        "dcdh",
        "synthetic_did",
    ],
)
def test_treated_units_that_are_all_treated_in_the_first_period_are_counted(estimator: str) -> None:
    always = FRAME.assign(cohort=np.where(FRAME["cohort"] > 0, 1, 0))
    message = refusal(always, estimator=estimator)
    assert "All 45 treated units are treated in or before the first period (1), so none of them" in message


def with_reversal() -> pd.DataFrame:
    """The simulated panel with a treatment column that returns to 0 in the last period."""
    on = (FRAME["cohort"] > 0) & (FRAME["time"] >= FRAME["cohort"]) & (FRAME["time"] < FRAME["time"].max())
    return FRAME.assign(d=on.astype(int))


@pytest.mark.parametrize(
    "sample",
    [{"years": [1, 9]}, {"periods": [1, 9]}, {"drop": {"time": [10]}}, {"where": {"time": [*range(1, 10)]}}],
)
def test_a_reversal_outside_the_sample_is_none(sample: dict[str, Any]) -> None:
    frame = with_reversal()
    told = refusal(frame.drop(columns="cohort"), cohort_from="d")
    assert "end the sample before, or use `--set reversals=allow`" in told
    cut = rp.estimate(frame.drop(columns="cohort"), outcome="y", cohort_from="d", sample=sample)
    expected = rp.estimate(FRAME[FRAME["time"] < 10], outcome="y")
    assert cut.att == expected.att
    assert not any("returns to 0" in note for note in cut.notes)


def test_a_sample_that_starts_late_keeps_the_date_of_adoption_and_the_reversal() -> None:
    """The cohort is read from the whole file, and a reversal inside the sample is refused."""
    frame = with_reversal().drop(columns="cohort")
    panel = rp.read_panel(frame, outcome="y", cohort_from="d", sample={"years": [5, 9]})
    assert set(panel.cohort) == {0, 4, 6, 8}
    late = refusal(frame, cohort_from="d", sample={"years": [9, 10]})
    assert "'d' returns to 0 in 45 units, for example unit" in late
    assert "at time 10" in late


def test_rows_that_a_sample_cannot_name_are_removed_as_proposed() -> None:
    weighted = FRAME.assign(w=np.where(FRAME.index == 7, -1.0, np.where(FRAME.index == 9, np.nan, 2.0)))
    signed = FRAME.assign(y=FRAME["y"].where(FRAME.index != 3, -2.0).abs().where(FRAME.index != 3, -2.0))
    endless = FRAME.assign(y=FRAME["y"].where(FRAME.index != 3, np.inf))
    for frame, keys in (
        (weighted, {"weights": "w"}),
        (signed, {"outcome": "log(y)"}),
        (endless, {}),
    ):
        told = refusal(frame, **keys)
        assert "'sample'" not in told
        code = told.partition("(in Python `")[2].partition("`")[0]
        left = eval(code, {"frame": frame, "np": np})
        assert 0 < len(frame) - len(left) < 5
        rp.estimate(left, **{"outcome": "y", "unbalanced": "pairwise", **keys})


def test_missing_values_that_a_sample_drops_are_found() -> None:
    frame = FRAME.assign(w=FRAME["size"].where(FRAME.index != 5))
    fit = rp.estimate(frame, outcome="y", weights="w", sample={"drop": {"w": [np.nan]}})
    assert not any("names nan" in note for note in fit.notes)
    assert "1 of 600 unit-periods is not observed" in "; ".join(fit.notes)
    none = rp.estimate(FRAME, outcome="y", sample={"drop": {"size": [np.nan]}})
    assert "'sample.drop' names nan, which column 'size' does not have" in none.notes


def test_data_without_rows_are_refused_as_such() -> None:
    assert (
        refusal(FRAME.iloc[:0])
        == "The data have columns and no rows. Pass data with a row per unit and period."
    )


def test_the_notes_of_a_result_count_one_in_the_singular() -> None:
    fit = rp.estimate(FRAME.drop(index=5), outcome="y", unbalanced="pairwise")
    assert not any(note.startswith("1 of 600 unit-periods are") for note in fit.notes)
    assert any(note.startswith("1 of 600 unit-periods is") for note in fit.notes)


def test_too_few_draws_name_the_interval_or_the_p_value() -> None:
    told = refusal(FRAME, inference={"method": "permutation", "draws": 5})
    assert told.startswith("5 draws are too few for a p-value below 0.05.")
    told = refusal(FRAME, inference={"method": "bootstrap", "draws": 30})
    assert told.startswith("30 draws are too few for a 95% percentile interval.")
