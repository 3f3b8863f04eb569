"""Where the tests find raw files and reference values: in the folders that two variables name, if any."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def _folder(variable: str) -> Path | None:
    """The folder that an environment variable names, if it is there."""
    named = os.environ.get(variable)
    return Path(named) if named and Path(named).is_dir() else None


MIRROR = _folder("REPLICATION_MIRROR")
REFERENCE = _folder("REPLICATION_REFERENCE")


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Folder of real raw files; tests that need one are skipped where it is absent."""
    if MIRROR is None:
        pytest.skip("REPLICATION_MIRROR names no folder of raw files")
    return MIRROR


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of reference values; their key numbers are typed into the tests as well."""
    if REFERENCE is None:
        pytest.skip("REPLICATION_REFERENCE names no folder of reference values")
    return REFERENCE
