"""``replication verify`` finds a changed cell, a lost row, a lost column and a lost file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from replication.pipeline.verify import report, verify, write_expected


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
    said = change(root, lambda f: f.assign(estimate=[0.123457, -1e-12]))
    assert "FAIL  s/tables/t.csv  1 of 6 cells: row 2, estimate" in said
    assert "'0.123456789'" in said
    assert "1 of 2 files agree" in said


def test_changed_text_a_lost_row_and_a_lost_column_are_named(root: Path) -> None:
    assert "row 2, row: expected 'att', found 'ATT'" in change(
        root, lambda f: f.assign(row=["ATT", "event"])
    )
    assert "columns differ: n" in change(root, lambda f: f.drop(columns="n"))


def test_a_lost_row_is_named(root: Path) -> None:
    assert "1 rows where 2 are expected" in change(root, lambda f: f.iloc[:1])


def test_a_lost_file_and_an_unknown_study_fail(root: Path) -> None:
    (root / "figures" / "s" / "t.csv").unlink()
    assert "the file was not written" in report(verify(root, ["s"]))
    assert not verify(root, ["other"])[0].passed
