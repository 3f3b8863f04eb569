"""Counts with their nouns and verbs, and labels, as sentences print them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SINGLE = re.compile(r"1 ([a-z\-]+)s\b")
ONE_OF = re.compile(r"1 of [\d,]+ [a-z\-]+s\b")
COUNTED = re.compile(
    r"(?<![\w.,'])(?<!of )1 (of [\d,]+ )?(units|unit-periods|rows|values|cells|labels|columns|clusters|"
    r"cohorts|periods|results|draws|files|specifications|coefficients|estimates|covariates|sheets|"
    r"folders)\b([^,;:.()]*)"
)
"""A count of one with a plural noun, and the rest of its clause."""
SINGULARS = {
    **{"are": "is", "were": "was", "have": "has", "do": "does", "they": "it", "their": "its", "them": "it"},
    **{
        verb: f"{verb}s"
        for verb in ("lack", "serve", "share", "differ", "change", "contain", "exceed", "say", "end", "begin")
    },
    **{"switch": "switches", "count": "counts", "enter": "enters", "leave": "leaves"},
}
SINGULAR = re.compile(rf"(?<!not )\b({'|'.join(SINGULARS)})\b")
"""An infinitive after ``do not`` stays as it is."""


def counted(number: int, one: str, several: str = "") -> str:
    """A number with its noun: ``1 row``, ``1,202 rows``."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def series(words: Iterable[str], last: str = "and") -> str:
    """Words in a row: ``a and b``; ``a, b, and c``."""
    words = [word for word in words if word]
    comma = "," if len(words) > 2 else ""
    return f"{', '.join(words[:-1])}{comma} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def extension_words(path: Path) -> str:
    """What keeps a path from being a file of a known format: ``is a folder``, ``ends in .bmp``."""
    return "is a folder" if path.is_dir() else f"ends in {path.suffix}" if path.suffix else "has no extension"


def with_singulars(text: str) -> str:
    """The text with the nouns and verbs of a count of one in the singular.

    Examples
    --------
    >>> from replication.core.wording import with_singulars
    >>> with_singulars("1 of 600 values are zero and have no logarithm, and 1 rows are dropped.")
    '1 of 600 values is zero and has no logarithm, and 1 row is dropped.'
    """

    def one(found: re.Match[str]) -> str:
        """The count and the rest of its clause in the singular."""
        noun = found[2] if found[1] else found[2].removesuffix("s")
        own, whose, other = found[3].partition(" whose ")
        rest = SINGULAR.sub(lambda verb: SINGULARS[verb[0]], own)
        return f"1 {found[1] or ''}{noun}{rest}{whose}{other}"

    return COUNTED.sub(one, text)


def agreeing(text: str) -> str:
    """A note on a single unit, row or cell in the singular: ``1 unit was dropped because it has ...``."""
    if not SINGLE.match(text) and not ONE_OF.match(text):
        return with_singulars(text)
    single = SINGLE.sub(r"1 \1", text, count=1) if SINGLE.match(text) else text
    first, *rest = re.split(r"(?=[;.:] )", single, maxsplit=1)
    return "".join([SINGULAR.sub(lambda found: SINGULARS[found[0]], first), *rest])


def label_text(label: Any) -> str:
    """A label as a file has it: 2010, where a column with an empty cell became floating point."""
    whole = isinstance(label, float) and label.is_integer()
    return str(int(label)) if whole else str(label)
