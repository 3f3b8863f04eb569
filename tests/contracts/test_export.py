"""Exported panels read back as what they were, with names and labels that the other software takes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadr
import pytest

from replication.cleaning.panel_export import export_panel, stata_names
from replication.cli import main
from replication.core.errors import PanelError, SpecError
from replication.workflow.steps import step

ROOT = Path(__file__).parents[2]
LONG = "a_name_that_is_longer_than_stata_takes_of_a_variable"


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "unit": ["a", "b", None],
            "year": [2001, 2002, 2003],
            "large": [2**40, 1, -5],
            "rate": [0.1, np.nan, 1e300],
            "on": [True, False, True],
            "day": pd.to_datetime(["2001-02-03", None, "2003-04-05"]),
            f"{LONG}_one": [1.5, 2.5, 3.5],
            f"{LONG}_two": [4.5, 5.5, 6.5],
            "2 % of it": [7, 8, 9],
        }
    )


def test_stata_names_are_short_plain_and_unique() -> None:
    names = ["a", "a_", "a b", "a-b", "a.b", "1x", "if", "str5", f"{LONG}_one", f"{LONG}_two", LONG[:32]]
    found = stata_names(names)
    assert [found[name] for name in names[:8]] == ["a", "a_", "a_b", "a_b_2", "a_b_3", "_1x", "_if", "_str5"]
    assert found[LONG[:32]] == LONG[:32]
    assert found[f"{LONG}_one"] == f"{LONG[:30]}_2"
    assert found[f"{LONG}_two"] == f"{LONG[:30]}_3"
    assert len(set(found.values())) == len(names)
    assert max(map(len, found.values())) == 32


def test_stata_reads_back(tmp_path: Path) -> None:
    labels = {"rate": "Rate, " + "x" * 90, f"{LONG}_two": "Second"}
    data, beside = export_panel(frame(), labels, tmp_path / "panel.dta")
    back = pd.read_stata(data)
    names = pd.read_csv(beside).set_index("name")["exported"]
    assert names[f"{LONG}_two"] == f"{LONG[:30]}_2"
    assert back["unit"].tolist() == ["a", "b", ""]
    assert back["large"].tolist() == [2**40, 1, -5]
    np.testing.assert_array_equal(back["rate"], frame()["rate"])
    assert back["on"].tolist() == [1, 0, 1]
    assert back["day"].tolist()[0] == pd.Timestamp("2001-02-03")
    assert pd.isna(back["day"][1])
    assert back[names[f"{LONG}_two"]].tolist() == [4.5, 5.5, 6.5]
    with pd.io.stata.StataReader(data) as reader:
        said = reader.variable_labels()
    assert said["rate"] == labels["rate"][:80]
    assert said[names[f"{LONG}_two"]] == "Second"


def test_r_csv_and_parquet_read_back(tmp_path: Path) -> None:
    data, _ = export_panel(frame(), {}, tmp_path / "panel.rds")
    back = pyreadr.read_r(str(data))[None].reset_index(drop=True)
    assert list(back.columns) == list(frame().columns)
    np.testing.assert_array_equal(back["large"].astype(float), frame()["large"])
    np.testing.assert_array_equal(back["rate"], frame()["rate"])
    assert back["unit"].tolist()[:2] == ["a", "b"]
    assert pd.isna(back["unit"][2])
    assert back["on"].astype(bool).tolist() == [True, False, True]
    assert back["day"][0] == "2001-02-03"
    for ending, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        data, beside = export_panel(frame(), {"rate": "Rate"}, tmp_path / f"panel.{ending}")
        back = read(data)
        pd.testing.assert_frame_equal(
            back.drop(columns="day"), frame().drop(columns="day"), check_dtype=False
        )
        assert pd.read_csv(beside).set_index("name")["label"]["rate"] == "Rate"


def test_infinity_is_refused_for_stata_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(PanelError, match="1 value of column 'x' is infinite"):
        export_panel(pd.DataFrame({"x": [1.0, np.inf]}), {}, tmp_path / "panel.dta")
    with pytest.raises(SpecError, match="dta, csv, rds, or parquet"):
        export_panel(frame(), {}, tmp_path / "panel.xls")
    assert list(tmp_path.iterdir()) == []


def test_the_command_exports_with_labels_of_the_codebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "studies" / "_template", tmp_path / "studies" / "my_study")
    (tmp_path / "Snakefile").touch()
    shutil.copy(ROOT / "config.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["export", "my_study", "--to", "dta"]) == 2
    assert "replication run --only data_clean/my_study" in capsys.readouterr().err
    assert step("clean", "my_study", tmp_path, threads=1, log=None) == 0
    assert main(["export", "my_study/district_year", "--to", "dta"]) == 0
    place = tmp_path / "exports" / "my_study" / "district_year.dta"
    panel = pd.read_csv(tmp_path / "studies" / "my_study" / "panel.csv")
    pd.testing.assert_frame_equal(pd.read_stata(place), panel, check_dtype=False)
    with pd.io.stata.StataReader(place) as reader:
        assert reader.variable_labels()["adopted"] == "First year of the law, 0 for never"
    assert main(["export", "my_study", "-o", "here.csv"]) == 0
    pd.testing.assert_frame_equal(pd.read_csv("here.csv"), panel)
    for asked, to, words in (
        ("my_study/distrct_year", "dta", "did you mean 'district_year'"),
        ("my_studi", "dta", "There is no study"),
        ("my_study", "dat", "--to must be dta, csv, rds, or parquet; got 'dat'"),
    ):
        capsys.readouterr()
        assert main(["export", asked, "--to", to]) == 2
        assert words in capsys.readouterr().err
