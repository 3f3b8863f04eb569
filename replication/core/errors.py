"""Refusals: one paragraph that says what is wrong, where, and what to do.

Every message is written to be read by itself on standard error. The command line prints it
and ends with exit code 2; nobody sees a traceback for a mistake in a file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something handed to the package cannot be used as it is."""


class SourceError(InputError):
    """A raw file is missing, damaged, or not the file that it is said to be."""


class PanelError(InputError):
    """A panel cannot carry the estimate that was asked of it."""


class SpecError(InputError):
    """A specification has an unknown key or value, or asks for what does not exist."""


class OutputError(InputError):
    """A result cannot be written where it was asked to be written."""


def nearest(word: str, allowed: Iterable[str]) -> str:
    """A hint such as ``(did you mean 'mid_year'?)``, or an empty string."""
    close = difflib.get_close_matches(str(word), [str(option) for option in allowed], n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
