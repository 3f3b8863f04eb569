"""Verification that the bytes that are parsed match the manifest.

A file can change between its checksum and its reading. While a study is cleaned, the manifest entry
of every raw file is therefore available where files are read (``raw_checks.raw_bytes`` and
``masterfile.pieces``), and the very bytes that a reader is given are hashed. Outside of such a
block, as in a reader that a user calls on a file of his own, no checksum is required.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from replication.core.errors import SourceError
from replication.sources.checksums import PIECE, Digest, Promise


@dataclass(frozen=True, slots=True)
class Promised:
    """Manifest entries to be enforced.

    Attributes
    ----------
    files : place of a raw file -> its entry.
    folders : folders in which every file that is read must be listed: ``data_raw`` and the mirror.
    """

    files: Mapping[Path, Promise]
    folders: tuple[Path, ...]


_PROMISED: ContextVar[Promised | None] = ContextVar("promised", default=None)
LISTED: Final = "`replication data status` lists every file and what to do about it."


@contextmanager
def checksums_enforced(what: Promised) -> Iterator[None]:
    """Verify every raw file that is read inside the block against the manifest.

    Parameters
    ----------
    what : from ``manifest.promises``.
    """
    token = _PROMISED.set(what)
    try:
        yield
    finally:
        _PROMISED.reset(token)


def require_promised(path: Path, data: bytes) -> None:
    """Refuse the content of a raw file that does not match the manifest.

    Raises
    ------
    SourceError
        If the bytes are others, or the manifest does not list the file.
    """
    promise = _promise_of(path)
    if promise is not None:
        digest = Digest(promise, len(data))
        digest.update(data)
        _refuse(path, digest)


def verified_content(path: Path, file: IO[bytes], size: int) -> Iterator[bytes]:
    """The content of a raw file in pieces; refused at its end if it does not match the manifest."""
    promise = _promise_of(path)
    digest = None if promise is None else Digest(promise, size)
    while piece := file.read(PIECE):
        if digest is not None:
            digest.update(piece)
        yield piece
    if digest is not None:
        _refuse(path, digest)


def _promise_of(path: Path) -> Promise | None:
    what = _PROMISED.get()
    if what is None:
        return None
    if path not in what.files and any(path.is_relative_to(folder) for folder in what.folders):
        raise SourceError(
            f"{path}: data_raw/sources.yaml does not list this file at this place, so nothing "
            f"proves its bytes. {LISTED}"
        )
    return what.files.get(path)


def _refuse(path: Path, digest: Digest) -> None:
    wrong = digest.complaint()
    if wrong is not None:
        raise SourceError(
            f"{path}: {wrong}. The bytes that were read are not those of the manifest; nothing was "
            f"made of them. {LISTED}"
        )
