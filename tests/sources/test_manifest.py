"""The manifest: complete, provable, and refused where it is not."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from replication.core.errors import SourceError
from replication.sources import manifest
from replication.sources.checksums import complaint
from replication.sources.nacjd import STUDY

ROOT = Path(__file__).parents[2]
BODY = b"right bytes\n"
SHA = hashlib.sha256(BODY).hexdigest()

MADE = f"""
groups:
  - publisher: nobody
    citation: A file of {{year}}, study {{study:05d}}.
    doi: 10.0/{{study}}
    license: none
    redistributable: false
    url: https://example.org/{{name}}
    how: Put {{name}} at data_raw/{{path}}.
    studies: [made_study]
    files:
      - {{id: first, path: folder/a file.txt, years: [2003, 2004], study: 12, sha256: {SHA}}}
      - {{id: second, path: b.txt, years: [2005], study: 7, url: null, size: 3,
         sha256: "{"0" * 64}"}}
"""


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPLICATION_MIRROR", raising=False)


def artificial(root: Path, text: str = MADE) -> Path:
    (root / "data_raw").mkdir()
    (root / manifest.MANIFEST).write_text(text, encoding="utf-8")
    return root


def test_texts_are_filled_and_addresses_quoted(tmp_path: Path) -> None:
    first, second = manifest.load_manifest(artificial(tmp_path))
    assert first.citation == "A file of 2004, study 00012."
    assert first.doi == "10.0/12"
    assert first.url == "https://example.org/a%20file.txt"
    assert first.how == "Put a file.txt at data_raw/folder/a file.txt."
    assert first.years == (2003, 2004)
    assert first.studies == ("made_study",)
    assert second.url is None
    assert second.size == 3


def test_states_follow_the_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artificial(tmp_path)
    table = manifest.status(tmp_path, "made_study")
    assert table.columns.tolist() == ["id", "file", "state", "todo"]
    assert table["state"].tolist() == ["missing", "missing"]
    assert table["todo"].tolist()[1] == "Put b.txt at data_raw/b.txt."
    (tmp_path / "data_raw/b.txt").write_bytes(BODY)
    mirror = tmp_path / "mirror"
    (mirror / "folder").mkdir(parents=True)
    (mirror / "folder/a file.txt").write_bytes(BODY)
    monkeypatch.setenv("REPLICATION_MIRROR", str(mirror))
    table = manifest.status(tmp_path)
    assert table["state"].tolist() == ["verified", "damaged"]
    assert table["todo"].tolist()[0] == ""
    message = table["todo"].tolist()[1]
    assert f"SHA-256 expected {'0' * 64}, found {SHA} (3 bytes expected, 12 found)" in message
    assert "Remove the file, then: Put b.txt at data_raw/b.txt." in message


def test_the_project_folder_comes_before_the_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = manifest.load_manifest(artificial(tmp_path))[1]
    assert manifest.locate(source, tmp_path) is None
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "b.txt").write_bytes(BODY)
    monkeypatch.setenv("REPLICATION_MIRROR", str(mirror))
    assert manifest.locate(source, tmp_path) == mirror / "b.txt"
    (tmp_path / "data_raw/b.txt").write_bytes(BODY)
    assert manifest.locate(source, tmp_path) == tmp_path / "data_raw/b.txt"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("license: none", "", r"source 'first': the key 'license' is missing"),
        ("license: none", "licence: none", r"the key 'license' is missing"),
        ("doi: 10.0/{study}", "doy: 3", r"unknown key 'doy' \(did you mean 'doi'\?\)"),
        ("study: 12", "studdy: 12", r"'(citation|doi)' has a placeholder that nothing fills"),
        (f"sha256: {SHA}", "size: 12", r"needs 'path' and one of 'sha256' and 'git_blob'"),
        (SHA, SHA[:-1], r"'sha256' must be 64 hexadecimal digits in lower case"),
        ("id: second", "id: first", r"the id 'first' is used more than once"),
        ("path: b.txt", "path: folder/a file.txt", r"the path 'folder/a file\.txt' is used more"),
        ("groups:", "grops:", r"not a manifest with the key 'groups'"),
        ("groups:", "groups: [", r"not a manifest with the key 'groups'"),
    ],
)
def test_mistakes_in_the_manifest_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    artificial(tmp_path, MADE.replace(old, new, 1))
    with pytest.raises(SourceError, match=message):
        manifest.load_manifest(tmp_path)


def test_a_missing_manifest_and_an_unknown_study_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"has no raw files \(no data_raw/sources\.yaml\).* run from the folder"
    ):
        manifest.load_manifest(tmp_path)
    with pytest.raises(SourceError, match=r"'secure_comunities' \(did you mean 'secure_comm"):
        manifest.status(ROOT, "secure_comunities")


def test_the_manifest_of_the_project_is_complete() -> None:
    sources = {source.id: source for source in manifest.load_manifest(ROOT)}
    for year, study in STUDY.items():
        source = sources[f"nacjd_{year}"]
        assert source.path == f"nacjd/{study:05d}-0004-Data.txt"
        assert source.years == (year,)
        assert source.url is None
        assert not source.redistributable
        assert f"NACJD/studies/{study}," in source.how
        assert source.doi is not None
        assert source.doi.startswith(f"10.3886/ICPSR{study:05d}.v")
        assert ("secure_communities" in source.studies) == (year >= 2004)
    for source in sources.values():
        assert source.package or source.sha256 or source.git_blob
        assert source.url is None or source.url.startswith("https://")
        assert source.how
    needed = {s.id for s in manifest.of_study(list(sources.values()), "secure_communities")}
    assert needed == {f"nacjd_{year}" for year in range(2004, 2013)} | {
        "activation_days",
        "activation_months",
        "census_intercensal",
        "census_vintage_2019",
    }


def test_packaged_panels_are_there() -> None:
    for study in ("castle_doctrine", "right_to_carry"):
        assert set(manifest.status(ROOT, study)["state"]) <= {"verified", "present"}
    castle = manifest.of_study(manifest.load_manifest(ROOT), "castle_doctrine")[0]
    folder = manifest.locate(castle, ROOT)
    assert folder is not None
    assert folder.name == "causaldata"


def test_the_mirror_holds_what_the_manifest_promises(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLICATION_MIRROR", str(mirror))
    with (mirror / "MANIFEST.csv").open(newline="") as file:
        listed = {row["path"]: row for row in csv.DictReader(file)}
    sources = {source.path: source for source in manifest.load_manifest(ROOT) if source.path}
    assert set(listed) <= set(sources)
    for path, row in listed.items():
        assert sources[path].sha256 == row["sha256"]
        assert sources[path].size == int(row["bytes"])
        assert manifest.state_of(sources[path], ROOT)[0] == "verified"


def test_git_blob_ids_prove_the_return_a_files(mirror: Path) -> None:
    sources = {source.path: source for source in manifest.load_manifest(ROOT)}
    known = {
        "RETA1973.txt.zip": "5774727b48aa7c198447b46d12853f6fb62c80a2",
        "RETA1974.txt.zip": "d147faa30f895a587899cfebb455b117ccf64f07",
    }
    for name, blob in known.items():
        source = replace(sources[f"fbi/return_a/{name}"], sha256=None, git_blob=blob)
        assert complaint(mirror / source.path, source) is None


def test_a_file_with_other_bytes_stops_whoever_would_use_it(tmp_path: Path) -> None:
    sources = manifest.load_manifest(artificial(tmp_path))
    manifest.require_verified(sources, tmp_path)
    (tmp_path / "data_raw/b.txt").write_bytes(BODY)
    with pytest.raises(SourceError, match=r"b\.txt: SHA-256 expected 0+, found .* Remove the file"):
        manifest.require_verified(sources, tmp_path)
