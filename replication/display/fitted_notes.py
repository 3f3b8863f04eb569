"""Notes that fit below a table or a figure, and the details that do not fit.

A note is a list of facts, each belonging to a paragraph. Required facts are always printed. An optional
fact is printed in full where there is room, in its short form where there is less, and otherwise only in
the details, to which the note then refers.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

TABLE_LINES, TABLE_LETTERS = 5, 180
FIGURE_LINES = 3
POINTER = "Further details are recorded with the files."


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement of a note.

    Attributes
    ----------
    part : number of the paragraph to which the statement belongs.
    text : the statement in full, one sentence or several.
    short : a shorter form, empty if there is none.
    required : whether the statement is printed whatever room it takes.
    """

    part: int
    text: str
    short: str = ""
    required: bool = True


def line_count(paragraphs: Sequence[str], letters: int) -> int:
    """Printed lines of paragraphs that each begin on a line of their own."""
    return sum(len(textwrap.wrap(text, letters, break_on_hyphens=False)) for text in paragraphs)


def fitted(facts: Sequence[Fact], lines: int, letters: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Paragraphs of at most ``lines`` lines, and every fact that is not printed in full.

    Only required facts may exceed the limit, so that nothing a study's author wrote is lost.
    """
    facts = [fact for fact in facts if fact.text]
    chosen: dict[int, str] = {place: fact.text for place, fact in enumerate(facts) if fact.required}
    optional = [place for place, fact in enumerate(facts) if not fact.required]
    for form in ("short", "text"):
        for place in optional:
            words = facts[place].short or facts[place].text if form == "short" else facts[place].text
            tried = {**chosen, place: words}
            if line_count(_paragraphs(facts, tried, optional), letters) <= lines:
                chosen = tried
    details = tuple(facts[place].text for place in optional if chosen.get(place) != facts[place].text)
    return tuple(_paragraphs(facts, chosen, optional)), details


def _paragraphs(facts: Sequence[Fact], chosen: dict[int, str], optional: Sequence[int]) -> list[str]:
    """The chosen words by paragraph; the last one refers to the details where words were left out."""
    parts: dict[int, list[str]] = {}
    for place, fact in enumerate(facts):
        if place in chosen:
            parts.setdefault(fact.part, []).append(chosen[place])
    found = [" ".join(parts[part]) for part in sorted(parts)]
    if any(chosen.get(place) != facts[place].text for place in optional):
        found = [*found[:-1], " ".join([*found[-1:], POINTER])]
    return found
