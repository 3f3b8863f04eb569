"""Every cell of every table and every point of every figure has a trace that prints as the cell prints."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest

from replication.cli import main
from replication.core import saved_results
from replication.core.errors import SpecError
from replication.core.fingerprints import file_digest
from replication.display.formatting import MINUS
from replication.report.trace import traces as module
from replication.report.trace.trace_keys import cell_key, column_keys, row_keys, unique
from replication.report.trace.trace_text import _raw, flow_line
from replication.report.trace.traces import StudyTraces, trace_cell, trace_point, write_traces
from replication.workflow.steps import step

from .printed_numbers import prints_as

ROOT = Path(__file__).parents[2]
SCHEMA = Path(module.__file__).with_name("trace_schema.json")
CASTLE = "castle_doctrine"
STEPS = ("clean", "estimate", "check", "analyze")
WITH_RAW = (
    "right_to_carry",
    "police_training",
    "shall_issue",
    "secure_communities",
    "secure_communities_homicides",
)


def artificial_project(root: Path, *studies: str) -> Path:
    """A project with some of the studies, their numbers made by its steps."""
    for name in ("Snakefile", "config.yaml", "environment.yaml"):
        shutil.copy(ROOT / name, root / name)
    (root / "data_raw").mkdir()
    shutil.copytree(ROOT / "data_raw" / "typed", root / "data_raw" / "typed")
    shutil.copy(ROOT / "data_raw" / "sources.yaml", root / "data_raw")
    shutil.copytree(ROOT / "studies", root / "studies", ignore=shutil.ignore_patterns("__pycache__"))
    for place in (root / "studies").glob("*/study.yaml"):
        # Recipes build on each other; a folder without study.yaml is no study.
        if place.parent.name not in studies:
            place.unlink()
    for study in studies:
        for name in STEPS:
            assert step(name, study, root, threads=2, log=None) == 0
    return root


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return artificial_project(tmp_path_factory.mktemp("traced"), CASTLE)


def walk(root: Path, study: str) -> int:
    """Hold every cell of a study against its trace; returns how many there are."""
    found = StudyTraces(root, root / "studies" / study)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    count = 0
    # Tables print names of states where the files have their codes.
    regions = pd.read_csv(ROOT / "data_raw" / "typed" / "census_regions.csv", dtype=str)
    codes = {
        name: str(int(row["state_fips"])) if study == "secure_communities_homicides" else row["postal"]
        for name, row in regions.set_index("state").iterrows()
    }
    for entry in (*found.study.tables, *found.study.figures):
        traced = found.traced(entry)
        every = list(traced.cells())
        keys = [cell_key(row, column) for row, column, _ in every]
        assert len(set(keys)) == len(keys), entry.id
        jsonschema.validate(json.loads(json.dumps(found.file(traced))), schema)
        for (row, column, shown), key in zip(every, keys, strict=True):
            cell = found.cell(traced, shown)
            named = tuple(codes.get(name, name) for name in shown.printed)
            assert traced.points or prints_as(shown.printed, cell) or prints_as(named, cell), (entry.id, cell)
            assert cell.get("expected", {}).get("equal", True), (entry.id, key, cell)
            assert traced.points == (column is None), row
        count += len(every)
    return count


def test_every_number_of_the_castle_study_is_traced(project: Path) -> None:
    # 16 cells of published values times 6, 4 columns of the homicide table, 8 rows of estimators, 40 points.
    assert walk(project, CASTLE) > 200


@pytest.mark.slow
def test_every_number_of_the_simulated_study_is_traced(tmp_path: Path) -> None:
    study = "secure_communities_simulated"
    assert walk(artificial_project(tmp_path, study), study) > 1_000


@pytest.mark.slow
@pytest.mark.parametrize("study", WITH_RAW)
def test_every_number_of_studies_with_raw_files_is_traced(study: str, mirror: Path, tmp_path: Path) -> None:
    assert walk(artificial_project(tmp_path, study), study) > 100


def test_a_cell_leads_to_its_specification_panel_and_raw_files(project: Path) -> None:
    found = trace_cell(project, "homicide", "castle doctrine law", "Region-by-year FE", study=CASTLE)
    saved, record = saved_results.load(project / "tables" / CASTLE / "specs" / "castle_region__log_homicide")
    assert (found.value, found.shown.std_error) == saved.att
    assert found.cell["second_engine"]["value"] == pytest.approx(found.value, abs=1e-8)
    assert found.cell["expected"]["equal"] is True
    spec = found.shared["specifications"][found.cell["specification"]]
    assert spec["sample"]["clustered_by"] == "state"
    assert r"\mu_{\text{region}(i),t}" in spec["latex"]
    panel = found.shared["panels"][spec["panel"]]
    assert panel["sha256"] == file_digest(project / panel["file"])
    raw = found.shared["recipes"][panel["recipe"]]["raw"]
    assert "typed_castle_doctrine_adoption" in raw
    assert "typed_right_to_carry_adoption" not in raw
    typed = found.shared["raw"]["typed_castle_doctrine_adoption"]
    assert typed["sha256"] == file_digest(project / typed["file"])
    assert record["spec"]["id"] == found.cell["specification"]


def test_the_command_of_a_cell_computes_its_number(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = trace_cell(
        project, "estimators", "homicide log rate callaway-sant'anna unweighted", "estimate", study=CASTLE
    )
    monkeypatch.chdir(project)
    program, *words = shlex.split(found.command)
    assert program == "replication"
    assert main(words) == 0
    again, _ = saved_results.load(project / words[words.index("--out") + 1])
    assert again.att[0] == pytest.approx(found.value, rel=1e-12)
    assert "castle_group_time__log_homicide__none" in capsys.readouterr().out


def test_published_values_lead_to_the_line_that_has_them(project: Path) -> None:
    label = "region-by-year fixed effects, controls and state"
    found = trace_cell(project, "published", label, "cheng", study=CASTLE)
    assert (found.value, found.cell["origin"]) == ("0.100", "published")
    lines = (project / found.cell["file"]).read_text(encoding="utf-8").splitlines()
    assert ",0.100," in lines[found.cell["line"] - 1]
    assert found.cell["published"]["secondary"] is False


def test_a_point_is_a_row_of_the_estimates(project: Path) -> None:
    found = trace_point(project, "event_study", "homicide-log-rate.twfe-minus-2")
    saved, _ = saved_results.load(project / "tables" / CASTLE / "specs" / "castle_event__log_homicide")
    path = saved.rows("event").set_index("event_time")
    assert found.value == path.at[-2.0, "estimate"]
    assert found.cell["row"] == "event:-2"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("homicide", "nothing", "(1)"), "There is no row 'nothing'.*Castle doctrine law"),
        (("homicide", "castle doctrine law", "(9)"), "There is no column '\\(9\\)'.*Region-by-year FE"),
        (("estimators", "callaway", "estimate"), "4 rows match 'callaway'"),
        (("homicides", "estimate", "1"), "no table or figure 'homicides' .did you mean 'homicide'"),
        (("event_study", "twfe", "1"), "is a figure"),
    ],
)
def test_what_is_not_there_is_refused_with_what_there_is(
    project: Path, words: tuple[str, str, str], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        trace_cell(project, *words)


def test_the_command_line_shows_full_digits_and_data(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    found = trace_cell(project, "homicide", "castle doctrine law", "1")
    assert main(["trace", "homicide", "Castle doctrine law", "(1)"]) == 0
    text = capsys.readouterr().out
    assert f"{found.value:.15g}" in text
    assert "replication estimate studies/castle_doctrine" in text
    assert main(["trace", "homicide", "CASTLE", "state and", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cell"] == found.cell
    assert main(["trace", "homicide"]) == 0
    assert "mean-of-dependent-variable" in capsys.readouterr().out
    assert main(["trace", "homicide", "no such row", "1"]) == 2


def test_every_raw_file_has_its_source() -> None:
    raw = {
        name: {"file": f"{name}.csv", "sha256": "0", "citation": citation, "publisher": "One publisher"}
        for name, citation in (("a", "Volume 1"), ("b", "Volume 2"), ("c", "Volume 2"), ("d", "Volume 1"))
    }
    lines = list(_raw(["a", "b", "c", "d"], {"raw": raw}))
    assert [words for label, words in lines if label.strip() == "source"] == [
        *("Volume 1", "Volume 2", "the same", "Volume 1"),
    ]
    assert [label.strip() for label, _ in lines if label] == ["raw file", "source"] * 4
    raw["a"]["file"] = "data_raw/typed/a.csv"
    assert next(iter(_raw(["a"], {"raw": raw}))) == ("hand-entered", "data_raw/typed/a.csv")


def test_rows_of_a_ready_panel_are_those_of_its_file() -> None:
    assert flow_line({"rule": "rows of panel", "rows": 1202}) == "- panel: 1,202 rows, as in the file"
    line = flow_line({"step": 1, "rule": "complete years", "rows_before": 10, "rows_after": 8})
    assert line == "- complete years (rows: 10 before, 8 after)"


def test_files_hold_every_key_of_the_printed_table(project: Path, tmp_path: Path) -> None:
    from replication.report.tables import build

    written = write_traces(project, tmp_path)
    assert [path.stem for path in written] == ["published", "homicide", "estimators", "event_study"]
    found = StudyTraces(project, project / "studies" / CASTLE)
    document = build(found.study.tables[1], found.context)
    data: dict[str, Any] = json.loads((tmp_path / CASTLE / "homicide.json").read_text(encoding="utf-8"))
    assert set(data["cells"]) == {
        cell_key(row, column) for row in row_keys(document) for column in column_keys(document)
    }
    # Whatever a cell refers to is described.
    for cell in data["cells"].values():
        assert cell["specification"] in data["shared"]["specifications"]


def test_keys_are_unique_readable_and_keep_signs() -> None:
    lead = f"TWFE {MINUS}2"
    keys = unique([("A", lead), ("B", lead), ("B", lead), ("", "95% low"), ("", "*")])
    assert [key.key for key in keys] == [
        "a.twfe-minus-2",
        "b.twfe-minus-2",
        "b.twfe-minus-2.2",
        "95-low",
        "blank",
    ]
    assert all(re.fullmatch(r"[a-z0-9.-]+", key.key) for key in keys)
