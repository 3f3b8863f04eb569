"""Notes under a table that a reader can act on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from replication.display import formatting
from replication.report import facts
from replication.report.report_context import Context
from replication.report.report_data import Saved

STARS_NOTE = "* p < 0.10, ** p < 0.05, *** p < 0.01."
ESTIMANDS = (
    "Weighted and unweighted estimates have different estimands: the average person (or whatever "
    "the weights count) and the average unit."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A result and where it stands: its panel, if there are panels, and its column or row."""

    panel: str
    name: str
    saved: Saved


def inference_note(shown: Sequence[Shown], context: Context) -> str:
    """How the standard errors were found."""
    ways = formatting.distinct(facts.clusters(one.saved, context.study) for one in shown)
    return (
        f"Standard errors in parentheses, clustered by {formatting.listed(ways)}."
        if ways
        else ("Standard errors in parentheses.")
    )


def weights_note(shown: Sequence[Shown]) -> str:
    """A warning where weighted and unweighted estimates stand side by side."""
    return ESTIMANDS if len({bool(one.saved.spec.get("weights")) for one in shown}) > 1 else ""


def design_notes(shown: Sequence[Shown], context: Context) -> list[str]:
    """Comparison group, base period and averaging; named only where the results differ."""
    kinds: dict[str, Callable[[Saved], str]] = {
        "comparison": lambda saved: facts.comparison(saved, context.study),
        "base period": facts.base_period,
        "overall effect": facts.overall,
    }
    return [note for kind, says in kinds.items() for note in told_apart(shown, kind, says, unless_alone=True)]


def told_apart(
    shown: Sequence[Shown], kind: str, says: Callable[[Saved], str], *, unless_alone: bool = False
) -> list[str]:
    """What each result says of one kind, with its place where not all say the same.

    ``unless_alone``: results that say nothing do not count, so that one word needs no place.
    """
    groups = _by_word(shown, lambda saved: [says(saved)])
    return [
        formatting.sentence(f"{kind}: {word}")
        if len(groups) == 1 and (unless_alone or len(where) == len(shown))
        else f"{places(shown, where)}: {kind}: {word}."
        for word, where in groups.items()
    ]


def sample_notes(shown: Sequence[Shown]) -> list[str]:
    """What was dropped or derived, said once for all results that share it."""
    groups = _by_word(shown, lambda saved: [*saved.info.get("notes", []), saved.spec.get("note")])
    return [
        formatting.sentence(word) if len(where) == len(shown) else f"{places(shown, where)}: {word}."
        for word, where in groups.items()
    ]


def places(shown: Sequence[Shown], chosen: Sequence[Shown]) -> str:
    """Where the chosen results stand; what is chosen in every panel by its name alone."""
    names = formatting.distinct(one.name for one in chosen)
    total = {name: sum(one.name == name for one in shown) for name in names}
    whole = [name for name in names if sum(one.name == name for one in chosen) == total[name]]
    mark = "; " if any("," in name for name in names) else ", "
    words = [mark.join(whole)]
    for panel in formatting.distinct(one.panel for one in chosen):
        inside = mark.join(one.name for one in chosen if one.panel == panel and one.name not in whole)
        if inside:
            words.append(f"{panel} {inside if inside.startswith('(') else f'({inside})'}")
    return "; ".join(word for word in words if word)


def named_specs(shown: Sequence[Shown]) -> tuple[tuple[str, str], ...]:
    """(column, id) of the specifications; the panel is said with its first column."""
    found, panel = [], ""
    for one in shown:
        opening = f"{one.panel}: " if one.panel != panel else ""
        found.append((f"{opening}{one.name}", one.saved.spec_id))
        panel = one.panel
    return tuple(found)


def _by_word(shown: Sequence[Shown], says: Callable[[Saved], Sequence[str | None]]) -> dict[str, list[Shown]]:
    groups: dict[str, list[Shown]] = {}
    for one in shown:
        for word in says(one.saved):
            if word:
                groups.setdefault(str(word).rstrip("."), []).append(one)
    return groups
