"""The rows of one saved specification, as a table or as plain data, each made when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from replication.core.estimates import LABEL_KEYS, row_label

Columns = Mapping[str, Sequence[Any]]
"""Column -> its values as plain data, one per row."""


def columns_of(frame: pd.DataFrame) -> Columns:
    """The values of a frame as plain data."""
    return {str(name): frame[name].tolist() for name in frame.columns}


@dataclass(frozen=True)
class SavedRows:
    """Rows ``start`` to ``stop`` of a frame that may have those of many specifications.

    A report asks for one row of each of a thousand specifications, and a frame for each of them would take
    most of its time.

    Attributes
    ----------
    frame : all rows.
    columns : the same as plain data.
    """

    frame: pd.DataFrame
    columns: Columns
    start: int
    stop: int

    @classmethod
    def of(cls, frame: pd.DataFrame) -> SavedRows:
        """All rows of a frame."""
        return cls(frame, columns_of(frame), 0, len(frame))

    @cached_property
    def table(self) -> pd.DataFrame:
        """The rows as a frame, numbered from zero."""
        return self.frame.iloc[self.start : self.stop].reset_index(drop=True)

    @cached_property
    def labels(self) -> list[str]:
        """Label of each row, such as ``att`` or ``event:-2``."""
        keys = [self.column(name) for name in LABEL_KEYS]
        return [row_label(*row) for row in zip(*keys, strict=True)]

    @cached_property
    def places(self) -> dict[str, int]:
        """Place of the first row of each label."""
        return {label: place for place, label in reversed(list(enumerate(self.labels)))}

    def column(self, name: str) -> Sequence[Any]:
        """The values of one column."""
        return self.columns[name][self.start : self.stop]

    def record(self, place: int) -> dict[str, Any]:
        """One row as plain data; the first has the place 0."""
        return {name: values[self.start + place] for name, values in self.columns.items()}
