"""A table as HTML: a fragment for the page, and a page of its own."""

from __future__ import annotations

import html

from replication.display.fitted_notes import NOTES
from replication.display.formatting import typeset
from replication.report.site.page_templates import single_page
from replication.report.table_document import Heading, Section, TableDocument, TableRow

BEGIN, END = "<!-- table begins -->", "<!-- table ends -->"


def escape(text: str) -> str:
    """Text as it is printed, with what HTML reads as markup written out."""
    return html.escape(typeset(text))


def table_page(document: TableDocument) -> str:
    """A page with one table."""
    body = "\n".join([BEGIN, fragment(document), END])
    return single_page(document.title, body, document.versions, simulated=document.simulated, headed=False)


def cut_fragment(page: str) -> str:
    """The table of a page that ``table_page`` wrote."""
    return page.partition(BEGIN)[2].partition(END)[0].strip()


def fragment(document: TableDocument) -> str:
    """The table with its title and notes, to be put into a page."""
    name = html.escape(f"{document.study}-{document.id}")
    lines = [
        f'<div class="table" id="table-{name}">',
        f'<div class="scroll" tabindex="0" role="region" aria-labelledby="caption-{name}">',
        "<table>",
        f'<caption id="caption-{name}">{escape(document.title)}</caption>',
        "<thead>",
        *_head(document),
        "</thead>",
        *(line for section in document.sections for line in _section(section, document)),
        "</table>",
        "</div>",
        *_notes(document),
        "</div>",
    ]
    return "\n".join(lines)


def _head(document: TableDocument) -> list[str]:
    lines = []
    for level, headings in enumerate(document.headings):
        last = level == len(document.headings) - 1
        stub = f'<th scope="col" class="l">{escape(document.stub)}</th>' if last else "<td></td>"
        place, cells = 0, []
        for head in headings:
            cells.append(_heading(head, document.align[place]))
            place += head.span
        lines.append(f"<tr>{stub}{''.join(cells)}</tr>")
    return lines


def _heading(head: Heading, kind: str) -> str:
    if not head.text:
        return "<td></td>" if head.span == 1 else f'<td colspan="{head.span}"></td>'
    if head.span == 1:
        return f'<th scope="col" class="{kind}">{escape(head.text)}</th>'
    return f'<th scope="colgroup" colspan="{head.span}" class="c over">{escape(head.text)}</th>'


def _section(section: Section, document: TableDocument) -> list[str]:
    lines = ["<tbody>"]
    if section.heading:
        span = 1 + len(document.align)
        lines.append(
            f'<tr><th scope="rowgroup" colspan="{span}" class="group">{escape(section.heading)}</th></tr>'
        )
    lines += [_row(row, document.align) for row in section.rows]
    return [*lines, "</tbody>"]


def _row(row: TableRow, align: str) -> str:
    cells = [
        f'<td class="{kind}">{"<br/>".join(escape(line) for line in cell)}</td>'
        for cell, kind in zip(row.cells, align, strict=True)
    ]
    return f'<tr><th scope="row">{escape(row.label)}</th>{"".join(cells)}</tr>'


def _notes(document: TableDocument) -> list[str]:
    record = [escape(line).replace("_", "_<wbr/>") for line in document.record()]
    return [
        '<div class="notes">',
        *(f"<p><em>{NOTES}</em> {escape(note)}</p>" for note in document.notes),
        "<details><summary>Details and specifications</summary>",
        *(f"<p>{line}</p>" for line in record),
        "</details>",
        "</div>",
    ]
