"""The fixed-effect Poisson of pyfixest, imported without its settings for the messages of other libraries.

One module of pyfixest has the root logger show messages of every library from ``INFO`` on when it is
imported, and each figure that is drawn afterward would print a hundred lines about its fonts.
"""

from __future__ import annotations

import logging

_ROOT = logging.getLogger()
_before = (_ROOT.handlers[:], _ROOT.level)

from pyfixest.demeaners import MapDemeaner  # noqa: E402
from pyfixest.estimation import fepois  # noqa: E402

_ROOT.handlers[:] = _before[0]
_ROOT.setLevel(_before[1])

__all__ = ["MapDemeaner", "fepois"]
