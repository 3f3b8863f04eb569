"""Writing all tables, in every format, and all figures of one study."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from replication.core.errors import InputError
from replication.core.files import write_text
from replication.core.processes import in_processes, unused_cores
from replication.report.figures import write_figure
from replication.report.folders import Folders
from replication.report.html_table import table_page
from replication.report.latex_table import latex
from replication.report.markdown_table import markdown
from replication.report.report_context import Context
from replication.report.spreadsheet import write_spreadsheet
from replication.report.study_config import Entry, StudyConfig
from replication.report.table_document import MADE_WITH, TableDocument
from replication.report.tables import build
from replication.report.word_table import write_word


def write_tables(
    study: StudyConfig, folders: Folders, *, stars: bool = False, only: Iterable[str] | None = None
) -> list[Path]:
    """Write ``<table>.tex``, ``.html``, ``.md`` and ``.csv`` of each table of a study.

    Parameters
    ----------
    study : StudyConfig
        From ``config.parse_study``.
    folders : Folders
        Results are read from ``folders.tables / "specs"``; tables are written beside it.
    stars : bool
        Significance stars (off by default).
    only : ids of the tables to write; all if None.

    Returns
    -------
    list of Path
        The files, in the order of the study's tables.

    Raises
    ------
    SpecError
        If a table names a specification, row, file or column that is not there.
    """
    context = Context.of(study, folders, stars=stars)
    written: list[Path] = []
    for entry in chosen(study.tables, only):
        with _named("table", entry, study):
            written += write_document(build(entry, context), folders.tables)
    return written


def write_figures(study: StudyConfig, folders: Folders, *, only: Iterable[str] | None = None) -> list[Path]:
    """Write ``<figure>.pdf``, ``.png`` and ``.csv`` of each figure of a study.

    Parameters and errors are those of ``write_tables``.
    """
    entries = chosen(study.figures, only)
    # Tables and the summary, which are made at the same time, take less.
    most = min(unused_cores(others=1), len(entries))
    # Neighbors are often of one kind and as much work.
    parts = [entries[start::most] for start in range(most)]
    drawn = in_processes(partial(_drawn, study, folders), parts, most)
    paths = {name: files for part in drawn for name, files in part.items()}
    return [path for entry in entries for path in paths[entry.id]]


def _drawn(study: StudyConfig, folders: Folders, entries: Sequence[Entry]) -> dict[str, list[Path]]:
    """Figure -> its files."""
    context, files = Context.of(study, folders), {}
    for entry in entries:
        with _named("figure", entry, study):
            files[entry.id] = write_figure(entry, context)
    return files


def chosen(entries: Iterable[Entry], only: Iterable[str] | None) -> list[Entry]:
    """The entries with the requested ids."""
    requested = None if only is None else set(only)
    return [entry for entry in entries if requested is None or entry.id in requested]


@contextmanager
def _named(what: str, entry: Entry, study: StudyConfig) -> Iterator[None]:
    """Adds the table or figure to a refusal that is raised while it is made."""
    try:
        yield
    except InputError as error:
        raise type(error)(f"{study.id}, {what} {entry.id!r}: {error}") from None


ENDINGS = ("tex", "html", "md", "csv", "docx")


def write_document(document: TableDocument, folder: Path) -> list[Path]:
    """Write a table as LaTeX, HTML, Markdown, CSV and Word; returns the paths."""
    writers = {"tex": latex, "html": table_page, "md": markdown}
    paths = {ending: folder / f"{document.id}.{ending}" for ending in ENDINGS}
    for ending, writer in writers.items():
        write_text(paths[ending], writer(document))
    write_spreadsheet(paths["csv"], document.data.assign(made_with=MADE_WITH))
    write_word(document, paths["docx"])
    return list(paths.values())
