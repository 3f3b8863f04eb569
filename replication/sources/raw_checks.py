"""Checks that every reader makes of a raw file."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from replication.core.errors import SourceError
from replication.sources.verified_bytes import require_promised

MOST_BYTES = 1 << 28
"""Bytes of a raw file that is read as a whole, archives as they are packed: 256 MB."""
LONGEST_SHOWN = 60
"""Characters of a cell or a heading in a message."""
FETCH_AGAIN = "Fetch the file again from its source and run `replication data status`."


def cut(value: object) -> str:
    """A value of a raw file as a message shows it, which may be a whole line of a damaged one."""
    written = str(value)
    return written if len(written) <= LONGEST_SHOWN else f"{written[:LONGEST_SHOWN]} ..."


def raw_bytes(path: Path) -> bytes:
    """The bytes of a raw file.

    Raises
    ------
    SourceError
        If the file is missing, empty or too large, or does not hold the bytes stated in the
        manifest.
    """
    if not path.is_file():
        raise SourceError(f"{path}: there is no such file. `replication data status` says how to get it.")
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}). {FETCH_AGAIN}") from error
    if not data:
        raise SourceError(f"{path}: the file is empty (0 bytes). {FETCH_AGAIN}")
    if len(data) > MOST_BYTES:
        raise SourceError(
            f"{path}: the file has more than {MOST_BYTES >> 20} MB, and the largest raw file has "
            f"20; it is another file. {FETCH_AGAIN}"
        )
    require_promised(path, data)
    return data


def decoded_text(path: Path, encoding: str = "ascii") -> str:
    """The text of a raw file that is known to be written in ``encoding``.

    Raises
    ------
    SourceError
        If the bytes are not in that encoding, with the line and the offending byte.
    """
    data = raw_bytes(path)
    at = _foreign_byte(data, encoding)
    if at is None:
        return data.decode(encoding)
    raise SourceError(
        f"{path}: line {data.count(10, 0, at) + 1} contains the byte 0x{data[at]:02x}, which a file "
        f"written in {encoding} cannot contain; it was saved again in another encoding, or is not "
        f"a text file. {FETCH_AGAIN}"
    )


def _foreign_byte(data: bytes, encoding: str) -> int | None:
    """Position of the first byte that contradicts the encoding.

    Latin-1 gives every byte a meaning, so only marks of UTF-8 and UTF-16 can betray a file
    that was saved again: a byte-order mark, or the zero bytes between UTF-16 letters.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return 0
    zero = data.find(b"\0")
    if zero >= 0:
        return zero
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start
    return None


