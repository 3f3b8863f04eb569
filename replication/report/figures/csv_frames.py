"""Frames of figures that show a CSV file."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from replication.core.errors import SpecError
from replication.report.report_context import Context
from replication.report.report_data import read_source
from replication.report.study_config import Entry


def from_source(
    entry: Entry, context: Context, needed: Sequence[str], optional: Sequence[str] = ()
) -> pd.DataFrame:
    """The columns that a figure needs, and those it can use, of the file that the entry names."""
    frame = read_source(
        context.folders,
        entry.options["source"],
        needed,
        where=entry.options.get("where"),
        rename=entry.options.get("rename"),
    )
    return frame[[*needed, *(name for name in optional if name in frame.columns)]]


def require_numbers(frame: pd.DataFrame, names: Sequence[str], source: str) -> None:
    """Refuse text columns where numbers are needed."""
    for name in names:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            raise SpecError(
                f"{source}: the column {name!r} is drawn as numbers and contains text, such as "
                f"{frame[name].dropna().astype(str).iloc[0]!r}. Correct the file."
            )


def in_order(values: pd.Series[str]) -> list[str]:
    """Distinct values in the order of the file."""
    return list(dict.fromkeys(values))
