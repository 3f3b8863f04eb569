"""A table as a Word document, by python-docx."""

from __future__ import annotations

import re
import zipfile
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from replication.core.files import write_bytes
from replication.display.fitted_notes import NOTES
from replication.display.formatting import typeset
from replication.report.table_document import TableDocument

# A document says when it was made; a fixed day keeps its bytes the same.
DAY = datetime(2000, 1, 1)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write_word(document: TableDocument, path: Path) -> Path:
    """Write title, table and notes; editable in Word."""
    import docx

    page: Any = docx.Document()
    page.core_properties.created = page.core_properties.modified = DAY
    title = printable(document.title)
    page.core_properties.author, page.core_properties.title = document.versions, title
    page.add_heading(title, level=2)
    write_grid(page.add_table(rows=0, cols=1 + len(document.align)), document)
    for note in document.notes:
        page.add_paragraph().add_run(f"{NOTES} ").italic = True
        page.paragraphs[-1].add_run(printable(note))
    drop_unused_styles(page)
    for part, needless in ((page.part, "stylesWithEffects"), (page.part.package, "thumbnail")):
        for key in [key for key, link in part.rels.items() if link.reltype.endswith(needless)]:
            del part.rels[key]
    unpacked = BytesIO()
    page.save(unpacked)
    write_bytes(path, undated(unpacked.getvalue()))
    return path


def write_grid(grid: Any, document: TableDocument) -> None:
    """Heads, headings of sections, and rows."""
    for headings in document.headings:
        cells = grid.add_row().cells
        place = 1
        for head in headings:
            merged = cells[place].merge(cells[place + head.span - 1]) if head.span > 1 else cells[place]
            write_cell(merged, head.text, bold=True)
            place += head.span
    for section in document.sections:
        if section.heading:
            write_cell(grid.add_row().cells[0], section.heading, bold=True)
        for row in section.rows:
            cells = grid.add_row().cells
            write_cell(cells[0], row.label)
            for cell, lines in zip(cells[1:], row.cells, strict=True):
                write_cell(cell, "\n".join(lines), centered=True)


def undated(content: bytes) -> bytes:
    """The same archive with one fixed day on all its members."""
    found = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(content)) as source,
        zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(
                zipfile.ZipInfo(name, DAY.timetuple()[:6]), source.read(name), zipfile.ZIP_DEFLATED
            )
    return found.getvalue()


def drop_unused_styles(page: Any) -> None:
    """Leave out the table styles of the template but the one in use: they are most of a short document."""
    from docx.enum.style import WD_STYLE_TYPE

    used = {table.style.style_id for table in page.tables}
    for style in list(page.styles):
        if style.type == WD_STYLE_TYPE.TABLE and style.style_id not in used and not style.element.default:
            style.element.getparent().remove(style.element)


def printable(text: str) -> str:
    """A text as it is printed, without the characters that XML does not have."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", typeset(text))


def write_cell(cell: Any, text: str, *, bold: bool = False, centered: bool = False) -> None:
    """Text of one cell."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraph = cell.paragraphs[0]
    written = paragraph.add_run(printable(text))
    if bold:
        written.bold = True
    if centered or bold:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
