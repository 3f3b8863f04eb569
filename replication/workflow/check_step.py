"""Verification of every two-way column by linearmodels or statsmodels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from replication.core import saved_results
from replication.core.code_digest import code_digest
from replication.core.errors import InputError
from replication.core.files import write_csv
from replication.core.fingerprints import fingerprint, renew
from replication.core.panel import Panel
from replication.core.plain_data import texts_in
from replication.core.processes import in_processes
from replication.workflow.estimate_batch import Task, with_panels
from replication.workflow.estimate_step import batches, plan_tasks
from replication.workflow.project import StudyFolder

if TYPE_CHECKING:
    from replication.checks.second_engine import KnownModels

TOLERANCE = 1e-8
# Two decimals beyond the tolerance: later digits are the rounding of one processor.
DECIMALS = 10
CHECKED = ("twfe", "poisson")


class EnginesDisagreeError(InputError):
    """Independent software gave different coefficients for the same specification."""


def check_study(study: StudyFolder, root: Path, threads: int = 1) -> pd.DataFrame:
    """Compare the coefficients with those of independent software; fail on a difference above 1e-8.

    Every two-way column that the study names in a table, an analysis or a figure is checked; the
    grid of a specification curve, which is matched by a pattern, is not. Poisson models with
    unit-specific linear trends have no counterpart and are left out.

    Writes ``tables/<study>/second_engine.csv`` with one row per coefficient. A difference within
    the tolerance is written as zero and the coefficient from the other software with ten decimals, so that
    the file is the same on every machine on which the two agree.
    """
    folder = root / "tables" / study.id
    shown = set(texts_in(study.config))
    tasks = [
        task for task in plan_tasks(study, root) if task.spec.estimator in CHECKED and task.spec.id in shown
    ]
    engine = code_digest("replication.checks.second_engine")
    requested = {task.spec.id: fingerprint(task.fingerprint, engine) for task in tasks}
    # Snakemake removes the table before this step; what was found stays in a file of its own.
    store = folder / ".second_engine.csv"
    known = pd.read_csv(store) if store.is_file() else pd.DataFrame(columns=COLUMNS)
    found = {str(name): rows for name, rows in known[COLUMNS].groupby("spec_id")}

    def make(names: Sequence[str]) -> Sequence[str]:
        """Compare these specifications with the independent software and store what was found."""
        stale = [task for task in tasks if task.spec.id in names]
        found.update(compared(stale, threads))
        refuse_differences(together(found, requested), study.id)
        write_csv(store, without_noise(together(found, requested)))
        return names

    renew(root / study.ledger("check"), requested, lambda _: [store], make)
    write_csv(folder / "second_engine.csv", without_noise(together(found, requested)))
    return pd.read_csv(folder / "second_engine.csv")


def together(found: Mapping[str, pd.DataFrame], names: Iterable[str]) -> pd.DataFrame:
    """The coefficients of these specifications in one table; some have none."""
    parts = [found[name] for name in names if name in found and len(found[name])]
    return pd.concat(parts) if parts else pd.DataFrame(columns=COLUMNS)


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


def compared(tasks: Sequence[Task], threads: int) -> dict[str, pd.DataFrame]:
    """One row per coefficient, by specification, in as many processes as there are threads."""
    found = in_processes(compared_batch, batches(tasks), threads)
    return {name: rows for batch in found for name, rows in batch.items()}


def compared_batch(tasks: Sequence[Task]) -> dict[str, pd.DataFrame]:
    """The same for a batch in this process."""
    known: KnownModels = {}
    return {task.spec.id: coefficients(task, panel, known) for task, panel in with_panels(tasks)}


def coefficients(task: Task, panel: Panel, known: KnownModels) -> pd.DataFrame:
    """One row per coefficient of a specification; none where no independent software estimates it."""
    from replication.checks.second_engine import NoSecondEngineError, second_engine

    table = saved_results.load_table(task.folder).set_index("term")["estimate"]
    omitted = [name for name in panel.covariate_names if f"coef:{name}" not in table.index]
    try:
        theirs = second_engine(
            panel, estimator=task.spec.estimator, trends=task.spec.trends, omitted=omitted, known=known
        )
    except NoSecondEngineError:
        return pd.DataFrame(columns=COLUMNS)
    rows = [
        (task.spec.id, term, table[term], value, abs(table[term] - value)) for term, value in theirs.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


COLUMNS = ["spec_id", "term", "ours", "second", "difference"]


def refuse_differences(result: pd.DataFrame, study: str) -> None:
    """Raise if any coefficient differs by more than the tolerance."""
    wrong = result[~(result["difference"] <= TOLERANCE)]
    if len(wrong):
        worst = wrong.iloc[int(wrong["difference"].fillna(np.inf).to_numpy().argmax())]
        raise EnginesDisagreeError(
            f"{len(wrong)} of {len(result)} coefficients of {study} differ by more than "
            f"{TOLERANCE:g} between the estimate and independent software; the largest is "
            f"{worst['spec_id']} {worst['term']}: {worst['ours']:.10g} against "
            f"{worst['second']:.10g}. One of the two is wrong: report it with this specification."
        )
