"""What is made from a file is kept while the file is the same, and made again when it is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from replication.core.fingerprints import file_digest
from replication.core.kept_values import while_unchanged
from replication.core.study_folder import read_description


def test_a_value_is_made_again_when_its_file_changes(tmp_path: Path) -> None:
    made: list[str] = []

    @while_unchanged(file_digest)
    def text_of(path: Path) -> str:
        made.append(path.read_text())
        return made[-1]

    path, other = tmp_path / "a", tmp_path / "b"
    path.write_text("one")
    other.write_text("one")
    assert [text_of(path), text_of(path), text_of(other)] == ["one"] * 3
    assert len(made) == 2
    before = path.stat()
    path.write_text("two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert text_of(path) == "two", "contents count, not times"
    path.write_text("one")
    assert text_of(path) == "one"


def test_what_is_made_during_an_edit_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    edits = iter(["new"])

    @while_unchanged(file_digest)
    def text_of(_: Path) -> str:
        for text in edits:
            path.write_text(text)
        return path.read_text()

    assert text_of(path) == "new"
    path.write_text("old")
    assert text_of(path) == "old"


def test_a_refusal_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("1.5")

    @while_unchanged(file_digest)
    def number_of(path: Path) -> float:
        return float(path.read_text())

    path.write_text("x")
    with pytest.raises(ValueError, match="could not convert"):
        number_of(path)
    path.write_text("2")
    assert number_of(path) == 2


@pytest.mark.parametrize("name", ["study.yaml", "tables/1.yaml", "specs/main.yaml", "analyses/own.py"])
def test_every_file_that_says_what_a_study_is_counts(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "studies" / "mine"
    files = {
        "study.yaml": "id: mine\ntitle: Title\npanels: [a]\n",
        "tables/1.yaml": "- {id: main, title: Main, kind: regression, columns: []}\n",
        "specs/main.yaml": "{id: a, study: mine, panel: a, outcome: y, estimator: twfe}\n",
        "analyses/own.py": "OPTIONS = {}\n",
    }
    for place, text in files.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text)
    first = read_description(folder)
    assert read_description(folder) is first
    (folder / name).write_text(files[name] + "# edited\n")
    second = read_description(folder)
    assert second is not first
    assert second.data == first.data
    (folder / name).rename(folder / name.replace(".", "_2."))
    if name != "study.yaml":
        assert read_description(folder) is not second
