"""Tables of the race: all numbers as CSV, and a Markdown page."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.panels import ANNUAL, MONTHLY, ONE_COHORT, POLICE
from benchmarks.races import OURS, RACES

PANELS = {
    MONTHLY: "3,100 units by 132 months, 52 cohorts, a quarter never treated",
    ANNUAL: "3,100 units by 11 years, 7 cohorts, a quarter never treated",
    ONE_COHORT: "300 units by 11 years, 40 treated in one year",
    POLICE: "the police training (real data): 7,785 officers by 72 months, 48 cohorts, all treated",
}
PACKAGES = (
    "replication",
    "diff-diff",
    "pyfixest",
    "moderndid",
    "csdid",
    "linearmodels",
    "numpy",
    "pandas",
    "scipy",
)
KEYS = ["race", "panel", "who"]
TIMED = ["first", "seconds", "cpu_seconds", "repeats", "estimate", "memory_mb", "ratio", "same", "failed"]
HEAD = """# Speed compared with other packages

SIMULATED panels, but for the police training. Every contender runs in a process of its own, one after
another, on the same machine ({machine}).

* *first*: seconds of the first call, imports and compilation included; *seconds*: fastest of up to
  twenty further calls within ten seconds (of the first, where that took longer), in the best of
  three processes in turns where the first call takes six seconds or less.
* *whole*: seconds of a whole process from a Parquet file to written results, fastest of seven: ours by
  `replication estimate --numbers-only`, a peer's by a script of five lines that writes its overall effect.
  *cpu*: its processor seconds, in the table of whole processes. *cold*: the same with empty caches of
  compiled code, as in the first run after an installation. The *formula in numpy* is not a package: it is
  the equation of the paper, written for the race, and reads no specification.
* *memory*: peak of resident memory of the process, the panel included.
* *ratio*: seconds of the peer over ours. *same*: whether its overall effect is the number that ours
  is; a peer that averages with other weights, or takes other comparisons, gives another.

Seconds depend on what else runs on the machine on the day of a row; ratios are of processes that ran one
after another. With reversals and doses the path of diff-diff is ours and its overall effect averages
otherwise; moderndid 0.2.0 gives another path, and its version 0.4.1 ours
(`tests/estimators/test_dcdh_doses.py`).

Written by `make bench` (`python -m benchmarks.race` and `python -m benchmarks.whole_process`); each row
has its date in `race.csv`. {versions}.
"""


def results_of(out: Path) -> pd.DataFrame:
    """The results in ``out``; an empty table if there are none."""
    file = out / "race.csv"
    return pd.read_csv(file) if file.is_file() else pd.DataFrame(columns=[*KEYS, *TIMED])


def merged(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Old results with the new ones in their place, in the order of the races.

    New columns replace those of the same contender; ``TIMED`` are replaced together, so that nothing is
    left of an earlier failure or success.
    """
    old, new = old.set_index(KEYS), new.set_index(KEYS)
    if "seconds" in new:
        new = new.reindex(columns=[*TIMED, "measured"])
    again = [name for name in new.columns if name in old.columns]
    kept = old.drop(columns=again).join(new.drop(columns=again), how="outer")
    both = kept.join(pd.concat([old.loc[~old.index.isin(new.index), again], new[again]]))
    place = {
        (race.name, panel, who): (first, middle, last)
        for first, race in enumerate(RACES)
        for middle, panel in enumerate(race.panels)
        for last, who in enumerate((OURS, *race.peers))
    }
    columns = [*old.columns, *(name for name in new.columns if name not in again)]
    known = [index for index in both.index if index in place]
    return both.loc[sorted(known, key=place.__getitem__), columns].reset_index()


def write_tables(table: pd.DataFrame, out: Path) -> None:
    """``race.csv`` and ``race.md`` in ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    table.to_csv(out / "race.csv", index=False, float_format="%.4g", lineterminator="\n")
    (out / "race.md").write_text(page(table), encoding="utf-8")


def page(table: pd.DataFrame) -> str:
    """The whole page."""
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    machine = f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    parts = [HEAD.format(machine=machine, versions=packages), "## Ours against the fastest peer\n"]
    parts.append(overview(table))
    if "whole" in table:
        parts += ["## Whole processes, ours against the fastest peer\n", processes(table)]
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
    raced = table[table["seconds"].notna() | table["failed"].notna()]
    for (name, panel), rows in raced.groupby(["race", "panel"], sort=False):
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


def processes(table: pd.DataFrame) -> str:
    """One line per race that was measured: whole processes with warm and with empty caches."""
    names = ("whole", "whole_cpu", "cold")
    heads = "".join(f" ours, {name} | its {name} | ratio |" for name in ("s", "cpu", "cold"))
    lines = [f"| race | panel | fastest peer |{heads}", "| --- | --- | --- |" + " ---: |" * 9]
    for (name, panel), rows in table[table["whole"].notna()].groupby(["race", "panel"], sort=False):
        ours = rows[rows["who"] == OURS].iloc[0]
        peers = rows[rows["who"] != OURS]
        raced = (table["race"] == name) & (table["panel"] == panel) & (table["who"] != OURS)
        missing = pd.Series({"who": "none finishes" if raced.any() else "no peer"})
        best = peers.loc[peers["whole"].idxmin()] if len(peers) else missing
        cells = " | ".join(beside(ours, best, column) for column in names)
        lines.append(f"| {name} | {panel} | {best['who']} | {cells} |")
    return "\n".join([*lines, ""])


def beside(ours: pd.Series, best: pd.Series, column: str) -> str:
    """Seconds of ours and of a peer, and their ratio; empty where one was not measured."""
    own, other = float(ours.get(column, np.nan)), float(best.get(column, np.nan))
    ratio = other / own
    return f"{seconds(own)} | {seconds(other)} | {'' if np.isnan(ratio) else f'{ratio:.1f}'}"


def contenders(rows: pd.DataFrame) -> str:
    """One line per contender."""
    lines = [
        "| race | contender | first, s | seconds | whole, s | cold, s | memory, MB | ratio | same |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for _, row in rows.iterrows():
        head = f"| {row['race']} | {row['who']} |"
        if pd.isna(row["seconds"]):
            reason = "" if pd.isna(row["failed"]) else row["failed"]
            whole = f"{seconds(row.get('whole', pd.NA))} | {seconds(row.get('cold', pd.NA))}"
            lines.append(f"{head} {reason} | | {whole} | | | |")
            continue
        ratio = "" if pd.isna(row.get("ratio")) else f"{row['ratio']:.1f}"
        same = "" if row["who"] == OURS else row["same"]
        lines.append(
            f"{head} {seconds(row['first'])} | {seconds(row['seconds'])} | "
            f"{seconds(row.get('whole', pd.NA))} | {seconds(row.get('cold', pd.NA))} | "
            f"{row['memory_mb']:.0f} | {ratio} | {same} |"
        )
    return "\n".join([*lines, ""])


def seconds(value: float) -> str:
    """Three significant digits."""
    return "" if pd.isna(value) else f"{value:.3g}"
