"""The estimating step: all specifications of a study, a batch at a time, unchanged ones kept."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from replication.core import saved_results
from replication.core.errors import InputError, SpecError
from replication.core.panel_builder import build_panel
from replication.core.sample_selection import panel_inputs
from replication.core.spec import Spec, load_specs
from replication.estimators.registry import estimate
from replication.estimators.unused_keys import unread_keys, with_notes
from replication.workflow.project import Study, code_digest

BATCH = 8


@dataclass(frozen=True, slots=True)
class Task:
    """One specification to estimate: its panel file, where it goes, and its fingerprint.

    Attributes
    ----------
    notes : what its file says without effect.
    """

    spec: Spec
    panel: Path
    folder: Path
    fingerprint: str
    notes: tuple[str, ...] = ()


def estimate_study(study: Study, root: Path, threads: int = 1) -> tuple[int, int]:
    """Estimate what has changed and gather everything in ``tables/<study>/estimates.csv``.

    Returns
    -------
    (estimated, kept) : how many specifications were estimated, and how many were up to date.
    """
    tasks = plan_tasks(study, root)
    stale = [task for task in tasks if saved_results.stored_fingerprint(task.folder) != task.fingerprint]
    run(stale, threads)
    discard_others(root / "tables" / study.id / "specs", {task.spec.id for task in tasks})
    frames = [pd.read_csv(task.folder / "estimates.csv") for task in tasks]
    saved_results.write_bundle(root / "tables" / study.id / "estimates.csv", frames)
    return len(stale), len(tasks) - len(stale)


def study_specs(study: Study) -> list[Spec]:
    """Every specification of a study; ids must be unique and name their study."""
    return [spec for specs in specs_by_file(study) for spec in specs]


def specs_by_file(study: Study) -> list[list[Spec]]:
    """The specifications of each file of a study, checked as ``study_specs`` says."""
    files = [load_specs(path) for path in study.spec_files]
    seen: set[str] = set()
    for spec in itertools.chain.from_iterable(files):
        if spec.id in seen:
            raise SpecError(f"Two specifications of {study.id} share the id {spec.id!r}.")
        if spec.study != study.id:
            raise SpecError(
                f"{spec.id} lies in studies/{study.id}/specs and says 'study: {spec.study}'. Make them one."
            )
        if spec.panel not in study.panels:
            raise SpecError(
                f"{spec.id} uses the panel {spec.panel!r}; {study.id} has {', '.join(study.panels)}."
            )
        seen.add(spec.id)
    return files


def plan_tasks(study: Study, root: Path) -> list[Task]:
    """What each specification needs and what it depends on."""
    clean = root / "data_clean" / study.id
    digests = {name: file_digest(clean / f"{name}.parquet") for name in study.panels}
    code = code_digest("estimate")
    tasks = []
    for specs in specs_by_file(study):
        unread = unread_keys(specs)
        for spec in specs:
            notes = tuple(unread.get(spec.id, ()))
            tasks.append(
                Task(
                    spec,
                    clean / f"{spec.panel}.parquet",
                    root / "tables" / study.id / "specs" / spec.id,
                    saved_results.fingerprint(spec, digests[spec.panel], "".join((code, *notes))),
                    notes,
                )
            )
    return tasks


def run(tasks: Sequence[Task], threads: int) -> None:
    """Estimate the tasks in batches, in as many processes as there are threads."""
    batches = [tasks[start : start + BATCH] for start in range(0, len(tasks), BATCH)]
    if threads < 2 or len(batches) < 2:
        for batch in batches:
            run_batch(batch)
        return
    with ProcessPoolExecutor(threads, mp_context=get_context("spawn")) as pool:
        list(pool.map(run_batch, batches))


def run_batch(tasks: Sequence[Task]) -> None:
    """Estimate and save a batch in this process."""
    inputs: Any = None
    for task in tasks:
        try:
            # Neighbours in a grid often differ in the estimator only.
            if inputs != (task.panel, panel_inputs(task.spec)):
                panel = build_panel(read_panel(task.panel), task.spec)
                inputs = (task.panel, panel_inputs(task.spec))
            result = estimate(replace(panel, spec_id=task.spec.id), task.spec)
        except InputError as error:
            raise type(error)(f"{task.spec.id}: {error}") from None
        saved_results.save(with_notes(result, task.notes), task.spec, task.folder, task.fingerprint)


@cache
def read_panel(path: Path) -> pd.DataFrame:
    """A cleaned panel, read once a process."""
    return pd.read_parquet(path)


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def discard_others(folder: Path, keep: set[str]) -> None:
    """Remove results of specifications that no longer exist."""
    if folder.is_dir():
        for place in folder.iterdir():
            if place.is_dir() and place.name not in keep:
                shutil.rmtree(place)
