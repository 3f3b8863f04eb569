"""The summary of a study as Markdown, and the ledger of its numbers."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from replication.core.errors import InputError
from replication.core.files import write_csv, write_text
from replication.report.report_data import Folders
from replication.report.study_config import StudyConfig
from replication.report.summary.numbers import Numbers
from replication.report.summary.template import rendered
from replication.report.table_document import MADE_WITH

LEDGER = "summary_numbers.csv"
MARK = re.compile(r"\[\^(\d+)\]")


def write_summary(template: Path, study: StudyConfig, folders: Folders, path: Path) -> int:
    """Write the summary and ``tables/<study>/summary_numbers.csv``; returns how many numbers.

    Parameters
    ----------
    template : Path
        ``summary.md.j2`` of the study's folder; ``summary.template`` says what it may call.

    Raises
    ------
    SpecError
        If the template is faulty, or a specification, file or row that it names is gone.
    """
    numbers = Numbers(study, folders)
    try:
        write_text(path, compose(template, numbers))
    except InputError as error:
        raise type(error)(f"{study.id}, summary: {error}") from None
    write_csv(folders.tables / LEDGER, pd.DataFrame(numbers.ledger))
    return len(numbers.ledger)


def compose(template: Path, numbers: Numbers) -> str:
    """The text of the template, and a footnote for every source."""
    body = in_order(rendered(template, numbers), numbers)
    notes = [f"[^{number}]: {source}" for source, number in numbers.sources.items()]
    return "\n".join([body, "", *notes, "", f"Made with {MADE_WITH}.", ""])


def in_order(body: str, numbers: Numbers) -> str:
    """The text with footnotes numbered as they appear; those that appear nowhere are dropped.

    The ledger is put into the order of the footnotes, whatever order the template fetched its numbers in.
    """
    found = dict.fromkeys(int(number) for number in MARK.findall(body))
    order = {old: new for new, old in enumerate(found, 1)}
    known = {number: source for source, number in numbers.sources.items()}
    numbers.sources = {known[old]: new for old, new in order.items()}
    kept = [line for line in numbers.ledger if line["footnote"] in order]
    lines = [{**line, "footnote": order[line["footnote"]]} for line in kept]
    numbers.ledger = sorted(lines, key=lambda line: line["footnote"])
    return MARK.sub(lambda match: f"[^{order[int(match[1])]}]", body)
