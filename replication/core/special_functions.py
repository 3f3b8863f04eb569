"""``scipy.special``, imported without NumPy's tools for developers.

SciPy copies every public name of numpy. Two of these are imported when they are asked for: the translator of
Fortran and the tools for tests, 33 modules that no estimate uses, and 3% of the time of a small one. What
else is used of SciPy shares this first import; the tools can be imported later as usual.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

__all__ = ["special"]
TOOLS = frozenset({"f2py", "testing"})


@contextmanager
def _without_tools() -> Iterator[None]:
    """For the duration of the block, the tools are not among the names of numpy."""
    module = cast(Any, np)
    kept = {name: getattr(module, name) for name in ("__all__", "__numpy_submodules__") if hasattr(np, name)}
    for name, value in kept.items():
        setattr(module, name, type(value)(one for one in value if one not in TOOLS))
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(module, name, value)


with _without_tools():
    from scipy import special
