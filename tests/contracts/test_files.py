"""Writes that are killed, starved of disk space, forbidden, or made under another umask."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pandas as pd
import pytest

from replication.checks.compare_numbers import verify, write_expected
from replication.core.errors import InputError, OutputError, PanelError
from replication.core.files import replacing, write_csv, write_parquet, write_text
from replication.core.frames import read_frame
from replication.core.temporary_files import (
    ABANDONED_AFTER,
    remove_temporary_files,
    temporary_name,
    visible_paths,
    with_folders_below,
)
from replication.workflow.steps import folders_of

FRAME = pd.DataFrame({"x": [0.5] * 20_000, "y": range(20_000)})
ENDED = 2**22 + 1
"""A process id above the largest that Linux gives."""

LIMITED = """
import resource, sys
from pathlib import Path
import pandas as pd
from replication.core.errors import InputError
from replication.core.files import write_csv, write_parquet, write_text
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
frame = pd.DataFrame({"x": [i / 7 for i in range(20_000)]})
writers = {
    ".csv": lambda path: write_csv(path, frame),
    ".parquet": lambda path: write_parquet(path, frame),
    ".md": lambda path: write_text(path, "word " * 20_000),
}
path = Path(sys.argv[1])
try:
    writers[path.suffix](path)
except InputError as error:
    print(error)
    sys.exit(2)
"""

KILLED = """
import sys, time
from pathlib import Path
from replication.core.files import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def temporary_of(host: str, process: int, name: str = "a.csv") -> str:
    return f".{name}.{host}-{process}-00000000.tmp"


