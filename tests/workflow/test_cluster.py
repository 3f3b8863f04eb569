"""Estimates and simulations scattered over a cluster: the generic executor, with a shell script as scheduler.

The executor is among the development requirements (``pip install -e .[dev]``).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import yaml
from small_project import ROOT, run

pytest.importorskip(
    "snakemake_executor_plugin_cluster_generic",
    reason="snakemake-executor-plugin-cluster-generic is not installed: pip install -e .[dev]",
)

SCHEDULER = """#!/bin/sh
# Starts a job on "another machine" and prints its number, as sbatch does.
echo "$1" >> submitted.txt
nohup sh "$1" > /dev/null 2>&1 &
echo $!
"""
PARTS = 3


def on_cluster(root: Path, *targets: str) -> str:
    """Have the scheduler make the targets; returns Snakemake's account."""
    script = root / "scheduler.sh"
    script.write_text(SCHEDULER, encoding="utf-8")
    program = [sys.executable, "-m", "snakemake", "--executor", "cluster-generic"]
    program += ["--cluster-generic-submit-cmd", f"sh {script}", "--jobs", "2", "--latency-wait", "20"]
    program += ["--seconds-between-status-checks", "1"]
    program += ["--config", f'estimation={{"parts": {PARTS}, "threads": 1}}', 'studies=["first"]']
    done = run(root, program=[*program, "--", *targets])
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def jobs(root: Path) -> int:
    """How many jobs were submitted."""
    return len((root / "submitted.txt").read_text(encoding="utf-8").splitlines())


def test_a_scattered_grid_gives_the_same_bytes_as_one_machine(finished: Path, fresh: Path) -> None:
    on_cluster(fresh, "tables/first/estimates.csv")
    # Cleaning, the parts, and the gathering.
    assert jobs(fresh) == 1 + PARTS + 1
    notes = sorted(path.name for path in (fresh / "tables/first/.parts").glob("*.json"))
    assert notes == [f"{part}-of-{PARTS}.json" for part in range(1, PARTS + 1)]
    bundle = "tables/first/estimates.csv"
    assert (fresh / bundle).read_bytes() == (finished / bundle).read_bytes()


def test_a_scattered_simulation_gives_the_same_bytes_as_one_machine(project: Path) -> None:
    draws = 25
    alone = project / "alone"
    drawn = run(
        project, ["simulate", "first", "--draws", str(draws), "--out", str(alone), "--processes", "1"]
    )
    assert drawn.returncode == 0, drawn.stderr
    shutil.rmtree(project / "tables/first/.parts")
    on_cluster(project, f"simulations/first/{draws}/.done")
    assert jobs(project) >= PARTS + 1
    scattered = project / "simulations" / "first" / str(draws)
    for name in ("summary.csv", "coverage.csv", "coverage.md"):
        assert (scattered / name).read_bytes() == (alone / name).read_bytes()
    chunks = sorted(path.name for path in (scattered / "chunks").iterdir())
    assert chunks == sorted(path.name for path in (alone / "chunks").iterdir())
    assert len(chunks) == 3


@pytest.mark.parametrize("name", ["default", "slurm", "kubernetes"])
def test_profiles_name_rules_and_switches_that_there_are(name: str) -> None:
    profile = yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text(encoding="utf-8"))
    rules = {
        line.split()[1].rstrip(":")
        for line in (ROOT / "Snakefile").read_text().splitlines()
        if line.startswith("rule ")
    }
    assert set(profile.get("set-resources", {})) <= rules
    assert profile["keep-going"] is True
    assert profile["rerun-incomplete"] is True
    for line in profile.get("config", []):
        key, _, value = line.partition("=")
        assert key == "estimation"
        assert yaml.safe_load(value)["parts"] > 1
