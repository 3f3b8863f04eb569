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
    "Weighted and unweighted estimates have different estimands (the average person, or whatever the weights "
    "count, and the average unit)."
)
CELLS, SAMPLE, DESIGN, ERRORS, SOURCE = range(5)
COUNT = re.compile(r"^\d[\d,]*")
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
    verb = "are clustered" if beside else "clustered"
    return Fact(ERRORS, f"{place} {verb} at the {formatting.listed(ways)} level.")


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
    """Notes on dropped or derived observations, each once; counts that differ between results as a range."""
    groups = _by_word(shown, lambda saved: [*saved.details.notes, saved.spec.get("note")])
    alike: dict[str, list[str]] = {}
    for word in groups:
        alike.setdefault(COUNT.sub("#", word), []).append(word)
    found = []
    for pattern, words in alike.items():
        text = " ".join(
            formatting.sentence(word)
            if len(groups[word]) == len(shown)
            else f"{columns_concerned(shown, groups[word])}: {word}."
            for word in words
        )
        short = _ranged(pattern, words) or _first_clause(words, len(groups[words[0]]) == len(shown))
        found.append(Fact(SAMPLE, text, short, required=False))
    # Cautions come before counts of exclusions, so that they are the first to find room.
    return sorted(found, key=lambda fact: fact.short[:1].isdigit())


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


def _ranged(pattern: str, words: Sequence[str]) -> str:
    """Sentences that differ in their first count as one, such as ``3 to 155 units were dropped``."""
    counts = [COUNT.match(word) for word in words]
    if any(count is None for count in counts):
        return ""
    numbers = sorted({int(count[0].replace(",", "")) for count in counts if count})
    ends = " to ".join(formatting.integer(number) for number in dict.fromkeys([numbers[0], numbers[-1]]))
    rest = re.sub(r", for example .*", "", pattern.removeprefix("#"))
    return formatting.sentence(f"{ends}{rest}")


def _first_clause(words: Sequence[str], everywhere: bool) -> str:
    """The first clause of a caution, without what it recommends."""
    clause = CLAUSE.split(words[0], maxsplit=1)[0]
    return formatting.sentence(clause if everywhere else f"in some results, {clause[:1].lower()}{clause[1:]}")
