"""Errors about input, each one paragraph that states what is wrong, where, and what to do.

Every message is written to be read by itself on standard error. The command line prints it
and ends with exit code 2; no traceback is shown for a mistake in a file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from replication.core.wording import agreeing

SHORTEST = 3
"""Letters that a word needs to be looked for at the beginning of longer ones."""


class InputError(ValueError):
    """Input that the package cannot use.

    Examples
    --------
    >>> import replication as rp
    >>> try:
    ...     rp.estimate(rp.simulated_panel(), outcome="rate")
    ... except rp.InputError as error:
    ...     print("refused:", str(error).partition(".")[0])
    refused: The panel has no column 'rate' (did you mean 'state'?)
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(agreeing(message) if isinstance(message, str) else message)


class SourceError(InputError):
    """A raw file is missing, damaged, or not the file that it is declared to be."""


class PanelError(InputError):
    """A panel does not support the requested estimate."""


class SpecError(InputError):
    """A specification with an unknown key or value, or a reference to something that does not exist."""


class OutputError(InputError):
    """A result that cannot be written to the requested place."""


def nearest(word: str, allowed: Iterable[str]) -> str:
    """A hint such as ``(did you mean 'mid_year'?)``, or an empty string."""
    options = [str(option) for option in allowed]
    close = difflib.get_close_matches(str(word), options, n=1) or _containing(str(word), options)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _containing(word: str, options: list[str]) -> list[str]:
    """The shortest option that the word begins, as ``state`` does ``state_postal``; or that begins it."""
    if len(word) < SHORTEST:
        return []
    lower = word.lower()
    words = re.split(r"[\W_]+", lower)
    found = [
        o
        for o in options
        if o.lower().startswith(lower)
        or (len(o) > 3 and (lower.startswith(o.lower()) or o.lower() in words))
        or lower in re.split(r"[\W_]+", o.lower())
    ]
    return sorted(found, key=len)[:1]
