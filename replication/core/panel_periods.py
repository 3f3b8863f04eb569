"""Periods and cohorts of a tidy frame, and the meaning of 0, empty and Inf."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from replication.core.columns import EXACT, numeric, place_of, whole_numbers
from replication.core.errors import PanelError
from replication.core.never_treated import never_hint
from replication.core.numbering import Form, Numbering, never_or_period, read_numbering
from replication.core.panel import NEVER
from replication.core.sample_selection import cohort_column
from replication.core.spec import Spec


def numbering_of(
    everything: pd.DataFrame, frame: pd.DataFrame, spec: Spec, form: Form | None = None
) -> tuple[Numbering, list[str]]:
    """The numbering of the periods of a panel, and notes on it; refuses values that are not periods.

    Labels are judged on the whole file: a sample of one year of months, or one that ends before
    period 0, keeps the meaning of its labels.

    Parameters
    ----------
    everything, frame : the file, and the rows of the sample.
    form : how labels are made up, where they were read as quarters or months.
    """
    whole_numbers(frame, spec.time, at=(spec.unit, spec.time))
    periods = _labels(everything[spec.time])
    name = cohort_column(spec, frame)
    cohorts, zero, notes = np.zeros(0, dtype=np.int64), False, []
    if name in frame.columns:
        values = pd.to_numeric(everything[name], errors="coerce")
        empty = int(everything[name].isna().sum() + np.isinf(values.to_numpy(float)).sum())
        zeros = int((values == 0).sum())
        zero = never_or_period(periods, zeros, empty, (spec.time, name))
        cohorts = _labels(frame[name])
        cohorts = cohorts if zero else cohorts[cohorts != 0]
        notes += _infinite(frame, name, spec.unit)
    if form is not None:
        return Numbering(form), notes
    numbering, said = read_numbering(periods, cohorts, zero_is_period=zero, names=(spec.time, name))
    return numbering, [*notes, *said]


def _labels(column: pd.Series[Any]) -> Ints:
    """Whole numbers that occur in a column, ascending; what is none is judged elsewhere."""
    values = pd.to_numeric(pd.Series(column.unique()), errors="coerce").to_numpy(float)
    whole = np.isfinite(values) & (np.abs(values) < EXACT)
    return np.unique(values[whole]).astype(np.int64)


def _infinite(frame: pd.DataFrame, name: str, unit: str) -> list[str]:
    """A note on cohorts of Inf, which R ``did`` and ``fixest`` take for never treated."""
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
    count = frame.loc[values == np.inf, unit].nunique()
    return [f"{count} units have an infinite cohort and count as never treated"] if count else []


def cohort_values(frame: pd.DataFrame, name: str, zero_is_period: bool, at: Sequence[str]) -> Floats:
    """(R,) cohort of every row, infinite for never treated.

    Raises
    ------
    PanelError
        For dates, text, minus infinity, and numbers that are not whole or too large.
    """
    if pd.api.types.is_datetime64_any_dtype(frame[name]):
        raise PanelError(
            f"Column {name!r} contains dates. The cohort is the first treated period in the same "
            "whole numbers as the time column; 0 or empty for never."
        )
    values = numeric(frame, name, missing="never", at=at)
    values = np.where(np.isnan(values), np.inf, values)
    whole = np.isinf(values) | (values == np.round(values))
    bad = ~whole | (values == -np.inf) | (np.isfinite(values) & (np.abs(values) >= EXACT))
    if bad.any():
        large = whole[bad].all() and np.isfinite(values[bad]).all()
        what = "above 2^53, the largest exact whole number" if large else "not a whole number"
        raise PanelError(
            f"{frame.loc[bad, at[0]].nunique()} units have a cohort in {name!r} that is {what}, for example "
            f"{values[bad][0]:g}{place_of(frame, bad, at)}. Use the first treated period; 0 or empty for "
            "never."
        )
    return np.where(values == 0, values if zero_is_period else np.inf, values)


def far_cohorts(cohort: Ints, periods: Ints, units: Any, numbering: Numbering) -> list[str]:
    """Notes on cohorts further from the panel than it is long, which suggests a typing error."""
    first, last = int(periods[0]), int(periods[-1])
    length = last - first + 1
    ends = [numbering.written(period) for period in periods[[0, -1]]]
    found = []
    for far, words in (
        (
            cohort > last + length,
            f"after the last period in the panel ({ends[1]}) and are treated as never treated",
        ),
        (
            (cohort != NEVER) & (cohort < first - length),
            f"before the first period in the panel ({ends[0]}) and are treated as always treated",
        ),
    ):
        if far.any():
            label = numbering.written(cohort[far][0])
            hint = never_hint(float(numbering.label(cohort[far][0])))
            found.append(
                f"{int(far.sum())} units have a first treated period long {words} "
                f"({'for example, ' if far.sum() > 1 else ''}unit {units[far][0]}: first treated in {label})"
                f"{f'. {hint}' if hint else ''}"
            )
    return found


def gap_note(rows: int, shape: tuple[int, int]) -> list[str]:
    """A note on unit-periods that are not observed."""
    gaps = shape[0] * shape[1] - rows
    return [f"{gaps} of {shape[0] * shape[1]} unit-periods are not observed"] if gaps else []
