"""A study is added by adding a folder: no line of the package changes, and no Python is needed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from template_panel import EFFECT, PLACE, template_panel

from replication.core.study_folder import study_folders
from replication.report.study_config import load_study
from replication.workflow import project
from replication.workflow.steps import STEPS, step

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "studies" / "_template"
ORDER = ("clean", "estimate", "analyze", "check", "tables", "figures")
STUDY = """
id: added
title: Added
panels:
  panel: {file: panel.csv, keys: [place, year], labels: {place: Place, y: An outcome}}
outcomes: {y: {label: Outcome, unit: points}}
"""
SPEC = """
id: added_events
study: added
outcome: y
estimator: event_study
unit: place
window: [-3, 2]
time: year
cohort: first
"""
TABLES = """
- id: effects
  title: Effects
  kind: regression
  columns: [added_events]
"""
FIGURES = """
- id: path
  title: Path
  kind: event_study
  panels: [{series: [added_events]}]
"""


def panel() -> pd.DataFrame:
    """The panel of the template with columns of every type, some of their values missing."""
    artificial = template_panel().rename(columns={"district": "place", "adopted": "first", "log_rate": "y"})
    return artificial.assign(
        note=artificial["province"].where(artificial["year"] > 2012),
        share=(artificial["year"] / 3000).where(artificial["year"] > 2011),
        big=artificial["population"] > 90_000,
        day="2010-02-01",
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one study and no raw data at all."""
    folder = tmp_path / "studies" / "added"
    (folder / "specs").mkdir(parents=True)
    for name, text in (
        ("study.yaml", STUDY),
        ("tables.yaml", TABLES),
        ("figures.yaml", FIGURES),
        ("specs/events.yaml", SPEC),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    panel().to_csv(folder / "panel.csv", index=False)
    (tmp_path / "Snakefile").touch()
    shutil.copy(ROOT / "config.yaml", tmp_path / "config.yaml")
    return tmp_path


def run(name: str, study: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = step(name, study, root, threads=1, log=None)
    assert code == 0, capsys.readouterr().err


def test_a_folder_with_a_csv_runs_to_its_figure(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [study.id for study in project.runnable(root)] == ["added"]
    planned = project.study(root, "added")
    assert planned.summary_outputs() == []
    assert set(project.raw_files(planned)) == {"studies/added/study.yaml", "studies/added/panel.csv"}
    for name in ORDER:
        run(name, "added", root, capsys)
    run("page", "added", root, capsys)
    run("report", "", root, capsys)
    outputs = [*planned.clean_outputs(), *planned.table_outputs(), *planned.figure_outputs()]
    assert [name for name in outputs if not (root / name).is_file()] == []
    path = pd.read_csv(root / "figures/added/path.csv").set_index("event_time")["estimate"]
    assert list(path.index) == [-3, -2, -1, 0, 1, 2]
    # The noise of 0.08 in 30 treated districts and 10 others gives this mean a standard error of about 0.02;
    # no effect at all would be 0.1 away.
    assert path[[0, 1, 2]].mean() == pytest.approx(EFFECT, abs=0.05)
    assert "Added" in (root / "report/index.html").read_text(encoding="utf-8")


def test_the_codebook_of_a_ready_panel_describes_what_it_holds(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("clean", "added", root, capsys)
    book = pd.read_csv(root / "data_clean/added/codebook.csv", keep_default_na=False).set_index("name")
    assert book.loc["place", ["label", "unit", "source", "type"]].tolist() == [
        "Place",
        "as in the file",
        "panel.csv",
        "text",
    ]
    kinds = {"year": "whole number", "share": "number", "big": "true or false", "note": "text"}
    assert {name: book.loc[name, "type"] for name in kinds} == kinds
    assert book.loc["note", "missing"] == "120: as in the file"
    assert book.loc["y", "missing"] == "none"
    page = (root / "data_clean/added/codebook.md").read_text(encoding="utf-8")
    assert "400 rows, 10 columns; one row for each `place` and `year`." in page
    written = pd.read_parquet(root / "data_clean/added/panel.parquet")
    assert written["y"].tolist() == panel()["y"].tolist()
    text = (root / "studies/added/study.yaml").read_text(encoding="utf-8")
    (root / "studies/added/study.yaml").write_text(
        text.replace("keys: [place, year], ", ""), encoding="utf-8"
    )
    run("clean", "added", root, capsys)
    assert "400 rows, 10 columns.\n" in (root / "data_clean/added/codebook.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "output"),
    [
        ("file: panel.csv", "file: panle.csv", "There is no panel file"),
        ("file: panel.csv", "file: panel.ods", "'panels.panel.file' is 'panel.ods'"),
        ("file: panel.csv", "fiel: panel.csv", "unknown key 'fiel' (did you mean 'file'?)"),
        ("keys: [place, year]", "keys: [place, yaer]", "there is no column 'yaer' (did you mean 'year'?)"),
        (
            "keys: [place, year]",
            "keys: [province, year]",
            "contain 300 repeated rows by province and year",
        ),
        ("y: An outcome", "z: An outcome", "The panel 'panel' (panel.csv): there is no column 'z'"),
        ("id: added", "id: other", "the id 'other', but its folder is named 'added'"),
    ],
)
def test_ready_panels_are_refused_in_one_paragraph(
    root: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, output: str
) -> None:
    place = root / "studies/added/study.yaml"
    text = place.read_text(encoding="utf-8")
    assert old in text
    place.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert step("clean", "added", root, threads=1, log=None) == 2
    error = capsys.readouterr().err
    assert output in error
    assert error.count("\n") == 1


def test_panels_without_a_recipe_or_a_file_are_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = root / "studies/added/study.yaml"
    place.write_text("id: added\ntitle: Added\npanels: [panel]\nsources: []\n", encoding="utf-8")
    assert step("clean", "added", root, threads=1, log=None) == 2
    assert (
        "studies/added has no cleaning recipe (clean.py) and names no ready panel" in capsys.readouterr().err
    )


def test_a_copy_of_the_template_runs_as_it_is(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(root / "studies" / "added")
    shutil.copytree(TEMPLATE, root / "studies" / "my_study")
    planned = project.study(root, "my_study")
    assert len(planned.summary_outputs()) == 2
    for name in (*ORDER, "summary"):
        run(name, "my_study", root, capsys)
    outputs = [
        *planned.clean_outputs(),
        *planned.analysis_outputs(),
        *planned.table_outputs(),
        *planned.figure_outputs(),
        *planned.summary_outputs(),
    ]
    assert [name for name in outputs if not (root / name).is_file()] == []
    assert set(STEPS) == {*ORDER, "gather", "summary", "traces", "page", "report"}
    output = (root / "report/my_study/summary.md").read_text(encoding="utf-8")
    row = pd.read_csv(root / "tables/my_study/specs/template_group_time/estimates.csv").query("term == 'att'")
    assert row["conf_high"].item() < 0
    assert "the rate fell:" in output
    assert "in 40[^2] districts." in output


def test_the_template_is_no_study_and_its_panel_is_made_by_the_script() -> None:
    assert TEMPLATE not in study_folders(ROOT)
    assert "_template" not in [study.id for study in project.studies(ROOT)]
    pd.testing.assert_frame_equal(pd.read_csv(PLACE), template_panel(), check_dtype=False)


def test_the_template_names_what_is_refused_until_it_is_copied() -> None:
    with pytest.raises(ValueError, match="the id 'my_study', but its folder is named '_template'"):
        load_study(TEMPLATE)
