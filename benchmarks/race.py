"""Race against other packages: ``python -m benchmarks.race``.

Every contender estimates the same panel in a process of its own (``measure``), one after another,
so that peaks of memory are its own. Quick ones go round three times, in turns, and their fastest
counts: on a machine with neighbors one process can be slower than the next by a half. What does
not finish within the time or the memory given is listed with the reason. Writes
``benchmarks/results/race.{csv,md}``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.race_table import merged, results_of, write_tables
from benchmarks.races import OURS, RACES, is_chosen

SECONDS = 300
MEMORY_GB = 16
# Rounds of contenders whose first call takes at most so many seconds.
ROUNDS = 3
QUICK = 6.0
# The same panel and the same question: points agree but for iterative solvers of peers.
SAME = 1e-6


def main() -> None:
    """Run the races and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.race")
    parser.add_argument("--only", nargs="*", default=[""], help="names of races, or parts of them")
    parser.add_argument("--panels", nargs="*", help="panels to run on; all if none are named")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="limit for a contender")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    chosen = parser.parse_args()
    rows = []
    for place, race in enumerate(RACES):
        for panel in race.panels if is_chosen(race.name, chosen.only) else ():
            if chosen.panels and panel not in chosen.panels:
                continue
            found = contest(place, panel, (OURS, *race.peers), chosen.seconds)
            rows += [{"race": race.name, "panel": panel, **row} for row in compared(found)]
            for row in rows[-len(found) :]:
                print(" ".join(f"{key}={value}" for key, value in row.items()), flush=True)
    table = pd.DataFrame(rows).assign(measured=time.strftime("%Y-%m-%d"))
    write_tables(merged(results_of(chosen.out), table), chosen.out)


def contest(place: int, panel: str, contenders: Sequence[str], seconds: int) -> list[dict[str, Any]]:
    """The fastest of the rounds of every contender, with the most memory that it took."""
    found = [measured(place, panel, who, seconds) for who in contenders]
    for _ in range(ROUNDS - 1):
        for row in found:
            if row.get("first", np.inf) <= QUICK:
                again = measured(place, panel, row["who"], seconds)
                for key, better in (("seconds", min), ("cpu_seconds", min), ("memory_mb", max)):
                    row[key] = better(row[key], again.get(key, row[key]))
                row["repeats"] += again.get("repeats", 0)
    return found


def measured(place: int, panel: str, who: str, seconds: int) -> dict[str, Any]:
    """What one contender used, or why it did not finish."""
    command = [sys.executable, "-m", "benchmarks.measure", str(place), panel, who, "--memory", str(MEMORY_GB)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return {"who": who, "failed": f"not done after {seconds} s"}
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {"who": who, "failed": f"ended with code {done.returncode}: {reason[:150]}"}
    found: dict[str, Any] = {"who": who, **json.loads(lines[-1])}
    return found


def compared(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ratio to the time of this package, and whether the overall effect is the same number."""
    ours = found[0]
    for row in found[1:]:
        if "seconds" in row and "seconds" in ours:
            row["ratio"] = row["seconds"] / ours["seconds"]
            row["same"] = agreement(row["estimate"], ours["estimate"])
    return found


def agreement(theirs: float, ours: float) -> str:
    """Whether two overall effects are one number; a peer may give none."""
    if theirs is None or np.isnan(theirs):
        return "none given"
    return "yes" if abs(theirs - ours) <= SAME * max(1.0, abs(ours)) else "no"


if __name__ == "__main__":
    main()
