"""Rows that share their unit and period: refused, or reduced to one as the specification says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from replication.core.columns import numeric, place_of
from replication.core.errors import PanelError
from replication.core.reading import proposal
from replication.core.sample_selection import needed_columns
from replication.core.spec import Spec
from replication.core.wording import counted


def repeated_rows(
    frame: pd.DataFrame, unit: str, time: str, names: Sequence[str]
) -> tuple[pd.Series[bool], list[str]]:
    """Rows that share their unit and period with another one, and which of the columns differ in them."""
    repeated = frame.duplicated([unit, time], keep=False)
    rows = frame[repeated]
    others = [name for name in names if name not in (unit, time)]
    if rows.empty or not others:
        return repeated, []
    counts = rows.groupby([unit, time], dropna=False)[others].nunique(dropna=False)
    return repeated, [str(name) for name in others if (counts[name] > 1).any()]


def duplicates_hint(frame: pd.DataFrame, unit: str, time: str) -> str:
    """The value of ``duplicates`` that helps, as a sentence."""
    repeated, differing = repeated_rows(frame, unit, time, list(frame.columns))
    extra = int(repeated.sum() - frame[repeated].drop_duplicates([unit, time]).shape[0])
    if not differing:
        return (
            "They are the same in every column that is read: "
            f"{proposal({'duplicates': 'drop_identical'})} keeps one of each and drops "
            f"{counted(extra, 'row')}."
        )
    return (
        f"They differ in {', '.join(map(repr, differing[:5]))}: find out which are right, or set "
        "`--duplicates first`, `last`, or `mean` (in YAML "
        "`duplicates: mean`, in Python `duplicates='mean'`)."
    )


def require_unique(frame: pd.DataFrame, unit: str, time: str) -> None:
    """Refuse repeated unit-period rows and rows without unit or period."""
    for column in (unit, time):
        absent = int(frame[column].isna().sum())
        if absent:
            verb = "has" if absent == 1 else "have"
            raise PanelError(
                f"{absent} of {len(frame)} rows {verb} no {column!r}. Fill it in or drop these rows."
            )
    if _in_strict_order(frame[unit], frame[time]):
        return
    repeated = frame.duplicated([unit, time], keep=False)
    if repeated.any():
        example = place_of(frame, repeated, (unit, time)).removeprefix(" for")
        raise PanelError(
            f"{int(repeated.sum())} rows share their {unit!r} and {time!r} with another row, for "
            f"example{example}. A panel has one row per unit and period. "
            f"{duplicates_hint(frame, unit, time)}"
        )


def _in_strict_order(units: pd.Series, times: pd.Series) -> bool:
    """Whether numbers of units and periods rise from row to row, as in most files; then none is repeated."""
    if units.dtype.kind not in "if" or times.dtype.kind not in "if":
        return False
    unit, time = units.to_numpy(), times.to_numpy()
    later = (unit[1:] == unit[:-1]) & (time[1:] > time[:-1])
    return bool(((unit[1:] > unit[:-1]) | later).all())


def without_duplicates(frame: pd.DataFrame, spec: Spec) -> tuple[pd.DataFrame, list[str]]:
    """One row per unit and period, and a note with the rows that were dropped or averaged.

    Raises
    ------
    PanelError
        If rows that should be identical differ, or rows to be averaged differ in more than measurements.
    """
    keys = [spec.unit, spec.time]
    if any(name not in frame.columns for name in keys):
        return frame, []
    read = [*needed_columns(spec, frame), *spec.sample.where, *spec.sample.drop]
    repeated, differing = repeated_rows(
        frame, spec.unit, spec.time, [name for name in dict.fromkeys(read) if name in frame]
    )
    if not repeated.any():
        return frame, ["'duplicates' is set, and no two rows share their unit and period"]
    if spec.duplicates == "drop_identical" and differing:
        raise PanelError(
            _refusal(frame, spec, repeated, differing, "is for rows that are the same throughout")
        )
    measured = {spec.outcome, *spec.covariates, spec.weights, spec.offset} & set(frame.columns)
    measured |= {spec.treatment} & set(frame.columns)
    if spec.duplicates == "mean":
        labels = [name for name in differing if name not in measured]
        if labels:
            raise PanelError(_refusal(frame, spec, repeated, labels, "averages measurements only"))
    single = frame.drop_duplicates(keys, keep="last" if spec.duplicates == "last" else "first")
    note = f"{len(frame) - len(single)} rows that share their unit and period with another were dropped"
    if spec.duplicates == "mean":
        single = _averaged(frame, single, keys, sorted(map(str, measured)))
        note = f"{int(repeated.sum())} rows that share their unit and period were averaged"
    return single, [f"{note} (duplicates: {spec.duplicates})"]


def _averaged(frame: pd.DataFrame, single: pd.DataFrame, keys: list[str], names: list[str]) -> pd.DataFrame:
    """The first rows with the means of their numbers; what is missing in one of them does not count."""
    numbers = frame[keys].assign(**{name: numeric(frame, name, at=keys) for name in names})
    means = numbers.groupby(keys, dropna=False)[names].transform("mean")
    return single.assign(**{name: means.loc[single.index, name] for name in names})


def _refusal(frame: pd.DataFrame, spec: Spec, repeated: Any, differing: list[str], why: str) -> str:
    example = place_of(frame, repeated, (spec.unit, spec.time)).removeprefix(" for")
    return (
        f"`duplicates: {spec.duplicates}` {why}, and {int(repeated.sum())} rows share their {spec.unit!r} "
        f"and {spec.time!r} with another and differ in {', '.join(map(repr, differing[:5]))}, for "
        f"example{example}. Find out which are right, or set `--duplicates first`, `last`, or `mean` (in "
        "YAML `duplicates: mean`, in Python `duplicates='mean'`)."
    )
