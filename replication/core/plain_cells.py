"""Refusal of cells that hold lists or mappings, which parquet allows."""

from __future__ import annotations

import pandas as pd

from replication.core.errors import PanelError

PLAIN = (str, bytes, int, float, complex, bool)


def require_plain_cells(frame: pd.DataFrame, source: str) -> None:
    """Refuse columns whose cells hold several values.

    Parameters
    ----------
    frame : DataFrame
        A panel as it was read.
    source : str
        Its name in the message.

    Raises
    ------
    PanelError
        Naming the columns, and the first such cell.
    """
    found = {}
    for place, kind in enumerate(frame.dtypes):
        if not pd.api.types.is_object_dtype(kind):
            continue
        column = frame.iloc[:, place]
        nested = column.map(_holds_several)
        if nested.any():
            row = int(nested.to_numpy().argmax())
            found[str(frame.columns[place])] = (row, type(column.iloc[row]).__name__)
    if found:
        name, (row, kind) = next(iter(found.items()))
        raise PanelError(
            f"{source} has {len(found)} columns whose cells contain several values "
            f"({', '.join(found)}): row {row + 1} of {name!r} is a {kind}. A panel has one value "
            "per cell; write them to columns of their own, or leave the column out."
        )


def _holds_several(value: object) -> bool:
    return not isinstance(value, PLAIN) and hasattr(value, "__len__")
