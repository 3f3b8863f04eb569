"""Time and memory as panels grow: ``python -m benchmarks.scale``; half an hour on two cores.

Every estimator runs in a process of its own on panels of ``benchmarks.panels`` whose units, periods or
cohorts double three times, and on one of 18,000 units over 132 months. Seconds are those of one call on a
panel in memory, imports and compilation included; memory is the peak of the whole process.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import specifications
from benchmarks.panels import SHARE_NEVER, draw
from replication.core.errors import InputError
from replication.core.panel import NEVER, Panel

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "scale.md"
BASE = {"units": 1000, "periods": 33, "cohorts": 6}
DOUBLINGS = 3
LARGE = {"units": 18_000, "periods": 132, "cohorts": 52}
SECONDS = 120.0
COVARIATE, DOSES, GAPS = ", covariate", ", doses", ", gaps"
OF_BASE_PERIOD = ("callaway_santanna", "triple_difference")
SHARE_MISSING = 0.02
ESTIMATORS = (
    *("twfe", "event_study", f"event_study{GAPS}", "ols", "poisson"),
    *("callaway_santanna", f"callaway_santanna{COVARIATE}", f"callaway_santanna{GAPS}"),
    *("sun_abraham", "imputation", f"imputation{GAPS}", "two_stage", "etwfe", "stacked"),
    *("local_projections", f"local_projections{COVARIATE}", "dcdh", f"dcdh{DOSES}", "continuous_dose"),
    *("triple_difference", f"triple_difference{COVARIATE}", "roth_santanna"),
    *("synthetic_did", f"synthetic_did{COVARIATE}", "goodman_bacon", "twfe_weights"),
)
OPTIONS: dict[str, dict[str, Any]] = {
    "synthetic_did": {"donor_errors": "jackknife"},
    "continuous_dose": {"dose": "dose"},
    "triple_difference": {"eligible": "eligible"},
    "ols": {"fixed_effects": ("unit", "time")},
    f"callaway_santanna{GAPS}": {"unbalanced": "pairwise"},
}


def main() -> None:
    """Measure every estimator on every size, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("--only", nargs="*", default=ESTIMATORS, metavar="ESTIMATOR")
    parser.add_argument("--one", nargs=4, metavar=("ESTIMATOR", "UNITS", "PERIODS", "COHORTS"))
    chosen = parser.parse_args()
    if chosen.one:
        name, *size = chosen.one
        json.dump(once(name, *map(int, size)), sys.stdout)
        return
    rows = [row for name in chosen.only for row in sizes(name)]
    path = RESULTS / "scale.csv"
    if path.is_file():
        old = pd.read_csv(path)
        rows = [*old[~old["estimator"].isin(chosen.only)].to_dict("records"), *rows]
    rows.sort(key=lambda row: ESTIMATORS.index(row["estimator"]))
    pd.DataFrame(rows).to_csv(path, index=False)
    write_page(pd.DataFrame(rows))


