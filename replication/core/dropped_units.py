"""One wording for units that a sample loses: how many of how many, and which."""

from __future__ import annotations

import re
from typing import Any, Final

from replication.core.wording import label_text

MOST_NAMED: Final = 5
LARGE_SHARE: Final = 0.1
"""Share of the units from which a loss is reported before the estimates."""

SINGULAR: Final = {
    **{"they are": "it is", "they have": "it has", "their": "its", "and have": "and has", "them": "it"}
}
FORMS: Final = re.compile("|".join(SINGULAR))


def units_dropped(units: Any, total: int, why: str, remedy: str = "") -> str:
    """A note such as ``12 of 48 units (25%) are dropped because ..., for example Ohio, Utah``.

    Parameters
    ----------
    units : labels of the units that are dropped.
    total : number of units before.
    why : the reason, after ``because``; it begins with ``they are``, ``they have`` or ``their``.
    remedy : what keeps them, after a semicolon.
    """
    share = f" ({100 * len(units) / total:.0f}%)" if len(units) > LARGE_SHARE * total else ""
    kept = f"; {remedy}" if remedy else ""
    verb = "are"
    if len(units) == 1:
        verb = "is"
        why, kept = (FORMS.sub(lambda found: SINGULAR[found[0]], part) for part in (why, kept))
    return f"{len(units)} of {total} units{share} {verb} dropped because {why}{examples(units)}{kept}"


def examples(units: Any) -> str:
    """The first five labels, at the end of a note."""
    return f", for example {', '.join(label_text(unit) for unit in units[:MOST_NAMED])}" if len(units) else ""
