"""Bounded extraction of text from zip archives, which may be nested, encrypted, damaged or malicious.

The size of a member is measured as it is unpacked, whatever the archive declares. No more than
``MOST_UNPACKED`` bytes are ever unpacked, and no archive is opened below ``DEEPEST`` others.
"""

from __future__ import annotations

import io
import itertools
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final

from replication.core.errors import SourceError
from replication.sources.raw_checks import FETCH_AGAIN

PIECE: Final = 1 << 22
MOST_UNPACKED: Final = 1 << 30
"""Bytes of text that a file may hold when it is unpacked: 1 GiB. The largest master has 164 MB."""
DEEPEST: Final = 3
"""Archives inside one another; the Return A masters of 1973 are packed twice."""
ENCRYPTED: Final = 0x1
"""The bit of a member's flags that marks encryption."""
PYTHON_KNOWS: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
ZIP_MARK: Final = b"PK\x03\x04"


def bounded(path: Path, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces, refused where they exceed what a raw file can hold.

    Raises
    ------
    SourceError
        After ``MOST_UNPACKED`` bytes.
    """
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > MOST_UNPACKED:
            raise SourceError(
                f"{path}: unpacked it contains more than {MOST_UNPACKED >> 20} MB, and the largest "
                f"master file has 164; it is another kind of file. {FETCH_AGAIN}"
            )
        yield piece


def require_bounded(path: Path, data: bytes) -> None:
    """Refuse a zip archive, such as a workbook, whose members together are too large.

    A library that unpacks them takes no more bytes from a member than the directory states.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            stated = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return
    if stated > MOST_UNPACKED:
        raise SourceError(
            f"{path}: unpacked it contains more than {MOST_UNPACKED >> 20} MB; it is another kind of "
            f"file. {FETCH_AGAIN}"
        )


def unpacked(path: Path, data: bytes, level: int = 1) -> Iterator[bytes]:
    """The largest member of a zip archive; what it holds, where that is an archive itself.

    Parameters
    ----------
    path : the file, for refusals.
    data : the archive.
    level : archives that were opened to come to this one, itself included.

    Raises
    ------
    SourceError
        If the archive is damaged, encrypted, empty or nested too deeply, or needs libarchive and
        that is not installed.
    """
    if level > DEEPEST:
        raise SourceError(
            f"{path}: archives lie inside one another more than {DEEPEST} deep; it is another kind "
            f"of file. {FETCH_AGAIN}"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            member = _largest(path, archive)
            if member.compress_type not in PYTHON_KNOWS:
                yield from _by_libarchive(path, data, member)
                return
            yield from _opened(path, _member(path, archive, member, data), level)
    except SourceError:
        raise
    except Exception as error:
        # Damaged bytes raise errors of every class here (struct, zlib, lzma, key, runtime).
        raise SourceError(
            f"{path}: cannot be unpacked ({error or type(error).__name__}); the archive is cut "
            f"off or damaged. {FETCH_AGAIN}"
        ) from error


def _largest(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = archive.infolist()
    if not members:
        raise SourceError(f"{path}: the archive is empty. {FETCH_AGAIN}")
    member = max(members, key=lambda info: info.file_size)
    if member.flag_bits & ENCRYPTED:
        raise SourceError(
            f"{path}: the file {member.filename!r} in the archive is encrypted, which no file of "
            "the manifest is. Unpack it with its password and put the text in its place, or fetch "
            "the file again from its source."
        )
    return member


def _exactly(file: IO[bytes], size: int) -> Iterator[bytes]:
    """The bytes of a member, refused unless as many as declared."""
    came = 0
    while piece := file.read(PIECE):
        came += len(piece)
        yield piece
    if came != size:
        raise zipfile.BadZipFile(f"{came} bytes came out, {size} belong")


def _opened(path: Path, text: Iterator[bytes], level: int) -> Iterator[bytes]:
    first = next(text, b"")
    if first.startswith(ZIP_MARK):
        nested = b"".join(bounded(path, itertools.chain([first], text)))
        yield from unpacked(path, nested, level + 1)
        return
    yield first
    yield from text


def _member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, data: bytes) -> Iterator[bytes]:
    """A member of the archive, by the archive's directory or, where that is wrong, by its local header.

    The homicide file named 2007 has the directory of another archive behind its bytes.
    """
    try:
        return _exactly(archive.open(member), member.file_size)
    except zipfile.BadZipFile as error:
        inside = _by_own_head(data, member.header_offset)
        if inside is None:
            raise SourceError(
                f"{path}: the archive contradicts its own directory ({error}). {FETCH_AGAIN}"
            ) from error
        return iter([inside])


def _by_own_head(data: bytes, offset: int) -> bytes | None:
    """An uncompressed member, verified by the checksum in its local header."""
    head = struct.unpack("<4sHHHHHIIIHH", data[offset : offset + 30])
    mark, method, check, size = head[0], head[3], head[6], head[7]
    begin = offset + 30 + head[9] + head[10]
    content = data[begin : begin + size]
    whole = mark == ZIP_MARK and method == zipfile.ZIP_STORED and zlib.crc32(content) == check
    return content if whole else None


def _by_libarchive(path: Path, data: bytes, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The text of an archive that Python cannot unpack, verified by its checksum.

    libarchive only warns of a wrong checksum, after it has returned the data.
    """
    try:
        import libarchive
    except Exception as error:
        raise SourceError(
            f"{path}: this archive is compressed with PPMd, which Python cannot unpack by itself "
            f"({type(error).__name__}: {error}). Install the optional part of the package with "
            "`pip install 'replication[zipx]'` and the system library libarchive (package "
            "libarchive13 in Debian and Ubuntu, libarchive in Homebrew and conda)."
        ) from error
    check, size = 0, 0
    with libarchive.memory_reader(data) as archive:
        for entry in archive:
            for piece in _gathered(entry.get_blocks()):
                check, size = zlib.crc32(piece, check), size + len(piece)
                yield piece
    if (check, size) != (member.CRC, member.file_size):
        raise zipfile.BadZipFile(f"{size} bytes came out, {member.file_size} belong")


def _gathered(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Small blocks put together to pieces, which are cheaper to append to one another."""
    gathered = bytearray()
    for block in blocks:
        gathered += block
        if len(gathered) >= PIECE:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)
