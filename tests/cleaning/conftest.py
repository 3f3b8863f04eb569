"""Fixtures of the panel tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_panels import TYPED, Made, made_sources


@pytest.fixture
def typed_folder() -> Path:
    return TYPED


@pytest.fixture
def made() -> Made:
    return made_sources()
