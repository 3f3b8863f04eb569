"""What the pages show, as plain data for the templates beside this module."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replication.report.html_table import cut_fragment
from replication.report.report_data import Folders
from replication.report.study_config import Entry, StudyConfig
from replication.sources.manifest import Source

DOWNLOADS = ("csv", "tex", "docx", "md")
"""Formats of a table that a reader takes away; its HTML is the page."""
FIGURE_DOWNLOADS = ("svg", "pdf", "csv")
WORDS = {"tex": "LaTeX", "docx": "Word", "md": "Markdown"}


@dataclass(frozen=True, slots=True)
class StudyReport:
    """A study that ran, where its tables and figures are, and its raw files."""

    study: StudyConfig
    folders: Folders
    sources: Sequence[Source] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A study that did not run.

    Attributes
    ----------
    missing : files that are not on this machine.
    remedies : how a person gets them, one entry per way.
    """

    study: StudyConfig
    missing: tuple[str, ...]
    remedies: tuple[str, ...] = ()


def tables_of(report: StudyReport, traced: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Every table of a study: its fragment, or None where it was not written, and the files to take away."""
    found = []
    for entry in report.study.tables:
        source = report.folders.tables / f"{entry.id}.html"
        fragment = cut_fragment(source.read_text(encoding="utf-8")) if source.is_file() else None
        files = links(report.folders.tables, entry, DOWNLOADS, "tables")
        found.append(_entry(report, entry, "table", files, traced) | {"fragment": fragment})
    return found


def figures_of(report: StudyReport, traced: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Every figure of a study: its words for readers who do not see it, and the files to take away."""
    from replication.report.figures.figure_files import read_description

    found = []
    for entry in report.study.figures:
        picture = report.folders.figures / f"{entry.id}.png"
        written = picture.is_file() and picture.with_suffix(".svg").is_file()
        about = read_description(picture) if written else {}
        notes = [*about.get("Comment", "").splitlines(), *about.get("Details", "").splitlines()]
        files = links(report.folders.figures, entry, FIGURE_DOWNLOADS, "figures")
        shown = {"written": written, "about": about, "notes": notes, "picture": f"files/figures/{entry.id}.svg"}
        found.append(_entry(report, entry, "figure", files, traced) | shown)
    return found


def _entry(
    report: StudyReport, entry: Entry, kind: str, files: list[dict[str, str]], traced: Sequence[str]
) -> dict[str, Any]:
    return {
        "id": f"{kind}-{report.study.id}-{entry.id}",
        "title": report.study.heading(entry.title),
        "files": files,
        "trace": f"{report.study.id}/traces/{entry.id}" if entry.id in traced else "",
    }


def links(folder: Path, entry: Entry, endings: Sequence[str], place: str) -> list[dict[str, str]]:
    """The files of a table or figure that there are: address from the study's page, and words."""
    names = [f"{entry.id}.{ending}" for ending in endings if (folder / f"{entry.id}.{ending}").is_file()]
    return [
        {"href": f"files/{place}/{name}", "words": WORDS.get(ending := name.rpartition(".")[2], ending.upper())}
        for name in names
    ]


def taken_away(report: StudyReport) -> Iterator[tuple[str, Path]]:
    """Where a file lies in the study's folder of the site, and where the pipeline wrote it."""
    tables, figures, clean = report.folders.tables, report.folders.figures, report.folders.clean
    requested = [
        *((f"files/tables/{e.id}.{end}", tables / f"{e.id}.{end}") for e in report.study.tables for end in DOWNLOADS),
        *(
            (f"files/figures/{e.id}.{end}", figures / f"{e.id}.{end}")
            for e in report.study.figures
            for end in FIGURE_DOWNLOADS
        ),
        *((f"files/{name}", tables / name) for name in ("second_engine.csv",)),
        *((f"files/{name}", clean / name) for name in ("codebook.csv", "sample_flow.csv")),
    ]
    return ((name, path) for name, path in requested if path.is_file())


def study_files(report: StudyReport, summary: bool) -> list[dict[str, str]]:
    """Links to the summary and to what holds for the whole study, where they are."""
    tables, clean = report.folders.tables, report.folders.clean
    requested = [
        ("summary.md", "Written summary", summary),
        ("files/estimates.csv.zip", "All estimates (CSV, zipped)", (tables / "estimates.csv").is_file()),
        ("files/second_engine.csv", "Second engine (CSV)", (tables / "second_engine.csv").is_file()),
        ("files/codebook.csv", "Codebook (CSV)", (clean / "codebook.csv").is_file()),
        ("files/sample_flow.csv", "Sample flow (CSV)", (clean / "sample_flow.csv").is_file()),
    ]
    return [{"href": href, "words": words} for href, words, there in requested if there]


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file as text; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text, separated by blank lines."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]
