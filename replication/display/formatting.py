"""Numbers and phrases as they are printed, the same in every format."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from replication.core.wording import series

MINUS = "\N{MINUS SIGN}"
DAGGER = "\N{DAGGER}"
BREAK = re.compile(r"[ \t]*[\n\r\t\v\f\x1c-\x1e\x85\u2028\u2029]+[ \t]*")
RANGE = re.compile(r"(?<![\w./:\-])(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)(?![\w/\-]|\.\d)")
NEGATIVE = re.compile(r"(?<![\w.)\]\-])-(?=\.?\d)")
CODE = re.compile(r"(`[^`]*`)")
YEAR, MONTH = 4, 2
"""Digits of a year and a month: 2011-06 is a date, not a range."""
NUMERAL, FROM_TO = re.compile(r"\d[\d,]*(?= )"), re.compile(r"(\d[\d,]*) to (\d[\d,]*)")
SPELLED = dict(enumerate(("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"), start=1))
SIMULATED = "SIMULATED"
"""What tables and figures of simulated data carry."""
SIMULATED_WARNING = (
    f"{SIMULATED}: simulated data with a known truth; the results are not findings about the world."
)
STARS = ((0.01, "***"), (0.05, "**"), (0.10, "*"))


def fixed(value: Any, digits: int = 3) -> str:
    """A number with a fixed count of decimals and thousands separators; empty if missing."""
    if pd.isna(value):
        return ""
    if np.isinf(value):
        return "\N{INFINITY}" if value > 0 else f"{MINUS}\N{INFINITY}"
    text = f"{float(value):,.{digits}f}"
    if text.startswith("-"):
        text = text[1:] if not text.strip("-0.,") else MINUS + text[1:]
    return text


def integer(value: Any) -> str:
    """A count with thousands separators; empty if missing."""
    return fixed(value, 0)


def adaptive(value: Any) -> str:
    """A number of any size with about four significant digits."""
    if pd.isna(value):
        return ""
    if value == 0:
        return "0"
    size = abs(float(value))
    return fixed(value, 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3)


def probability(value: Any) -> str:
    """A p-value with three decimals, ``< 0.001`` below."""
    if pd.isna(value):
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def p_equals(value: Any) -> str:
    """A p-value with its letter, never broken: ``p = 0.475``, ``p < 0.001``; empty if none."""
    shown = probability(value)
    space = "\N{NO-BREAK SPACE}"
    sign = f"<{space}{shown[2:]}" if shown.startswith("<") else f"={space}{shown}"
    return f"p{space}{sign}" if shown else ""


def tiny(value: Any) -> str:
    """A rounding difference: its digits are the machine's, so below 1e-8 only its order is reported."""
    if pd.isna(value):
        return ""
    return f"< 1e{MINUS}8" if value <= 1e-8 else f"{value:.0e}".replace("-", MINUS)


def one_line(written: str) -> str:
    """A text without line ends and tabs, which would end a row of a table or a caption."""
    return BREAK.sub(" ", written)


def identifier(value: Any) -> str:
    """A name, code or number as it identifies a row, whole numbers without decimals; empty if missing."""
    return "" if pd.isna(value) else f"{value:g}" if isinstance(value, float) else str(value)


def interval(low: Any, high: Any, digits: int = 3) -> str:
    """An interval in brackets; empty if missing."""
    if pd.isna(low) or pd.isna(high):
        return ""
    return f"[{fixed(low, digits)}, {fixed(high, digits)}]"


def stars(p_value: Any) -> str:
    """Significance stars at 10, 5 and 1 percent."""
    if pd.isna(p_value):
        return ""
    return next((mark for bound, mark in STARS if p_value < bound), "")


def signed(value: float) -> str:
    """A whole number with a proper minus sign."""
    return f"{value:g}".replace("-", MINUS)


def typeset(text: str) -> str:
    """Text as it is printed: an en dash in ranges of numbers, a minus sign before negative ones.

    Dates (2011-06, 2011-06-30), names with digits and paths keep their hyphens, and what stands in
    backticks, such as a command, is kept as it is typed.
    """
    return "".join(
        part if place % 2 else NEGATIVE.sub(MINUS, RANGE.sub(_dashed, part))
        for place, part in enumerate(CODE.split(text))
    )


def _dashed(found: re.Match[str]) -> str:
    first, last = found.groups()
    dated = len(first) == YEAR and len(last) == MONTH
    return found[0] if dated else f"{first}\N{EN DASH}{last}"


def listed(words: Iterable[str]) -> str:
    """Words in a row: ``a and b``; ``a, b, and c``."""
    return series(words)


def plural(noun: str) -> str:
    """The plural of a noun in English: ``states``, ``counties``."""
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeou" else f"{noun}s"


def sentence(words: str) -> str:
    """Words with a capital at the start and a full stop at the end."""
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def opened(words: str) -> str:
    """A sentence that does not begin with a numeral: ``Nine units ...``, ``A total of 145 units ...``.

    A range, such as ``6 to 105 units``, becomes ``Between 6 and 105 units``.
    """
    if ranged := FROM_TO.match(words):
        return f"Between {ranged[1]} and {ranged[2]}{words[ranged.end() :]}"
    if not (number := NUMERAL.match(words)):
        return words
    spelled = SPELLED.get(int(number[0].replace(",", "")))
    return f"{spelled or f'A total of {number[0]}'}{words[number.end() :]}"


def distinct_words(words: Iterable[str]) -> list[str]:
    """Words without repetition and without empty ones, in order."""
    return list(dict.fromkeys(word for word in words if word))


NAMES = {"att_d:": "ATT", "acrt_d:": "ACRT"}


def curve_name(term: str) -> str:
    """``ATT(0.5)``, ``ACRT(0.5)`` or ``Overall slope`` (per unit of dose); empty for other terms."""
    if term == "acrt":
        return "Overall slope"
    for start, name in NAMES.items():
        if term.startswith(start):
            return f"{name}({float(term.removeprefix(start)):.4g})"
    return ""
