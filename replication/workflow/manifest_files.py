"""``replication manifest``: what was made from what, by which rule, with checksums.

Three files, whose bytes depend on nothing but the project: ``manifest.json``; ``SHA256SUMS``, which
``sha256sum -c`` reads in the project's folder; and ``ro-crate-metadata.json``, the description of the folder
as an RO-Crate. No time, host name or place of a file on this machine is in any of them.
"""

from __future__ import annotations

import fnmatch
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from replication.core.files import write_text
from replication.core.fingerprints import file_digest
from replication.core.plain_data import texts_in
from replication.core.result_files import FILES
from replication.core.temporary_files import visible_paths
from replication.core.versions import package_versions
from replication.report.folders import Folders
from replication.report.site.site_render import EXPLORER
from replication.sources.manifest import MANIFEST, locate
from replication.workflow import project
from replication.workflow.crate import crate
from replication.workflow.entry_inputs import PLACES
from replication.workflow.project import FIGURE_ENDINGS, TABLE_ENDINGS, StudyFolder
from replication.workflow.study_specs import study_specs
from replication.workflow.trace_step import FOLDER as TRACES

Record = dict[str, Any]
SHARED = ("Snakefile", "config.yaml", MANIFEST, "pyproject.toml", "requirements.lock", "CITATION.cff")
"""Files of the project that every study depends on."""


def write_manifest(root: Path, place: Path | None = None) -> list[Path]:
    """Write the manifest, the checksums and the crate; returns the files.

    Parameters
    ----------
    root : folder of the project, into which the last two are written as their names are relative to it.
    place : the manifest itself; ``manifest.json`` of the project if None.
    """
    found = manifest(root)
    sums = root / "SHA256SUMS"
    described = root / "ro-crate-metadata.json"
    place = place or root / "manifest.json"
    metadata = crate(found, root)
    write_text(place, _json(found))
    write_text(sums, checksums(found))
    write_text(described, _json(metadata))
    return [place, sums, described]


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def checksums(found: Record) -> str:
    """The digests of all files below the project's folder, as ``sha256sum`` writes them."""
    files = {one["path"]: one["sha256"] for one in [*found["inputs"], *found["outputs"]] if one["inside"]}
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(files.items()))


