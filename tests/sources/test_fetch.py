"""Fetching: from a mirror folder, and from a server that cuts, lies, refuses and dawdles."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scripted_server import Behavior, serving

from replication.core.errors import SourceError
from replication.sources.download import Patience
from replication.sources.fetch import Fetched, fetch
from replication.sources.manifest import Source

BODY = np.random.default_rng(7).bytes(300_000)
EAGER = Patience(attempts=3, pause=0.0, timeout=5.0)

SOURCE = Source(
    id="made",
    path="folder/file.bin",
    publisher="nobody",
    citation="none",
    doi=None,
    years=(2004,),
    license="none",
    redistributable=True,
    url=None,
    sha256=hashlib.sha256(BODY).hexdigest(),
    git_blob=None,
    size=len(BODY),
    studies=("made_study",),
    how="By hand: ask nobody and put it at data_raw/folder/file.bin.",
)


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPLICATION_MIRROR", raising=False)


@pytest.fixture
def good() -> Behavior:
    return Behavior(BODY)


@pytest.fixture
def address(good: Behavior) -> Iterator[str]:
    with serving(good) as url:
        yield url


def brought(root: Path, source: Source, patience: Patience = EAGER) -> Fetched:
    (result,) = fetch([source], root, progress=False, patience=patience)
    return result


def target(root: Path) -> Path:
    return root / "data_raw/folder/file.bin"


def leavings(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


def test_right_bytes_get_their_name_and_a_second_fetch_does_nothing(
    tmp_path: Path, address: str, good: Behavior
) -> None:
    source = replace(SOURCE, url=address)
    assert brought(tmp_path, source).outcome == "downloaded"
    assert target(tmp_path).read_bytes() == BODY
    assert leavings(tmp_path) == ["file.bin"]
    assert brought(tmp_path, source).outcome == "present"
    assert len(good.requested) == 1


def test_a_git_blob_id_proves_as_well(tmp_path: Path, address: str) -> None:
    blob = hashlib.sha1(b"blob %d\0" % len(BODY) + BODY).hexdigest()
    source = replace(SOURCE, url=address, sha256=None, git_blob=blob)
    assert brought(tmp_path, source).outcome == "downloaded"
    other = replace(source, git_blob="0" * 40, path="folder/other.bin")
    result = brought(tmp_path, other)
    assert result.outcome == "failed"
    assert f"git blob id expected {'0' * 40}, found {blob}" in result.message


def test_wrong_bytes_leave_nothing_and_say_expected_and_found(tmp_path: Path) -> None:
    with serving(Behavior(BODY[:-1] + b"!")) as url:
        result = brought(tmp_path, replace(SOURCE, url=url))
    assert result.outcome == "failed"
    found = hashlib.sha256(BODY[:-1] + b"!").hexdigest()
    assert f"SHA-256 expected {SOURCE.sha256}, found {found}" in result.message
    assert "nothing was kept" in result.message
    assert leavings(tmp_path) == []


@pytest.mark.parametrize(("status", "reason"), [(404, "Not Found"), (403, "Forbidden")])
def test_a_refusal_is_said_at_once(tmp_path: Path, status: int, reason: str) -> None:
    lazy = Behavior(BODY, statuses=[status] * 9)
    with serving(lazy) as url:
        result = brought(tmp_path, replace(SOURCE, url=url))
    assert result.outcome == "failed"
    assert f"{url}: the server answers {status} {reason}" in result.message
    assert len(lazy.requested) == 1
    assert leavings(tmp_path) == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(tmp_path: Path, status: int) -> None:
    busy = Behavior(BODY, statuses=[status, status])
    with serving(busy) as url:
        assert brought(tmp_path, replace(SOURCE, url=url)).outcome == "downloaded"
    assert len(busy.requested) == 3
    with serving(Behavior(BODY, statuses=[status] * 9)) as url:
        result = brought(tmp_path, replace(SOURCE, url=url, path="folder/second.bin"))
    assert f"busy (status {status}); given up after 3 attempts in vain" in result.message


def test_twenty_cuts_are_resumed_to_the_right_bytes(tmp_path: Path) -> None:
    cuts = np.random.default_rng(3).integers(1, 14_000, 20).tolist()
    cutting = Behavior(BODY, cuts=list(cuts))
    with serving(cutting) as url:
        assert brought(tmp_path, replace(SOURCE, url=url)).outcome == "downloaded"
    assert target(tmp_path).read_bytes() == BODY
    arrived = np.cumsum(cuts)
    assert cutting.requested == [None, *(f"bytes={n}-" for n in arrived)]


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("kept", [1, 150_000, 299_999, 300_000, 300_050])
def test_what_an_earlier_run_left_is_gone_on_from(tmp_path: Path, kept: int, ranges: bool) -> None:
    part = target(tmp_path).with_name("file.bin.part")
    part.parent.mkdir(parents=True)
    part.write_bytes((BODY + b"x" * 50)[:kept])
    server = Behavior(BODY, ranges=ranges)
    with serving(server) as url:
        assert brought(tmp_path, replace(SOURCE, url=url)).outcome == "downloaded"
    assert server.requested[0] == f"bytes={kept}-"
    assert target(tmp_path).read_bytes() == BODY
    assert leavings(tmp_path) == ["file.bin"]


def test_false_leavings_are_thrown_away_and_fetched_anew(
    tmp_path: Path, address: str, good: Behavior
) -> None:
    part = target(tmp_path).with_name("file.bin.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"?" * 1000)
    assert brought(tmp_path, replace(SOURCE, url=address)).outcome == "downloaded"
    assert good.requested == ["bytes=1000-", None]
    assert target(tmp_path).read_bytes() == BODY


def test_a_stalling_server_is_left_and_asked_for_the_rest(tmp_path: Path) -> None:
    stalling = Behavior(BODY, delay=0.6, step=1 << 17)
    hasty = Patience(attempts=1, pause=0.0, timeout=0.15)
    with serving(stalling) as url:
        assert brought(tmp_path, replace(SOURCE, url=url), hasty).outcome == "downloaded"
    assert stalling.requested == [None, "bytes=131072-", "bytes=262144-"]
    assert target(tmp_path).read_bytes() == BODY


def test_a_silent_server_is_given_up(tmp_path: Path) -> None:
    hasty = Patience(attempts=2, pause=0.0, timeout=0.1)
    with serving(Behavior(BODY, silence=0.4)) as url:
        result = brought(tmp_path, replace(SOURCE, url=url), hasty)
    assert "no answer (ReadTimeout); given up after 2 attempts in vain" in result.message
    assert leavings(tmp_path) == []


def test_nobody_listening_is_said(tmp_path: Path) -> None:
    with serving(Behavior(BODY)) as url:
        pass
    result = brought(tmp_path, replace(SOURCE, url=url))
    assert result.outcome == "failed"
    assert "no answer (ConnectionError); given up after 3 attempts in vain" in result.message


def test_a_killed_run_leaves_a_part_that_the_next_run_completes(tmp_path: Path) -> None:
    slow = Behavior(BODY, delay=0.05)
    part = target(tmp_path).with_name("file.bin.part")
    with serving(slow) as url:
        command = [sys.executable, "-c", KILLED, url, str(part)]
        with subprocess.Popen(command) as process:
            deadline = time.monotonic() + 30
            while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
                time.sleep(0.01)
            process.kill()
    kept = part.read_bytes()
    assert 0 < len(kept) < len(BODY)
    assert kept == BODY[: len(kept)]
    with serving(Behavior(BODY)) as url:
        assert brought(tmp_path, replace(SOURCE, url=url)).outcome == "downloaded"
    assert target(tmp_path).read_bytes() == BODY


KILLED = """
import sys, pathlib
from replication.sources.download import Patience, download
part = pathlib.Path(sys.argv[2])
part.parent.mkdir(parents=True)
download(sys.argv[1], part, lambda done, total: None, Patience())
"""


def test_the_mirror_is_copied_from_before_the_network_is_asked(
    tmp_path: Path, address: str, good: Behavior, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mirror/folder"
    folder.mkdir(parents=True)
    (folder / "file.bin").write_bytes(BODY)
    monkeypatch.setenv("REPLICATION_MIRROR", str(tmp_path / "mirror"))
    assert brought(tmp_path / "project", replace(SOURCE, url=address)).outcome == "copied"
    assert target(tmp_path / "project").read_bytes() == BODY
    assert good.requested == []


def test_a_false_mirror_is_refused_and_the_network_asked(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mirror/folder"
    folder.mkdir(parents=True)
    (folder / "file.bin").write_bytes(b"other")
    monkeypatch.setenv("REPLICATION_MIRROR", str(tmp_path / "mirror"))
    result = brought(tmp_path / "project", SOURCE)
    assert result.outcome == "failed"
    assert "mirror/folder/file.bin: SHA-256 expected" in result.message
    assert "(300000 bytes expected, 5 found)" in result.message
    assert leavings(tmp_path / "project") == []
    assert brought(tmp_path / "project", replace(SOURCE, url=address)).outcome == "downloaded"


def test_damaged_files_are_replaced_and_hand_files_explained(tmp_path: Path, address: str) -> None:
    target(tmp_path).parent.mkdir(parents=True)
    target(tmp_path).write_bytes(b"damaged")
    by_hand = brought(tmp_path, SOURCE)
    assert by_hand.outcome == "by hand"
    assert by_hand.message == SOURCE.how
    assert target(tmp_path).read_bytes() == b"damaged"
    assert brought(tmp_path, replace(SOURCE, url=address)).outcome == "downloaded"
    assert target(tmp_path).read_bytes() == BODY


def test_one_failure_does_not_stop_the_others(tmp_path: Path, address: str) -> None:
    gone = replace(SOURCE, id="gone", path="gone.bin", url="http://127.0.0.1:9/gone.bin")
    here = replace(SOURCE, url=address)
    results = fetch([gone, here], tmp_path, progress=False, patience=EAGER)
    assert [result.outcome for result in results] == ["failed", "downloaded"]


def test_a_full_disk_is_foreseen(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"9000000000 MB are to be fetched and \d+ MB are free"):
        fetch([replace(SOURCE, size=9 * 10**15)], tmp_path, progress=False)


def test_packages_are_present_or_explained(tmp_path: Path) -> None:
    package = replace(SOURCE, path="", sha256=None, package="causaldata", version="0.0.1")
    result = brought(tmp_path, package)
    assert result.outcome == "present"
    assert result.message.endswith("the expected numbers were made with version 0.0.1")
    absent = replace(package, package="no_such_package_here")
    assert brought(tmp_path, absent).outcome == "by hand"


def test_progress_counts_to_the_size(
    tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch([replace(SOURCE, url=address)], tmp_path, progress=True, patience=EAGER)
    shown = capsys.readouterr().err
    assert "made" in shown
    assert "300k/300k" in shown
