"""Whether a file holds the bytes that the manifest promises."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

PIECE = 1 << 20


class Promise(Protocol):
    """What a manifest entry says of the bytes."""

    @property
    def sha256(self) -> str | None:
        """SHA-256 of the file, in hexadecimal."""

    @property
    def git_blob(self) -> str | None:
        """Identifier of the file in a git repository, in hexadecimal."""

    @property
    def size(self) -> int | None:
        """Bytes of the file."""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return _digest(path, hashlib.sha256())


def git_blob_of(path: Path) -> str:
    """Identifier that git gives to a file: SHA-1 of a heading with its size, then the bytes."""
    heading = hashlib.sha1(usedforsecurity=False)
    heading.update(b"blob %d\0" % path.stat().st_size)
    return _digest(path, heading)


def _digest(path: Path, state: hashlib._Hash) -> str:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            state.update(piece)
    return state.hexdigest()


def complaint(path: Path, promise: Promise) -> str | None:
    """What is wrong with the bytes of ``path``, expected and found; None if they are right."""
    if promise.sha256 is not None:
        name, expected, found = "SHA-256", promise.sha256, sha256_of(path)
    elif promise.git_blob is not None:
        name, expected, found = "git blob id", promise.git_blob, git_blob_of(path)
    else:
        return "nothing is known of its bytes"
    if found == expected:
        return None
    size = path.stat().st_size
    bytes_ = f" ({promise.size} bytes expected, {size} found)" if promise.size else f" ({size} bytes)"
    return f"{name} expected {expected}, found {found}{bytes_}"
