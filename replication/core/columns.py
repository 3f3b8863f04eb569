"""Checks of the columns of a tidy panel, with counts in the refusals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from replication.core.errors import PanelError, nearest
from replication.core.numbering import written_label
from replication.core.period_labels import FORMS, kind_of, number_of, parts_of
from replication.core.reading import (
    MOST_MARKS,
    formatted,
    never_words,
    not_numbers,
    notation_of,
    number_hint,
    pointed,
    shown,
)
from replication.core.wording import label_text, series

SHARE_TOLERANCE = 1e-12
EXACT = 2**53
"""Whole numbers from here on are not all represented by a float of 64 bits."""
FORMS_OF_COLUMNS = "forms of periods"
"""Attribute of a frame: how the numbers in columns of periods are made up, by column."""
DEFAULT_COLUMNS = ("unit", "time", "cohort")
"""Columns that are read where a specification names no others."""
FIRST_LINE = "line of the first row"
"""Attribute of a frame whose rows are lines of a file: the line that its first row is, 2 below a header."""
LARGEST = 1e75
"""Fourth powers of larger numbers, which the effective number of clusters needs, are not represented."""


def require_columns(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse names that are not columns, with the nearest spelling."""
    absent = [name for name in names if name not in frame.columns]
    if absent:
        _refuse_levels(frame, absent)
        usual = absent[0] in DEFAULT_COLUMNS
        todo = f" Name the {absent[0]} column in '{absent[0]}' (`--{absent[0]} COLUMN`)." if usual else ""
        raise PanelError(
            f"The panel has no column {absent[0]!r}{nearest(absent[0], map(str, frame.columns))}"
            f"{', which is the default' if usual else ''}. "
            f"Its columns are: {', '.join(map(str, frame.columns))}.{todo}"
        )


def _refuse_levels(frame: pd.DataFrame, absent: Sequence[str]) -> None:
    """Refuse names that are no columns but levels of the index, which a data frame can have as well."""
    levels = [name for name in absent if name in frame.index.names]
    if levels:
        one = len(levels) == 1
        raise PanelError(
            f"{series(map(repr, levels))} {'is a level' if one else 'are levels'} of the index of the data "
            f"frame and not {'a column' if one else 'columns'}. Pass `frame.reset_index()`, in which "
            f"{'it is a column' if one else 'they are columns'}."
        )


def row_name(frame: pd.DataFrame, place: int) -> str:
    """A row as its reader finds it: ``line 5 of the file`` below a header, else ``row 4``."""
    first = frame.attrs.get(FIRST_LINE)
    return f"row {place + 1}" if first is None else f"line {place + first} of the file"


def first_in(place: str) -> str:
    """``first on line 5 of the file``, or ``first in row 4``."""
    return f"first {'on' if place.startswith('line') else 'in'} {place}"


def numeric(
    frame: pd.DataFrame,
    column: str,
    *,
    missing: str = "keep",
    at: Sequence[str] = (),
    covariate: bool = False,
) -> Floats:
    """A column as floats; text is refused with the count and an example.

    Parameters
    ----------
    missing : ``keep``, ``refuse``, or ``never`` (infinite values are kept as well).
    at : columns that locate a row, such as those of the unit and the period.
    covariate : whether a category may stand in its place through indicator variables or strata.
    """
    converted = pd.to_numeric(frame[column], errors="coerce")
    # Only what was converted can have been text.
    if converted.dtype != frame[column].dtype:
        text = not_numbers(frame[column], converted, notation_of(frame))
        if text.any():
            _refuse_text(frame, column, text, at, covariate=covariate, never=missing == "never")
    values: Floats = converted.to_numpy(dtype=float, na_value=np.nan)
    if missing == "never":
        return values
    bad = ~np.isfinite(values) if missing == "refuse" else np.isinf(values)
    if bad.any():
        place = place_of(frame, bad, at)
        example = f", first{place}" if place else ""
        verb = "is" if bad.sum() == 1 else "are"
        raise PanelError(
            f"{int(bad.sum())} of {len(frame)} values of column {column!r} {verb} missing or infinite and "
            f"must be finite{example}. Fill them in, or {removal(f'np.isfinite(frame[{column!r}])')}."
        )
    _require_moderate(frame, column, values, at)
    return values


def removal(kept: str) -> str:
    """How rows are left out whose values no list of ``sample`` can name.

    ``kept``: the condition of the rows to keep, in Python.
    """
    return f"remove these rows from the data before they are read (in Python `frame[{kept}]`)"


