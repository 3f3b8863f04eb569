"""Time as specifications grow: ``python -m benchmarks.specifications``; half an hour on two cores.

One study with 1,250 to 10,000 specifications (five outcomes, five estimators, and one of up to 400 towns
left out) of a simulated panel of 2,000 units over 12 periods is estimated by the pipeline, on one core and on
two, in a project of its own: ``replication run --only tables/grid/estimates``. Two numbers of cores give
the two parts of ``seconds = serial + parallel / cores``, and with them a projection to more cores.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.panels import SHARE_NEVER, draw
from replication.core.panel import NEVER

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "specifications.csv"
TOWNS = (50, 100, 200, 400)
OUTCOMES = tuple(f"y{number}" for number in range(1, 6))
ESTIMATORS = ("twfe", "event_study", "callaway_santanna", "imputation", "sun_abraham")
PROJECTED = (16, 128)


def main() -> None:
    """Measure all sizes on one and on two cores; projections follow from the two."""
    rows = [measured(towns, cores) for towns in TOWNS for cores in (1, 2)]
    pd.DataFrame(rows).to_csv(RESULTS, index=False, lineterminator="\n")


def measured(towns: int, cores: int) -> dict[str, Any]:
    """Seconds, CPU seconds and peak MB of a process, from a new project to its table of estimates."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        count = write_project(root, towns)
        command = [sys.executable, "-m", "replication", "run", "--cores", str(cores)]
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [*command, "--only", "tables/grid/estimates"],
            cwd=root,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        )
        seconds = time.perf_counter() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        estimated = pd.read_csv(root / "tables" / "grid" / "estimates.csv", usecols=["spec_id"])["spec_id"]
        if estimated.nunique() != count:
            raise RuntimeError(f"{estimated.nunique()} of {count} specifications were estimated")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = {"specifications": count, "cores": cores, "seconds": seconds, "cpu": cpu}
    print(found, flush=True)
    return {**found, "mb": after.ru_maxrss / 1024}


def write_project(root: Path, towns: int) -> int:
    """A project with the one study below ``root``; the number of its specifications."""
    for name in ("Snakefile", "config.yaml", "environment.yaml"):
        shutil.copy(ROOT / name, root / name)
    (root / "data_raw").mkdir()
    shutil.copy(ROOT / "data_raw" / "sources.yaml", root / "data_raw")
    study = root / "studies" / "grid"
    (study / "specs").mkdir(parents=True)
    panel_frame().to_csv(study / "panel.csv", index=False)
    labels = {name: {"label": name, "unit": "points"} for name in OUTCOMES}
    description = {
        "id": "grid",
        "title": "A grid of specifications, SIMULATED",
        "panels": {"panel": {"file": "panel.csv", "keys": ["unit", "time"]}},
        "outcomes": labels,
    }
    vary = {
        "outcome": list(OUTCOMES),
        "estimator": list(ESTIMATORS),
        "sample.drop": [{"town": [town]} for town in range(towns)],
    }
    names = {"id": "grid", "study": "grid", "panel": "panel", "outcome": OUTCOMES[0], "estimator": "twfe"}
    columns = {"unit": "unit", "time": "time", "cohort": "cohort", "cluster": "town"}
    (study / "study.yaml").write_text(yaml.safe_dump(description, sort_keys=False), encoding="utf-8")
    spec = yaml.safe_dump({**names, **columns, "vary": vary}, sort_keys=False)
    (study / "specs" / "grid.yaml").write_text(spec, encoding="utf-8")
    return len(OUTCOMES) * len(ESTIMATORS) * towns


def panel_frame() -> pd.DataFrame:
    """2,000 units over 12 years, five to a town, with five outcomes."""
    panel = draw(2_000, np.arange(2001, 2013), np.arange(2005, 2011), SHARE_NEVER)
    rng = np.random.default_rng(1)
    cells = panel.y.size
    frame = pd.DataFrame(
        {
            "unit": np.repeat(panel.units, panel.periods.size),
            "time": np.tile(panel.periods, panel.units.size),
            "cohort": np.repeat(np.where(panel.cohort == NEVER, 0, panel.cohort), panel.periods.size),
            "town": np.repeat(np.arange(panel.units.size) // 5, panel.periods.size),
        }
    )
    return frame.assign(**{name: panel.y.ravel() + rng.normal(0, 0.2, cells) for name in OUTCOMES})


def projected(rows: pd.DataFrame, cores: int) -> pd.Series:
    """Seconds of each number of specifications on ``cores``."""
    one, two = (rows[rows["cores"] == number].set_index("specifications")["seconds"] for number in (1, 2))
    parallel = 2 * (one - two)
    return (one - parallel) + parallel / cores


def page_lines(rows: pd.DataFrame) -> list[str]:
    """The section of ``docs/scale.md`` on specifications."""
    heads = ["1 core", "2 cores", *(f"{cores} cores (projected)" for cores in PROJECTED), "CPU", "MB"]
    lines = [
        "## Specifications",
        "",
        "Seconds of `replication run --only tables/grid/estimates` in a new project, start of Snakemake and",
        "gathering included: five outcomes, five estimators, and one of up to 400 towns left out of a",
        "simulated panel of 2,000 units over 12 years; written by `python -m benchmarks.specifications`.",
        "*Projected* is serial + parallel / cores, with the two parts solved from the two measurements; on a",
        "cluster, where `estimation: parts` jobs start apart, the wait in the queue comes on top. *CPU* is",
        "that of two cores in seconds, *MB* the peak of one process.",
        "",
        "| specifications | " + " | ".join(heads) + " |",
        "| ---: |" + " ---: |" * len(heads),
    ]
    one, two = (rows[rows["cores"] == number].set_index("specifications") for number in (1, 2))
    more = [projected(rows, cores) for cores in PROJECTED]
    for count in one.index:
        cells = [one["seconds"][count], two["seconds"][count], *(each[count] for each in more)]
        numbers = [f"{value:.0f}" for value in (*cells, two["cpu"][count], two["mb"][count])]
        lines.append(f"| {count:,} | " + " | ".join(numbers) + " |")
    return lines


if __name__ == "__main__":
    main()
