"""Checks of the frames that a cleaning step receives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from replication.core.errors import PanelError, nearest


def require_columns(frame: pd.DataFrame, names: Iterable[str], what: str) -> None:
    """Refuse a frame without some of the columns, naming the nearest spelling.

    ``what`` is the frame in the message, such as "The county offenses".

    Raises
    ------
    PanelError
        If a column is absent.
    """
    for name in names:
        if name not in frame.columns:
            columns = [str(column) for column in frame.columns]
            raise PanelError(
                f"{what} have no column {name!r}{nearest(name, columns)}; the columns are "
                f"{', '.join(columns)}. Pass the frame as its reader returns it."
            )


def require_unique(frame: pd.DataFrame, keys: Sequence[str], what: str) -> None:
    """Refuse repeated keys, with the count and the first of them.

    Raises
    ------
    PanelError
        If two rows share their keys.
    """
    repeated = frame.duplicated(list(keys))
    if repeated.any():
        row = frame.loc[repeated, list(keys)].iloc[0]
        first = ", ".join(f"{key} {row[key]}" for key in keys)
        raise PanelError(
            f"{what} contain {int(repeated.sum())} repeated rows by {' and '.join(keys)}, first "
            f"{first}. Keep one row for each, or merge them before."
        )


def require_years(frame: pd.DataFrame, years: Sequence[int], what: str) -> None:
    """Refuse a frame that has no row at all in some year of the panel.

    Raises
    ------
    PanelError
        If a year is absent.
    """
    absent = sorted(set(years) - set(frame["year"].unique()))
    if absent:
        raise PanelError(
            f"{what} have no row for {', '.join(map(str, absent))}, and the panel runs from "
            f"{min(years)} to {max(years)}. Read the files of these years too, or shorten the "
            "panel."
        )