def parse_raw(path: Path, kind: str, parse: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Run a library's parser and turn any exception into one sentence about the file.

    Parsers of binary formats meet damaged bytes with errors of every class (struct, zlib,
    key, value), none of which would help the reader of the message.
    """
    try:
        return parse()
    except Exception as error:
        raise SourceError(
            f"{path}: cannot be read as {kind} ({type(error).__name__}: {error}); it is cut off, "
            f"damaged, or another kind of file. {FETCH_AGAIN}"
        ) from error


def text_cells(path: Path, encoding: str) -> pd.DataFrame:
    """A comma-separated table as it stands: text throughout, empty cells missing.

    Raises
    ------
    SourceError
        If the file is missing, empty, in another encoding, or has a row that is shorter or
        longer than the heading.
    """
    written = decoded_text(path, encoding)
    reader = csv.reader(io.StringIO(written, newline=""), strict=True)
    try:
        rows = [row for row in reader if row]
    except csv.Error as error:
        raise SourceError(
            f"{path}: line {reader.line_num} is not comma-separated text ({error}); the file is "
            f"cut off or damaged. {FETCH_AGAIN}"
        ) from error
    if not rows:
        raise SourceError(f"{path}: the file contains {len(written)} newlines and no text. {FETCH_AGAIN}")
    heading, body = rows[0], rows[1:]
    if len(set(heading)) < len(heading):
        name, times = Counter(heading).most_common(1)[0]
        raise SourceError(
            f"{path}: the heading names the column {cut(name)!r} {times} times, and it is unknown "
            f"which one is meant. {FETCH_AGAIN}"
        )
    uneven = [number for number, row in enumerate(body, start=2) if len(row) != len(heading)]
    if uneven:
        raise SourceError(
            f"{path}: {len(uneven)} lines do not have the {len(heading)} fields of the heading, "
            f"first line {uneven[0]} with {len(body[uneven[0] - 2])}; the file is cut off or its "
            f"columns are shifted. {FETCH_AGAIN}"
        )
    table = pd.DataFrame(body, columns=heading, dtype="str")
    return table.mask(table == "")


def json_value(path: Path) -> object:
    """The value that a JSON file holds.

    Raises
    ------
    SourceError
        If the file is missing, empty, cut off, not JSON in ASCII, or gives a name twice.
    """
    written = decoded_text(path, "ascii")

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        """An object without repeated names."""
        seen = dict(pairs)
        if len(seen) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            name, times = counts.most_common(1)[0]
            raise SourceError(f"{path}: {cut(name)!r} stands {times} times. {FETCH_AGAIN}")
        return seen

    try:
        value: object = json.loads(written, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise SourceError(
            f"{path}: not JSON from line {error.lineno}, character {error.colno} on "
            f"({error.msg}); the file is cut off or damaged. {FETCH_AGAIN}"
        ) from error
    except RecursionError:
        raise SourceError(
            f"{path}: lists or objects are nested deeper than any table is; it is another kind of "
            f"file. {FETCH_AGAIN}"
        ) from None
    except ValueError as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(
            f"{path}: contains a number that cannot be read ({error}). {FETCH_AGAIN}"
        ) from error
    return value


def require_nation(path: Path, population: pd.Series, nation: Mapping[int, int], year: int) -> None:
    """Refuse a file whose people sum to another year's country than the one asked for.

    For files that do not record their year: the country grows by more than 0.5 percent a year, and
    each year's sum is known.
    """
    if year not in nation:
        raise SourceError(
            f"{path}: {year} was asked for, but these files run from {min(nation)} to "
            f"{max(nation)}. Ask for one of those years."
        )
    total = float(population.sum())
    nearest = min(nation, key=lambda other: abs(nation[other] - total))
    if nearest != year or abs(nation[year] - total) > 0.01 * nation[year]:
        raise SourceError(
            f"{path}: the populations add up to {total / 1e6:.1f} million, nearest to the country "
            f"of {nearest} ({nation[nearest] / 1e6:.1f} million), where {year} has "
            f"{nation[year] / 1e6:.1f} million; it is cut off, or the file of another year. Put "
            f"the file of {year} in its place."
        )


def require_columns(frame: pd.DataFrame, columns: Iterable[str], path: Path) -> None:
    """Refuse a table that lacks a column, naming those that it has instead."""
    absent = [name for name in columns if name not in frame.columns]
    if absent:
        have = ", ".join(cut(name) for name in frame.columns[:12])
        raise SourceError(
            f"{path}: {len(absent)} expected columns are missing: {', '.join(absent)}. The file "
            f"begins with the columns {have}, so it is another file or another edition. "
            f"{FETCH_AGAIN}"
        )


def require_unique(frame: pd.DataFrame, keys: Sequence[str], path: Path) -> None:
    """Refuse a table in which a key occurs twice, naming the first one and its rows."""
    repeated = frame.duplicated(list(keys), keep=False)
    if not repeated.any():
        return
    first = frame.loc[repeated, list(keys)].iloc[0]
    same = (frame[list(keys)] == first).all(axis=1).to_numpy().nonzero()[0] + 1
    label = ", ".join(f"{key} {cut(value)}" for key, value in first.items())
    extra = int(frame.duplicated(list(keys)).sum())
    raise SourceError(
        f"{path}: {label} occurs in {same.size} records (records {', '.join(map(str, same[:5]))}), "
        f"and {extra} records in all repeat an earlier one, where each must be unique. "
        f"{FETCH_AGAIN}"
    )


def require_rows(frame: pd.DataFrame, good: pd.Series, path: Path, complaint: str) -> None:
    """Refuse a table with a row for which ``good`` is false.

    The index of ``frame`` counts the records of the file from 0, also where some were left out.
    """
    bad = (~good.to_numpy(dtype=bool)).nonzero()[0]
    if bad.size:
        row = bad[0]
        values = ", ".join(f"{name} {cut(frame[name].iloc[row])}" for name in frame)
        raise SourceError(
            f"{path}: {complaint} in {bad.size} of {len(frame)} records, first in record "
            f"{frame.index[row] + 1} ({values}). {FETCH_AGAIN}"
        )
