"""Reading a tidy panel of the user's: CSV, parquet or Stata."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from replication.core.errors import PanelError
from replication.plain_cells import require_plain_cells

FORMATS = (".csv", ".parquet", ".dta")


def read_frame(path: Path) -> pd.DataFrame:
    """A panel file as a frame.

    Raises
    ------
    PanelError
        If the file is absent, empty, of another format, or cannot be read.
    """
    if path.suffix.lower() not in FORMATS:
        raise PanelError(
            f"The panel {path} ends in {path.suffix or 'nothing'!r}; panels are read from "
            f"{', '.join(FORMATS)}. Save it as one of these."
        )
    if not path.is_file():
        raise PanelError(f"There is no panel file {path}. Check the path.")
    try:
        frame = _READERS[path.suffix.lower()](path)
    except pd.errors.EmptyDataError:
        raise PanelError(f"The panel {path} is empty. It needs a header and rows.") from None
    except Exception as error:
        reason = " ".join(str(error).split())
        raise PanelError(
            f"The panel {path} cannot be read as {path.suffix.lower()[1:]}: {reason}. Check that "
            "the file is whole and of the format that its name says."
        ) from None
    require_plain_cells(frame, f"The panel {path}")
    if frame.empty:
        raise PanelError(f"The panel {path} has a header and no rows.")
    return frame


def _read_stata(path: Path) -> pd.DataFrame:
    return pd.read_stata(path, convert_categoricals=False)


_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": pd.read_csv,
    ".parquet": pd.read_parquet,
    ".dta": _read_stata,
}
