"""What is made again and what is kept: deleted outputs, edited inputs, steps that failed."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
import yaml
from small_project import make_project, run, steps

from replication.core import saved_results
from replication.core.errors import SpecError
from replication.core.fingerprints import Ledger
from replication.workflow import estimate_step
from replication.workflow.project import read_study
from replication.workflow.steps import step
from replication.workflow.study_specs import study_specs

NOTHING = "Nothing to do: every table and figure is up to date."


def replace_in(path: Path, old: str, new: str) -> None:
    """Edit a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_second_run_has_nothing_to_do(project: Path) -> None:
    again = run(project)
    assert again.returncode == 0
    assert again.stdout.startswith(NOTHING)


def test_a_run_prints_its_own_lines_and_none_of_a_library(project: Path) -> None:
    """What one step imports must not make another library talk in the next one."""
    (project / "figures/first/path.pdf").unlink()
    done = run(project)
    assert done.stderr == ""
    assert "1 figure drawn" in done.stdout
    assert not [line for line in done.stdout.splitlines() if line.startswith(("INFO", "DEBUG", "WARNING"))]


@pytest.mark.parametrize(
    ("gone", "artificial"),
    [
        ("figures/first/path.pdf", {"first figures", "all studies"}),
        ("tables/first/others.tex", {"first tables", "all studies"}),
        ("tables/first/second_engine.csv", {"first check", "first tables"}),
        ("tables/first/estimates.csv", {"first gather"}),
        ("tables/first/specs/first_events/vcov.csv", {"first estimate", "first gather"}),
        ("data_clean/first/panel.parquet", {"first clean"}),
        ("data_clean/first/codebook.csv", {"first clean"}),
        ("report/first/data/explorer.js", {"first page", "all studies"}),
        ("report/index.html", {"all studies"}),
    ],
)
def test_a_deleted_output_is_made_again_and_no_other_study_is_touched(
    finished: Path, project: Path, gone: str, artificial: set[str]
) -> None:
    (project / gone).unlink()
    again = run(project)
    assert again.returncode == 0, again.stdout + again.stderr
    assert (project / gone).read_bytes() == (finished / gone).read_bytes()
    done = {name.replace("all studies report", "all studies") for name in steps(again.stdout)}
    assert done >= artificial
    assert not any(name.startswith("second ") for name in done)
    assert run(project).stdout.startswith(NOTHING)


def test_one_deleted_table_is_written_alone(project: Path) -> None:
    (project / "tables/first/others.tex").unlink()
    assert "first                        tables    1 table written, 1 unchanged" in run(project).stdout


def test_an_edited_specification_is_followed_to_what_shows_it(project: Path) -> None:
    replace_in(project / "studies/first/specs/events.yaml", "[-3, 2]", "[-2, 2]")
    output = run(project).stdout
    assert output.count("1 specification estimated") == 1
    assert "first                        tables    1 table written, 1 unchanged" in output
    assert "first                        figures   1 figure drawn, 0 unchanged" in output
    assert not any(name.startswith("second ") for name in steps(output))
    assert pd.read_csv(project / "figures/first/path.csv")["event_time"].min() == -2


def test_an_edit_that_keeps_the_time_of_the_file_counts(project: Path) -> None:
    """A checkout or a synchronized folder may give an edited file an earlier time."""
    place = project / "studies/first/specs/events.yaml"
    times = (place.stat().st_atime_ns, place.stat().st_mtime_ns)
    replace_in(place, "[-3, 2]", "[-2, 2]")
    os.utime(place, ns=times)
    assert "1 specification estimated" in run(project).stdout


def test_an_edited_title_is_printed_without_estimating(project: Path) -> None:
    replace_in(project / "studies/first/figures.yaml", "title: Path", "title: The path")
    output = run(project).stdout
    assert "first                        figures   1 figure drawn" in output
    assert "1 specification estimated" not in output
    assert "The path" in (project / "report/first/index.html").read_text(encoding="utf-8")


