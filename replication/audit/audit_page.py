"""The audit as one page of HTML with its figures and tables beside it, and as text for the terminal."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from replication.audit.design_sections import AuditSection
from replication.audit.run_audit import Audit
from replication.core.files import replacing, write_text
from replication.report.site.page_templates import single_page
from replication.report.spreadsheet import write_spreadsheet
from replication.report.table_document import MADE_WITH


def audit_text(audit: Audit) -> str:
    """What was found, the warnings, and what cannot be concluded."""
    parts = [audit.title, "", *audit.found]
    parts += ["", "Warnings:", *(f"  - {warning}" for warning in audit.warnings)] if audit.warnings else []
    parts += ["", "What cannot be concluded:", *(f"  - {words}" for words in audit.cannot)]
    return "\n".join(parts)


def write_audit(audit: Audit, folder: Path) -> Path:
    """Write ``index.html``, ``audit.txt``, and a CSV or PNG for each table and figure."""
    body = [listing("What was found", audit.found)]
    body += [listing("Warnings", audit.warnings)] if audit.warnings else []
    body.append(listing("What cannot be concluded", audit.cannot))
    body += [section_html(section, folder) for section in audit.sections]
    write_text(folder / "audit.txt", audit_text(audit) + "\n")
    write_text(folder / "index.html", single_page(audit.title, "\n".join(body), MADE_WITH))
    return folder / "index.html"


def listing(title: str, words: tuple[str, ...] | list[str]) -> str:
    """A heading with a list below it."""
    items = "\n".join(f"<li>{escape(one)}</li>" for one in words)
    return f"<h2>{escape(title)}</h2>\n<ul>\n{items}\n</ul>"


def section_html(section: AuditSection, folder: Path) -> str:
    """A section of the page; its table and figure are written beside it."""
    name = re.sub(r"[^a-z0-9]+", "_", section.title.lower()).strip("_")
    parts = [f"<h2>{escape(section.title)}</h2>", *(f"<p>{escape(words)}</p>" for words in section.words)]
    parts += [f"<p><strong>{escape(warning)}</strong></p>" for warning in section.warnings]
    if section.figure is not None:
        with replacing(folder / f"{name}.png") as temporary:
            section.figure.savefig(temporary, format="png")
        parts.append(f'<p><img src="{name}.png" alt="{escape(section.title)}"/></p>')
    if section.table is not None:
        write_spreadsheet(folder / f"{name}.csv", section.table)
        shown = section.table.to_html(index=False, border=0, na_rep="", justify="right")
        parts.append(f'<div class="scroll">{shown}</div><p><a href="{name}.csv">CSV</a></p>')
    return "\n".join(parts)
