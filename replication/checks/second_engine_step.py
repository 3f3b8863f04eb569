"""The second opinion: every two-way column again by linearmodels or statsmodels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from replication.core import saved_results
from replication.core.errors import InputError
from replication.core.files import write_csv
from replication.core.panel_builder import build_panel
from replication.workflow.analysis_step import strings
from replication.workflow.estimate_step import Task, plan_tasks, read_panel
from replication.workflow.project import Study

TOLERANCE = 1e-8
# Two decimals beyond the tolerance: later digits are the rounding of one processor.
DECIMALS = 10
CHECKED = ("twfe", "poisson")


class EnginesDisagreeError(InputError):
    """Two engines gave different coefficients for the same specification."""


def check_study(study: Study, root: Path) -> pd.DataFrame:
    """Hold our coefficients against another engine's; fail on a difference above 1e-8.

    Every two-way column that the study names in a table, an analysis or a figure is checked; the
    grid of a specification curve, which is matched by a pattern, is not. Poisson models with a
    line for every unit have no second engine and are left out.

    Writes ``tables/<study>/second_engine.csv`` with one row per coefficient. A difference within
    the tolerance is written as zero and the other engine's coefficient with ten decimals, so that
    the file is the same on every machine on which the two engines agree.
    """
    target = root / "tables" / study.id / "second_engine.csv"
    known = pd.read_csv(target) if target.is_file() else pd.DataFrame(columns=COLUMNS)
    rows: list[dict[str, Any]] = []
    shown = set(strings(study.config))
    for task in plan_tasks(study, root):
        if task.spec.estimator not in CHECKED or task.spec.id not in shown:
            continue
        kept = known[known["fingerprint"] == task.fingerprint]
        if len(kept):
            rows += [{str(key): value for key, value in row.items()} for row in kept.to_dict("records")]
            continue
        rows += compared(task)
    result = pd.DataFrame(rows, columns=COLUMNS)
    refuse_differences(result, study.id)
    result = without_noise(result)
    write_csv(target, result)
    return result


def without_noise(result: pd.DataFrame) -> pd.DataFrame:
    """The comparison without the digits that differ between processors.

    Parameters
    ----------
    result : DataFrame
        One row per coefficient with ``second`` and ``difference`` (absolute).
    """
    difference = result["difference"].astype(float)
    return result.assign(
        second=result["second"].astype(float).round(DECIMALS),
        difference=difference.mask(difference <= TOLERANCE, 0.0),
    )


def compared(task: Task) -> list[dict[str, Any]]:
    """One row a coefficient of a specification; none where no other software estimates it."""
    from replication.checks.second_engine import NoSecondEngineError, second_engine

    ours, _ = saved_results.load(task.folder)
    panel = build_panel(read_panel(task.panel), task.spec)
    try:
        theirs = second_engine(
            panel,
            estimator=task.spec.estimator,
            trends=task.spec.trends,
            omitted=ours.info.get("omitted", ()),
        )
    except NoSecondEngineError:
        return []
    table = ours.table.set_index("term")["estimate"]
    return [
        {
            "spec_id": task.spec.id,
            "term": term,
            "ours": table[term],
            "second": value,
            "difference": abs(table[term] - value),
            "fingerprint": task.fingerprint,
        }
        for term, value in theirs.items()
    ]


COLUMNS = ["spec_id", "term", "ours", "second", "difference", "fingerprint"]


def refuse_differences(result: pd.DataFrame, study: str) -> None:
    """Raise if any coefficient differs by more than the tolerance."""
    wrong = result[~(result["difference"] <= TOLERANCE)]
    if len(wrong):
        worst = wrong.iloc[int(wrong["difference"].fillna(np.inf).to_numpy().argmax())]
        raise EnginesDisagreeError(
            f"{len(wrong)} of {len(result)} coefficients of {study} differ by more than "
            f"{TOLERANCE:g} between our estimate and the second engine; the largest is "
            f"{worst['spec_id']} {worst['term']}: {worst['ours']:.10g} against "
            f"{worst['second']:.10g}. One of the two is wrong: report it with this specification."
        )
