"""Which values of a cohort column mean never treated: blank text, named codes, and what looks like one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from replication.core.reading import is_blank, is_text, plain_numbers, proposal
from replication.core.spec import Spec

NEVER_WORDS: Final = (
    "never",
    "none",
    "never treated",
    "never-treated",
    "untreated",
    "control",
    "no",
    "n/a",
    ".",
)
"""Words that stand for never treated in many files; they count only where the specification names them."""
NEVER_NUMBERS: Final = (9999, 99999, 999, 999999, 10000, 3000, 99, -1, -9, -99, -999)
"""The same for numbers."""


def never_hint(value: Any) -> str:
    """The key that makes a value mean never treated, where it looks as if it did; else an empty string."""
    code = never_code(value)
    if code is None:
        return ""
    return f"If {code} means never treated, set {proposal({'never': [code]})}."


def never_code(value: Any) -> int | str | None:
    """The code for never treated that a value seems to be; None if it looks like none."""
    text = str(value).strip()
    number = pd.to_numeric(text, errors="coerce")
    if number in NEVER_NUMBERS:
        return int(number)
    return text if text.lower() in NEVER_WORDS else None


def without_blanks(frame: pd.DataFrame, spec: Spec, name: str) -> tuple[pd.DataFrame, list[str]]:
    """The frame with a missing cohort where its text is blank, which means never treated, and a note."""
    blank = is_blank(frame[name])
    if not blank.any() or names_blanks(spec.never):
        return frame, []
    units = frame.loc[blank, spec.unit].nunique() if spec.unit in frame.columns else int(blank.sum())
    values = frame[name].astype(object).mask(blank, None)
    return frame.assign(**{name: values}), [f"{units} units have a blank cohort and count as never treated"]


def names_blanks(codes: Sequence[Any]) -> bool:
    """Whether one of the codes of ``never`` is blank text, which it then counts."""
    return any(not str(code).strip() for code in codes)


def without_codes(frame: pd.DataFrame, spec: Spec, name: str) -> tuple[pd.Series[Any], list[str]]:
    """The cohort column, missing where it holds a code of ``never``, and a note for each code."""
    values, notes = frame[name], []
    for code in spec.never:
        found = is_code(values, code)
        if found.any():
            count = frame.loc[found, spec.unit].nunique() if spec.unit in frame.columns else int(found.sum())
            notes.append(f"{count} units have the cohort {code} and count as never treated")
        else:
            notes.append(f"'never' names {code!r}, which column {name!r} does not have")
        values = values.mask(found)
    return values, notes


def is_code(values: pd.Series[Any], code: Any) -> pd.Series[bool]:
    """Where a column holds a code, as text in any case or as a number."""
    try:
        number = float(code)
    except ValueError:
        number = np.nan
    same = plain_numbers(values) == number
    if is_text(values):
        same |= values.astype(str).str.strip().str.casefold() == str(code).strip().casefold()
    return same.fillna(False).astype(bool)
