"""Notes that fit below a table or a figure, and the details that do not fit.

A note is a list of facts, each belonging to a paragraph. Required facts are always printed. A fact is
printed in full where there is room, in its short form where there is less, and if it is optional,
otherwise only in the details.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from replication.display.formatting import typeset

TABLE_LINES, TABLE_LETTERS = 5, 120
"""Lines of a table's note, which is one paragraph, on a portrait page of 6.5 inches in footnote size."""
FIGURE_LINES = 3
NOTES = "Notes:"
"""What stands before the note of a table."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement of a note.

    Attributes
    ----------
    part : number of the paragraph to which the statement belongs.
    text : the statement in full, one sentence or several.
    short : a shorter form, empty if there is none.
    required : whether the statement is printed whatever room it takes.
    record : what is recorded where the statement is not printed in full; the statement itself if empty.
    """

    part: int
    text: str
    short: str = ""
    required: bool = True
    record: str = ""

    @property
    def recorded(self) -> str:
        """The words in the details."""
        return self.record or self.text


def line_count(paragraphs: Sequence[str], letters: int) -> int:
    """Printed lines of paragraphs that each begin on a line of their own."""
    return sum(len(textwrap.wrap(text, letters, break_on_hyphens=False)) for text in paragraphs)


def fitted(
    facts: Sequence[Fact], lines: int, letters: int, *, joined: bool = False
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Paragraphs of at most ``lines`` lines, and every fact that is not printed in full.

    Only required facts may exceed the limit, so that nothing a study's author wrote is lost. ``joined``:
    the facts form one paragraph in the order of their parts.
    """
    facts = [fact for fact in facts if fact.text]
    chosen = {place: fact.short or fact.text for place, fact in enumerate(facts) if fact.required}
    for form in ("short", "text"):
        for place, fact in enumerate(facts):
            words = fact.short or fact.text if form == "short" else fact.text
            tried = {**chosen, place: words}
            if line_count(_paragraphs(facts, tried, joined), letters) <= lines:
                chosen = tried
    details = tuple(fact.recorded for place, fact in enumerate(facts) if chosen.get(place) != fact.recorded)
    return tuple(_paragraphs(facts, chosen, joined)), details


def _paragraphs(facts: Sequence[Fact], chosen: dict[int, str], joined: bool) -> list[str]:
    """The chosen words by paragraph, as they are printed."""
    parts: dict[int, list[str]] = {}
    for place, fact in enumerate(facts):
        if place in chosen:
            parts.setdefault(fact.part, []).append(chosen[place])
    texts = [" ".join(parts[part]) for part in sorted(parts)]
    return [typeset(text) for text in ([" ".join(texts)] if joined and texts else texts)]
