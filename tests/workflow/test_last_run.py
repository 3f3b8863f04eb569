"""A run that has nothing to do ends before Snakemake starts, and only if no file has changed at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from small_project import run

from replication.sources.manifest import MIRROR
from replication.workflow import last_run
from replication.workflow.last_run import NOTE, closing_if_unchanged, note_run, state_read
from replication.workflow.snakemake_start import SNAKEMAKE_LOG

CLOSING = "Report:  report/index.html"
SPEC = "studies/mine/specs/all.yaml"
FILES = (SPEC, "data_raw/file.csv", "config.yaml", "Snakefile", "tables/mine/a.csv", "report/index.html")


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose last run is noted, and a mirror beside it."""
    root, mirror = tmp_path / "project", tmp_path / "mirror"
    for place in (*(root / name for name in FILES), mirror / "raw.csv"):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("one\n")
    monkeypatch.setenv(MIRROR, str(mirror))
    note_run(root, state_read(root), CLOSING)
    return root


def rewritten(path: Path) -> None:
    """Other bytes of the same number, and the times that the file had."""
    times = path.stat()
    path.write_text("two\n")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_an_unchanged_project_is_recognized(noted: Path) -> None:
    assert closing_if_unchanged(noted) == CLOSING
    cache = noted / "studies" / "mine" / "__pycache__"
    cache.mkdir()
    (cache / "clean.pyc").write_bytes(b"bytecode")
    assert closing_if_unchanged(noted) == CLOSING


@pytest.mark.parametrize("name", [*FILES, "../mirror/raw.csv"])
@pytest.mark.parametrize("change", [rewritten, Path.unlink, os.utime])
def test_a_file_that_was_rewritten_removed_or_touched_is_noticed(
    noted: Path, name: str, change: Callable[[Path], None]
) -> None:
    change(noted / name)
    assert closing_if_unchanged(noted) == ""


@pytest.mark.parametrize("name", ["studies/mine/specs/new.yaml", "data_raw/new.csv", "figures/mine/new.png"])
def test_a_new_file_is_noticed(noted: Path, name: str) -> None:
    (noted / name).parent.mkdir(parents=True, exist_ok=True)
    (noted / name).write_text("")
    assert closing_if_unchanged(noted) == ""


def test_another_mirror_is_noticed(noted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MIRROR)
    assert closing_if_unchanged(noted) == ""


def test_links_in_a_circle_and_broken_ones_are_no_obstacle(noted: Path) -> None:
    (noted / "data_raw" / "circle").symlink_to(noted / "data_raw")
    (noted / "studies" / "nowhere").symlink_to(noted / "absent")
    note_run(noted, state_read(noted), CLOSING)
    assert closing_if_unchanged(noted) == CLOSING
    (noted / "data_raw" / "circle").unlink()
    note_run(noted, state_read(noted), CLOSING)
    (noted / "elsewhere").mkdir()
    (noted / "data_raw" / "linked").symlink_to(noted / "elsewhere")
    note_run(noted, state_read(noted), CLOSING)
    (noted / "elsewhere" / "new.csv").write_text("")
    assert closing_if_unchanged(noted) == ""


def test_with_too_many_files_snakemake_decides(noted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_run, "MOST_FILES", 5)
    assert state_read(noted) == ""
    note_run(noted, "", CLOSING)
    assert closing_if_unchanged(noted) == ""


@pytest.mark.parametrize("text", ["", "{", "[]", '{"read": 1}', json.dumps({"read": "a", "written": "b"})])
def test_a_damaged_note_is_no_note(noted: Path, text: str) -> None:
    (noted / NOTE).write_text(text)
    assert closing_if_unchanged(noted) == ""


def test_a_run_during_which_an_input_changed_is_not_noted(noted: Path) -> None:
    before = state_read(noted)
    rewritten(noted / SPEC)
    note_run(noted, before, CLOSING)
    assert not (noted / NOTE).exists()


def test_snakemake_is_asked_only_after_a_change(project: Path) -> None:
    log = project / SNAKEMAKE_LOG
    first = run(project)
    log.unlink()
    second = run(project)
    assert not log.exists()
    assert second.returncode == 0
    assert second.stdout.startswith("Nothing to do: every table and figure is up to date.\n")
    # Without the time that it took.
    assert second.stdout.splitlines()[:-1] == first.stdout.splitlines()[:-1]
    (project / "figures/first/path.pdf").unlink()
    assert "first                        figures" in run(project).stdout
    assert log.exists()
