"""The cohort from a column of 0 and 1: the first period in which a unit has a 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NoReturn

import numpy as np
import pandas as pd

from replication.core.columns import numeric, place_of
from replication.core.errors import PanelError, SpecError
from replication.core.reading import is_blank, proposal, shown
from replication.core.sample_selection import kept_rows
from replication.core.spec import Spec

BINARY: Final = {"0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0, "false": 0.0, "true": 1.0}
"""How zero and one are written in text."""


def with_cohort_from(frame: pd.DataFrame, spec: Spec, column: str) -> tuple[pd.DataFrame, list[str]]:
    """The frame with the first period in which a 0/1 column is 1, by unit, and notes."""
    if spec.cohort in frame.columns:
        raise SpecError(
            f"{spec.id}: the panel has the cohort column {spec.cohort!r}, and 'cohort_from' names "
            f"{column!r}. Leave one of the two out, or name a column that does not exist yet in 'cohort'."
        )
    if any(name not in frame.columns for name in (column, spec.unit, spec.time)):
        return frame, []
    on = switches(frame, column, (spec.unit, spec.time)) > 0
    time = numeric(frame, spec.time, missing="refuse", at=(spec.unit, spec.time))
    units = frame[spec.unit]
    first = pd.Series(np.where(on, time, np.nan), index=frame.index).groupby(units).transform("min")
    # What lies outside the sample dates adoption, and a reversal there changes nothing.
    fell = ~on & (time > first) & kept_rows(frame, spec)
    left = units[fell].unique()
    notes = []
    if len(left) and spec.reversals == "refuse":
        _refuse_reversals(frame, spec, column, fell, time, left)
    if len(left):
        which, whose = ("unit, which is", "its") if len(left) == 1 else ("units, which are", "their")
        notes.append(
            f"{column!r} returns to 0 in {len(left)} {which} treated as adopting permanently in {whose} "
            "first period with 1"
        )
    start = pd.Series(time, index=frame.index).groupby(units).transform("min")
    early = units[first == start].nunique()
    if early:
        notes.append(
            f"{early} units have {column!r} = 1 in their first period, so their adoption may lie before it"
        )
    notes.append(f"the cohort is the first {spec.time!r} in which {column!r} is 1")
    return frame.assign(**{spec.cohort: first}), notes


def _refuse_reversals(
    frame: pd.DataFrame, spec: Spec, column: str, fell: Any, time: Any, left: Any
) -> NoReturn:
    """Refuse units that are 0 after a 1, with the first such period of the first of them."""
    rows = np.flatnonzero((frame[spec.unit] == left[0]) & fell)
    fall = np.arange(len(frame)) == rows[int(time[rows].argmin())]
    place = place_of(frame, fall, (spec.unit, spec.time)).removeprefix(" for ")
    one = len(left) == 1
    these = "this unit as adopting permanently in its" if one else "these units as adopting in their"
    raise PanelError(
        f"Column {column!r} returns to 0 in {'' if one else f'{len(left)} units, for example '}{place}. The "
        "cohort is the first period with 1 and adoption is taken as permanent: correct the column, end the "
        f"sample before, or use {proposal({'reversals': 'allow'})} to treat {these} first period with 1."
    )


def switches(frame: pd.DataFrame, column: str, at: Sequence[str]) -> Any:
    """A column of 0 and 1 (or false and true) as numbers; anything else is refused with the count."""
    values = (
        frame[column].map(lambda value: BINARY.get(str(value).strip().lower(), np.nan)).to_numpy(dtype=float)
    )
    bad = np.isnan(values)
    if bad.any():
        example = frame.loc[bad, column].iloc[0]
        empty = frame.loc[bad, column].isna() | is_blank(frame.loc[bad, column])
        todo = (
            "Fill in" if empty.all() else "Recode the column to 0 and 1, fill in" if empty.any() else "Recode"
        )
        todo += " the empty cells" if empty.any() else " the column to 0 and 1"
        raise PanelError(
            f"'cohort_from' needs a column of 0 and 1, and {int(bad.sum())} of {len(frame)} values of "
            f"{column!r} are neither, for example {shown(example)}{place_of(frame, bad, at)}. {todo}, "
            "or name the column of the first treated period in 'cohort'; a share of the period goes into "
            "'treatment'."
        )
    return values
