"""A wheel works outside of the tree: in an empty environment and an empty folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ESTIMATE = """
import replication as rp

assert "site-packages" in rp.__file__, rp.__file__
panel = rp.simulated_panel(seed=1)
panel.to_csv("panel.csv", index=False)
fit = rp.estimate(panel, outcome="y", unit="unit", time="time", cohort="cohort", cluster="state")
rp.event_plot([fit]).savefig("event_study.png")
rp.table([fit], title="Effects").save("table.html")
print(fit.table["estimate"].iloc[0])
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, as a build leaves folders behind."""
    base = tmp_path_factory.mktemp("wheel")
    source = base / "source"
    shutil.copytree(
        ROOT / "replication", source / "replication", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(base), str(source)], check=True)
    return next(base.glob("replication-*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel; the packages that it needs are those of the environment of the tests."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(pip, check=True)
    site = next(place.glob("lib/python3*/site-packages"))
    # An editable installation is not found this way: its own .pth file is read in a site folder alone.
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return place


def run(environment: Path, folder: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """A program of the environment, in a folder, without any of our variables."""
    program, *rest = arguments
    return subprocess.run(
        [str(environment / "bin" / program), *rest],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_file_that_is_no_program_is_in_the_wheel(wheel: Path) -> None:
    data = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "replication").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert len(data) > 4
    assert data <= set(zipfile.ZipFile(wheel).namelist())


def test_the_front_door_and_the_command_work_in_an_empty_folder(environment: Path, tmp_path: Path) -> None:
    done = run(environment, tmp_path, ["python", "-c", ESTIMATE])
    assert done.returncode == 0, done.stderr
    assert abs(float(done.stdout)) > 0
    assert (tmp_path / "event_study.png").stat().st_size > 10_000
    said = run(environment, tmp_path, ["replication", "--help"])
    assert said.returncode == 0
    assert "estimate" in said.stdout
    keys = ["--outcome", "y", "--unit", "unit", "--time", "time", "--cohort", "cohort", "--cluster", "state"]
    done = run(
        environment, tmp_path, ["replication", "estimate", "--panel", "panel.csv", *keys, "--out", "out"]
    )
    assert done.returncode == 0, done.stderr
    assert {"estimates.csv", "vcov.csv", "spec.yaml"} <= {path.name for path in (tmp_path / "out").iterdir()}


@pytest.mark.parametrize("command", [["run"], ["verify"], ["manifest"], ["data", "status"], ["report"]])
def test_a_command_of_the_project_says_what_to_do_outside_of_one(
    environment: Path, tmp_path: Path, command: list[str]
) -> None:
    done = run(environment, tmp_path, ["replication", *command])
    assert done.returncode == 2
    assert "is not inside a replication project" in done.stderr
    assert "REPLICATION_ROOT" in done.stderr
    assert "Traceback" not in done.stderr
