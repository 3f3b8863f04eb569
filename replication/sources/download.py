"""Resumable, bounded download of one file over HTTP."""

from __future__ import annotations

import http.client
import queue
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
import urllib3

from replication.sources.pace import Pace, TooSlowError, retry_after_seconds

PIECE: Final = 1 << 16
BUSY: Final = {429, 500, 502, 503, 504}
MOST_BYTES: Final = 1 << 29
"""Bytes of a file whose size the manifest does not know: 512 MB, where the largest has 20."""
MOST_RESTARTS: Final = 2
"""Times that a download is restarted because the server rejects the bytes received."""
UNANSWERED: Final = "no answer"


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits on retries and waiting times of a download.

    Attributes
    ----------
    attempts : requests without a single new byte before giving up.
    pause : seconds before the second attempt; doubled each time.
    timeout : seconds without a byte after which a connection counts as cut.
    slowest : bytes per second below which a download is given up.
    span : seconds over which that rate is taken, and in which an answer has to begin.
    """

    attempts: int = 5
    pause: float = 1.0
    timeout: float = 30.0
    slowest: float = 1000.0
    span: float = 60.0


Report = Callable[[int, int | None], object]
"""A function called with the bytes that have arrived, and of how many there are if the server states it."""


class DownloadError(Exception):
    """The file could not be downloaded from the address; the message gives the reason."""


def download(url: str, part: Path, report: Report, patience: Patience, size: int | None = None) -> None:
    """Download ``url`` into ``part``, resuming from the bytes already there.

    A cut connection, a stall or a busy server (status 429 or 5xx, with its Retry-After heeded) is
    tried again; what has arrived stays in ``part`` for the next attempt or the next run.

    Parameters
    ----------
    size : bytes stated in the manifest; no more are ever written.

    Raises
    ------
    DownloadError
        If the server refuses the file, sends more than stated, or the retries are exhausted.
    """
    job = _Job(url, part, report, patience, MOST_BYTES if size is None else size, size)
    most, fruitless = job.have(), 0
    while True:
        reason, wait = job.attempt()
        if reason is None:
            return
        # A server that lets the file begin anew each time makes no progress by growing again.
        fruitless = 0 if job.have() > most else fruitless + 1
        most = max(most, job.have())
        if fruitless >= patience.attempts:
            raise DownloadError(f"{url}: {reason}; given up after {fruitless} attempts in vain")
        job.pace.excuse(wait)
        time.sleep(max(wait, patience.pause * 2 ** max(fruitless - 1, 0)))


class _Busy(Exception):
    """The server asks to come back later."""

    def __init__(self, status: int, retry_after: str | None) -> None:
        super().__init__(f"the server is busy (status {status})")
        self.wait = retry_after_seconds(retry_after)


class _Job:
    """The attempts at one file."""

    def __init__(
        self, url: str, part: Path, report: Report, patience: Patience, most: int, size: int | None
    ) -> None:
        self.url, self.part, self.report, self.patience = url, part, report, patience
        self.most, self.size, self.restarts = most, size, 0
        self.pace = Pace(patience.slowest, patience.span)

    def have(self) -> int:
        """Bytes that are here."""
        return self.part.stat().st_size if self.part.exists() else 0

    def attempt(self) -> tuple[str | None, float]:
        """One request: the reason if the file is incomplete (None if complete), and seconds to wait."""
        try:
            self.pace.add(0)
            return (None if self._request() else "the connection was cut"), 0.0
        except _Busy as busy:
            return str(busy), busy.wait
        except TooSlowError as slow:
            raise DownloadError(f"{self.url}: {slow}") from None
        except (requests.exceptions.InvalidHeader, urllib3.exceptions.InvalidHeader) as error:
            raise DownloadError(f"{self.url}: the server's answer is wrong ({error})") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException) as error:
            return f"{UNANSWERED} ({type(error).__name__})", 0.0

    def _request(self) -> bool:
        have = self.have()
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with _answered(self.url, headers, self.patience) as answer:
            if answer.status_code in BUSY:
                raise _Busy(answer.status_code, answer.headers.get("Retry-After"))
            if have and answer.status_code == requests.codes.requested_range_not_satisfiable:
                return self._is_whole(answer, have)
            if not answer.ok:
                stated = f"{answer.status_code} {answer.reason}"
                raise DownloadError(f"{self.url}: the server answers {stated}")
            self._require_plain(answer)
            start = _start(answer, have)
            length = _length(answer)
            total = None if length is None else start + length
            self._require_size(total)
            return self._save(answer, start, total)

    def _require_plain(self, answer: requests.Response) -> None:
        """Refuse bytes with a content encoding, which are not those of the file."""
        coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in {"", "identity"}:
            raise DownloadError(
                f"{self.url}: the server sends the file packed (Content-Encoding: {coding}) "
                "although the plain bytes were requested, which alone can be verified and resumed; "
                "fetch it with a browser"
            )

    def _require_size(self, total: int | None) -> None:
        """Refuse a file that is announced with another size than the manifest states."""
        if total is None:
            return
        if self.size is not None and total != self.size:
            self.part.unlink(missing_ok=True)
            raise DownloadError(
                f"{self.url}: the server announces {total} bytes, and the manifest states "
                f"{self.size}; nothing was kept"
            )
        if total > self.most:
            raise DownloadError(
                f"{self.url}: the server announces {total} bytes, and no raw file has more than {self.most}"
            )

    def _is_whole(self, answer: requests.Response, have: int) -> bool:
        """Whether nothing lies beyond the bytes we have; bytes in excess are thrown away.

        A server need not say how long the file is. Where the manifest does not know it either, the
        checksum decides.
        """
        stated = re.fullmatch(r"bytes \*/(\d{1,18})", answer.headers.get("Content-Range", ""))
        known = int(stated[1]) if stated else self.size
        if known is None or known == have:
            return True
        if self.restarts == MOST_RESTARTS:
            raise DownloadError(
                f"{self.url}: {have} bytes arrived where {known} belong, and the server has none "
                f"to add (status 416); given up after {MOST_RESTARTS} new beginnings"
            )
        self.restarts += 1
        self.part.unlink()
        return False

    def _save(self, answer: requests.Response, start: int, total: int | None) -> bool:
        """Write the answer's bytes from ``start`` on; false if it breaks before the end."""
        self.report(start, total)
        with self.part.open("ab" if start else "wb") as file:
            try:
                # read1 returns what has arrived; a full-length read would lose it in a cut.
                while piece := answer.raw.read1(PIECE, decode_content=False):
                    room = max(self.most - file.tell(), 0)
                    file.write(piece[:room])
                    self.report(file.tell(), total)
                    self.pace.add(len(piece))
                    if len(piece) > room:
                        return self._overrun()
            except urllib3.exceptions.HTTPError:
                return False
            expected = self.size if total is None else total
            return expected is None or file.tell() == expected

    def _overrun(self) -> bool:
        """What a server sends beyond the stated size is not read; the checksum decides.

        Where no size is stated, the file is not one of the manifest.
        """
        if self.size is not None:
            return True
        self.part.unlink()
        raise DownloadError(
            f"{self.url}: the server sends more than {self.most} bytes, and no raw file has as "
            "many; nothing was kept"
        )


