"""A table in every format: LaTeX, HTML, Markdown, and a CSV of its data."""

from __future__ import annotations

from pathlib import Path

from replication.core.files import write_text
from replication.report.html_table import table_page
from replication.report.latex_table import latex
from replication.report.markdown_table import markdown
from replication.report.spreadsheet import write_spreadsheet
from replication.report.table_document import MADE_WITH, TableDocument

ENDINGS = ("tex", "html", "md", "csv")


def write_document(document: TableDocument, folder: Path) -> list[Path]:
    """Write a table as LaTeX, HTML, Markdown and CSV; returns the paths."""
    writers = {"tex": latex, "html": table_page, "md": markdown}
    paths = [folder / f"{document.id}.{ending}" for ending in ENDINGS]
    for path, (ending, writer) in zip(paths, writers.items(), strict=False):
        assert path.suffix == f".{ending}"
        write_text(path, writer(document))
    write_spreadsheet(paths[-1], document.data.assign(made_with=MADE_WITH))
    return paths
