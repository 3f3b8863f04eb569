"""A small project that ran once, and copies of it to spoil."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "contracts"))

from small_project import make_project, run


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which everything is up to date; not to be changed."""
    root = make_project(tmp_path_factory.mktemp("finished") / "project")
    done = run(root)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(finished, tmp_path / "project")


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A project in which nothing ran yet."""
    return make_project(tmp_path / "project")