def _answered(url: str, headers: dict[str, str], patience: Patience) -> requests.Response:
    """The beginning of the answer, which has to be here within the span.

    The time limit of a connection begins anew with every byte, so a server that drips its headers
    would hold it for hours; they are waited for from outside.
    """
    found: queue.SimpleQueue[requests.Response | Exception] = queue.SimpleQueue()

    def ask() -> None:
        """Hand the answer, or the failure, to the thread that waits."""
        try:
            found.put(requests.get(url, headers=headers, stream=True, timeout=patience.timeout))
        except Exception as error:
            found.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = found.get(timeout=patience.span)
    except queue.Empty:
        raise TooSlowError(f"no answer began within {patience.span:g} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _start(answer: requests.Response, have: int) -> int:
    """Where the answer's first byte belongs; a server may ignore the request to go on."""
    if answer.status_code != requests.codes.partial_content:
        return 0
    begins = answer.headers.get("Content-Range", "")
    if not begins.startswith(f"bytes {have}-"):
        raise DownloadError(f"{answer.url}: asked to go on at byte {have}, it sent {begins!r}")
    return have


def _length(answer: requests.Response) -> int | None:
    """Bytes of the answer, where the server says how many; one number stated twice is that number."""
    written = answer.headers.get("Content-Length")
    if written is None:
        return None
    stated = {part.strip() for part in written.split(",")}
    (number, *others) = sorted(stated)
    if others or not re.fullmatch(r"[0-9]{1,18}", number):
        raise DownloadError(
            f"{answer.url}: the server announces an invalid length (Content-Length: {written[:80]!r})"
        )
    return int(number)
