"""One wording for units that a sample loses: how many of how many, and which."""

from __future__ import annotations

import re
from typing import Any, Final

from replication.core.wording import label_text, series

MOST_NAMED: Final = 5
LARGE_SHARE: Final = 0.1
"""Share of the units from which a loss is reported before the estimates."""

SINGULAR: Final = {
    **{"they are": "it is", "they have": "it has", "their": "its", "and have": "and has", "them": "it"}
}
FORMS: Final = re.compile("|".join(SINGULAR))


def units_dropped(units: Any, total: int, why: str, remedy: str = "") -> str:
    """A note such as ``12 of 48 units (25%) are dropped because ..., for example units 3, 8, and 12``.

    A single unit is named behind the count: ``1 of 60 units (unit 3) is dropped because ...``.

    Parameters
    ----------
    units : labels of the units that are dropped.
    total : number of units before.
    why : the reason, after ``because``; it begins with ``they are``, ``they have`` or ``their``.
    remedy : what keeps them, after a semicolon.
    """
    inside = [f"{100 * len(units) / total:.0f}%"] if len(units) > LARGE_SHARE * total else []
    inside += [f"unit {label_text(units[0])}"] if len(units) == 1 else []
    share = f" ({', '.join(inside)})" if inside else ""
    kept = f"; {remedy}" if remedy else ""
    verb = "are"
    if len(units) == 1:
        verb = "is"
        why, kept = (FORMS.sub(lambda found: SINGULAR[found[0]], part) for part in (why, kept))
    named = examples(units) if len(units) > 1 else ""
    return f"{len(units)} of {total} units{share} {verb} dropped because {why}{named}{kept}"


def examples(units: Any) -> str:
    """The first five labels, at the end of a note; a single one in parentheses."""
    if len(units) == 1:
        return f" (unit {label_text(units[0])})"
    named = series(label_text(unit) for unit in units[:MOST_NAMED])
    return f", for example units {named}" if len(units) else ""
