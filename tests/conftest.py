"""Where the tests find shared files, when there are any."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
MIRROR = Path(os.environ.get("REPLICATION_MIRROR") or SHARED / "data_raw")
REFERENCE = SHARED / "reference"


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Folder of real raw files; tests that need one are skipped where it is absent."""
    if not MIRROR.is_dir():
        pytest.skip("no mirror of the raw files on this machine")
    return MIRROR


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of reference values; their key numbers are typed into the tests as well."""
    if not REFERENCE.is_dir():
        pytest.skip("no folder of reference values on this machine")
    return REFERENCE
