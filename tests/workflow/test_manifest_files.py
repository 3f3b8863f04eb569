"""``replication manifest``: checksums that ``sha256sum`` reads, a crate, and the same bytes twice."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
from pathlib import Path

import pytest
from small_project import ROOT, run

from replication.core.errors import SpecError
from replication.workflow.manifest_files import write_manifest

NAMES = ["manifest.json", "SHA256SUMS", "ro-crate-metadata.json"]


@pytest.fixture(scope="module")
def described(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = shutil.copytree(finished, tmp_path_factory.mktemp("described") / "project")
    shutil.copy(ROOT / "CITATION.cff", root)
    assert [path.name for path in write_manifest(root)] == NAMES
    return root


def read(root: Path, name: str) -> dict:
    return json.loads((root / name).read_text(encoding="utf-8"))


def test_every_output_has_its_rule_its_specifications_and_its_panel(described: Path) -> None:
    found = read(described, "manifest.json")
    outputs = {one["path"]: one for one in found["outputs"]}
    written = {
        path.relative_to(described).as_posix()
        for place in ("tables", "figures", "data_clean", "report")
        for path in (described / place).rglob("[!.]*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(described).parts)
    }
    assert written == set(outputs)
    table = outputs["tables/first/effects.tex"]
    assert table["rule"] == "tables"
    assert table["specifications"] == ["first_events", "first_grid__none__none"]
    assert table["panels"] == ["data_clean/first/panel.parquet"]
    assert outputs["tables/first/analyses/placebo.csv"]["seed"] == 7
    assert {one["rule"] for one in outputs.values()} == {
        *("clean", "estimate", "gather", "check", "analyze", "tables", "figures", "summary", "traces"),
        *("page", "report"),
    }
    assert outputs["report/first/data/explorer.js"]["rule"] == "traces"
    assert outputs["report/first/data/checks.js"]["rule"] == "page"
    content = (described / "tables/first/effects.tex").read_bytes()
    assert table["sha256"] == hashlib.sha256(content).hexdigest()
    (spec,) = [one for one in found["specifications"] if one["id"] == "first_events"]
    assert (spec["estimator"], spec["panel"]) == ("event_study", "data_clean/first/panel.parquet")
    assert "studies/first/panel.csv" in {one["path"] for one in found["inputs"]}


def test_the_checksums_are_those_of_the_real_program(described: Path) -> None:
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(check, cwd=described, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "tables/first/specs/first_events/vcov.csv: OK" in done.stdout
    spoiled = shutil.copytree(described, described.with_name("spoiled"))
    (spoiled / "tables/first/effects.md").write_text("0", encoding="utf-8")
    done = subprocess.run(check, cwd=spoiled, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if "OK" not in line] == [
        "tables/first/effects.md: FAILED"
    ]


def test_the_crate_has_what_the_standard_requires(described: Path) -> None:
    """RO-Crate 1.1: the descriptor, the root with name, description, date and license, and flat entities."""
    graph = read(described, "ro-crate-metadata.json")["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    assert len(entities) == len(graph)
    descriptor, dataset = entities["ro-crate-metadata.json"], entities["./"]
    assert descriptor["about"] == {"@id": "./"}
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert dataset["@type"] == "Dataset"
    assert all(dataset[key] for key in ("name", "description", "datePublished", "license"))
    parts = {part["@id"] for part in dataset["hasPart"]}
    files = {name for name, entity in entities.items() if "File" in entity["@type"]}
    assert parts == files
    assert all((described / name).is_file() for name in files)
    named = {one["@id"] for entity in graph for one in references(entity)}
    assert named - set(entities) == {"https://w3id.org/ro/crate/1.1"}
    assert "ComputationalWorkflow" in entities[dataset["mainEntity"]["@id"]]["@type"]


def references(entity: dict) -> list[dict]:
    values = [value if isinstance(value, list) else [value] for value in entity.values()]
    return [one for value in values for one in value if isinstance(one, dict)]


def test_the_crate_is_read_by_rocrate(described: Path) -> None:
    from rocrate.rocrate import ROCrate

    crate = ROCrate(described)
    assert crate.mainEntity.id == "Snakefile"
    assert crate.dereference("tables/first/effects.tex")["encodingFormat"]
    action = crate.dereference("#tables-first")
    assert crate.dereference("tables/first/effects.tex") in action["result"]


def test_the_bytes_depend_on_the_project_alone(described: Path, tmp_path: Path) -> None:
    first = [(described / name).read_bytes() for name in NAMES]
    other = shutil.copytree(described, tmp_path / "elsewhere" / "project")
    done = run(other, ["manifest"])
    assert done.returncode == 0, done.stderr
    assert [(other / name).read_bytes() for name in NAMES] == first
    for data in first:
        for word in (str(described), str(Path.home()), platform.node()):
            assert word.encode() not in data


def test_a_project_without_citation_is_refused(finished: Path, tmp_path: Path) -> None:
    root = shutil.copytree(finished, tmp_path / "project")
    with pytest.raises(SpecError, match=r"There is no .*CITATION\.cff\. .* create it"):
        write_manifest(root)
    assert not (root / "SHA256SUMS").exists()
