"""Panels that need no cleaning: a file named in ``study.yaml``, described by what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pandera.pandas as pa

from replication.cleaning.codebook import column
from replication.cleaning.recipe import Cleaned
from replication.core.frames import read_frame

_KINDS: Final = {"i": "int64", "u": "int64", "f": "float64", "b": "bool", "M": "datetime64[ns]"}


def ready_panels(panels: Mapping[str, Any], folder: Path) -> Cleaned:
    """Panels read from the files that a study names, relative to its folder.

    Parameters
    ----------
    panels : mapping of panel name to ``{file: ..., labels: {column: label}}``
    folder : the study's folder
    """
    found = {}
    for name, entry in panels.items():
        frame = read_frame(folder / entry["file"])
        found[name] = (frame, described_schema(name, frame, entry))
    return Cleaned(found)


def described_schema(name: str, frame: pd.DataFrame, entry: Mapping[str, Any]) -> pa.DataFrameSchema:
    """A schema that describes each column by its type, label and file."""
    labels: Mapping[str, str] = entry.get("labels", {})
    columns = {
        str(key): column(
            _KINDS.get(values.dtype.kind, "str"),
            labels.get(str(key), str(key)),
            "as in the file",
            str(entry["file"]),
            missing="as in the file",
        )
        for key, values in frame.items()
    }
    return pa.DataFrameSchema(columns, name=name)