def manifest(root: Path) -> Record:
    """Everything that is known about the inputs and outputs of the studies that can run."""
    ran = project.runnable(root)
    inputs = {one["path"]: one for one in _shared_files(root)}
    outputs, specifications = [], []
    for study in ran:
        inputs |= {one["path"]: one for one in _inputs(study)}
        outputs += list(_outputs(study))
        specifications += list(_specifications(study))
    known = {one["path"] for one in outputs}
    for path in visible_paths((root / "report").rglob("*"), root / "report"):
        if path.is_file() and path.relative_to(root).as_posix() not in known:
            outputs.append(_file(root, path, rule=_rule_of(path.relative_to(root / "report"))))
    return {
        "studies": [{"id": study.id, "title": study.config["title"]} for study in ran],
        "not_run": sorted(study.id for study in project.readable(root)[0] if study not in ran),
        "machine": {
            "system": platform.system(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "versions": package_versions(),
        "specifications": specifications,
        "inputs": sorted(inputs.values(), key=lambda one: one["path"]),
        "outputs": sorted(outputs, key=lambda one: one["path"]),
    }


def _rule_of(path: Path) -> str:
    """The rule that writes a file of the report."""
    study, *below = path.parts
    if study in ("index.html", "assets"):
        return "report"
    return "traces" if below[0] == TRACES or "/".join(below) == f"{EXPLORER}.js" else "page"


def _file(root: Path, path: Path, **more: Any) -> Record:
    inside = path.is_relative_to(root)
    name = path.relative_to(root).as_posix() if inside else path.name
    return {"path": name, "bytes": path.stat().st_size, "sha256": file_digest(path), "inside": inside, **more}


def _shared_files(root: Path) -> list[Record]:
    typed = root / "data_raw" / "typed"
    names = [root / name for name in SHARED if (root / name).is_file()]
    return [
        *(_file(root, path, kind="project") for path in names),
        *(_file(root, path, kind="hand-entered") for path in visible_paths(typed.glob("*.csv"), typed)),
    ]


def _inputs(study: StudyFolder) -> Iterator[Record]:
    """The raw files of a study, and its own files: description, specifications, programs, ready panels."""
    for path in visible_paths(study.folder.rglob("*"), study.folder):
        below = path.relative_to(study.folder).parts
        if path.is_file() and below[0] != "expected" and "__pycache__" not in below:
            yield _file(study.root, path, kind="study", study=study.id)
    for source in study.sources:
        place = locate(source, study.root)
        terms = {
            "source": source.id,
            "publisher": source.publisher,
            "citation": source.citation,
            "terms": source.license,
            "url": source.url,
        }
        if source.package is not None:
            package = {"path": f"package:{source.package}", "bytes": None, "sha256": None, "inside": False}
            yield {**package, "kind": "raw", "version": source.version, **terms}
        elif place is not None:
            found = _raw_file(study.root, place, place.stat().st_mtime_ns)
            promised = {"promised_sha256": source.sha256, "promised_git_blob": source.git_blob}
            yield {**found, "path": f"data_raw/{source.path}", "kind": "raw", **promised, **terms}


@cache
def _raw_file(root: Path, place: Path, _: int) -> Record:
    """A raw file, hashed once although several studies read it."""
    return _file(root, place)


def _specifications(study: StudyFolder) -> Iterator[Record]:
    """What is estimated: panel, estimator, seed, and the rows of the specification's file."""
    for spec in study_specs(study):
        resolved = spec.resolved()
        yield {
            "id": spec.id,
            "study": study.id,
            "panel": f"data_clean/{study.id}/{spec.panel}.parquet",
            "outcome": spec.outcome,
            "estimator": spec.estimator,
            "inference": resolved["inference"]["method"],
            "seed": resolved["inference"]["seed"],
        }


def _outputs(study: StudyFolder) -> Iterator[Record]:
    """Every file that was made of a study, with its rule, its specifications, its panels and its inputs."""
    panels = {spec.id: f"data_clean/{study.id}/{spec.panel}.parquet" for spec in study_specs(study)}
    for name, rule, entry in _made(study, list(panels)):
        path = study.root / name
        if path.is_file():
            specs = _named(entry, list(panels))
            yield _file(
                study.root,
                path,
                rule=rule,
                study=study.id,
                specifications=specs,
                panels=sorted({panels[spec] for spec in specs}),
                files=_files(entry, study),
                seed=entry.get("seed"),
            )


def _made(study: StudyFolder, specs: Sequence[str]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(file, rule, the entry of the study's description that asks for it)."""
    base = f"tables/{study.id}"
    for name in study.clean_outputs():
        yield name, "clean", {}
    for spec in specs:
        for name in FILES:
            yield f"{base}/specs/{spec}/{name}", "estimate", {"spec": spec}
    yield f"{base}/estimates.csv", "gather", {"specs": list(specs)}
    yield f"{base}/second_engine.csv", "check", {}
    for entry in study.config.get("analyses", []):
        yield f"{base}/analyses/{entry['id']}.csv", "analyze", entry
    for folder, endings in (("tables", TABLE_ENDINGS), ("figures", FIGURE_ENDINGS)):
        for entry in study.config.get(folder, []):
            for ending in endings:
                yield f"{folder}/{study.id}/{entry['id']}.{ending}", folder, entry
    for name in study.summary_outputs():
        yield name, "summary", {}


def _named(entry: Mapping[str, Any], specs: Sequence[str]) -> list[str]:
    """The specifications that an entry names, by their ids or by a pattern."""
    texts = set(texts_in(entry, keys=True))
    patterns = [text for text in texts if "*" in text or "?" in text]
    return [spec for spec in specs if spec in texts or any(fnmatch.fnmatchcase(spec, p) for p in patterns)]


def _files(entry: Mapping[str, Any], study: StudyFolder) -> list[str]:
    """The cleaned files, analyses and raw files that an entry names."""
    folders = Folders.under(study.root, study.id)
    return sorted({folders.shown(text) for text in texts_in(entry) if text.startswith(PLACES)})
