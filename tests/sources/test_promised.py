"""The bytes that are parsed are the ones that are hashed; typed tables are proved as well."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyreadr
import pytest
from artificial_masters import Agency, write_return_a
from artificial_sources import activation_days, stata_bytes
from test_fetch import SOURCE

from replication.core.errors import SourceError
from replication.report.folders import Folders
from replication.report.report_data import read_source
from replication.sources import hand_entered, manifest
from replication.sources.crosswalks import read_agencies
from replication.sources.manifest import Source, load_manifest, promises
from replication.sources.masterfile import pieces
from replication.sources.raw_checks import raw_bytes
from replication.sources.verified_bytes import Promised, checksums_enforced
from studies.secure_communities.activations import read_activation_days

ROOT = Path(__file__).parents[2]
TYPED = ROOT / "data_raw" / "typed"
CHANGED = r"bytes that were read are not those of the manifest"


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPLICATION_MIRROR", raising=False)


def promise(path: Path, *, blob: bool = False) -> Source:
    """An entry of the manifest for the bytes that the file has now."""
    content = path.read_bytes()
    if blob:
        digest = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        return replace(SOURCE, sha256=None, git_blob=digest, size=len(content))
    return replace(SOURCE, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("blob", [False, True])
def test_a_file_that_changes_after_its_checksum_is_not_used(tmp_path: Path, blob: bool) -> None:
    """A digit of a date, so that the reader itself has nothing to object to."""
    path = tmp_path / "days.dta"
    path.write_bytes(stata_bytes(activation_days()))
    held = Promised({path: promise(path, blob=blob)}, (tmp_path,))
    with checksums_enforced(held):
        before = read_activation_days(path)
    other = activation_days()
    houston = other["county"] == 48201
    other.loc[houston, "date_secure"] += pd.Timedelta(days=1)
    path.write_bytes(stata_bytes(other))
    assert len(read_activation_days(path)) == len(before)
    assert not read_activation_days(path).equals(before)
    with checksums_enforced(held), pytest.raises(SourceError, match=CHANGED):
        read_activation_days(path)


@pytest.mark.parametrize("packed", [True, False])
def test_masters_are_hashed_as_they_are_read(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "RETA2007.txt.zip"
    write_return_a(path, [Agency(f"AL{i:05d}") for i in range(3)], 2007)
    if not packed:
        path.write_bytes(b"".join(pieces(path)))
    held = Promised({path: promise(path)}, (tmp_path,))
    with checksums_enforced(held):
        text = b"".join(pieces(path))
    assert text.count(b"AL0000") == 3
    flip(path, path.stat().st_size - 1)
    with checksums_enforced(held), pytest.raises(SourceError, match=CHANGED):
        list(pieces(path))


def test_the_crosswalk_is_parsed_from_the_bytes_that_were_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "crosswalk.rds"
    pyreadr.write_rds(str(path), pd.DataFrame({"ori": ["AL00101"]}))
    held = Promised({path: promise(path)}, (tmp_path,))
    read = pyreadr.read_r

    def changed_meanwhile(place: object) -> object:
        path.write_bytes(b"other bytes")
        return read(place)

    monkeypatch.setattr(pyreadr, "read_r", changed_meanwhile)
    with checksums_enforced(held), pytest.raises(SourceError, match="expected columns are missing"):
        read_agencies(path)
    with checksums_enforced(held), pytest.raises(SourceError, match=CHANGED):
        read_agencies(path)


def test_a_raw_file_that_nothing_proves_is_refused_and_a_made_one_is_not(tmp_path: Path) -> None:
    inside, outside = tmp_path / "data_raw" / "a.csv", tmp_path / "made.csv"
    inside.parent.mkdir()
    for path in (inside, outside):
        path.write_bytes(b"a\n1\n")
    assert raw_bytes(inside) == b"a\n1\n"
    with checksums_enforced(Promised({}, (inside.parent,))):
        assert raw_bytes(outside) == b"a\n1\n"
        with pytest.raises(SourceError, match="does not list this file at this place"):
            raw_bytes(inside)


def test_every_typed_table_is_in_the_manifest_and_unchanged() -> None:
    listed = {source.path for source in load_manifest(ROOT) if "typed" in source.studies}
    assert listed == {f"typed/{path.name}" for path in TYPED.glob("*.csv")}
    assert set(manifest.status(ROOT, "typed")["state"]) == {"verified"}


def test_a_typed_table_that_was_changed_is_not_read(tmp_path: Path) -> None:
    raw = tmp_path / "data_raw"
    shutil.copytree(TYPED, raw / "typed")
    shutil.copy(ROOT / manifest.MANIFEST, raw)
    with checksums_enforced(promises(tmp_path)):
        assert len(hand_entered.read_regions(raw / "typed" / "census_regions.csv")) == 51
        folders = Folders.under(tmp_path, "castle_doctrine")
        source = "raw/typed/published_cheng_hoekstra_2013.csv"
        assert len(read_source(folders, source)) == 13
    for name in ("census_regions.csv", "published_cheng_hoekstra_2013.csv"):
        path = raw / "typed" / name
        path.write_text(path.read_text().replace("1", "2"), encoding="utf-8")
    with checksums_enforced(promises(tmp_path)):
        with pytest.raises(SourceError, match=rf"census_regions\.csv: SHA-256 expected.*{CHANGED}"):
            hand_entered.read_regions(raw / "typed" / "census_regions.csv")
        with pytest.raises(SourceError, match=CHANGED):
            read_source(folders, source)
