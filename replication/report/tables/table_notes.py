"""The note below a table: at most five lines, in the order that AEA journals use.

The cells; the sample; fixed effects and weights; standard errors; the source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from replication.core.wording import agreeing
from replication.display import formatting
from replication.display.details_text import average
from replication.display.fitted_notes import TABLE_LETTERS, TABLE_LINES, Fact, fitted
from replication.display.inference_text import CLUSTERED, DESIGN_BASED, is_plain
from replication.inference.leverage import FEW_EFFECTIVE
from replication.report import facts
from replication.report.report_context import Context
from replication.report.report_data import Saved
from replication.report.tables.note_places import (
    Shown,
    columns_concerned,
    place_name,
    placed,
    short_clause,
    where,
)

STARS_NOTE = "* p < 0.10, ** p < 0.05, *** p < 0.01."
ESTIMANDS = "Weighted and unweighted estimates target different parameters (averages over {} and over {})."
TWO_WAY = ("twfe", "event_study", "poisson")
"""Regressions whose coefficients are no average over units or over what the weights count."""
CELLS, SAMPLE, DESIGN, ERRORS, SOURCE = range(5)
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\w)")
AVERAGED = "the overall effect is the "
"""Opening of a note that the table makes from the fields of a result."""
EFFECTIVE = "The effective number of clusters"
SOURCE_OF_IT = "(Carter, Schnepel, and Steigerwald 2017)"
EFFECTIVE_NOTES = ("the effective number of clusters", "The effective number of clusters")
"""Openings of notes of results for which ``few_clusters_note`` has one sentence."""
CLAUSE = re.compile(r"[;:]|, which|, for example")
EXAMPLE = re.compile(r", for example (?:[^,;]+,(?= (?:are|is) )|[^;]*)")
OPTION = re.compile(r"'[a-z_]+(?:\.[a-z_]+)*:? ?[a-z_0-9]*'|`--")
"""Advice to whoever runs the specification, which a printed note leaves out."""
COHORTS = re.compile(r"(?<= cohort)(s?) \([^)]*\)")
THOUSANDS = re.compile(r"^\d{4,}|(?<= of )\d{4,}(?= [a-z])")


def inference_note(shown: Sequence[Shown], context: Context, *, beside: bool = False) -> Fact:
    """How the standard errors were computed; ``beside`` if they have a column of their own."""
    clustered = [one.saved for one in shown if CLUSTERED in facts.std_errors(one.saved, context.study)[1]]
    ways = formatting.distinct_words(facts.clusters(saved, context.study) for saved in clustered)
    crossed = [way for way in ways if " and " in way]
    levels = " or ".join(way for way in ways if way not in crossed)
    parts = [f"at the {levels} level"] if levels else []
    parts += [f"two-way by {way}" for way in crossed]
    how = f"clustered {' or '.join(parts)}" if parts else ""
    if beside:
        return Fact(ERRORS, f"Standard errors are {how}." if how else "")
    return Fact(ERRORS, f"Standard errors{f', {how},' if how else ''} are in parentheses.")


def other_errors(shown: Sequence[Shown], context: Context) -> Fact:
    """Standard errors from draws, the jackknife, or another formula than the clustered one, with places."""
    groups: dict[str, list[Shown]] = {}
    for one in shown:
        words = facts.std_errors(one.saved, context.study)
        if not is_plain(words) and one.saved.spec["estimator"] not in DESIGN_BASED:
            groups.setdefault(f"{words[0]} {words[1] or 'are reported'}", []).append(one)
    texts = [formatting.sentence(short_clause(shown, which, words)) for words, which in groups.items()]
    return Fact(ERRORS, " ".join(texts), required=False)


def weights_note(shown: Sequence[Shown], context: Context) -> Fact:
    """A warning where averages over different things stand side by side."""
    averaged = [one.saved for one in shown if one.saved.spec["estimator"] not in TWO_WAY]
    weighted = [saved for saved in averaged if saved.spec.get("weights")]
    if not weighted or len(weighted) == len(averaged):
        return Fact(DESIGN, "")
    label = facts.weights(weighted[0], context.study)
    people = "residents" if "population" in label.lower() else label
    units = facts.units(weighted[0], context.study)
    return Fact(DESIGN, ESTIMANDS.format(people, units), required=False)


def weighting_note(shown: Sequence[Shown], context: Context) -> Fact:
    """What results are weighted by, where no row of the table has it."""
    groups = _by_word(shown, lambda saved: [facts.weights(saved, context.study)])
    plain = groups.pop("none", [])
    marked = all(("unweighted" in one.name.lower()) == (one in plain) for one in shown)
    named = " or ".join(groups)
    if not groups or not plain:
        return Fact(DESIGN, f"Weighted by {named}." if groups else "Unweighted.", required=False)
    if marked:
        return Fact(DESIGN, f"Estimates not marked unweighted are weighted by {named}.", required=False)
    where = columns_concerned(shown, [one for one in shown if one not in plain])
    return Fact(DESIGN, f"Weighted by {named} in {where}.", required=False)


def design_notes(
    shown: Sequence[Shown], context: Context, averaged: Sequence[Shown] | None = None
) -> list[Fact]:
    """Control group, base period and averaging; places are named only where the results differ.

    ``averaged``: the results of which the overall effect is shown, where these are not all.
    """
    study = context.study
    # TWFE also uses already-treated units as controls: one control group does not stand for all results.
    found = [
        differing(shown, "control group", lambda saved: facts.control_group(saved, study)),
        differing(shown, "base period", lambda saved: facts.base_period(saved, study), unless_alone=True),
    ]
    overall = shown if averaged is None else averaged
    return [
        *found,
        differing(overall, "overall effect", lambda saved: average(saved.details), unless_alone=True),
    ]


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
    return Fact(DESIGN, text, required=False)


def sample_notes(shown: Sequence[Shown], context: Context) -> list[Fact]:
    """Notes on dropped or derived observations, each once; numbers that differ between results as a range."""
    raw = _by_word(
        shown,
        lambda saved: [
            *(note for note in saved.details.notes if not note.startswith((AVERAGED, *EFFECTIVE_NOTES))),
            saved.spec.get("note"),
        ],
    )
    groups: dict[str, list[Shown]] = {}
    recorded: dict[str, str] = {}
    for word, concerned in raw.items():
        plain = in_words(word, concerned[0].saved, context)
        groups.setdefault(plain, []).extend(one for one in concerned if one not in groups.get(plain, []))
        whole = placed(shown, concerned, agreeing(word))
        recorded[plain] = f"{recorded.get(plain, '')} {whole}".strip()
    alike: dict[str, list[str]] = {}
    for word in groups:
        alike.setdefault(NUMBER.sub("#", _first_clause(word)), []).append(word)
    found = [_sample_note(shown, groups, words, recorded) for words in alike.values()]
    # Cautions come before counts of exclusions, and those on most results first, to find room.
    few = few_clusters_note(shown)
    return [*([few] if few.text else []), *(fact for _, _, fact in sorted(found, key=lambda one: one[:2]))]


def _sample_note(
    shown: Sequence[Shown], groups: dict[str, list[Shown]], words: Sequence[str], recorded: dict[str, str]
) -> tuple[bool, int, Fact]:
    """One fact for notes that differ in their numbers only, after what it is sorted by."""
    text = " ".join(formatting.sentence(short_clause(shown, groups[word], word)) for word in words)
    concerned = [one for one in shown if any(one in groups[word] for word in words)]
    counted = words[0][:1].isdigit()
    short = short_clause(shown, concerned, _ranged([_first_clause(word) for word in words]))
    if counted and len(words) > 1 and all(len(NUMBER.findall(word)) == 1 for word in words):
        text = _tallied(shown, groups, words)
    record = " ".join(recorded[word] for word in words)
    fact = Fact(SAMPLE, text, formatting.sentence(short), required=False, record=record)
    return counted, -len(concerned), fact


def few_clusters_note(shown: Sequence[Shown]) -> Fact:
    """The results with few effective clusters, in one sentence whatever their number."""
    found = [
        (one, effective)
        for one in shown
        if (effective := effective_clusters(one.saved)) is not None and effective < FEW_EFFECTIVE
    ]
    if not found:
        return Fact(SAMPLE, "")
    concerned, least = [one for one, _ in found], min(effective for _, effective in found)
    place = where(shown, concerned)
    few = f"{least:.1f}{place}" if len(found) == 1 else f"below {FEW_EFFECTIVE}{place} (minimum {least:.1f})"
    text, short = (
        f"{name} is {few}, so tests may over-reject." for name in (f"{EFFECTIVE} {SOURCE_OF_IT}", EFFECTIVE)
    )
    record = "; ".join(f"{place_name(one)}: {effective:.1f}" for one, effective in found)
    return Fact(SAMPLE, text, short, record=f"{text} By estimate: {record}.")


def effective_clusters(saved: Saved) -> float | None:
    """The effective number of clusters of a regression, or behind an overall effect; None if unknown."""
    influence = saved.details.cluster_influence
    return saved.details.effective_clusters if influence is None else influence.effective


def in_words(word: str, saved: Saved, context: Context) -> str:
    """A note of a result as a table prints it: without options and examples, in the words of the study."""
    first, *others = EXAMPLE.sub("", COHORTS.sub(r"\1", word)).split("; ")
    kept = [part for part in others if not OPTION.search(part) and not part.startswith("see ")]
    word = THOUSANDS.sub(lambda found: f"{int(found[0]):,}", agreeing("; ".join([first, *kept])))
    return facts.in_study_words(word, saved, context.study)


def _tallied(shown: Sequence[Shown], groups: dict[str, list[Shown]], words: Sequence[str]) -> str:
    """Counts of one kind in one sentence, with places: ``... were dropped (6 in panel A, 9 in panel B)``."""
    counts = [formatting.integer(_value(NUMBER.findall(word)[0])) for word in words]
    places = [
        f"{count} in {columns_concerned(shown, groups[word])}"
        for count, word in zip(counts, words, strict=True)
    ]
    clause = NUMBER.sub("", max(words, key=len), count=1).strip()
    return formatting.sentence(
        f"{clause} ({'; '.join(places) if any(',' in place for place in places) else ', '.join(places)})"
    )


def printed(statements: Sequence[Fact]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The printed note of at most five lines, and the details recorded with the files."""
    return fitted(statements, TABLE_LINES, TABLE_LETTERS, joined=True)


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
        """The least and the largest of the numbers that stand at one place."""
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
    """A caution or a count without its explanation."""
    return CLAUSE.split(word, maxsplit=1)[0]
