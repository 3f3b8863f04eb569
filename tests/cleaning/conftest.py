"""Fixtures of the panel tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from artificial_panels import TYPED, Made, artificial_sources


@pytest.fixture
def typed_folder() -> Path:
    return TYPED


@pytest.fixture
def artificial() -> Made:
    return artificial_sources()
