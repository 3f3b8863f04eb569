"""Which estimates of a study moved since its last run, in one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from replication.core.result_files import TABLE
from replication.display.formatting import fixed

KEPT: Final = ".snakemake/last_estimates"
ROW: Final = ["spec_id", "term", "cohort", "time", "event_time"]
RELATIVE, ABSOLUTE = 1e-6, 1e-9
"""Smaller differences are those of another order of summation; ``replication verify`` allows the same."""


def changed_estimates(root: Path, study: str) -> str:
    """What moved since the estimates were last gathered; empty if nothing did, or there was no last time."""
    now, kept = root / "tables" / study / TABLE, root / KEPT / f"{study}.csv"
    before = pd.read_csv(kept) if kept.is_file() else None
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(now, kept)
    if before is None or not set(ROW) <= set(before.columns):
        return ""
    after = pd.read_csv(now)
    both = after.merge(before, on=ROW, how="inner", suffixes=("", "_before"))
    change = (both["estimate"] - both["estimate_before"]).abs()
    moved = change > ABSOLUTE + RELATIVE * both["estimate_before"].abs()
    parts = [_moved(both[moved], change[moved])] if moved.any() else []
    parts += [_specifications(after, before, "new"), _specifications(before, after, "removed")]
    return "; ".join(part for part in parts if part)


def _moved(rows: pd.DataFrame, change: pd.Series) -> str:
    """How many estimates changed, and the largest change of an overall effect or coefficient."""
    main = rows["term"].eq("att") | rows["term"].str.startswith("coef")
    named = rows[main] if main.any() else rows
    row = named.iloc[int(change[named.index].to_numpy().argmax())]
    when = f" {row['event_time']:+g}" if np.isfinite(row["event_time"]) else ""
    count = f"{len(rows)} estimates" if len(rows) > 1 else "1 estimate"
    values = f"{fixed(row['estimate_before'])} to {fixed(row['estimate'])}"
    return f"{count} changed since the last run, most {row['spec_id']} {row['term']}{when}: {values}"


def _specifications(these: pd.DataFrame, those: pd.DataFrame, word: str) -> str:
    names = sorted(set(these["spec_id"]) - set(those["spec_id"]))
    return f"{len(names)} {word}: {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}" if names else ""