def _refuse_text(
    frame: pd.DataFrame,
    column: str,
    text: pd.Series[bool],
    at: Sequence[str],
    *,
    covariate: bool,
    never: bool,
) -> NoReturn:
    marks = list(dict.fromkeys(frame.loc[text, column]))
    read = notation_of(frame)
    numbers = any(formatted(mark, read) or pointed(mark, read) for mark in marks)
    if text.sum() == frame[column].notna().sum() and not numbers:
        advice = (
            " A category becomes a covariate through indicator variables (columns of 0 and 1), and strata "
            f"through `trends: [{column}_by_time]`."
        )
        raise PanelError(
            f"Column {column!r} is text and contains no number: {_named(marks)}. Name a column of numbers."
            f"{advice if covariate else ''}"
        )
    written = [mark for mark in marks if formatted(mark, read)]
    told = never_words if never else partial(number_hint, read=read)
    hint = told(marks)
    # Where the column also has numbers in another notation, what is no number at all is the fault.
    if written and len(written) < len(marks):
        text = text & ~frame[column].isin(written)
        marks = [mark for mark in marks if mark not in set(written)]
        hint = told(marks)
        hint += f" Others are numbers written as {shown(written[0])}.{number_hint(written, read)}"
    verb, what = ("is", "a number") if text.sum() == 1 else ("are", "numbers")
    role = "the cohort column" if never else "column"
    todo = "" if never and hint else " Convert the column to numbers or leave the cells empty."
    raise PanelError(
        f"{int(text.sum())} of {len(frame)} values of {role} {column!r} {verb} not {what}: {_named(marks)} "
        f"(first{place_of(frame, text, at)}).{todo}{hint}"
    )


def _named(marks: Sequence[Any]) -> str:
    """The first texts of a column, and how many more there are."""
    more = f" and {len(marks) - MOST_MARKS} more" if len(marks) > MOST_MARKS else ""
    return ", ".join(shown(mark) for mark in marks[:MOST_MARKS]) + more


def _require_moderate(frame: pd.DataFrame, column: str, values: Floats, at: Sequence[str]) -> None:
    """Refuse numbers whose powers overflow: no variance can be computed from them."""
    large = np.abs(values) > LARGEST
    if large.any():
        raise PanelError(
            f"{int(large.sum())} of {len(frame)} values of column {column!r} exceed {LARGEST:g} in absolute "
            f"value, such as {values[large][0]:g}{place_of(frame, large, at)}, so no variance can be "
            "computed. Correct them, or measure the column in larger units."
        )


def place_of(frame: pd.DataFrame, rows: Any, at: Sequence[str]) -> str:
    """Location of the first of the rows: `` for county 7 in year 2004``, `` for unit 1 at time 4``."""
    parts = [f"{name} {written_cell(frame, name, frame.loc[rows, name].iloc[0])}" for name in at]
    return f" for {(' at ' if at[-1] == 'time' else ' in ').join(parts)}" if parts else ""


def written_cell(frame: pd.DataFrame, column: str, value: Any) -> str:
    """A value as the file has it: a period that was read as a quarter is 2006Q3, not its number."""
    form = frame.attrs.get(FORMS_OF_COLUMNS, {}).get(column)
    if form is None and pd.api.types.is_datetime64_any_dtype(frame[column]) and not pd.isna(value):
        return _written_date(frame[column], value)
    return label_text(value) if form is None or pd.isna(value) else written_label(value, form)


def _written_date(values: pd.Series[Any], value: pd.Timestamp) -> str:
    """A date of a column as the year, quarter, or month that it stands for, else without the hour."""
    parts = parts_of(pd.Series(values.dropna().unique()), None)
    try:
        kind = kind_of(parts, str(values.name), None)
    except PanelError:
        return shown(value)
    return written_label(number_of(parts[value], kind), FORMS[kind])


def whole_numbers(frame: pd.DataFrame, column: str, *, at: Sequence[str] = ()) -> Ints:
    """A column of periods as integers; ``at`` as in ``numeric``."""
    if pd.api.types.is_datetime64_any_dtype(frame[column]):
        raise PanelError(
            f"Column {column!r} contains dates. Periods are whole numbers: use the year, or count "
            "months as 12 * year + month."
        )
    values = numeric(frame, column, missing="refuse", at=at)
    broken = values != np.round(values)
    if broken.any():
        raise PanelError(
            f"{int(broken.sum())} of {len(frame)} values of column {column!r} are not whole numbers, for "
            f"example {values[broken][0]:g}{place_of(frame, broken, at)}. Number the periods with integers."
        )
    large = np.abs(values) >= EXACT
    if large.any():
        raise PanelError(
            f"{int(large.sum())} of {len(frame)} values of column {column!r} are 2^53 or more, for example "
            f"{values[large][0]:.0f}{place_of(frame, large, at)}, where whole numbers cannot be "
            "distinguished. Number the periods from 1, cohorts included."
        )
    return values.astype(np.int64)


def require_no_reversal(exposure: Floats, column: str, units: Any) -> None:
    """Refuse a treatment that falls within a unit: staggered adoption is absorbing."""
    with np.errstate(invalid="ignore"):  # between two missing cells there is no step
        steps = np.diff(np.where(np.isnan(exposure), -np.inf, exposure), axis=1)
    falls = (steps < -SHARE_TOLERANCE) & np.isfinite(steps)
    rows = np.flatnonzero(falls.any(axis=1))
    if rows.size:
        raise PanelError(
            f"The treatment {column!r} falls within {rows.size} units, for example unit "
            f"{units[rows[0]]}. Adoption is taken as permanent here: correct the column, end the "
            "sample before the reversal, use dcdh, or set 'reversals: allow' for twfe and poisson."
        )
