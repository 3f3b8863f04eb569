"""Seconds that a person waits: ``python -m benchmarks.runs``; a quarter of an hour on two cores.

Commands are timed as processes, from the start of the interpreter to its end, and runs in a copy of the
project without outputs: all studies that need no raw files, all studies if ``REPLICATION_MIRROR`` names a
folder with raw files, the same with nothing to do, and after one specification file of a study was changed
(its window of event times, one period shorter). Processor seconds are those of all processes together, which
other work on the machine lengthens less. Written to ``benchmarks/results/runs.{csv,md}``.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from replication.core.files import write_csv, write_text
from replication.core.spec_grid import expand, read_spec_file
from replication.core.wording import counted
from replication.sources.manifest import MIRROR

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
COPIED = ("studies", "data_raw", "profiles", "Snakefile", "config.yaml", "environment.yaml")
UNUSUAL = (MIRROR, "PYTHONDONTWRITEBYTECODE")
"""Variables that are set where they are meant only: an installed package has its bytecode."""
SMALL, LARGE = 11, 3
"""Times that a command and that a run is measured."""
WINDOW = re.compile(r"^window: \[(-\d+), (\d+)\]", re.MULTILINE)
ESTIMATE = ("--outcome", "log_homicide", "--unit", "state_fips", "--time", "year", "--cohort", "cohort")
EDITED = (
    ("castle_doctrine", "event_study.yaml"),
    ("right_to_carry", "event_study.yaml"),
    ("shall_issue", "event_study.yaml"),
    ("secure_communities_simulated", "event_study.yaml"),
    ("police_training", "callaway_santanna.yaml"),
    ("secure_communities_homicides", "event_study_all.yaml"),
    ("secure_communities", "event_study.yaml"),
    ("secure_communities", "group_time.yaml"),
)
"""Studies, and the specification files that are changed."""
HEAD = """# Seconds that a person waits

On {machine}. *median*, *fastest*, and *slowest* are seconds of whole processes that ran one after another;
*processor* is the median of the seconds of all their processes together. In a changed file the window of
event times is one period shorter; what depends on its specifications is made again. Studies whose raw files
are missing do not run.

Written by `python -m benchmarks.runs`; each row has its date in `runs.csv`.

| what | times | median | fastest | slowest | processor |
| --- | --- | --- | --- | --- | --- |
"""


@dataclass
class Project:
    """A copy of the project, and what was measured in it."""

    root: Path
    rows: list[dict[str, Any]] = field(default_factory=list)

    def timed(self, command: Sequence[str], extra: Mapping[str, str] = {}) -> tuple[float, float]:
        """Seconds of one process, and its processor seconds."""
        kept = {name: value for name, value in os.environ.items() if name not in UNUSUAL}
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.root,
            env=kept | {"PYTHONPATH": str(ROOT), **extra},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - begin
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def note(self, what: str, found: Sequence[tuple[float, float]]) -> None:
        """Enter what was measured under a name."""
        seconds = [one for one, _ in found]
        row = {
            "what": what,
            "times": len(found),
            "median": statistics.median(seconds),
            "fastest": min(seconds),
            "slowest": max(seconds),
            "processor": statistics.median([one for _, one in found]),
            "measured": time.strftime("%Y-%m-%d"),
        }
        print(" ".join(f"{key}={value}" for key, value in row.items()), flush=True)
        self.rows.append(row)

    def remove_outputs(self) -> None:
        """Have the next run begin from nothing."""
        for name in ("data_clean", "tables", "figures", "report", "logs", ".snakemake"):
            shutil.rmtree(self.root / name, ignore_errors=True)


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runs")
    parser.add_argument("--times", type=int, default=LARGE, help="times that each run is measured")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = copied(Path(folder))
        runs(project, "the studies that need no raw files", {}, chosen.times)
        commands(project)
        if mirror := os.environ.get(MIRROR):
            raw = {MIRROR: str(Path(mirror).resolve())}
            runs(project, "all studies", raw, chosen.times)
            for study, file in EDITED:
                changed(project, study, file, raw, chosen.times)
    write(pd.DataFrame(project.rows), chosen.out)


def copied(root: Path) -> Project:
    """A project with the studies, without outputs."""
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, root / name)
    return Project(root)


def commands(project: Project) -> None:
    """The import, the help, and a small estimate with its table, figure, and page."""
    panel = "data_clean/castle_doctrine/state_year.parquet"
    estimate = ["-m", "replication", "estimate", "--panel", panel, *ESTIMATE, "--out", "estimated"]
    for what, command in (
        ("`import replication`", ["-c", "import replication"]),
        ("`replication --help`", ["-m", "replication", "--help"]),
        ("`replication estimate` of 50 states and 11 years", estimate),
    ):
        project.timed(command)
        project.note(what, [project.timed(command) for _ in range(SMALL)])


def runs(project: Project, what: str, extra: Mapping[str, str], times: int) -> None:
    """From nothing, and again with nothing to do."""
    found, idle = [], []
    for _ in range(times):
        project.remove_outputs()
        found.append(project.timed(["-m", "replication", "run"], extra))
        idle.append(project.timed(["-m", "replication", "run"], extra))
    project.note(f"`replication run`, {what}", found)
    project.note("the same with nothing to do", idle)


def changed(project: Project, study: str, file: str, extra: Mapping[str, str], times: int) -> None:
    """After one specification file was changed; it is changed back before the next time."""
    place = project.root / "studies" / study / "specs" / file
    text, found = place.read_text(encoding="utf-8"), []
    shorter = WINDOW.sub(lambda one: f"window: [{one[1]}, {int(one[2]) - 1}]", text)
    for _ in range(times):
        place.write_text(shorter, encoding="utf-8")
        found.append(project.timed(["-m", "replication", "run"], extra))
        place.write_text(text, encoding="utf-8")
        project.timed(["-m", "replication", "run"], extra)
    count = len(list(expand(read_spec_file(place))))
    project.note(f"after a change of `{study}/specs/{file}` ({counted(count, 'specification')})", found)


def write(found: pd.DataFrame, folder: Path) -> None:
    """All numbers as CSV, and a Markdown page."""
    write_csv(folder / "runs.csv", found.round(3))
    machine = f"{os.cpu_count()} cores of {platform.processor() or platform.machine()}, {platform.system()}"
    lines = [
        f"| {row.what} | {row.times} | {row.median:.2f} | {row.fastest:.2f} | {row.slowest:.2f} "
        f"| {row.processor:.2f} |"
        for row in found.itertuples()
    ]
    write_text(folder / "runs.md", HEAD.format(machine=machine) + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
