"""Notes under a table that a reader can act on."""

from __future__ import annotations

from collections.abc import Sequence

from replication.report import facts, text
from replication.report.context import Context
from replication.report.saved import Saved

STARS_NOTE = "* p < 0.10, ** p < 0.05, *** p < 0.01."
ESTIMANDS = (
    "Weighted and unweighted columns are different estimands: the average person (or whatever the "
    "weights count) and the average unit."
)


def inference_note(results: Sequence[Saved], context: Context) -> str:
    """How the standard errors were found."""
    ways = text.distinct(facts.clusters(saved, context.study) for saved in results)
    return f"Standard errors in parentheses, clustered by {text.listed(ways)}." if ways else (
        "Standard errors in parentheses."
    )  # fmt: skip


def weights_note(results: Sequence[Saved]) -> str:
    """A warning where weighted and unweighted estimates stand side by side."""
    return ESTIMANDS if len({bool(saved.spec.get("weights")) for saved in results}) > 1 else ""


def sample_notes(named: Sequence[tuple[str, Saved]]) -> list[str]:
    """What was dropped or derived, said once for all columns that share it."""
    where: dict[str, list[str]] = {}
    for name, saved in named:
        for note in [*saved.info.get("notes", []), saved.spec.get("note")]:
            if note:
                where.setdefault(str(note).rstrip("."), []).append(name)
    every = len(named)
    return [
        text.sentence(note) if len(names) == every else f"{', '.join(names)}: {note}."
        for note, names in where.items()
    ]


def comparison_notes(results: Sequence[Saved], context: Context) -> list[str]:
    """Comparison group, base period and averaging, where the estimators have them."""
    found = []
    groups = text.distinct(facts.comparison(saved, context.study) for saved in results)
    bases = text.distinct(facts.base_period(saved) for saved in results)
    averages = text.distinct(facts.overall(saved) for saved in results)
    if groups:
        found.append(f"Comparison: {text.listed(groups)}.")
    if bases:
        found.append(f"Base period: {text.listed(bases)}.")
    if averages:
        found.append(f"Overall effect: {text.listed(averages)}.")
    return found
