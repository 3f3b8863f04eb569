"""Which results of a table a note concerns, in words: panels, columns and rows, or how many they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from replication.display import formatting
from replication.report.report_data import Saved

PLACES = 45
"""Letters of the names of columns or rows that are printed before a caution; longer ones are counted."""
COLUMN = re.compile(r"\(\d+\)")
NUMBERED = re.compile(r"(panel|column)s? ")
LETTER = re.compile(r"(?:Panel )?([A-Z])\. ")


@dataclass(frozen=True, slots=True)
class Shown:
    """A result and where it stands: its panel, if there are panels, and its column or row."""

    panel: str
    name: str
    saved: Saved


def columns_concerned(shown: Sequence[Shown], chosen: Sequence[Shown]) -> str:
    """Places of the chosen results: whole panels, then columns or rows by name, panel by panel."""
    names = formatting.distinct_words(one.name for one in chosen)
    panels = formatting.distinct_words(one.panel for one in chosen)
    several = len(panels) < len({one.panel for one in shown})
    if panels and several and all(one in chosen for one in shown if one.panel in panels):
        return _panel_names(panels)
    everywhere = [
        name
        for name in names
        if sum(one.name == name for one in chosen) == sum(one.name == name for one in shown)
    ]
    words = [_column_names(everywhere)]
    for panel in panels:
        inside = _column_names(
            [one.name for one in chosen if one.panel == panel and one.name not in everywhere]
        )
        if inside:
            words.append(f"{_panel_names([panel])}, {inside}" if panel else inside)
    return "; ".join(word for word in words if word)


def _panel_names(panels: Sequence[str]) -> str:
    """``panels A and D`` where headings have letters, else the headings."""
    letters = [found[1] for panel in panels if (found := LETTER.match(panel))]
    if len(letters) < len(panels):
        return "; ".join(panels)
    return f"panel{'s' * (len(letters) > 1)} {formatting.listed(letters)}"


def _column_names(names: Sequence[str]) -> str:
    """``columns 1, 2, and 4`` for numbered columns, else the names in a row."""
    if names and all(COLUMN.fullmatch(name) for name in names):
        return f"column{'s' * (len(names) > 1)} {formatting.listed(name[1:-1] for name in names)}"
    return ("; " if any("," in name for name in names) else ", ").join(names)


def named_specs(shown: Sequence[Shown]) -> tuple[tuple[str, str], ...]:
    """(column, id) of the specifications; the panel is named with its first column."""
    found, panel = [], ""
    for one in shown:
        opening = f"{one.panel}: " if one.panel != panel else ""
        found.append((f"{opening}{one.name}", one.saved.spec_id))
        panel = one.panel
    return tuple(found)


def placed(shown: Sequence[Shown], concerned: Sequence[Shown], word: str) -> str:
    """A note with the results that it concerns, unless it concerns all."""
    if len(concerned) == len(shown):
        return formatting.sentence(formatting.opened(word))
    return formatting.sentence(f"{columns_concerned(shown, concerned)}: {word}")


def short_clause(shown: Sequence[Shown], concerned: Sequence[Shown], clause: str) -> str:
    """A clause on some of the results, which are named where that is short, and counted otherwise."""
    if len(concerned) == len(shown):
        return formatting.opened(clause)
    names = columns_concerned(shown, concerned)
    if len(names) <= PLACES:
        return f"{names}: {clause if clause[:1].isdigit() else clause[:1].lower() + clause[1:]}"
    return f"{formatting.opened(clause)} ({_counted(shown, concerned)})"


def where(shown: Sequence[Shown], concerned: Sequence[Shown]) -> str:
    """`` in panel E, column 3``, `` in 12 of 30 estimates``; empty for all results."""
    if len(concerned) == len(shown):
        return ""
    names = columns_concerned(shown, concerned)
    if len(names) <= PLACES and NUMBERED.match(names):
        return f" in {names}"
    return f" in {_counted(shown, concerned)}"


def _counted(shown: Sequence[Shown], concerned: Sequence[Shown]) -> str:
    return f"{'one' if len(concerned) == 1 else len(concerned)} of {len(shown)} estimates"


def place_name(one: Shown) -> str:
    """The panel, if there are panels, and the column or row."""
    return f"{one.panel}, {one.name}" if one.panel else one.name
