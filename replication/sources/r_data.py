"""Data frames of R data files, from verified bytes and within the bound on unpacked files."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pandas as pd

from replication.sources.archives import PIECE, bounded
from replication.sources.raw_checks import parse_raw, raw_bytes

PACKED: Final[dict[bytes, Callable[[io.BytesIO], io.BufferedIOBase]]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
"""First bytes of each compression that R writes, and the function that unpacks it."""


def read_r(path: Path) -> pd.DataFrame:
    """The first data frame of an R data file (``.rds`` or ``.rda``).

    Raises
    ------
    SourceError
        If it is missing or damaged, or unpacks to more than ``archives.MOST_UNPACKED`` bytes.
    """
    data = raw_bytes(path)
    return parse_raw(path, "an R data file", lambda: _first_frame(path, data))


def _first_frame(path: Path, data: bytes) -> pd.DataFrame:
    """The frame, by pyreadr, which reads files only: the verified bytes are written to a temporary one.

    They are unpacked before, as it would unpack them without bounds.
    """
    import pyreadr

    unpack = next((opener for mark, opener in PACKED.items() if data.startswith(mark)), None)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "frame.rds"
        with io.BytesIO(data) if unpack is None else unpack(io.BytesIO(data)) as file:
            place.write_bytes(b"".join(bounded(path, iter(lambda: file.read(PIECE), b""))))
        frame: pd.DataFrame = next(iter(pyreadr.read_r(place).values()))
    return frame.reset_index(drop=True)
