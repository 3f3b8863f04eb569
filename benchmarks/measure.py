"""One contender in a process of its own: ``python -m benchmarks.measure RACE PANEL WHO``.

Prints a line of JSON: seconds of the first run (imports and compilation included) and of the
fastest of the others, their number, the peak of resident memory, and the overall effect.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

from benchmarks.races import OURS, RACES

REPEATS = 20
ENOUGH = 10.0


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("race", type=int)
    parser.add_argument("panel")
    parser.add_argument("who")
    parser.add_argument("--memory", type=float, help="limit in GB")
    chosen = parser.parse_args()
    if chosen.memory:
        limit = int(chosen.memory * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    warnings.simplefilter("ignore")
    run = contender(chosen.race, chosen.panel, chosen.who)
    try:
        found = timed(run)
    except Exception as error:
        # Whatever stops a peer is its result; packages raise errors of their own.
        reason = (str(error).strip().splitlines() or ["no message"])[0]
        found = {"failed": f"{type(error).__name__}: {reason[:200]}"}
    used = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    json.dump({**found, "memory_mb": used / 1024}, sys.stdout)
    print()


def contender(place: int, panel_name: str, who: str) -> Callable[[], float]:
    """A call without arguments that estimates once and returns the overall effect."""
    race = RACES[place]
    if who == OURS:
        panel, spec = race.panel(panel_name), race.spec(panel_name)
        return lambda: race.ours(panel, spec).att[0]
    frame, window = race.frame(panel_name), race.window.get(panel_name)
    return lambda: race.peers[who](frame, window)


def timed(run: Callable[[], float]) -> dict[str, Any]:
    """The first run, and the fastest of up to ``REPEATS`` more within ``ENOUGH`` seconds."""
    value, *cold = clocked(run)
    warm: list[list[float]] = []
    while len(warm) < REPEATS and cold[0] < ENOUGH:
        if warm and sum(wall for wall, _ in warm) + warm[-1][0] > ENOUGH:
            break
        warm.append(clocked(run)[1:])
    seconds, cpu = (min(clock) for clock in zip(cold, *warm, strict=True))
    return {"first": cold[0], "seconds": seconds, "cpu_seconds": cpu, "repeats": len(warm), "estimate": value}


def clocked(run: Callable[[], float]) -> list[float]:
    """Result, seconds, and seconds of processor time of all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    value = run()
    return [value, time.perf_counter() - wall, time.process_time() - cpu]


if __name__ == "__main__":
    main()
