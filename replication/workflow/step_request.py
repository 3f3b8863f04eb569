"""Asking the process that serves a run for a step; apart from it, as every step of a run imports this."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

VARIABLE = "REPLICATION_STEPS"
"""Names the socket of the process that serves, relative to the project's folder."""
LOST = 75
"""Exit code of a step whose process was killed; ``EX_TEMPFAIL`` of sysexits."""


def served(
    name: str, study: str | None, threads: int, log: Path | None, part: tuple[int, int] | None
) -> int | None:
    """Run a step in the process that serves the run; None if there is no such process.

    Returns
    -------
    int or None
        The exit code of the step.
    """
    place = os.environ.get(VARIABLE)
    if not place:
        return None
    request = {"name": name, "study": study, "threads": threads, "log": log and str(log), "part": part}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(place)
        except OSError:
            return None
        try:
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = connection.makefile().readline()
        except ConnectionError:
            answer = ""
    return int(answer) if answer else LOST
