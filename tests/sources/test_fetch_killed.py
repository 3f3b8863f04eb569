"""A fetch whose process is killed: what is left, and what the next run makes of it.

The monthly files of the manifest are asked for by name, and each is proved before use.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from scripted_server import Behavior, serving
from test_fetch import EAGER, SOURCE

from replication.core.errors import SourceError
from replication.sources.fetch import ASSUMED_SIZE, fetch
from replication.sources.manifest import Source, load_manifest, of_study

ROOT = Path(__file__).parents[2]
BODY = np.random.default_rng(11).bytes(400_000)
KILLS = 20

FORKER = """
import json, os, sys
from pathlib import Path
from replication.sources.download import Patience
from replication.sources.fetch import fetch
from replication.sources.manifest import Source

root = Path(sys.argv[1])
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        source = json.loads(line)
        for name in ("years", "studies"):
            source[name] = tuple(source[name])
        fetch([Source(**source)], root, progress=False, patience=Patience(3, 0.0, 5.0))
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""
"""Forks a process that fetches for every line it is sent: a process of its own to kill, without
waiting each time until the libraries are imported."""


@dataclass
class Forker:
    """The parent of the processes that are killed."""

    process: subprocess.Popen[str]

    def start(self, source: Source) -> int:
        fields = {name: getattr(source, name) for name in Source.__dataclass_fields__}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(fields) + "\n")
        self.process.stdin.flush()
        return int(self.line())

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@contextmanager
def forker(root: Path) -> Iterator[Forker]:
    command = [sys.executable, "-c", FORKER, str(root)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield Forker(process)
        assert process.stdin is not None
        process.stdin.close()


def blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def artificial_source(url: str, content: bytes = BODY) -> Source:
    return replace(SOURCE, url=url, sha256=None, git_blob=blob(content), size=None)


def kill_at(run: Forker, source: Source, part: Path, byte: int, server: Behavior) -> None:
    """Start a fetch and kill it once it has asked and ``part`` has grown to ``byte`` bytes."""
    requested = len(server.requested)
    child = run.start(source)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if len(server.requested) > requested and part.exists() and part.stat().st_size >= byte:
            break
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    assert run.line() == "gone"


@pytest.mark.parametrize("ranges", [True, False])
def test_killed_twenty_times_a_fetch_ends_with_the_right_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ranges: bool
) -> None:
    monkeypatch.delenv("REPLICATION_MIRROR", raising=False)
    target = tmp_path / "data_raw/folder/file.bin"
    part = target.with_name("file.bin.part")
    slow = Behavior(BODY, delay=0.003, step=2048, ranges=ranges)
    steps = np.random.default_rng(5).integers(1, 15_000, KILLS)
    with serving(slow) as url, forker(tmp_path) as run:
        source = artificial_source(url)
        for at in range(KILLS):
            have = part.stat().st_size if part.exists() and ranges else 0
            kill_at(run, source, part, have + int(steps[at]), slow)
            assert not target.exists()
            kept = part.read_bytes()
            assert kept == BODY[: len(kept)]
            assert len(kept) < len(BODY)
    assert len(slow.requested) == KILLS
    with serving(Behavior(BODY, ranges=ranges)) as url:
        (result,) = fetch([artificial_source(url)], tmp_path, progress=False, patience=EAGER)
    assert result.outcome == "downloaded"
    assert target.read_bytes() == BODY
    assert not part.exists()


def test_a_killed_fetch_of_other_bytes_leaves_nothing_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPLICATION_MIRROR", raising=False)
    part = tmp_path / "data_raw/folder/file.bin.part"
    other = BODY[:-1] + bytes([BODY[-1] ^ 1])
    slow = Behavior(other, delay=0.002)
    with serving(slow) as url, forker(tmp_path) as run:
        kill_at(run, artificial_source(url), part, 100_000, slow)
    assert part.stat().st_size >= 100_000
    with serving(Behavior(other)) as url:
        (result,) = fetch([artificial_source(url)], tmp_path, progress=False, patience=EAGER)
    assert result.outcome == "failed"
    assert f"git blob id expected {blob(BODY)}, found {blob(other)}" in result.message
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


COMMIT = "fc1a319dee6e20b4daa7ef91b5fe82630cba4f7d"
BLOBS = {
    2004: "9857eb8c067198f783d384b50b0cd8dbc883a3a4",
    2005: "c29d63042dd374e8853eae6a17149799de14ec8d",
    2006: "47abdb53adddcbb057767fdca6a438c8ea448399",
    2007: "88241716b4cb83fe2a0af697119e84032049f509",
    2008: "15d68110b3f15aea0f0e9c20205eb0c9bc34902c",
    2009: "bc597376573dbfd616f19fec5132e9653df9e16f",
    2010: "774ce77e4983dad43bc68e62b5dd76dec160682f",
    2011: "a934607f3f245f44f904092510240df1fb678c7e",
    2012: "a0b773d99e5b6f788aeff75809e9f087502b5a5e",
}
"""Git blob ids of the masters in the tree of that commit of donaldbraman/fbi-reta-data."""


def test_the_monthly_study_asks_for_return_a_and_the_homicide_files() -> None:
    requested = {source.id: source for source in of_study(load_manifest(ROOT), "secure_communities_monthly")}
    for year, expected in BLOBS.items():
        source = requested[f"return_a_{year}"]
        assert source.git_blob == expected
        assert source.url is not None
        assert source.url.endswith(f"fc1a319dee6e20b4daa7ef91b5fe82630cba4f7d/masterfiles/RETA{year}.txt.zip")
    homicides = {int(name[-4:]) for name in requested if name.startswith("homicides_")}
    assert homicides == {*range(2003, 2007), *range(2008, 2014)}
    for name in (
        "return_a_2013",
        "agency_crosswalk",
        "activation_days",
        "census_intercensal",
        "census_vintage_2019",
        "acs_2009",
    ):
        assert requested[name].url is not None
    assert all(source.sha256 or source.git_blob for source in requested.values())


def test_files_of_unknown_size_need_room_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Disk:
        free = 2 * ASSUMED_SIZE

    monkeypatch.setattr("shutil.disk_usage", lambda _: Disk)
    sources = [replace(artificial_source("http://127.0.0.1:9/x"), path=f"{n}.bin") for n in range(3)]
    with pytest.raises(SourceError, match="24 MB are to be fetched and 16 MB are free"):
        fetch(sources, tmp_path, progress=False)
