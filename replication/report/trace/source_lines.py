"""In which line of a file the rows of a table or a figure stand."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping

import pandas as pd

from replication.report.report_data import Folders, read_source

FIRST = 2
"""The line below the header."""


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
