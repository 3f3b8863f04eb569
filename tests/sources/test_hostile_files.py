"""Raw files that are empty, endless, nested, encrypted, or that lie about themselves."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import json
import lzma
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from artificial_masters import Agency, return_a_record

from replication.core.errors import SourceError
from replication.sources import acs, archives, census, crosswalks, hand_entered, kaplan, nacjd, raw_checks
from replication.sources.masterfile import pieces
from replication.sources.police_training import read_police_training
from replication.sources.return_a import read_return_a
from replication.sources.supplementary_homicides import read_homicides
from replication.sources.unemployment import read_unemployment
from studies.secure_communities.activations import read_activation_days

Read = Callable[[Path], Any]
TEXT_READERS: dict[str, Read] = {
    "intercensal.csv": census.read_intercensal,
    "vintage.csv": census.read_vintage_2019,
    "names.csv": census.read_county_names,
    "adjacency.csv": crosswalks.read_adjacency,
    "noncitizens.csv": acs.read_noncitizens,
    "regions.csv": hand_entered.read_regions,
    "fips.csv": hand_entered.read_fips_changes,
    "acs.json": lambda path: acs.read_acs(path, 2009),
    "kaplan.json": lambda path: kaplan.read_kaplan(path, 2010),
    "04466-0004-Data.txt": lambda path: nacjd.read_county_offenses(path, 2004),
    "RETA2007.txt": lambda path: read_return_a(path, 2007),
    "SHR2007.txt": lambda path: read_homicides(path, 2007),
    "days.dta": read_activation_days,
    "crosswalk.rds": crosswalks.read_agencies,
    "officers.rda": read_police_training,
    "unemployment.xlsx": read_unemployment,
}
CONTENTS: dict[str, bytes] = {
    "one line end": b"\n",
    "line ends": b"\n\n\r\n\n",
    "carriage returns": b"\r\r\r",
    "spaces": b"   \n",
    "a comma": b",",
    "a quotation mark": b'"',
    "a column twice": b"SUMLEV,SUMLEV\n1,2\n",
    "an empty list": b"[]",
    "an empty object": b"{}",
    "null": b"null",
    "rows that are no lists": b"[[1], {}]",
    "headings that are no text": b'[[["a"], {}], [1, 2]]',
    "nested lists": b"[" * 200_000,
    "nested objects": b'{"a":' * 200_000,
    "many digits": b"[[1, " + b"9" * 5000 + b"]]",
    "infinity": b'[["state"], [Infinity], [NaN]]',
    "counties that are no objects": b'{"1001": 5, "1003": [1]}',
    "a heading alone": b"SUMLEV,STATE,COUNTY\n",
    "the mark of a zip archive": archives.ZIP_MARK,
    "the mark of a gzip file": b"\x1f\x8b",
    "a line that is too long": b"6" + b"1" * 70_000 + b"\n",
}


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("name", TEXT_READERS)
def test_no_reader_breaks_on_what_is_no_table(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_bytes(CONTENTS[content])
    with pytest.raises(SourceError) as refusal:
        TEXT_READERS[name](path)
    assert name in str(refusal.value)
    assert "\n" not in str(refusal.value)


def zipped(content: bytes, method: int = zipfile.ZIP_DEFLATED, name: str = "a.txt") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "RETA2007.txt.zip"
    path.write_bytes(content)
    start = time.process_time()
    with pytest.raises(SourceError, match=words) as refusal:
        for _ in pieces(path):
            pass
    assert str(path) in str(refusal.value)
    assert time.process_time() - start < 3


def test_an_archive_in_an_archive_is_read_to_a_bound(tmp_path: Path) -> None:
    text = (return_a_record(Agency("AL00101"), 2007) + "\r\n").encode()
    content = text
    for _ in range(archives.DEEPEST):
        content = zipped(content)
    nested = tmp_path / "RETA2007.txt.zip"
    nested.write_bytes(content)
    assert b"".join(pieces(nested)) == text
    refused(tmp_path, zipped(content), f"inside one another more than {archives.DEEPEST} deep")


def test_an_archive_that_holds_itself_ends(tmp_path: Path) -> None:
    """As many levels as a file that unpacks to itself would have."""
    content = b"end"
    for _ in range(200):
        content = zipped(content, zipfile.ZIP_STORED)
    refused(tmp_path, content, "inside one another")


def test_what_is_unpacked_has_a_ceiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_UNPACKED", 20 << 20)
    bomb = zipped(b"0" * (40 << 20))
    assert len(bomb) < 100_000
    refused(tmp_path, bomb, "unpacked it contains more than 20 MB")
    refused(tmp_path, zipped(archives.ZIP_MARK + b"0" * (40 << 20)), "more than 20 MB")
    refused(tmp_path, zipped(b"0" * (40 << 20), zipfile.ZIP_BZIP2), "more than 20 MB")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["crosswalk.rds", "officers.rda"])
def test_an_r_data_file_has_a_ceiling_however_it_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(archives, "MOST_UNPACKED", 20 << 20)
    path = tmp_path / name
    path.write_bytes(pack(b"0" * (40 << 20)))
    with pytest.raises(SourceError, match="more than 20 MB"):
        TEXT_READERS[name](path)


def test_a_workbook_has_a_ceiling_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_UNPACKED", 20 << 20)
    path = tmp_path / "unemployment.xlsx"
    path.write_bytes(zipped(b"0" * (40 << 20), name="xl/worksheets/sheet1.xml"))
    with pytest.raises(SourceError, match="more than 20 MB"):
        read_unemployment(path)


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_checks, "MOST_BYTES", 1000)
    path = tmp_path / "regions.csv"
    path.write_bytes(b"a" * 1001)
    with pytest.raises(SourceError, match="it is another file"):
        hand_entered.read_regions(path)


def test_an_encrypted_member_is_named(tmp_path: Path) -> None:
    content = bytearray(zipped(b"text" * 100))
    local, central = content.find(b"PK\x03\x04"), content.find(b"PK\x01\x02")
    content[local + 6] |= 1
    content[central + 8] |= 1
    refused(tmp_path, bytes(content), "'a.txt' in the archive is encrypted")


@pytest.mark.parametrize("stated", [0, 1, 399, 401, 2**32 - 2])
def test_a_member_that_lies_about_its_size_is_refused(tmp_path: Path, stated: int) -> None:
    content = bytearray(zipped(b"text" * 100))
    central = content.find(b"PK\x01\x02")
    struct.pack_into("<I", content, central + 24, stated)
    refused(tmp_path, bytes(content), "cannot be unpacked|contradicts")


@pytest.mark.parametrize("offset", [8, 10, 14, 18, 22, 26, 28])
def test_a_head_that_contradicts_the_directory_is_refused_or_proved(tmp_path: Path, offset: int) -> None:
    content = bytearray(zipped(b"text" * 100))
    content[offset] ^= 0xFF
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    found = None
    with contextlib.suppress(SourceError):
        found = b"".join(pieces(path))
    assert found in {None, b"text" * 100}


@pytest.mark.parametrize("method", [1, 6, 9, 12, 14, 97, 98, 99])
def test_methods_that_are_not_there_are_refused(tmp_path: Path, method: int) -> None:
    content = bytearray(zipped(b"text" * 100))
    local, central = content.find(b"PK\x03\x04"), content.find(b"PK\x01\x02")
    struct.pack_into("<H", content, local + 8, method)
    struct.pack_into("<H", content, central + 10, method)
    refused(tmp_path, bytes(content), "compressed with PPMd|cannot be unpacked|encrypted")


def test_an_empty_archive_is_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w"):
        pass
    content = zipped(packed.getvalue())
    refused(tmp_path, archives.ZIP_MARK + packed.getvalue(), "empty|cannot be unpacked")
    path = tmp_path / "nested.zip"
    path.write_bytes(content)
    assert b"".join(pieces(path)) == packed.getvalue(), "no archive by its first bytes"


def test_a_damaged_bzip2_member_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped(b"text" * 100, zipfile.ZIP_BZIP2))
    at = content.find(bz2.compress(b"text" * 100)[:4])
    content[at + 12] ^= 0xFF
    refused(tmp_path, bytes(content), "cannot be unpacked")


def test_a_number_of_json_that_no_integer_holds_is_named(tmp_path: Path) -> None:
    path = tmp_path / "acs.json"
    path.write_text(json.dumps([["a"]])[:-1] + ", [" + "9" * 5000 + "]]")
    with pytest.raises(SourceError, match="contains a number that cannot be read"):
        acs.read_acs(path, 2009)
