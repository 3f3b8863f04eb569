"""Download speed, and the limit below which a download is given up."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_WAIT: Final = 120.0
"""Seconds that a busy server's Retry-After is heeded at most."""


@dataclass
class Pace:
    """Bytes that arrived in the present span of time.

    Attributes
    ----------
    slowest : bytes per second below which a download is too slow.
    span : seconds over which the rate is taken.
    """

    slowest: float
    span: float
    _since: float = field(default_factory=time.monotonic)
    _arrived: int = 0

    def add(self, arrived: int) -> None:
        """Count bytes that have arrived; none may be counted as well.

        Raises
        ------
        TooSlowError
            At the end of a span in which fewer bytes arrived than the slowest rate brings.
        """
        self._arrived += arrived
        passed = time.monotonic() - self._since
        if passed < self.span:
            return
        if self._arrived < self.slowest * passed:
            raise TooSlowError(
                f"only {self._arrived:,} bytes came in {passed:.0f} s, and below "
                f"{self.slowest:,.0f} bytes per second a download is given up; what has arrived is "
                "kept for the next run"
            )
        self._since, self._arrived = time.monotonic(), 0

    def excuse(self, seconds: float) -> None:
        """Leave out time in which the server asked to wait."""
        self._since += seconds


class TooSlowError(Exception):
    """A server that sends too slowly."""


def retry_after_seconds(retry_after: str | None) -> float:
    """Seconds to wait by a Retry-After header, a number or a date.

    Anything else, and a date that has passed, asks for no wait.
    """
    written = (retry_after or "").strip()
    if written.isascii() and written.isdigit():
        return min(float(written[:9]), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(written).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0.0
    return min(max(until - time.time(), 0.0), LONGEST_WAIT)
