"""Panels that need no cleaning: files named in ``study.yaml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pandera.pandas as pa

from replication.cleaning.codebook import column
from replication.cleaning.column_checks import require_unique
from replication.cleaning.recipe import Cleaned
from replication.core.errors import InputError, PanelError, nearest
from replication.core.frames import read_frame
from replication.core.period_labels import written
from replication.core.reading import Read, formatted, misread, number_hint
from replication.core.spec import checked_read

_KINDS: Final = {"i": "int64", "u": "int64", "f": "float64", "b": "bool", "M": "datetime64[ns]"}
AS_IN_THE_FILE: Final = "as in the file"


def ready_panels(panels: Mapping[str, Any], folder: Path) -> Cleaned:
    """Panels read from the files that a study names, relative to its folder.

    Parameters
    ----------
    panels : mapping of panel name to ``{file: ..., read: {...}, keys: [...], labels: {...}, units: {...}}``
        ``keys`` are the columns that together identify a row; ``labels`` and ``units`` give the text of the
        codebook by column.
    folder : the study's folder

    Raises
    ------
    PanelError
        If a file is missing or cannot be read, a column that the study names is not in it, or two rows have
        the same keys.
    """
    found = {}
    for name, entry in panels.items():
        try:
            read = checked_read(entry.get("read", {}))
            frame = one_type(read_frame(folder / entry["file"], entry.get("keys", []), read))
            require_notation(frame, entry.get("keys", []), read)
            # Attributes would be written into the parquet file, and its rows are no lines of a text.
            frame.attrs.clear()
            found[name] = (frame, described_schema(name, frame, entry))
        except InputError as error:
            raise type(error)(f"The panel {name!r} ({entry['file']}): {error}") from None
    return Cleaned(found)


def require_notation(frame: pd.DataFrame, keys: Sequence[str], read: Read) -> None:
    """Refuse columns whose thousands are separated by points, which a later step would take for decimals.

    Parameters
    ----------
    keys : columns that are labels, and no numbers.

    Raises
    ------
    PanelError
        With the column and an example.
    """
    wrong = [name for name in frame.columns if name not in keys and misread(frame[name], read)]
    if wrong:
        texts = frame[wrong[0]].dropna().astype(str)
        grouped = texts[texts.map(lambda text: formatted(text, read))]
        raise PanelError(
            f"{len(grouped)} of {len(frame)} values of column {wrong[0]!r} are not numbers, such as "
            f"{grouped.iloc[0]!r}, where the decimal mark is {read.decimal!r}."
            f"{number_hint(list(grouped), read)}"
        )


def one_type(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with text where a column contains text beside numbers or dates, which parquet cannot hold."""
    mixed = [
        name
        for name, values in frame.items()
        if values.dtype == object and len({type(value) for value in values.dropna()}) > 1
    ]
    return frame.assign(**{str(name): frame[name].map(written, na_action="ignore") for name in mixed})


def described_schema(name: str, frame: pd.DataFrame, entry: Mapping[str, Any]) -> pa.DataFrameSchema:
    """A schema that describes each column by its type, label, unit and file."""
    keys = [str(key) for key in entry.get("keys", [])]
    labels, units = entry.get("labels", {}), entry.get("units", {})
    known = [str(key) for key in frame.columns]
    for key in (*keys, *labels, *units):
        if key not in known:
            raise PanelError(
                f"there is no column {key!r}{nearest(key, known)}, which study.yaml names. Its columns are "
                f"{', '.join(known)}."
            )
    if keys:
        require_unique(frame, keys, "The rows")
    columns = {
        key: column(
            _KINDS.get(values.dtype.kind, "str"),
            labels.get(key, key),
            units.get(key, AS_IN_THE_FILE),
            str(entry["file"]),
            missing=AS_IN_THE_FILE,
        )
        for key, (_, values) in zip(known, frame.items(), strict=True)
    }
    return pa.DataFrameSchema(columns, name=name, unique=keys or None)