def once(name: str, units: int, periods: int, cohorts: int) -> dict[str, Any]:
    """Seconds and peak memory in MB of one estimate, or the sentence with which it is refused."""
    from replication.estimators.by_name import by_name

    adopted = np.unique(np.linspace(8, periods - 3, cohorts).round().astype(int))
    panel = suited(draw(units, np.arange(1, periods + 1), adopted, SHARE_NEVER), name)
    begin, found = time.perf_counter(), {"refused": ""}
    estimator = name.partition(",")[0]
    try:
        by_name(estimator)(panel, **{**OPTIONS.get(estimator, {}), **OPTIONS.get(name, {})})
    except InputError as error:
        found = {"refused": str(error)}
    seconds = time.perf_counter() - begin
    return {**found, "seconds": seconds, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def suited(panel: Panel, name: str) -> Panel:
    """The panel with what an estimator needs beyond outcomes and adoption: counts, doses, a covariate."""
    rng = np.random.default_rng(1)
    ever, treated = panel.cohort != NEVER, panel.treated
    dose = np.where(ever, rng.gamma(2.0, 0.5, ever.size) + 0.1, 0.0)
    if name == "poisson":
        return replace(panel, y=rng.poisson(np.exp(panel.y / 4)).astype(float))
    if name == "ols":
        return replace(panel, exposure=treated.astype(float), doses=treated.astype(float))
    if name.endswith(DOSES):
        step = rng.choice([1.0, 2.0], ever.size)[:, None] * treated
        return replace(panel, exposure=step, doses=step)
    eligible = rng.integers(0, 2, ever.size)
    panel = replace(panel, unit_values={"dose": dose}, strata={"eligible": eligible})
    if name.endswith(GAPS):
        return replace(panel, y=np.where(rng.random(panel.y.shape) < SHARE_MISSING, np.nan, panel.y))
    if not name.endswith(COVARIATE):
        return panel
    # Group-time comparisons take covariates of a base period, all others those that vary.
    size = (ever.size, 1) if name.startswith(OF_BASE_PERIOD) else panel.y.shape
    x = np.broadcast_to(rng.normal(size=size), panel.y.shape)
    return replace(panel, covariates=x[None].copy(), covariate_names=("x",))


def panels() -> list[tuple[str, dict[str, int]]]:
    """What grows, and the size of the panel. Many cohorts need many periods."""
    found = [("units", {**BASE, "units": BASE["units"] * 2**step}) for step in range(DOUBLINGS + 1)]
    found += [("periods", {**BASE, "periods": BASE["periods"] * 2**step}) for step in range(1, DOUBLINGS + 1)]
    long = {**BASE, "periods": LARGE["periods"]}
    found += [("cohorts", {**long, "cohorts": BASE["cohorts"] * 2**step}) for step in range(1, DOUBLINGS + 1)]
    return [*found, ("large", LARGE)]


def sizes(name: str) -> list[dict[str, Any]]:
    """One row per size of the panel."""
    rows = []
    for direction, size in panels():
        rows.append({"estimator": name, "direction": direction, **size, **in_process(name, size)})
        print(" ".join(f"{key}={value}" for key, value in rows[-1].items()), flush=True)
    return rows


def in_process(name: str, size: dict[str, int]) -> dict[str, Any]:
    """The same in a new process."""
    command = [sys.executable, "-m", "benchmarks.scale", "--one", name, *map(str, size.values())]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return {"refused": f"not finished after {SECONDS:.0f} s", "seconds": SECONDS, "mb": np.nan}
    except subprocess.CalledProcessError as error:
        return {"refused": error.stderr.strip().splitlines()[-1], "seconds": np.nan, "mb": np.nan}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def write_page(rows: pd.DataFrame) -> None:
    """``docs/scale.md``: one row per estimator, seconds and memory by size."""
    lines = [
        "# Time and memory by size of the panel",
        "",
        "Seconds / peak MB of one estimate in a new process, imports included; written by",
        "`python -m benchmarks.scale`. The smallest panel has 1,000 units, 33 periods, and 6 cohorts, and a",
        "quarter of its units is never treated; columns with cohorts have 132 periods; *large* has 18,000",
        "units, 132 periods, and 52 cohorts. *Covariate* is one covariate that varies over time (that does",
        "not, for group-time effects and triple differences), *doses* a treatment of 0, 1, or 2, *gaps* 2",
        "percent of outcomes missing at random. Synthetic DiD computes weights for each cohort, and its time",
        f"grows with their number. Imports take about 0.25 seconds. Measured in {date.today():%B %Y} on two",
        "virtual cores that share their processor with other machines; on a busier day the largest panels",
        "took up to twice as long.",
        "",
    ]
    keys = list(dict.fromkeys(zip(rows["direction"], *(rows[key] for key in BASE), strict=True)))
    heads = [head(direction, dict(zip(BASE, size, strict=True))) for direction, *size in keys]
    lines += ["| estimator | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
    for name, own in rows.groupby("estimator", sort=False):
        cells = {(row.direction, row.units, row.periods, row.cohorts): cell(row) for row in own.itertuples()}
        lines += [f"| {name} | " + " | ".join(cells.get(key, "") for key in keys) + " |"]
    refused = rows[rows["refused"].fillna("") != ""]
    lines += ["", "An x marks a panel that the estimator refuses:", ""] if len(refused) else [""]
    lines += [
        f"* {row.estimator}, {head(row.direction, {key: getattr(row, key) for key in BASE})}: {row.refused} "
        f"({row.seconds:.1f} s)"
        for row in refused.itertuples()
    ]
    if specifications.RESULTS.is_file():
        lines += ["", *specifications.page_lines(pd.read_csv(specifications.RESULTS))]
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def head(direction: str, size: dict[str, int]) -> str:
    """The heading of a column."""
    if direction == "large":
        return "large"
    return f"{size[direction]:,} {direction}"


def cell(row: Any) -> str:
    """Seconds and MB."""
    if isinstance(row.refused, str) and row.refused:
        return "x"
    return f"{row.seconds:.2f} / {row.mb:,.0f}"


if __name__ == "__main__":
    main()
