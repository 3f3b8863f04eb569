"""Master files of the FBI: fixed-width records, packed, with negative numbers overpunched.

A master comes as plain text, in a zip archive, or in a zipx archive whose compression (PPMd)
Python's own library cannot undo. Records are handed on in batches, so that a file of 164 MB
never lies in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from replication.core.errors import SourceError
from replication.sources.archives import ZIP_MARK, bounded, unpacked
from replication.sources.raw_checks import FETCH_AGAIN, raw_bytes
from replication.sources.verified_bytes import verified_content

Bytes = NDArray[np.uint8]

PADDING: Final = b"\x1a\x00\r\n"
"""What may follow the last record; 0x1a is the end-of-file mark of old systems."""
ZERO, SPACE = ord("0"), ord(" ")
UNREADABLE: Final = np.iinfo(np.int32).min
"""Value that ``numbers`` returns for a field that is not a number."""


def pieces(path: Path) -> Iterator[bytes]:
    """The text of a master file, in pieces of at most a few megabytes.

    Archives inside an archive are opened too.

    Raises
    ------
    SourceError
        If the file is missing, empty, no readable archive, too large when unpacked, or needs
        libarchive and that is not installed.
    """
    if not path.is_file():
        raise SourceError(f"{path}: there is no such file. `replication data status` says how to get it.")
    size = path.stat().st_size
    if size == 0:
        raise SourceError(f"{path}: the file is empty (0 bytes). {FETCH_AGAIN}")
    with path.open("rb") as file:
        if file.read(len(ZIP_MARK)) == ZIP_MARK:
            text = unpacked(path, raw_bytes(path))
        else:
            file.seek(0)
            text = verified_content(path, file, size)
        yield from bounded(path, text)


def records(path: Path, width: int, batch: int = 1000) -> Iterator[Bytes]:
    """Batches of records as arrays of characters.

    Parameters
    ----------
    path : the master file.
    width : characters of a record, without its line end (CR LF or LF).
    batch : records a batch.

    Yields
    ------
    (n, width) uint8
        At most ``batch`` records.

    Raises
    ------
    SourceError
        If a record has another length, or the file ends inside one.
    """
    held, stride, done = b"", 0, 0
    for piece in pieces(path):
        held += piece
        if not stride and len(held) >= width + 2:
            stride = width + _line_end(path, held, width)
        while stride and len(held) >= batch * stride:
            yield _cut(path, held[: batch * stride], width, stride, done)
            held, done = held[batch * stride :], done + batch
    rest = held.rstrip(PADDING)
    if not rest:
        return
    ended, left = divmod(len(rest), stride) if stride else (0, len(rest))
    if left != width:
        if ended:
            yield _cut(path, rest[: ended * stride], width, stride, done)
        raise SourceError(
            f"{path}: after {done + ended} records of {width} characters the file ends inside a "
            f"record ({left} characters of it); it is cut off. {FETCH_AGAIN}"
        )
    end = b"\r\n" if stride - width == 2 else b"\n"
    yield _cut(path, rest + end, width, width + len(end), done)


def numbers(field: Bytes) -> NDArray[np.int32]:
    """Whole numbers from fields of digits whose last character may carry the sign.

    A negative number has its last digit overpunched: ``}`` is -0 and ``J`` to ``R`` are -1 to
    -9, so ``0001K`` is -12; ``{`` and ``A`` to ``I`` are the same for positive numbers. Blanks
    before the digits count as zeros, and so does a blank field.

    Parameters
    ----------
    field : (..., width) uint8
        Characters, of at most nine columns.

    Returns
    -------
    (...) int32
        The numbers; ``UNREADABLE`` where the characters are not a number.
    """
    last = field[..., -1]
    value = np.zeros(last.shape, dtype=np.int32)
    broken = np.zeros(last.shape, dtype=bool)
    begun = np.zeros(last.shape, dtype=bool)
    for place in range(field.shape[-1] - 1):
        character = field[..., place]
        blank = character == SPACE
        digit = np.where(blank, 0, character - ZERO)  # below 0 wraps around to above 9
        broken |= digit > 9
        begun |= ~blank
        value *= 10
        value += digit
    # The missing digits of a number that ends in a blank are unknown.
    broken |= (_LAST_SIGN[last] == 0) | (begun & (last == SPACE))
    value = (10 * value + _LAST_DIGIT[last]) * _LAST_SIGN[last]
    return np.where(broken, UNREADABLE, value)


def texts(field: Bytes) -> NDArray[np.str_]:
    """Columns of characters as text without blanks around it."""
    # The characters of Latin-1 are the first 256 of Unicode, which numpy stores in four bytes each.
    letters = np.ascontiguousarray(field, dtype=np.uint32).view(f"U{field.shape[1]}")[:, 0]
    return np.char.strip(letters)


def _overpunch() -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Digit and sign of every last character; sign 0 where it is invalid."""
    digit, sign = np.zeros(256, dtype=np.int8), np.zeros(256, dtype=np.int8)
    for symbols, value in (("0123456789", 1), ("{ABCDEFGHI", 1), ("}JKLMNOPQR", -1), (" ", 1)):
        for place, symbol in enumerate(symbols):
            digit[ord(symbol)], sign[ord(symbol)] = place, value
    return digit, sign


_LAST_DIGIT, _LAST_SIGN = _overpunch()


def _line_end(path: Path, held: bytes, width: int) -> int:
    """Characters of the line end behind the first record."""
    if held[width : width + 2] == b"\r\n":
        return 2
    if held[width : width + 1] == b"\n":
        return 1
    end = held.find(b"\n")
    found = f"{end} characters" if end >= 0 else "no newline"
    raise SourceError(
        f"{path}: the first record has {found} where {width} belong; it is another file, or its "
        f"columns are shifted. {FETCH_AGAIN}"
    )


def _cut(path: Path, held: bytes, width: int, stride: int, done: int) -> Bytes:
    """The records of a batch, without their line ends."""
    grid = np.frombuffer(held, dtype=np.uint8).reshape(-1, stride)
    bad = (grid[:, -1] != ord("\n")) | (grid[:, :width] == ord("\n")).any(axis=1)
    if bad.any():
        row = done + int(bad.argmax()) + 1
        raise SourceError(
            f"{path}: record {row} is not {width} characters long; characters are missing or "
            f"inserted there. {FETCH_AGAIN}"
        )
    return grid[:, :width]
