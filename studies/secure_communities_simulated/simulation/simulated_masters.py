"""Return A master files of simulated agencies, in the exact layout of the real ones.

A record of 7,385 characters is one agency's year: a header of 305, then twelve months of 590
(``sources.return_a`` describes and reads them). Positions are counted from 0 here, as the reader
counts them, and shared with it where it names them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.core.files import replacing
from replication.sources import OFFENSES
from replication.sources.masterfile import Bytes
from replication.sources.return_a import (
    HEADER,
    MONTH,
    MONTHS,
    NUMBER_FIELDS,
    OFFENCE_FIELDS,
    TEXT_FIELDS,
    WIDTH,
)

CARDS_AT: Final = 17
CARD: Final = 140
FIELD: Final = 5
ACTUAL, CLEARED = 1, 2
FILED: Final = " 55  "
"""Card types of a return with offenses and clearances."""
NOT_FILED: Final = "00000"
LINE_END: Final = b"\r\n"
SPACE, ZERO = ord(" "), ord("0")
NEGATIVE: Final = np.frombuffer(b"}JKLMNOPQR", dtype=np.uint8)
PARTS: Final = ("murder", "rape", "robbery", "assault", "burglary", "larceny", "motor_vehicle_theft")
"""Fields that add up to the grand total (there is no manslaughter by negligence)."""

Cube = NDArray[np.integer]


def write_master(
    path: Path,
    headers: pd.DataFrame,
    year: int,
    filed: NDArray[np.bool_],
    included_in: NDArray[np.integer],
    actual: Cube,
    cleared: Cube,
) -> None:
    """Write one year of A agencies as plain text with CR LF.

    Parameters
    ----------
    headers : DataFrame
        ``ori``, ``fbi_state``, ``group``, ``covered_by``, ``population_1``, ``county_1``
        (missing for none), ``name``, ``state_name``.
    filed : (A, 12) bool
        Months with a return.
    included_in : (A, 12) int
        Month whose return includes this one; 0 for none.
    actual, cleared : (A, 12, 7) int
        As filed, in the order of ``panel.OFFENSES``; negative numbers are overpunched.
        Months without a return must be zero.
    """
    record = np.full((len(headers), WIDTH + len(LINE_END)), SPACE, dtype=np.uint8)
    record[:, WIDTH:] = np.frombuffer(LINE_END, dtype=np.uint8)
    _put_header(record, headers, year, filed)
    month = record[:, HEADER:WIDTH].reshape(-1, MONTHS, MONTH)  # a view: an axis is split in two
    _put_months(month, filed, included_in, year)
    for card, counts in ((ACTUAL, actual), (CLEARED, cleared)):
        for name, values in fields(counts).items():
            at = CARDS_AT + CARD * card + FIELD * (OFFENCE_FIELDS[name] - 1)
            month[:, :, at : at + FIELD] = digits(values, FIELD)
    with replacing(path) as temporary:
        record.tofile(temporary)


def fields(counts: Cube) -> dict[str, Cube]:
    """The fields of a card by name.

    Simple assaults are no outcome; as many as aggravated ones are written, so that the reader has
    to take them off the field of all assaults, as in the real files.
    """
    found = {name: counts[:, :, place] for place, name in enumerate(OFFENSES)}
    aggravated = found.pop("aggravated_assault")
    found["simple_assault"] = np.maximum(aggravated, 0)
    found["assault"] = aggravated + found["simple_assault"]
    found["total"] = np.stack([found[name] for name in PARTS]).sum(axis=0)
    return found


def digits(values: Cube, width: int) -> Bytes:
    """Numbers as characters (..., width); the last one of a negative number carries its sign."""
    rest = np.abs(values)
    found = np.empty((*values.shape, width), dtype=np.uint8)
    for place in reversed(range(width)):
        found[..., place] = ZERO + rest % 10
        rest = rest // 10
    below = values < 0
    found[below, -1] = NEGATIVE[found[below, -1] - ZERO]
    return found


def texts(values: pd.Series, width: int) -> Bytes:
    """Text as characters (A, width), blanks behind it."""
    padded = values.astype(str).str.slice(0, width).str.pad(width, side="right")
    return np.frombuffer("".join(padded).encode("latin-1"), dtype=np.uint8).reshape(-1, width)


def _put_header(record: Bytes, headers: pd.DataFrame, year: int, filed: NDArray[np.bool_]) -> None:
    record[:, 0] = ord("1")
    record[:, 13:15] = np.frombuffer(f"{year % 100:02d}".encode(), dtype=np.uint8)
    for name, (start, end) in TEXT_FIELDS.items():
        record[:, start:end] = texts(headers[name], end - start)
    last = np.where(filed.any(axis=1), MONTHS - filed[:, ::-1].argmax(axis=1), 0)
    numbers = {
        "fbi_state": headers["fbi_state"],
        "last_month": pd.Series(last),
        "agency_count": (headers["covered_by"] == "").astype(int),
        "population_1": headers["population_1"],
        "population_2": headers["population_1"] * 0,
        "population_3": headers["population_1"] * 0,
        "county_1": headers["county_1"].fillna(0).astype(int),
    }
    for name, values in numbers.items():
        start, end = NUMBER_FIELDS[name]
        record[:, start:end] = digits(values.to_numpy(dtype=np.int64), end - start)
    start, end = NUMBER_FIELDS["county_1"]
    record[headers["county_1"].isna().to_numpy(), start:end] = SPACE


def _put_months(month: Bytes, filed: NDArray[np.bool_], included_in: NDArray[np.integer], year: int) -> None:
    """All fields of the months but the counts: inclusion, dates, card types."""
    month[:, :, CARDS_AT:] = ZERO
    month[:, :, 8:13] = np.where(filed[:, :, None], _characters(FILED), _characters(NOT_FILED))
    month[:, :, 0:2] = np.where((included_in > 0)[:, :, None], digits(included_in, 2), SPACE)
    date = np.stack([_characters(f"{m:02d}15{year % 100:02d}") for m in range(1, MONTHS + 1)])
    month[:, :, 2:8] = np.where(filed[:, :, None], date, SPACE)
    month[:, :, 14:16] = np.where(filed[:, :, None], _characters("PP"), SPACE)


def _characters(text: str) -> Bytes:
    return np.frombuffer(text.encode("latin-1"), dtype=np.uint8)
