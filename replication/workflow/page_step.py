"""The pages of one study, with what ``verify`` finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from replication.core.fingerprints import Ledger
from replication.core.processes import in_processes, unused_cores
from replication.report.report_context import Context
from replication.report.site.site_render import (
    FOLDERS,
    Site,
    compared_numbers,
    explorer_script,
    render_study,
    write_site,
)
from replication.report.study_config import Entry
from replication.workflow.project import StudyFolder
from replication.workflow.trace_step import FOLDER as TRACES
from replication.workflow.trace_step import explorer_file, study_traces, traces_of

PAGE = "page"
"""Entry of the ledger with the files of a study that are made anew every time."""


def page(study: StudyFolder, root: Path) -> int:
    """Write the pages of one study, ``report/<study>``; returns how many files they have."""
    made = explorer_file(study, root)
    files = pages_of(study, root, made.read_bytes() if made.is_file() else b"")
    write_site(files, root / "report", [folder for folder in FOLDERS if folder != TRACES])
    ledger = Ledger(root / study.ledger("page"))
    ledger.note(PAGE, "", [root / "report" / name for name in files])
    ledger.write(keep=[PAGE])
    return len(files)


def study_site(study: StudyFolder, root: Path) -> Site:
    """Pages of a study with the traces of all its written tables and figures.

    Raises
    ------
    InputError
        If a written table or figure could not be made from what is there now.
    """
    reader = study_traces(study, root)
    found = traces_of(study, root, reader, written(reader.context))
    for refused in found.refused.values():
        raise refused
    return pages_of(study, root, explorer_script(reader.context)) | found.scripts


def pages_of(study: StudyFolder, root: Path, explorer: bytes) -> Site:
    """The pages and the comparison to the committed numbers, which two cores make at a time."""
    parts: list[Callable[[], Site]] = [
        partial(_pages, study, root, explorer),
        partial(_compared, study, root),
    ]
    pages, compared = in_processes(_called, parts, unused_cores())
    return pages | compared


def _called(part: Callable[[], Site]) -> Site:
    return part()


def _pages(study: StudyFolder, root: Path, explorer: bytes) -> Site:
    from replication.report.site.site_pages import StudyReport

    context = study_traces(study, root).context
    return render_study(
        StudyReport(context, tuple(study.sources)),
        summary=summaries_of(root).get(study.id),
        traced=[entry.id for entry in written(context)],
        explorer=explorer,
    )


def _compared(study: StudyFolder, root: Path) -> Site:
    from replication.checks.compare_numbers import verify

    held = (study.folder / "expected").is_dir()
    rows: list[dict[str, Any]] = [asdict(one) for one in verify(root, [study.id])] if held else []
    return compared_numbers({study.id: sorted(rows, key=lambda row: -int(row["failed"]))})


def written(context: Context) -> list[Entry]:
    """The tables and figures of a study that were written."""
    tables, figures = context.folders.tables, context.folders.figures
    return [
        *(entry for entry in context.study.tables if (tables / f"{entry.id}.html").is_file()),
        *(entry for entry in context.study.figures if (figures / f"{entry.id}.svg").is_file()),
    ]


def summaries_of(root: Path) -> dict[str, Path]:
    """The written summaries that there are, by study."""
    return {path.parent.name: path for path in sorted((root / "report").glob("*/summary.md"))}
