"""Whole processes, from a Parquet file to written results: ``python -m benchmarks.whole_process``.

Ours is ``replication estimate SPEC --panel FILE --out DIR --numbers-only``. A peer runs a script of five
lines: it reads the same file with pandas, calls the function that the race calls, and writes the overall
effect. Both are timed from the start of the interpreter to its end, the fastest of seven counts, with the
processor time of all its threads, which other work on the machine lengthens less. *cold* is
the first process after all caches of compiled code (of Python's bytecode, and of numba) are emptied, as
after an installation. The numbers join those of ``benchmarks.race`` in ``benchmarks/results/race.{csv,md}``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.race import MEMORY_GB
from benchmarks.race_table import merged, results_of, write_tables
from benchmarks.races import OURS, RACES, Race, is_chosen

ROUNDS = 7
SLOW = 5.0
"""Seconds above which one process is enough."""
SECONDS = 120
FILE = "panel.parquet"
SCRIPT = """import sys
import pandas as pd
from {module} import {function}
effect = {function}(pd.read_parquet("{file}"), {window})
pd.DataFrame({{"att": [effect]}}).to_csv("effect.csv", index=False)
"""


def main() -> None:
    """Measure the chosen races and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whole_process")
    parser.add_argument("--only", nargs="*", default=[""], help="names of races, or parts of them")
    parser.add_argument("--panels", nargs="*", help="panels to run on; all if none are named")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="limit for a process")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    chosen = parser.parse_args()
    rows = []
    for race in RACES:
        for panel in race.panels if is_chosen(race.name, chosen.only) else ():
            if not chosen.panels or panel in chosen.panels:
                rows += whole_race(race, panel, chosen.seconds)
    found = pd.DataFrame(rows).assign(whole_measured=time.strftime("%Y-%m-%d"))
    write_tables(merged(results_of(chosen.out), found), chosen.out)


def whole_race(race: Race, panel: str, limit: int) -> list[dict[str, Any]]:
    """One row per contender, ours first."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        race.frame(panel).to_parquet(folder / FILE)
        (folder / "spec.json").write_text(json.dumps(race.keys(panel)), encoding="utf-8")
        for who in (OURS, *race.peers):
            row = {"race": race.name, "panel": panel, "who": who, **whole(race, panel, who, folder, limit)}
            print(" ".join(f"{key}={value}" for key, value in row.items()), flush=True)
            rows.append(row)
    return rows


def whole(race: Race, panel: str, who: str, folder: Path, limit: int) -> dict[str, float]:
    """Seconds of the fastest process and of one with empty caches; none if one does not finish."""
    command = command_of(race, panel, who)
    try:
        with tempfile.TemporaryDirectory() as empty:
            cold = clocked(command, folder, limit, empty)
            warm = [clocked(command, folder, limit, empty)]
            while len(warm) < ROUNDS and warm[0][0] < SLOW:
                warm.append(clocked(command, folder, limit, empty))
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return {}
    seconds, cpu = (min(clock) for clock in zip(*warm, strict=True))
    return {"whole": seconds, "whole_cpu": cpu, "cold": cold[0]}


def command_of(race: Race, panel: str, who: str) -> list[str]:
    """The command of a contender, to be run in the folder of the panel."""
    if who == OURS:
        options = ["estimate", "spec.json", "--panel", FILE, "--out", "out", "--numbers-only"]
        return [sys.executable, "-m", "replication", *options]
    peer = race.peers[who]
    script = SCRIPT.format(
        module=peer.__module__, function=peer.__name__, file=FILE, window=race.window.get(panel)
    )
    return [sys.executable, "-c", script]


def clocked(command: list[str], folder: Path, limit: int, caches: str) -> tuple[float, float]:
    """Seconds and processor seconds of one process, which keeps compiled code in ``caches``."""
    root = str(Path(__file__).resolve().parents[1])
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    place = {"PYTHONPYCACHEPREFIX": caches, "NUMBA_CACHE_DIR": caches, "PYTHONPATH": root}
    start, before = time.perf_counter(), processor_seconds()
    subprocess.run(
        command,
        cwd=folder,
        env={**inherited, **place},
        timeout=limit,
        check=True,
        capture_output=True,
        preexec_fn=limit_memory,
    )
    return time.perf_counter() - start, processor_seconds() - before


def processor_seconds() -> float:
    """Processor time of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def limit_memory() -> None:
    """The limit of ``benchmarks.race``, for the process about to start."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_GB * 2**30, MEMORY_GB * 2**30))


if __name__ == "__main__":
    main()
