"""Tables of the race: all numbers as CSV, and a Markdown page."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from benchmarks.panels import ANNUAL, MONTHLY, ONE_COHORT
from benchmarks.races import OURS, RACES

PANELS = {
    MONTHLY: "3,100 units by 132 months, 52 cohorts, a quarter never treated",
    ANNUAL: "3,100 units by 11 years, 7 cohorts, a quarter never treated",
    ONE_COHORT: "300 units by 11 years, 40 treated in one year",
}
HEAD = """# Speed compared with other packages

SIMULATED panels. Every contender runs in a process of its own, one after another, on the same
machine ({machine}).

* *first*: seconds of the first call, imports and compilation included; *seconds*: fastest of up to
  twenty further calls within ten seconds (of the first, where that took longer), in the best of
  three processes in turns where the first call takes six seconds or less.
* *memory*: peak of resident memory of the process, the panel included.
* *ratio*: seconds of the peer over ours. *same*: whether its overall effect is the number that ours
  is; a peer that averages with other weights, or takes other comparisons, gives another.

Written by `make bench` (`python -m benchmarks.race`). {versions}.
"""


def write_tables(table: pd.DataFrame, out: Path, versions: Mapping[str, str]) -> None:
    """``race.csv`` and ``race.md`` in ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    table.to_csv(out / "race.csv", index=False, float_format="%.4g", lineterminator="\n")
    (out / "race.md").write_text(page(table, versions), encoding="utf-8")


def page(table: pd.DataFrame, versions: Mapping[str, str]) -> str:
    """The whole page."""
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    machine = f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    parts = [HEAD.format(machine=machine, versions=packages), "## Ours against the fastest peer\n"]
    parts.append(overview(table))
    for panel, what in PANELS.items():
        rows = table[table["panel"] == panel]
        if len(rows):
            parts += [f"## {what[0].upper()}{what[1:]}\n", contenders(rows)]
    return "\n".join(parts)


def overview(table: pd.DataFrame) -> str:
    """One line per race: ours, the fastest peer that finishes, the ratio and the target."""
    lines = [
        "| race | panel | ours, s | fastest peer | its s | ratio | asked for |",
        "| --- | --- | ---: | --- | ---: | ---: | ---: |",
    ]
    for (name, panel), rows in table.groupby(["race", "panel"], sort=False):
        ours = rows[rows["who"] == OURS].iloc[0]
        peers = rows[(rows["who"] != OURS) & rows["seconds"].notna()]
        target = next(race.target for race in RACES if race.name == name)
        if len(peers):
            best = peers.loc[peers["seconds"].idxmin()]
            text = f"{best['who']} | {seconds(best['seconds'])} | {best['ratio']:.1f} | {target:g}"
        else:
            reason = "none finishes" if (rows["who"] != OURS).any() else "no peer"
            text = f"{reason} | | |"
        lines.append(f"| {name} | {panel} | {seconds(ours['seconds'])} | {text} |")
    return "\n".join([*lines, ""])


def contenders(rows: pd.DataFrame) -> str:
    """One line per contender."""
    lines = [
        "| race | contender | first, s | seconds | memory, MB | ratio | same |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for _, row in rows.iterrows():
        head = f"| {row['race']} | {row['who']} |"
        if pd.isna(row["seconds"]):
            lines.append(f"{head} {row['failed']} | | | | |")
            continue
        ratio = "" if pd.isna(row.get("ratio")) else f"{row['ratio']:.1f}"
        same = "" if row["who"] == OURS else row["same"]
        lines.append(
            f"{head} {seconds(row['first'])} | {seconds(row['seconds'])} | "
            f"{row['memory_mb']:.0f} | {ratio} | {same} |"
        )
    return "\n".join([*lines, ""])


def seconds(value: float) -> str:
    """Three significant digits."""
    return "" if pd.isna(value) else f"{value:.3g}"
