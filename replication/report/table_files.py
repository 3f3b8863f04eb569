"""A table in every format: LaTeX, HTML, Markdown, Word, and a CSV of its data."""

from __future__ import annotations

from pathlib import Path

from replication.core.files import write_text
from replication.report.html_table import table_page
from replication.report.latex_table import latex
from replication.report.markdown_table import markdown
from replication.report.spreadsheet import write_spreadsheet
from replication.report.table_document import MADE_WITH, TableDocument
from replication.report.word_table import write_word

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
