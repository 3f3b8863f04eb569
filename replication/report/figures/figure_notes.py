"""The note below a figure: one paragraph of at most three lines, without a specification id."""

from __future__ import annotations

from collections.abc import Sequence

from replication.display.fitted_notes import FIGURE_LETTERS, FIGURE_LINES, Fact, fitted
from replication.report.report_context import Context
from replication.report.study_config import Entry


def figure_note(
    entry: Entry, context: Context, marks: Sequence[str], optional: Sequence[Fact] = ()
) -> tuple[str, tuple[str, ...]]:
    """The printed paragraph, and what is recorded with the files only.

    Parameters
    ----------
    marks : sentences on what the marks are; always printed, before the entry's own notes.
    optional : facts printed as far as there is room; the file that is shown is the last of them.
    """
    facts = [Fact(0, words) for words in (*marks, *entry.notes)]
    facts += optional
    if "source" in entry.options:
        source = f"Source: {context.folders.shown(entry.options['source'])}."
        facts.append(Fact(0, source, required=False))
    paragraphs, details = fitted(facts, FIGURE_LINES, FIGURE_LETTERS)
    return "\n".join(paragraphs), details
