"""The summary of a study as Markdown, and the ledger of its numbers."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pandas as pd

from replication.core.errors import SpecError, nearest
from replication.core.files import write_csv, write_text
from replication.report.report_data import Folders
from replication.report.study_config import Study
from replication.report.summary.numbers import Numbers
from replication.report.table_document import MADE_WITH

TEMPLATES = ("secure_communities",)
"""Modules of this package with a function ``sections``."""
LEDGER = "summary_numbers.csv"
MARK = re.compile(r"\[\^(\d+)\]")


def write_summary(template: str, study: Study, folders: Folders, path: Path) -> int:
    """Write the summary and ``tables/<study>/summary_numbers.csv``; returns how many numbers.

    Raises
    ------
    SpecError
        If there is no such template, or a specification, file or row that it names is gone.

    """
    if template not in TEMPLATES:
        raise SpecError(
            f"{study.id}: there is no summary {template!r}{nearest(template, TEMPLATES)}. "
            f"Templates: {', '.join(TEMPLATES)}."
        )
    numbers = Numbers(study, folders)
    try:
        write_text(path, compose(template, numbers))
    except SpecError as error:
        raise SpecError(f"{study.id}, summary: {error}") from None
    write_csv(folders.tables / LEDGER, pd.DataFrame(numbers.ledger))
    return len(numbers.ledger)


def compose(template: str, numbers: Numbers) -> str:
    """The text: title, sections, and a footnote for every source."""
    module = importlib.import_module(f"studies.secure_communities.summary.{template}")
    lines = [f"# {numbers.study.heading(numbers.study.title)}: summary", ""]
    for heading, paragraphs in module.sections(numbers):
        lines += [f"## {heading}", ""] if heading else []
        for paragraph in paragraphs:
            lines += [paragraph, ""]
    body = in_order("\n".join(lines), numbers)
    notes = [f"[^{number}]: {source}" for source, number in numbers.sources.items()]
    return "\n".join([body, *notes, "", f"Made with {MADE_WITH}.", ""])


def in_order(body: str, numbers: Numbers) -> str:
    """The text with footnotes numbered as they appear; those that appear nowhere are dropped."""
    found = dict.fromkeys(int(number) for number in MARK.findall(body))
    order = {old: new for new, old in enumerate(found, 1)}
    known = {number: source for source, number in numbers.sources.items()}
    numbers.sources = {known[old]: new for old, new in order.items()}
    numbers.ledger = [
        {**line, "footnote": order[line["footnote"]]} for line in numbers.ledger if line["footnote"] in order
    ]
    return MARK.sub(lambda match: f"[^{order[int(match[1])]}]", body)
