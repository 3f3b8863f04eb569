"""The reporting steps: tables and figures of a study, and the page with all of them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from replication.core.files import parse_yaml, write_text
from replication.leavings import visible
from replication.report.report_data import Folders
from replication.report.study_config import load_study
from replication.report.study_report import write_figures, write_tables
from replication.sources.manifest import promises
from replication.sources.promised import promised
from replication.workflow import project
from replication.workflow.analysis_step import strings
from replication.workflow.project import FIGURE_ENDINGS, Study, code_digest

STAMPS = ".stamps.json"


def tables(study: Study, root: Path) -> int:
    """Write every table of a study; returns how many there are."""
    config = load_study(study.folder / "study.yaml")
    with promised(promises(root)):
        write_tables(config, Folders.under(root, study.id), stars=switches(root)["tables"]["stars"])
    return len(config.tables)


def figures(study: Study, root: Path) -> tuple[int, int]:
    """Draw the figures whose numbers, description or code changed; returns (drawn, kept)."""
    config = load_study(study.folder / "study.yaml")
    folders = Folders.under(root, study.id)
    stamps = {entry["id"]: figure_stamp(entry, study, folders) for entry in study.config.get("figures", [])}
    place = folders.figures / STAMPS
    known: dict[str, str] = json.loads(place.read_text()) if place.is_file() else {}
    stale = [
        name
        for name, stamp in stamps.items()
        if known.get(name) != stamp or not _all_there(folders.figures, name)
    ]
    with promised(promises(root)):
        write_figures(config, folders, only=stale)
    write_text(place, json.dumps(stamps, indent=1, sort_keys=True) + "\n")
    return len(stale), len(stamps) - len(stale)


def summary(study: Study, root: Path) -> int:
    """Write ``report/<study>/summary.md``; returns how many numbers it has."""
    from replication.report.summary import write_summary

    config = load_study(study.folder / "study.yaml")
    target = root / "report" / study.id / "summary.md"
    return write_summary(study.config["summary"], config, Folders.under(root, study.id), target)


def figure_stamp(entry: dict[str, Any], study: Study, folders: Folders) -> str:
    """Digest of all that a figure depends on: its entry, the code, its results and its files."""
    shared = {key: study.config.get(key) for key in ("title", "labels", "outcomes", "simulated")}
    parts = [json.dumps([entry, shared], sort_keys=True, default=str), code_digest("report")]
    for text in sorted(set(strings(entry))):
        if text.startswith(("clean/", "analyses/", "tables/", "raw/")) and folders.source(text).is_file():
            parts.append(hashlib.sha256(folders.source(text).read_bytes()).hexdigest())
        found = (folders.tables / "specs").glob(text) if _is_pattern(text) else []
        for folder in visible(found, folders.tables / "specs"):
            parts.append(hashlib.sha256((folder / "spec.yaml").read_bytes()).hexdigest())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def page(root: Path) -> Path:
    """Write ``report/index.html`` with every study that ran, and why the others did not."""
    from replication.report.report_page import Skipped, StudyReport, write_page

    ran, skipped = [], []
    for study in project.studies(root):
        config = load_study(study.folder / "study.yaml")
        absent = project.absent_files(study)
        if absent:
            ways = {source.how: source.path for source in absent}
            skipped.append(Skipped(config, tuple(source.path for source in absent), tuple(ways)))
        else:
            ran.append(StudyReport(config, Folders.under(root, study.id)))
    target = root / "report" / "index.html"
    write_page(ran, skipped, target)
    return target


def switches(root: Path) -> dict[str, Any]:
    """``config.yaml``."""
    found: dict[str, Any] = parse_yaml((root / "config.yaml").read_text(encoding="utf-8"))
    return found


def _is_pattern(text: str) -> bool:
    return bool(text) and all(letter.isalnum() or letter in "_-.*?" for letter in text)


def _all_there(folder: Path, name: str) -> bool:
    return all((folder / f"{name}.{ending}").is_file() for ending in FIGURE_ENDINGS)
