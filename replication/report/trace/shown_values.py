"""What one cell or point shows, and the line of a file in which its row is."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from replication.report.folders import Folders
from replication.report.report_data import Saved, read_source

FIRST = 2
"""The line below the header."""


@dataclass(frozen=True, slots=True)
class ShownValue:
    """One cell, or one point of a figure.

    Attributes
    ----------
    printed : lines of the cell.
    origin : ``specification``, ``analysis``, ``file``, ``published``, ``difference``,
        ``description`` or ``empty``.
    value, std_error, interval : unrounded.
    quantity : what the value is, such as ``estimate``, or the column of a file.
    specification, row : the saved result and the row of its estimates.
    source, line : a file as entries name it (``clean/rollout.csv``) and the line in it.
    published : where a published value was read.
    data : row and column of the table's or figure's CSV that hold the same number.
    numbers : the other columns of a figure's point.
    """

    printed: tuple[str, ...]
    origin: str
    value: Any = None
    std_error: Any = None
    interval: tuple[Any, Any] | None = None
    quantity: str = ""
    specification: str = ""
    row: str = ""
    source: str = ""
    line: int | None = None
    published: Mapping[str, Any] | None = None
    data: tuple[int, str] | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)


Grid = list[list[ShownValue]]


def of_result(cell: tuple[str, ...], saved: Saved, row: str, quantity: str) -> ShownValue:
    """A number of one row of a saved result."""
    found = saved.row(row)
    value = found[quantity]
    error = found["std_error"] if quantity == "estimate" else None
    return ShownValue(
        cell, "specification", value, error, quantity=quantity, specification=saved.spec_id, row=row
    )


def text_value(cell: tuple[str, ...]) -> ShownValue:
    """A cell that says itself all there is."""
    words = " ".join(line for line in cell if line)
    return ShownValue(cell, "description" if words else "empty", words or None)


def source_lines(
    folders: Folders, source: str, rows: pd.DataFrame, rename: Mapping[str, str] | None = None
) -> list[int | None]:
    """The line of the file of each row, found by the columns that both have; None where none fits.

    Rows that are alike are in the order of the file.
    """
    frame = read_source(folders, source, rename=rename)
    shared = [name for name in rows.columns if name in frame.columns]
    places: dict[tuple[str, ...], deque[int]] = defaultdict(deque)
    for number, key in enumerate(_texts(frame, shared)):
        places[key].append(number + FIRST)
    found = [places.get(key, deque()) for key in _texts(rows, shared)] if shared else [deque()] * len(rows)
    return [lines.popleft() if lines else None for lines in found]


def _texts(frame: pd.DataFrame, names: list[str]) -> list[tuple[str, ...]]:
    # Dates are read from text in some figures.
    columns = [frame[name].astype(object).map(str).str.removesuffix(" 00:00:00").tolist() for name in names]
    return list(zip(*columns, strict=True))
