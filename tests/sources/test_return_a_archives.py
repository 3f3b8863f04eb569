"""Return A masters as archives: whole, broken, nested in zipx, and larger than memory allows."""

from __future__ import annotations

import builtins
import resource
import time
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from artificial_masters import Agency, return_a_record, steady, write_return_a
from artificial_ppmd import AGENCIES, YEAR, ZIPX
from test_return_a import FULL, artificial, value

from replication.core.errors import SourceError
from replication.sources.return_a import read_return_a


def test_missing_empty_and_broken_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "RETA2007.txt.zip"
    with pytest.raises(SourceError, match=r"no such file.*replication data status"):
        read_return_a(path, 2007)
    path.write_bytes(b"")
    with pytest.raises(SourceError, match=r"empty \(0 bytes\)"):
        read_return_a(path, 2007)
    write_return_a(path, [Agency(f"AL{i:05d}", months=steady(FULL)) for i in range(40)], 2007)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"cannot be unpacked.*cut off or damaged"):
        read_return_a(path, 2007)
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :])
    with pytest.raises(SourceError, match=r"RETA2007"):
        read_return_a(path, 2007)


def test_a_zipx_archive_is_read_through_libarchive(tmp_path: Path) -> None:
    pytest.importorskip("libarchive")
    path = tmp_path / "reta2013.zipx"
    path.write_bytes(ZIPX)
    tidy = read_return_a(path, YEAR)
    again = artificial(tmp_path, *AGENCIES, year=YEAR)
    for name in ("agencies", "months", "offences", "odd"):
        pd.testing.assert_frame_equal(getattr(tidy, name), getattr(again, name))
    assert value(tidy, "AL00101", 6, "burglary") == -3


@pytest.mark.parametrize("at", [60, 120, 200])
def test_a_damaged_zipx_archive_is_refused(tmp_path: Path, at: int) -> None:
    pytest.importorskip("libarchive")
    path = tmp_path / "reta2013.zipx"
    path.write_bytes(ZIPX[:at] + bytes([ZIPX[at] ^ 255]) + ZIPX[at + 1 :])
    with pytest.raises(SourceError, match="reta2013"):
        read_return_a(path, YEAR)


def test_without_libarchive_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "reta2013.zipx"
    path.write_bytes(ZIPX)
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "libarchive":
            raise ImportError("No module named 'libarchive'")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SourceError, match=r"PPMd.*pip install 'replication\[zipx\]'.*libarchive"):
        read_return_a(path, YEAR)


def test_memory_does_not_grow_with_the_text(tmp_path: Path) -> None:
    path = tmp_path / "RETA2007.txt.zip"
    record = (return_a_record(Agency("AL00101"), 2007) + "\r\n").encode()
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("RETA2007.txt", "w") as member,
    ):
        for i in range(12_000):
            member.write(record[:3] + f"AL{i:05d}".encode() + record[10:])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    tidy = read_return_a(path, 2007)
    assert len(tidy.agencies) == 12_000
    assert time.process_time() - start < 10
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 400_000  # kilobytes; the text alone has 89 MB