def this_host() -> str:
    return f"{zlib.crc32(platform.node().encode()):08x}"


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002, 0o027])
def test_the_umask_decides_the_permissions(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_text(tmp_path / "a.md", "text")
        write_csv(tmp_path / "a.csv", FRAME)
        write_parquet(tmp_path / "a.parquet", FRAME)
        write_text(tmp_path / "a.md", "again")
    finally:
        os.umask(before)
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o666 & ~umask, path.name


@pytest.mark.parametrize("ending", ["csv", "parquet", "md"])
def test_a_disk_without_room_names_the_file_and_leaves_nothing(tmp_path: Path, ending: str) -> None:
    """The kernel itself refuses to write more than 4,096 bytes."""
    path = tmp_path / f"result.{ending}"
    path.write_text("old result")
    command = [sys.executable, "-c", LIMITED, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert f"{path} could not be written: file too large" in done.stdout
    assert "incomplete file was removed. Make room on that disk" in done.stdout
    assert names(tmp_path) == [f"result.{ending}"]
    assert path.read_text() == "old result"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this machine")
def test_no_space_left_on_the_device_names_the_result(tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    full = Path("/dev/full")
    refusal = rf"{path} could not be written: no space left on device"
    with pytest.raises(OutputError, match=refusal), replacing(path):
        full.write_text("x" * 100_000)
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match=r"a\.csv could not be written: .*Check the folder"):
        write_text(tmp_path / "file" / "a.csv", "text")
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(OutputError, match=r"a\.csv could not be written: is a directory"):
        write_text(tmp_path / "a.csv", "text")
    assert names(tmp_path) == ["a.csv", "file"]


def test_an_error_that_is_not_about_the_result_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a.md") as temporary:
        temporary.write_text((tmp_path / "absent").read_text())
    assert names(tmp_path) == []


def test_what_a_killed_write_leaves_is_no_result_and_is_swept(tmp_path: Path) -> None:
    path = tmp_path / "tables" / "s" / "specs" / "one" / "estimates.csv"
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        folders = list(with_folders_below(folders_of(tmp_path, "s")))
        (left,) = path.parent.iterdir()
        assert remove_temporary_files(folders) == [], "a living process is still writing this file"
        process.send_signal(signal.SIGKILL)
    assert left.exists()
    assert not list(path.parent.glob("*.csv"))
    assert remove_temporary_files(folders) == [left]
    assert names(path.parent) == []


def test_files_of_another_machine_are_swept_when_they_are_old(tmp_path: Path) -> None:
    other = f"{int(this_host(), 16) ^ 1:08x}"
    recent, old = (tmp_path / temporary_of(other, ENDED, name) for name in ("a.csv", "b.csv"))
    ended = tmp_path / temporary_of(this_host(), ENDED)
    for place in (recent, old, ended):
        place.touch()
    past = time.time() - ABANDONED_AFTER - 60
    os.utime(old, (past, past))
    assert sorted(remove_temporary_files([tmp_path])) == sorted([old, ended])
    assert names(tmp_path) == [recent.name]


@pytest.mark.parametrize("name", [".gitignore", "a.tmp", ".a.csv.tmp", ".~lock.a.csv#", "a.csv"])
def test_other_peoples_files_are_not_swept(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    past = time.time() - 2 * ABANDONED_AFTER
    os.utime(tmp_path / name, (past, past))
    assert remove_temporary_files([tmp_path, tmp_path / "absent"]) == []
    assert names(tmp_path) == [name]


def test_a_temporary_name_fits_into_a_folder_whatever_the_result_is_called() -> None:
    assert len(temporary_name("\N{SNOWMAN}" * 80 + ".csv").encode()) <= 255
    assert temporary_name("a.csv") != temporary_name("a.csv")


def test_hidden_files_are_no_results(tmp_path: Path) -> None:
    table = pd.DataFrame({"row": ["att"], "estimate": [0.5]})
    folder = tmp_path / "tables" / "s"
    folder.mkdir(parents=True)
    table.to_csv(folder / "t.csv", index=False)
    table.to_csv(folder / ".t-k1lled.csv", index=False)
    (folder / ".trash").mkdir()
    table.to_csv(folder / ".trash" / "old.csv", index=False)
    assert visible_paths(folder.rglob("*.csv"), folder) == [folder / "t.csv"]
    assert [path.name for path in write_expected(tmp_path, "s")] == ["t.csv"]
    (tmp_path / "studies" / "s" / "expected" / "tables" / ".t-k1lled.csv").write_text("row\nhalf\n")
    assert [verdict.file for verdict in verify(tmp_path, ["s"])] == ["tables/t.csv"]


def test_expected_numbers_survive_a_write_that_fails(tmp_path: Path) -> None:
    folder = tmp_path / "tables" / "s"
    folder.mkdir(parents=True)
    pd.DataFrame({"row": ["att"], "estimate": [0.5]}).to_csv(folder / "a.csv", index=False)
    (kept,) = write_expected(tmp_path, "s")
    before = kept.read_bytes()
    (folder / "z.csv").write_text("")
    with pytest.raises(InputError, match="cannot be read as CSV"):
        write_expected(tmp_path, "s")
    assert kept.read_bytes() == before
    assert names(tmp_path / "studies" / "s") == ["expected"]


def test_an_interrupted_swap_of_the_expected_numbers_is_undone(tmp_path: Path) -> None:
    folder = tmp_path / "tables" / "s"
    folder.mkdir(parents=True)
    pd.DataFrame({"row": ["att"], "estimate": [0.5]}).to_csv(folder / "a.csv", index=False)
    write_expected(tmp_path, "s")
    expected = tmp_path / "studies" / "s" / "expected"
    expected.rename(expected.with_name(".expected.old"))
    (folder / "a.csv").write_text("")
    with pytest.raises(InputError, match="cannot be read as CSV"):
        write_expected(tmp_path, "s")
    assert names(tmp_path / "studies" / "s") == ["expected"]
    (verdict,) = verify(tmp_path, ["s"])
    assert verdict.file == "tables/a.csv"
    assert not verdict.passed
    assert "cannot be read as CSV" in verdict.message


@pytest.mark.parametrize("cell", [[1, 2], {"a": 1}])
def test_a_panel_with_several_values_in_a_cell_is_refused(tmp_path: Path, cell: object) -> None:
    path = tmp_path / "panel.parquet"
    pd.DataFrame({"unit": [1, 2], "x": [None, cell], "t": ["a", "b"]}).to_parquet(path)
    with pytest.raises(
        PanelError, match=r"1 column whose cells contain several values \(x\): row 2, column 'x', is"
    ):
        read_frame(path)
