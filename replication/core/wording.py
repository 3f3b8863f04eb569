"""Counts with their nouns and verbs, and labels, as sentences print them."""

from __future__ import annotations

import re
from typing import Any

SINGLE = re.compile(r"1 ([a-z\-]+)s\b")
ONE_OF = re.compile(r"1 of [\d,]+ [a-z\-]+s\b")
SINGULARS = {
    **{"were": "was", "are": "is", "have": "has", "they": "it", "their": "its", "lack": "lacks"},
    **{"serve": "serves", "share": "shares", "switch": "switches", "count": "counts", "enter": "enters"},
    **{"leave": "leaves", "them": "it", "change": "changes", "contain": "contains", "do": "does"},
    **{"end": "ends", "begin": "begins"},
}
SINGULAR = re.compile(rf"\b({'|'.join(SINGULARS)})\b")


def counted(number: int, one: str, several: str = "") -> str:
    """A number with its noun: ``1 row``, ``1,202 rows``."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def agreeing(text: str) -> str:
    """A note on a single unit, row or cell in the singular: ``1 unit was dropped because it has ...``."""
    if not SINGLE.match(text) and not ONE_OF.match(text):
        return text
    first, *rest = re.split(r"(?=[;.:] )", SINGLE.sub(r"1 \1", text, count=1), maxsplit=1)
    return "".join([SINGULAR.sub(lambda found: SINGULARS[found[0]], first), *rest])


def label_text(label: Any) -> str:
    """A label as a file has it: 2010, where a column with an empty cell became floating point."""
    whole = isinstance(label, float) and label.is_integer()
    return str(int(label)) if whole else str(label)
