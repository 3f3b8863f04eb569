"""What the pages show, as plain data for the templates beside this module."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replication.report.folders import Folders
from replication.report.html_table import cut_fragment
from replication.report.report_context import Context
from replication.report.study_config import Entry, StudyConfig
from replication.sources.manifest import Source

DOWNLOADS = ("csv", "tex", "docx")
"""Formats of a table that a reader takes away; its HTML is the page."""
FIGURE_DOWNLOADS = ("svg", "pdf", "csv")
WORDS = {"tex": "LaTeX", "docx": "Word"}


@dataclass(frozen=True, slots=True)
class StudyReport:
    """A study that ran, with its results and folders, and its raw files."""

    context: Context
    sources: Sequence[Source] = ()

    @property
    def study(self) -> StudyConfig:
        """What the study says about itself."""
        return self.context.study

    @property
    def folders(self) -> Folders:
        """Where its tables and figures are."""
        return self.context.folders


@dataclass(frozen=True, slots=True)
class Skipped:
    """A study that did not run: its raw files are missing, or its description is refused.

    Attributes
    ----------
    heading, described : its title and what it says about itself; its id and nothing if it cannot be read.
    missing : files that are not on this machine.
    remedies : how a person gets them, one entry per way.
    refusal : what is wrong with its description.
    earlier : page of an earlier run, below ``report/``.
    """

    heading: str
    described: str = ""
    missing: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    refusal: str = ""
    earlier: str = ""

    @classmethod
    def of(cls, study: StudyConfig, **reasons: Any) -> Skipped:
        """A study whose description can be read, with the other attributes."""
        return cls(study.heading(study.title), study.description, **reasons)


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
        shown = {
            "written": written,
            "about": about,
            "notes": notes,
            "picture": f"files/figures/{entry.id}.svg",
        }
        found.append(_entry(report, entry, "figure", files, traced) | shown)
    return found


def _entry(
    report: StudyReport, entry: Entry, kind: str, files: list[dict[str, str]], traced: Sequence[str]
) -> dict[str, Any]:
    return {
        "id": anchor(kind, report.study, entry),
        "title": report.study.heading(entry.title),
        "files": files,
        "trace": f"{report.study.id}/traces/{entry.id}" if entry.id in traced else "",
    }


def anchor(kind: str, study: StudyConfig, entry: Entry) -> str:
    """The address of a table or figure within the page of its study."""
    return f"{kind.lower()}-{study.id}-{entry.id}"


def links(folder: Path, entry: Entry, endings: Sequence[str], place: str) -> list[dict[str, str]]:
    """The files of a table or figure that there are: address from the study's page, and words."""
    return [
        {"href": f"files/{place}/{entry.id}.{ending}", "words": WORDS.get(ending, ending.upper())}
        for ending in endings
        if (folder / f"{entry.id}.{ending}").is_file()
    ]


def taken_away(report: StudyReport) -> Iterator[tuple[str, Path]]:
    """Where a file lies in the study's folder of the site, and where the pipeline wrote it."""
    folders, study = report.folders, report.study
    kinds = (
        ("tables", folders.tables, study.tables, DOWNLOADS),
        ("figures", folders.figures, study.figures, FIGURE_DOWNLOADS),
    )
    requested = [
        (f"files/{kind}/{entry.id}.{ending}", folder / f"{entry.id}.{ending}")
        for kind, folder, entries, endings in kinds
        for entry in entries
        for ending in endings
    ]
    requested.append(("files/second_engine.csv", folders.tables / "second_engine.csv"))
    requested += [(f"files/{name}", folders.clean / name) for name in ("codebook.csv", "sample_flow.csv")]
    return ((name, path) for name, path in requested if path.is_file())


def study_files(report: StudyReport, summary: bool) -> list[dict[str, str]]:
    """Links to the summary and to what holds for the whole study, where they are."""
    tables, clean = report.folders.tables, report.folders.clean
    requested = [
        ("summary.md", "Summary (Markdown)", summary),
        (
            "files/second_engine.csv",
            "Estimates by independent software (CSV)",
            (tables / "second_engine.csv").is_file(),
        ),
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
