"""Verification of files against the checksums of the manifest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

PIECE = 1 << 20


class Promise(Protocol):
    """Checksums and size in a manifest entry."""

    @property
    def sha256(self) -> str | None:
        """SHA-256 of the file, in hexadecimal."""

    @property
    def git_blob(self) -> str | None:
        """Identifier of the file in a git repository, in hexadecimal."""

    @property
    def size(self) -> int | None:
        """Bytes of the file."""


def complaint(path: Path, promise: Promise) -> str | None:
    """The mismatch between the bytes of ``path`` and the manifest; None if they agree."""
    size = path.stat().st_size
    with path.open("rb") as file:
        digest = Digest(promise, size)
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.complaint()


class Digest:
    """The digest of bytes as they are read, for comparison with the manifest.

    Parameters
    ----------
    promise : the entry, which determines the kind of digest.
    size : bytes that are going to be read; a git blob id begins with their number.
    """

    def __init__(self, promise: Promise, size: int) -> None:
        self._promise, self._size = promise, size
        self._state = hashlib.sha256()
        if promise.sha256 is None:
            self._state = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)

    def update(self, piece: bytes) -> None:
        """Take further bytes into account."""
        self._state.update(piece)

    def complaint(self) -> str | None:
        """The mismatch between the bytes and the manifest; None if they agree."""
        return _compared(self._promise, self._state.hexdigest(), self._size)


def _compared(promise: Promise, found: str, size: int) -> str | None:
    if promise.sha256 is not None:
        name, expected = "SHA-256", promise.sha256
    elif promise.git_blob is not None:
        name, expected = "git blob id", promise.git_blob
    else:
        return "its checksum is unknown"
    if found == expected:
        return None
    bytes_ = f" ({promise.size} bytes expected, {size} found)" if promise.size else f" ({size} bytes)"
    return f"{name} expected {expected}, found {found}{bytes_}"
