"""Errors about input, each one paragraph that states what is wrong, where, and what to do.

Every message is written to be read by itself on standard error. The command line prints it
and ends with exit code 2; no traceback is shown for a mistake in a file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Input that the package cannot use."""


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
    close = difflib.get_close_matches(str(word), [str(option) for option in allowed], n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
