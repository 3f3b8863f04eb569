"""The committed value of a number, ``studies/<study>/expected/``, and whether it is equal."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from replication.checks.compare_cells import ABSOLUTE, OF_LENGTH, RELATIVE
from replication.core.estimates import row_labels
from replication.report.tables.published_table import YES_NO
from replication.report.trace.shown_values import ShownValue

ESTIMATES = "tables/estimates.csv"


@dataclass
class ExpectedValues:
    """The committed numbers of a study, each file read when it is first asked for."""

    folder: Path
    frames: dict[str, pd.DataFrame | None] = field(default_factory=dict)

    def of(self, shown: ShownValue, place: str, length: int) -> dict[str, Any] | None:
        """File, value and equality; None where nothing is committed.

        Parameters
        ----------
        place : the table's or figure's own file, ``tables/main.csv``.
        length : its rows; where another number is committed, rows do not correspond.
        """
        if shown.data is not None:
            frame = self._frame(place)
            row, column = shown.data
            if frame is not None and len(frame) == length and column in frame.columns:
                return _compared(place, frame[column].iloc[row], shown)
        if shown.origin == "specification" and shown.row:
            committed = self._estimates.get((shown.specification, shown.row), {})
            if shown.quantity in committed:
                return _compared(ESTIMATES, committed[shown.quantity], shown)
        return None

    @cached_property
    def _estimates(self) -> dict[tuple[str, str], dict[Any, Any]]:
        """(specification, row) -> the committed estimate; the first where one is there twice."""
        frame = self._frame(ESTIMATES)
        if frame is None:
            return {}
        keys = zip(frame["spec_id"], row_labels(frame), strict=True)
        return dict(reversed(list(zip(keys, frame.to_dict("records"), strict=True))))

    def _frame(self, name: str) -> pd.DataFrame | None:
        if name not in self.frames:
            path = self.folder / name
            self.frames[name] = pd.read_csv(path, low_memory=False) if path.is_file() else None
        return self.frames[name]


def _compared(file: str, value: Any, shown: ShownValue) -> dict[str, Any]:
    if isinstance(value, bool | np.bool_) and shown.origin == "difference":
        value = YES_NO[bool(value)]
    return {"file": file, "value": value, "equal": equal(value, shown.value, shown.interval)}


def equal(expected: Any, found: Any, interval: tuple[Any, Any] | None = None) -> bool:
    """Whether two values agree as for ``replication verify``: texts exactly, numbers within its tolerances.

    ``interval`` is that whose end the number may be.
    """
    if _empty(expected) or _empty(found):
        return _empty(expected) and _empty(found)
    try:
        first, second = float(expected), float(found)
    except (TypeError, ValueError):
        return str(expected) == str(found)
    if math.isclose(first, second, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
        return True
    return interval is not None and abs(first - second) <= OF_LENGTH * abs(interval[1] - interval[0])


def _empty(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))
