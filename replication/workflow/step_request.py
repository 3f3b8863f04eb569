"""Asking the process that serves a run for a step.

Every step of a run starts Python for it, so it imports as little as that takes.
"""

from __future__ import annotations

import os
import socket

VARIABLE = "REPLICATION_STEPS"
"""Names the socket of the process that serves, relative to the project's folder."""
LOST = 75
"""Exit code of a step whose process was killed; ``EX_TEMPFAIL`` of sysexits."""
INTERRUPTED = 130
"""Exit code after Ctrl-C."""
BETWEEN, END = "\0", "\n"
"""What separates the arguments of a request, and what ends it."""


def answered(arguments: list[str]) -> int | None:
    """Have a command run by the process that serves the run.

    Parameters
    ----------
    arguments : of the command line, the name of the command included.

    Returns
    -------
    int or None
        The exit code of the step; None if the command is not ``step``, or there is no such process.
    """
    place = os.environ.get(VARIABLE)
    if not place or arguments[:1] != ["step"] or any(END in one for one in arguments):
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(place)
        except OSError:
            return None
        try:
            connection.sendall(os.fsencode(BETWEEN.join(arguments[1:]) + END))
            answer = connection.makefile().readline()
        except ConnectionError:
            answer = ""
        except KeyboardInterrupt:
            return INTERRUPTED
    return int(answer) if answer else LOST
