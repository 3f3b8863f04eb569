"""Reading the user's tidy panel from CSV, parquet or Stata."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from replication.core.errors import PanelError
from replication.core.identifiers import require_single_names, text_where_zeros_lead
from replication.core.plain_cells import require_plain_cells

FORMATS = (".csv", ".parquet", ".dta")


def read_frame(path: Path, identifiers: Sequence[str] = ()) -> pd.DataFrame:
    """A panel file as a frame.

    Parameters
    ----------
    identifiers : columns whose values are labels; in a CSV file they stay text where reading
        them as numbers would lose leading zeros.

    Raises
    ------
    PanelError
        If the file is absent, empty, of another format, or cannot be read, if two of its columns
        have one name, or if labels are one number and two texts.
    """
    if path.suffix.lower() not in FORMATS:
        raise PanelError(
            f"The panel {path} ends in {path.suffix or 'nothing'!r}; panels are read from "
            f"{', '.join(FORMATS)}. Save it as one of these."
        )
    if not path.is_file():
        raise PanelError(f"There is no panel file {path}. Check the path.")
    try:
        require_single_names(_names(path), f"The panel {path}")
        frame = _READERS[path.suffix.lower()](path)
    except PanelError:
        raise
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
    return text_where_zeros_lead(path, frame, identifiers) if _is_csv(path) else frame


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _names(path: Path) -> Sequence[str]:
    """Names of the columns as they stand in the file; pandas renames those that repeat."""
    if _is_csv(path):
        header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False)
        return [str(name) for name in header.iloc[0]]
    if path.suffix.lower() == ".parquet":
        import pyarrow.parquet as pq

        return list(pq.read_schema(path).names)
    return ()


def _read_stata(path: Path) -> pd.DataFrame:
    return pd.read_stata(path, convert_categoricals=False)


_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": pd.read_csv,
    ".parquet": pd.read_parquet,
    ".dta": _read_stata,
}
