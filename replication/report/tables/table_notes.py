"""The note below a table: at most five lines, in the order that AEA journals use.

The cells; the sample; fixed effects and weights; standard errors; the source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from replication.display import formatting
from replication.display.fitted_notes import TABLE_LETTERS, TABLE_LINES, Fact, fitted
from replication.report import facts
from replication.report.report_context import Context
from replication.report.report_data import Saved

STARS_NOTE = "* p < 0.10, ** p < 0.05, *** p < 0.01."
ESTIMANDS = (
    "Weighted and unweighted estimates have different estimands: effects averaged over what the weights "
    "count (such as residents) and over units."
)
CELLS, SAMPLE, DESIGN, ERRORS, SOURCE = range(5)
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\w)")
PLACES = 45
"""Letters of the names of columns or rows that are printed before a caution; longer ones are counted."""
CLAUSE = re.compile(r"[;:]|, which|, for example")


@dataclass(frozen=True, slots=True)
class Shown:
    """A result and where it stands: its panel, if there are panels, and its column or row."""

    panel: str
    name: str
    saved: Saved


def inference_note(shown: Sequence[Shown], context: Context, *, beside: bool = False) -> Fact:
    """How the standard errors were computed; ``beside`` if they have a column of their own."""
    ways = formatting.distinct_words(facts.clusters(one.saved, context.study) for one in shown)
    place = "Standard errors" if beside else "Standard errors in parentheses"
    if not ways:
        return Fact(ERRORS, "" if beside else f"{place}.")
    crossed = [way for way in ways if " and " in way]
    levels = " or ".join(way for way in ways if way not in crossed)
    parts = [f"at the {levels} level"] if levels else []
    parts += [f"two-way by {way}" for way in crossed]
    verb = "are clustered" if beside else "clustered"
    return Fact(ERRORS, f"{place} {verb} {'; in some cases, '.join(parts)}.")


def weights_note(shown: Sequence[Shown]) -> Fact:
    """A warning where weighted and unweighted estimates stand side by side."""
    mixed = len({bool(one.saved.spec.get("weights")) for one in shown}) > 1
    return Fact(DESIGN, ESTIMANDS if mixed else "", required=False)


def design_notes(shown: Sequence[Shown], context: Context) -> list[Fact]:
    """Control group, base period and averaging; places are named only where the results differ."""
    kinds: dict[str, Callable[[Saved], str]] = {
        "control group": lambda saved: facts.comparison(saved, context.study),
        "base period": facts.base_period,
        "overall effect": facts.overall,
    }
    return [differing(shown, kind, words_of, unless_alone=True) for kind, words_of in kinds.items()]


def differing(
    shown: Sequence[Shown], kind: str, words_of: Callable[[Saved], str], *, unless_alone: bool = False
) -> Fact:
    """One fact for each result, with its place where the results differ.

    ``unless_alone``: results that have nothing of the kind do not count, so that one word needs no place.
    """
    groups = _by_word(shown, lambda saved: [words_of(saved)])
    if len(groups) == 1:
        word, where = next(iter(groups.items()))
        if unless_alone or len(where) == len(shown):
            return Fact(DESIGN, formatting.sentence(f"{kind}: {word}"), required=False)
    text = " ".join(
        formatting.sentence(f"{kind} in {columns_concerned(shown, where)}: {word}")
        for word, where in groups.items()
    )
    short = formatting.sentence(f"{kind}, by result: {' or '.join(groups)}") if len(groups) > 1 else ""
    return Fact(DESIGN, text, short, required=False)


def sample_notes(shown: Sequence[Shown]) -> list[Fact]:
    """Notes on dropped or derived observations, each once; numbers that differ between results as a range."""
    groups = _by_word(shown, lambda saved: [*saved.details.notes, saved.spec.get("note")])
    alike: dict[str, list[str]] = {}
    for word in groups:
        alike.setdefault(NUMBER.sub("#", _first_clause(word)), []).append(word)
    found = []
    for words in alike.values():
        text = " ".join(
            formatting.sentence(word)
            if len(groups[word]) == len(shown)
            else f"{columns_concerned(shown, groups[word])}: {word}."
            for word in words
        )
        concerned = [one for one in shown if any(one in groups[word] for word in words)]
        counted = words[0][:1].isdigit()
        short = _ranged([_first_clause(word) for word in words])
        if len(concerned) < len(shown):
            short = f"{_place(shown, concerned)}{short if counted else short[:1].lower() + short[1:]}"
        found.append((counted, Fact(SAMPLE, text, formatting.sentence(short), required=False)))
    # Cautions come before counts of exclusions, so that they are the first to find room.
    return [fact for _, fact in sorted(found, key=lambda pair: pair[0])]


def printed(statements: Sequence[Fact]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The printed note of at most five lines, and the details recorded with the files."""
    return fitted(statements, TABLE_LINES, TABLE_LETTERS)


def columns_concerned(shown: Sequence[Shown], chosen: Sequence[Shown]) -> str:
    """Places of the chosen results; those chosen in every panel by name alone."""
    names = formatting.distinct_words(one.name for one in chosen)
    total = {name: sum(one.name == name for one in shown) for name in names}
    whole = [name for name in names if sum(one.name == name for one in chosen) == total[name]]
    mark = "; " if any("," in name for name in names) else ", "
    words = [mark.join(whole)]
    for panel in formatting.distinct_words(one.panel for one in chosen):
        inside = mark.join(one.name for one in chosen if one.panel == panel and one.name not in whole)
        if inside:
            words.append(f"{panel} {inside if inside.startswith('(') else f'({inside})'}")
    return "; ".join(word for word in words if word)


def named_specs(shown: Sequence[Shown]) -> tuple[tuple[str, str], ...]:
    """(column, id) of the specifications; the panel is named with its first column."""
    found, panel = [], ""
    for one in shown:
        opening = f"{one.panel}: " if one.panel != panel else ""
        found.append((f"{opening}{one.name}", one.saved.spec_id))
        panel = one.panel
    return tuple(found)


def _by_word(
    shown: Sequence[Shown], wording: Callable[[Saved], Sequence[str | None]]
) -> dict[str, list[Shown]]:
    groups: dict[str, list[Shown]] = {}
    for one in shown:
        for word in wording(one.saved):
            if word:
                groups.setdefault(str(word).rstrip("."), []).append(one)
    return groups


def _ranged(clauses: Sequence[str]) -> str:
    """One clause for several that differ in their numbers only, such as ``3 to 155 units were dropped``."""
    columns = zip(*(NUMBER.findall(clause) for clause in clauses), strict=True)
    ends = iter([sorted(set(column), key=_value) for column in columns])

    def span(found: re.Match[str]) -> str:
        numbers = next(ends)
        # Only the count in front gets thousands separators: a number inside may be a year.
        names = [
            formatting.integer(_value(x)) if found.start() == 0 else x for x in (numbers[0], numbers[-1])
        ]
        return " to ".join(dict.fromkeys(names))

    return NUMBER.sub(span, clauses[0])


def _value(number: str) -> float:
    return float(number.replace(",", ""))


def _first_clause(word: str) -> str:
    """A caution without its explanation and what it recommends; a count of exclusions without its example."""
    if word[:1].isdigit():
        return re.sub(r", for example .*", "", word)
    return CLAUSE.split(word, maxsplit=1)[0]


def _place(shown: Sequence[Shown], concerned: Sequence[Shown]) -> str:
    """The results concerned, by name where that is short, otherwise by number."""
    names = columns_concerned(shown, concerned)
    if len(names) <= PLACES:
        return f"{names}: "
    return f"in {len(concerned)} of {len(shown)} results, "