def test_what_a_failed_step_left_is_made_once_the_mistake_is_mended(project: Path) -> None:
    place = project / "studies/first/specs/events.yaml"
    replace_in(place, "outcome: log_rate", "outcome: lograte")
    failed = run(project)
    assert failed.returncode != 0
    assert "first: estimate: first_events: " in failed.stderr
    assert "'log_rate'" in failed.stderr
    assert "Traceback" not in failed.stdout + failed.stderr
    replace_in(place, "outcome: lograte", "outcome: log_rate")
    mended = run(project)
    assert mended.returncode == 0, mended.stderr
    assert (project / "tables/first/estimates.csv").is_file()
    assert run(project).stdout.startswith(NOTHING)


def test_the_other_study_goes_on_after_a_step_failed(fresh: Path) -> None:
    replace_in(fresh / "studies/first/specs/events.yaml", "outcome: log_rate", "outcome: lograte")
    failed = run(fresh)
    assert failed.returncode != 0
    assert (fresh / "figures/second/path.pdf").is_file()
    assert "second tables" in steps(failed.stdout)


@pytest.fixture
def study_root(tmp_path: Path) -> Path:
    """A project whose first study is cleaned."""
    root = make_project(tmp_path / "project")
    assert step("clean", "first", root, threads=1, log=None) == 0
    return root


def test_a_specification_edited_while_it_is_estimated_is_estimated_again(
    study_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = study_root / "studies/first/specs/events.yaml"
    real, calls = estimate_step.run, []

    def edited_meanwhile(tasks: list[estimate_step.Task], threads: int) -> None:
        calls.append([task.spec.id for task in tasks])
        real(tasks, threads)
        if len(calls) == 1:
            replace_in(place, "[-3, 2]", "[-2, 2]")

    monkeypatch.setattr(estimate_step, "run", edited_meanwhile)
    study = read_study(study_root / "studies/first", study_root)
    estimated, _ = estimate_step.estimate_study(study, study_root)
    assert sorted(calls[0]) == sorted(spec.id for spec in study_specs(study))
    assert calls[1] == ["first_events"]
    assert estimated == 6
    record = yaml.safe_load((study_root / "tables/first/specs/first_events/spec.yaml").read_text())
    assert record["spec"]["window"] == [-2, 2]
    rows = pd.read_csv(study_root / "tables/first/estimates.csv").query("spec_id == 'first_events'")
    assert rows["event_time"].min() == -2
    assert all(task.is_current for task in estimate_step.plan_tasks(study, study_root))
    notes = Ledger.read(study_root / study.part_output(1, 1))
    assert "first_events" in notes.entries
    assert notes.changed() == [], "the notes hold the digests of what was estimated last"


def test_a_study_that_is_edited_without_end_is_refused(
    study_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = study_root / "studies/first/specs/events.yaml"
    real = estimate_step.write_bundle

    def edited(path: Path, folders: list[Path]) -> None:
        real(path, folders)
        place.write_text(place.read_text() + "# edited\n")

    monkeypatch.setattr(estimate_step, "write_bundle", edited)
    study = read_study(study_root / "studies/first", study_root)
    with pytest.raises(SpecError, match="each time its specifications or its panels were changed"):
        estimate_step.gather_study(study, study_root)


def test_parts_are_disjoint_and_give_the_same_bytes_as_the_whole(study_root: Path) -> None:
    study = read_study(study_root / "studies/first", study_root)
    estimate_step.estimate_study(study, study_root)
    bundle = study_root / "tables/first/estimates.csv"
    whole = bundle.read_bytes()
    for task in estimate_step.plan_tasks(study, study_root):
        for path in saved_results.files_of(task.folder):
            path.unlink()
    counts = [estimate_step.estimate_part(study, study_root, part, 3) for part in (3, 1, 2)]
    assert [kept for _, kept in counts] == [0, 0, 0]
    assert sum(artificial for artificial, _ in counts) == 5
    assert estimate_step.gather_study(study, study_root) == (0, 5)
    assert bundle.read_bytes() == whole
    with pytest.raises(SpecError, match="no part 4 of 3"):
        estimate_step.estimate_part(study, study_root, 4, 3)
