"""The cells of a frame as text, a column at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd


def csv_rows(
    frame: pd.DataFrame, float_format: str, *, index: bool = False
) -> Iterable[Sequence[Any]] | None:
    """The heading and the rows that ``DataFrame.to_csv`` would hand to ``csv.writer``.

    Returns
    -------
    rows of cells, or None
        None for what only pandas writes: dates, categories, mixed columns, an index without a single name.
    """
    if index and (frame.index.nlevels > 1 or not isinstance(frame.index.name, str)):
        return None
    flat = frame.reset_index() if index else frame
    columns = [_cells(flat.iloc[:, place], float_format) for place in range(flat.shape[1])]
    known = [cells for cells in columns if cells is not None]
    if len(known) < len(columns):
        return None
    return [list(flat.columns), *zip(*known, strict=True)]


def _cells(column: pd.Series, float_format: str) -> list[Any] | None:
    """The cells of a column of numbers or text, empty where they are missing; None for other columns."""
    if column.dtype == np.float64:
        values = column.to_numpy()
        cells: list[Any] = list(map(float_format.__mod__, values.tolist()))
        for place in np.flatnonzero(np.isnan(values)).tolist():
            cells[place] = ""
        return cells
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub":
        return column.tolist()
    if pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty"):
        missing = column.isna().tolist()
        return ["" if lost else value for value, lost in zip(column.tolist(), missing, strict=True)]
    return None
