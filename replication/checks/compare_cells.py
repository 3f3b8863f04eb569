"""Whether a file has the numbers that are expected of it, cell by cell.

Cells are compared as text and only those that differ as numbers, which takes a fifth of the time of frames.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from replication.core.errors import InputError
from replication.core.estimates import LABELS

# Estimates travel between machines with the last digits of another BLAS: a relative 1e-6 is a
# hundredth of the sixth digit and far below anything printed. Cells at zero get an absolute 1e-9.
RELATIVE = 1e-6
ABSOLUTE = 1e-9
# The tolerance of an interval's end is relative to the interval's length, as it may lie near zero by
# chance. Bands come from draws in single precision, whose error a test bounds below this.
OF_LENGTH = 1e-5

COMMITTED = "agree with expected/"

# Columns that identify a row of estimates.
KEYS = ("spec_id", "term", "cohort", "time", "event_time")
# Group-time cells and weights: every average over them is compared, and they run to megabytes.
CELLS = ("att_gt", "weight")
# Columns that record the version behind a file, not its content.
PROVENANCE = ("made_with", *LABELS)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Result of comparing one file; ``how`` says what files that pass do in its place."""

    study: str
    file: str
    cells: int
    failed: int
    message: str
    how: str = COMMITTED

    @property
    def passed(self) -> bool:
        """Whether every cell agreed."""
        return self.failed == 0


@dataclass(frozen=True, slots=True)
class Cells:
    """What is compared of a CSV file, every cell as text."""

    header: list[str]
    rows: list[list[str]]

    @property
    def size(self) -> int:
        """Number of cells below the header."""
        return len(self.header) * len(self.rows)


def hold(expected: Path, found: Path, study: str, label: str) -> Verdict:
    """Compare one file with the expected one."""
    if not found.is_file():
        return Verdict(study, label, 0, 1, "the file was not written")
    try:
        left, right = (read_cells(path) for path in (expected, found))
    except InputError as error:
        return Verdict(study, label, 0, 1, str(error))
    if left.header != right.header:
        changed = sorted(set(left.header) ^ set(right.header)) or ["their order"]
        return Verdict(study, label, left.size, left.size, f"columns differ: {', '.join(changed)}")
    left, right, named = _aligned(left, right)
    if len(left.rows) != len(right.rows):
        message = f"{len(right.rows)} rows where {len(left.rows)} are expected"
        return Verdict(study, label, left.size, left.size, message)
    apart = list(_differing(left, right))
    failed = len(apart) + named.changed * len(left.header)
    details = [named.message] if named.changed else []
    if apart:
        details.append(_first_difference(left, right, apart, named.keys))
    return Verdict(study, label, left.size, failed, "; ".join(details))


def read_cells(path: Path) -> Cells:
    """A CSV file without provenance, and with averages but not the thousands of cells below them.

    Raises
    ------
    InputError
        If it is no CSV file.
    """
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            rows = [row for row in csv.reader(handle) if row]
    except (ValueError, csv.Error) as error:
        raise InputError(_unreadable(path, str(error))) from error
    if not rows:
        raise InputError(_unreadable(path, "it has no header"))
    header, *rows = rows
    short = next((row for row in rows if len(row) != len(header)), None)
    if short is not None:
        place = f"row {rows.index(short) + 2} has {len(short)} cells, the header {len(header)}"
        raise InputError(_unreadable(path, place))
    if "spec_id" in header and "term" in header:
        term = header.index("term")
        rows = [row for row in rows if row[term] not in CELLS]
    kept = [place for place, name in enumerate(header) if name not in PROVENANCE]
    if len(kept) < len(header):
        header, *rows = [[row[place] for place in kept] for row in (header, *rows)]
    return Cells(header, rows)


def _unreadable(path: Path, why: str) -> str:
    return f"{path} cannot be read as CSV ({why}). Run the pipeline again; the file is written anew."


@dataclass(frozen=True, slots=True)
class _Named:
    """Places of the columns that name a row, and the rows that are only expected or only found."""

    keys: list[int]
    changed: int = 0
    message: str = ""


def _aligned(left: Cells, right: Cells) -> tuple[Cells, Cells, _Named]:
    """Both with the rows that both have, where columns name the rows; else as they are."""
    keys = [left.header.index(name) for name in KEYS if name in left.header]
    ours, theirs = ({_name(row, keys): row for row in cells.rows} for cells in (left, right))
    unique = len(ours) == len(left.rows) and len(theirs) == len(right.rows)
    if "spec_id" not in left.header or not unique:
        return left, right, _Named([])
    lost, new = (sorted(one.keys() - other.keys()) for one, other in ((ours, theirs), (theirs, ours)))
    parts = [
        f"{len(rows)} rows {what}, such as {_readable(rows[0])}"
        for rows, what in ((lost, "are missing"), (new, "are not expected"))
        if rows
    ]
    both = [name for name in ours if name in theirs]
    held, found = (Cells(left.header, [rows[name] for name in both]) for rows in (ours, theirs))
    return held, found, _Named(keys, len(lost) + len(new), "; ".join(parts))


def _name(row: list[str], keys: list[int]) -> str:
    return "\t".join([row[place] for place in keys])


def _readable(name: str) -> str:
    return " ".join(name.split())


def _differing(left: Cells, right: Cells) -> Iterator[tuple[int, int]]:
    """Row and column of the cells that do not agree."""
    others = [_other_end(left.header, name) for name in left.header]
    for place, (ours, theirs) in enumerate(zip(left.rows, right.rows, strict=True)):
        if ours == theirs:
            continue
        for column, (expected, found) in enumerate(zip(ours, theirs, strict=True)):
            far = others[column]
            if expected != found and not agreeing(expected, found, None if far is None else ours[far]):
                yield place, column


def _other_end(header: list[str], name: str) -> int | None:
    """Place of the other end of the interval, where a column is one, ``x_low`` or ``x_high``."""
    other = name.replace("low", "high") if "low" in name else name.replace("high", "low")
    return header.index(other) if other != name and other in header else None


def agreeing(expected: str, found: str, far: str | None = None) -> bool:
    """Whether two texts are numbers within the tolerances.

    Parameters
    ----------
    far : the other end of the expected interval, where the number is an end.
    """
    a, b = _number(expected), _number(found)
    if a == b or abs(a - b) <= ABSOLUTE + RELATIVE * abs(b):
        return True
    return far is not None and abs(a - b) <= OF_LENGTH * abs(a - _number(far))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _first_difference(left: Cells, right: Cells, apart: list[tuple[int, int]], keys: list[int]) -> str:
    """The first cell that differs, and how many differ by column."""
    row, column = apart[0]
    place = (
        _readable(" ".join(left.rows[row][key] for key in keys)) if keys else f"line {row + 2} of the file"
    )
    counts = Counter(column for _, column in apart)
    columns = [f"{name} ({counts[place]})" for place, name in enumerate(left.header) if counts[place]]
    return (
        f"{place}, {left.header[column]}: expected {left.rows[row][column]!r}, "
        f"found {right.rows[row][column]!r}; cells that differ: {', '.join(columns)}"
    )
