"""``replication verify`` finds a changed cell, a lost row, a lost column and a lost file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from replication.checks.compare_numbers import report, verify, write_expected
from replication.cli import main


@pytest.fixture
def root(tmp_path: Path) -> Path:
    table = pd.DataFrame({"row": ["att", "event"], "estimate": [0.123456789, -1e-12], "n": [5, 6]})
    for place in ("tables", "figures"):
        (tmp_path / place / "s").mkdir(parents=True)
        table.to_csv(tmp_path / place / "s" / "t.csv", index=False)
    assert len(write_expected(tmp_path, "s")) == 2
    return tmp_path


def change(root: Path, edit) -> str:
    path = root / "tables" / "s" / "t.csv"
    edit(pd.read_csv(path)).to_csv(path, index=False)
    verdicts = verify(root, ["s"])
    assert [v.passed for v in verdicts] == [True, False]
    return report(verdicts)


def test_unchanged_outputs_pass(root: Path) -> None:
    verdicts = verify(root, ["s"])
    assert all(verdict.passed and verdict.cells == 6 for verdict in verdicts)
    assert "2 of 2 files agree" in report(verdicts)


def test_last_digits_may_differ(root: Path) -> None:
    path = root / "tables" / "s" / "t.csv"
    frame = pd.read_csv(path)
    frame["estimate"] += [1e-8, 1e-12]
    frame.to_csv(path, index=False)
    assert all(verdict.passed for verdict in verify(root, ["s"]))


def test_a_changed_number_is_named(root: Path) -> None:
    output = change(root, lambda f: f.assign(estimate=[0.123457, -1e-12]))
    assert "FAIL  s/tables/t.csv  1 of 6 cells: line 2 of the file, estimate" in output
    assert "'0.123456789'" in output
    assert "1 of 2 files agree" in output


def test_changed_text_a_lost_row_and_a_lost_column_are_named(root: Path) -> None:
    assert "line 2 of the file, row: expected 'att', found 'ATT'" in change(
        root, lambda f: f.assign(row=["ATT", "event"])
    )
    assert "columns differ: n" in change(root, lambda f: f.drop(columns="n"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("row,estimate,n\natt,1\n", "row 2 has 2 cells, the header 3"),
        ("", "it has no header"),
        ("row,estimate,n\natt,\udcff,2\n", "can't decode byte 0xff"),
    ],
)
def test_a_file_that_is_no_table_is_named(root: Path, text: str, why: str) -> None:
    (root / "tables" / "s" / "t.csv").write_text(text, encoding="utf-8", errors="surrogateescape")
    refused = verify(root, ["s"])[1]
    assert not refused.passed
    assert why in refused.message
    assert "Run the pipeline again" in refused.message


def test_a_lost_row_is_named(root: Path) -> None:
    assert "1 rows where 2 are expected" in change(root, lambda f: f.iloc[:1])


def test_a_lost_file_and_an_unknown_study_fail(root: Path) -> None:
    (root / "figures" / "s" / "t.csv").unlink()
    assert "the file was not written" in report(verify(root, ["s"]))
    assert not verify(root, ["other"])[0].passed


@pytest.fixture
def estimates(tmp_path: Path) -> Path:
    frame = pd.DataFrame(
        {
            "spec_id": ["a", "a", "a", "b"],
            "term": ["att", "event", "att_gt", "att"],
            "event_time": ["", "-2", "-2", ""],
            "estimate": [1.0, 2.0, 3.0, 4.0],
            "band_low": [0.5, 1.5, 2.5, 3.5],
        }
    )
    (tmp_path / "tables" / "s").mkdir(parents=True)
    frame.to_csv(tmp_path / "tables" / "s" / "t.csv", index=False)
    write_expected(tmp_path, "s")
    return tmp_path


def message(root: Path, edit) -> str:
    path = root / "tables" / "s" / "t.csv"
    edit(pd.read_csv(path, dtype={"event_time": str})).to_csv(path, index=False)
    return report(verify(root, ["s"]))


def test_a_row_of_estimates_is_named_by_its_keys(estimates: Path) -> None:
    output = message(estimates, lambda f: f.assign(band_low=f["band_low"] * (f["term"] != "event")))
    assert "1 of 15 cells: a event -2, band_low: expected '1.5', found '0.0'" in output
    assert "cells that differ: band_low (1)" in output


def test_the_order_of_rows_is_free_and_others_are_counted(estimates: Path) -> None:
    assert "1 of 1 files agree" in message(estimates, lambda f: f.iloc[::-1])
    more = pd.DataFrame([{"spec_id": "c", "term": "att", "estimate": 1.0, "band_low": 0.0}])
    output = message(estimates, lambda f: pd.concat([f[f["spec_id"] != "b"], more]))
    assert "10 of 10 cells: 1 rows are missing, such as b att" in output
    assert "1 rows are not expected, such as c att" in output


def test_rows_may_be_named_by_the_specification_alone(tmp_path: Path) -> None:
    (tmp_path / "tables" / "s").mkdir(parents=True)
    frame = pd.DataFrame({"spec_id": ["a", "b"], "printed": ["0.1", "0.2"]})
    frame.to_csv(tmp_path / "tables" / "s" / "t.csv", index=False)
    write_expected(tmp_path, "s")
    assert verify(tmp_path, ["s"])[0].passed
    frame.assign(printed=["0.1", "0.3"]).to_csv(tmp_path / "tables/s/t.csv", index=False)
    assert "b, printed: expected '0.2', found '0.3'" in report(verify(tmp_path, ["s"]))


def test_an_unknown_study_and_a_mirror_that_is_not_there_are_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("REPLICATION_MIRROR", raising=False)
    assert main(["verify", "castle_doctrin"]) == 2
    assert "There is no study 'castle_doctrin'" in capsys.readouterr().err
    monkeypatch.setenv("REPLICATION_MIRROR", str(tmp_path / "nowhere"))
    assert main(["verify"]) == 2
    assert "nowhere, which is not a folder" in capsys.readouterr().err


def test_ends_of_an_interval_are_held_by_its_length(estimates: Path) -> None:
    """A band that ends near zero on another processor: 1e-8 of a length of one."""
    path = estimates / "tables" / "s" / "t.csv"
    frame = pd.read_csv(path, dtype={"event_time": str}).assign(
        band_low=[0.001, 1.5, 2.5, 3.5], band_high=[1.001, 2.5, 3.5, 4.5]
    )
    frame.to_csv(path, index=False)
    write_expected(estimates, "s")
    assert "1 of 1 files" in message(estimates, lambda f: f.assign(band_low=f["band_low"] + 5e-6))
    output = message(estimates, lambda f: f.assign(band_high=f["band_high"] + 2e-5))
    assert "cells that differ: band_high (3)" in output
    assert "estimate (3)" in message(estimates, lambda f: f.assign(estimate=f["estimate"] + 5e-5))
