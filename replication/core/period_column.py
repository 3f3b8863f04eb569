"""Whether a time column contains periods, and which column of the file may be meant instead."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from replication.core.errors import PanelError
from replication.core.period_labels import parts_of
from replication.core.reading import proposal

FEWEST_UNITS: Final = 3
"""Fewer units may well have periods of their own."""
REPEATED: Final = 0.05
"""Share of rows up to which repeated units and periods are faults of a column that is the period."""


def require_periods(frame: pd.DataFrame, unit: str, time: str) -> None:
    """Refuse a time column that is no period.

    Raises
    ------
    PanelError
        With the reason, and the column that may be meant.
    """
    problem = period_problem(frame, unit, time)
    if problem:
        raise PanelError(problem)


def period_problem(frame: pd.DataFrame, unit: str, time: str) -> str:
    """Why a time column is no period, with the columns that may be; an empty string if it may be one.

    A period is shared by units, and a unit is observed in several.
    """
    rows, distinct = len(frame), frame[time].nunique()
    shared = 2 * distinct <= rows
    if shared and (distinct <= 1 or not _same_in_each(frame[unit], frame[time])):
        return ""
    units = frame[unit].nunique()
    if units < FEWEST_UNITS or rows <= units:
        return ""
    why = (
        "it is the same in every row of a unit"
        if shared
        else f"{distinct:,} of its values in {rows:,} rows differ, so units share hardly any"
    )
    return f"The time column {time!r} seems to contain no periods: {why}. {period_hint(frame, unit, time)}"


def _same_in_each(units: pd.Series[Any], times: pd.Series[Any]) -> bool:
    """Whether every unit has one value; the first unit settles it for nearly all files."""
    if times[units == units.iloc[0]].nunique() > 1:
        return False
    return bool((times.groupby(units, observed=True).nunique() <= 1).all())


def period_hint(frame: pd.DataFrame, unit: str, time: str) -> str:
    """The column that looks like the period, as the option that names it."""
    others = [name for name in frame.columns if name not in (unit, time)]
    found = [str(name) for name in others if _dated(frame[name]) and _identifies(frame, unit, name)]
    if found:
        return f"Perhaps {found[0]!r} is meant: {proposal({'time': found[0]})}."
    if _read(frame[unit]):
        return f"The column of the unit, {unit!r}, contains periods: perhaps the two are exchanged."
    return "Name the column of the year, quarter, month, or other period."


def _dated(values: pd.Series[Any]) -> bool:
    """Whether all values are years, quarters, months, dates, or numbers without a gap."""
    labels = pd.Series(values.dropna().unique())
    numbers = pd.to_numeric(labels, errors="coerce").astype("float64")
    if numbers.notna().all() and len(labels) > 1 and numbers.max() - numbers.min() == len(labels) - 1:
        return True
    return _read(labels)


def _read(values: pd.Series[Any]) -> bool:
    """Whether all values are read as years, quarters, months or dates."""
    labels = pd.Series(values.dropna().unique())
    return 1 < len(labels) == len(parts_of(labels, None))


def _identifies(frame: pd.DataFrame, unit: str, name: Any) -> bool:
    """Whether a column identifies the rows of a unit, with values that most units share."""
    shared = 2 * len(frame) >= frame[name].nunique() * frame[unit].nunique()
    return shared and bool(frame.duplicated([unit, name]).mean() <= REPEATED)
