"""The note below a figure: one paragraph of at most three lines, without a specification id."""

from __future__ import annotations

from collections.abc import Sequence

from replication.display.fitted_notes import FIGURE_LINES, Fact, fitted
from replication.report.report_context import Context
from replication.report.study_config import Entry


def figure_note(
    entry: Entry, context: Context, marks: Sequence[str], optional: Sequence[Fact] = ()
) -> tuple[str, tuple[str, ...]]:
    """The printed paragraph, and what is recorded with the files only, such as the file that is shown.

    Parameters
    ----------
    marks : sentences on what the marks are; always printed, before the entry's own notes.
    optional : facts printed as far as there is room.
    """
    facts = [Fact(0, words) for words in (*marks, *entry.notes)]
    facts += optional
    paragraphs, details = fitted(facts, FIGURE_LINES, entry.medium.letters)
    if "source" in entry.options:
        details = (*details, f"Source: {context.folders.shown(entry.options['source'])}.")
    return "\n".join(paragraphs), details
