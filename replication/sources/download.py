"""One file over HTTP: resumed where it stopped, patient with busy servers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
import urllib3

PIECE: Final = 1 << 16
BUSY: Final = {429, 500, 502, 503, 504}
LONGEST_WAIT: Final = 120.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to put up with a server.

    Attributes
    ----------
    attempts : int
        Requests without a single new byte before giving up.
    pause : float
        Seconds before the second attempt; doubled each time.
    timeout : float
        Seconds without a byte after which a connection counts as cut.
    """

    attempts: int = 5
    pause: float = 1.0
    timeout: float = 30.0


Report = Callable[[int, int | None], object]
"""Told of the bytes that have arrived, and of how many there are if the server says so."""


class DownloadError(Exception):
    """The file could not be had from the address; the message says why."""


def download(url: str, part: Path, report: Report, patience: Patience) -> None:
    """Bring the bytes of ``url`` into ``part``, going on from the bytes that are there.

    A cut connection, a stall or a busy server (status 429 or 5xx, with its Retry-After heeded) is
    tried again; what has arrived stays in ``part`` for the next attempt or the next run.

    Raises
    ------
    DownloadError
        If the server refuses the file or patience ends.
    """
    fruitless = 0
    while True:
        before = _size(part)
        try:
            if _attempt(url, part, report, patience.timeout):
                return
            reason, wait = "the connection was cut", 0.0
        except _Busy as busy:
            reason, wait = str(busy), busy.wait
        except requests.RequestException as error:
            reason, wait = f"no answer ({type(error).__name__})", 0.0
        fruitless = 0 if _size(part) > before else fruitless + 1
        if fruitless >= patience.attempts:
            raise DownloadError(f"{url}: {reason}; given up after {fruitless} attempts in vain")
        time.sleep(max(wait, patience.pause * 2 ** max(fruitless - 1, 0)))


class _Busy(Exception):
    """The server asks to come back later."""

    def __init__(self, status: int, retry_after: str | None) -> None:
        super().__init__(f"the server is busy (status {status})")
        seconds = float(retry_after) if retry_after and retry_after.isdigit() else 0.0
        self.wait = min(seconds, LONGEST_WAIT)


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _attempt(url: str, part: Path, report: Report, timeout: float) -> bool:
    """One request; true if the file is whole after it."""
    have = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as answer:
        if answer.status_code in BUSY:
            raise _Busy(answer.status_code, answer.headers.get("Retry-After"))
        if have and answer.status_code == requests.codes.requested_range_not_satisfiable:
            return _is_whole(answer, part, have)
        if not answer.ok:
            raise DownloadError(f"{url}: the server answers {answer.status_code} {answer.reason}")
        start = _start(answer, have)
        length = answer.headers.get("Content-Length")
        return _save(answer, part, start, start + int(length) if length else None, report)


def _start(answer: requests.Response, have: int) -> int:
    """Where the answer's first byte belongs; a server may ignore the request to go on."""
    if answer.status_code != requests.codes.partial_content:
        return 0
    begins = answer.headers.get("Content-Range", "")
    if not begins.startswith(f"bytes {have}-"):
        raise DownloadError(f"{answer.url}: asked to go on at byte {have}, it sent {begins!r}")
    return have


def _is_whole(answer: requests.Response, part: Path, have: int) -> bool:
    """Whether nothing lies beyond the bytes we have; bytes in excess are thrown away."""
    stated = re.fullmatch(r"bytes \*/(\d+)", answer.headers.get("Content-Range", ""))
    if stated and int(stated[1]) == have:
        return True
    part.unlink()
    return False


def _save(answer: requests.Response, part: Path, start: int, total: int | None, report: Report) -> bool:
    """Write the answer's bytes from ``start`` on; false if the connection breaks before the end."""
    report(start, total)
    with part.open("ab" if start else "wb") as file:
        try:
            # read1 hands over what has arrived; a full-length read would lose it in a cut.
            while piece := answer.raw.read1(PIECE, decode_content=False):
                file.write(piece)
                report(file.tell(), total)
        except urllib3.exceptions.HTTPError:
            return False
        return total is None or file.tell() == total
