"""CSV files for spreadsheets, with text that would run as a formula quoted.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, runs it, and
shows an error or worse in its place. In the CSV files of tables and figures such a text, and a text
that begins with a tab or a carriage return, gets an apostrophe in front, which the spreadsheet does
not show. Numbers are left alone, negative ones too, whatever the type of their column, and so is a
number with words after it, such as ``+2.2 points (14.7%)``, which is no formula. Files that
programs read (``estimates.csv``, ``vcov.csv``, panels, codebooks, sample flows) hold every text as
it is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pandas as pd

from replication.core.files import write_csv

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
AMOUNT: Final = re.compile(
    r"[+-] ?(?:\d[\d,]*\.?\d*|\.\d+)"  # the number
    r"[%*]*"  # its unit or its stars
    r"(?:[ ,;](?:(?<=to )-(?=[\d.])|[^-+*/^&=<>|!@:\t\r\n])*)?"  # words and ranges, no operators
)
"""A signed number, alone or with words after it. An operator after it makes it a formula again:
``-2+cmd|' /C calc'!A0`` begins with a number as well."""


def write_spreadsheet(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame as CSV in which no text is a formula."""
    write_csv(path, without_formulas(frame))


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with an apostrophe before every text, headings included, that begins a formula."""
    kept = frame.copy()
    for place, kind in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_datetime64_dtype(kind):
            kept.isetitem(place, [quoted(value) for value in frame.iloc[:, place]])
    kept.columns = pd.Index([quoted(name) for name in frame.columns])
    return kept


def quoted(value: Any) -> Any:
    """A text that begins a formula with an apostrophe before it; anything else as it is."""
    if (
        not isinstance(value, str)
        or not value.startswith(FORMULA)
        or _is_number(value)
        or AMOUNT.fullmatch(value)
    ):
        return value
    return f"'{value}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return not text[:1].isspace()
