"""Fifty kills at random moments: the next run needs no help, and no byte differs from an untouched run."""

from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path

import psutil
import pytest
from small_project import STUDIES, make_project, run
from test_reliability import at_work, outputs, started, wait_until

KILLS = 50
BETWEEN = 10
"""Kills in one project before it is allowed to finish; each later run resumes what the killed ones left."""
SEED = 20141120


def kill_one(pid: int, draw: random.Random) -> str:
    """Kill the run, its Snakemake or one of its steps; returns the command of the victim."""
    run_itself = psutil.Process(pid)
    victim = draw.choice([run_itself, *run_itself.children(recursive=True)])
    words = " ".join(victim.cmdline()[:6])
    victim.kill()
    return words


@pytest.mark.slow
def test_kills_at_random_moments_change_no_byte(tmp_path: Path) -> None:
    studies = (*STUDIES, "third")
    untouched = make_project(tmp_path / "untouched", studies)
    begin = time.monotonic()
    assert run(untouched).returncode == 0
    longest, expected = time.monotonic() - begin, outputs(untouched)
    draw, victims = random.Random(SEED), list[str]()
    root = make_project(tmp_path / "0", studies)
    while len(victims) < KILLS:
        process = started(root)
        time.sleep(draw.uniform(0, longest))
        with contextlib.suppress(psutil.Error):
            victims.append(kill_one(process.pid, draw))
        process.communicate()
        wait_until(lambda place=root: not at_work(place), "the end of every process")
        if len(victims) % BETWEEN == 0 or process.returncode == 0:
            last = run(root)
            assert last.returncode == 0, last.stdout + last.stderr
            assert outputs(root) == expected
            root = make_project(tmp_path / str(len(victims)) / str(draw.random()), studies)
    print(f"{len(victims)} kills, {len(set(victims))} commands, {longest:.0f} s for a whole run")
