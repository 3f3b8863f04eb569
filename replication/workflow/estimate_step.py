"""The estimation step: specifications are estimated in parts, unchanged ones kept, and then gathered."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

from replication.core import saved_results
from replication.core.code_digest import code_digest
from replication.core.errors import SpecError
from replication.core.fingerprints import Ledger, file_digest, files_digest, fingerprint
from replication.core.processes import in_processes
from replication.core.result_files import TABLE
from replication.core.sample_selection import panel_inputs
from replication.core.saved_bundle import write_bundle
from replication.workflow.estimate_batch import Task, run_batch
from replication.workflow.noted_specs import noted_specs
from replication.workflow.project import StudyFolder

BATCH = 8
"""Specifications that one process estimates in a row, at most."""
PAIR = 2
"""The same, at least: neighbors in a grid often share a panel."""
FEWEST = 16
"""Batches that there should be, so that several processes end at about the same time."""
ROUNDS = 3
"""How often a study is estimated in one step while its specifications are being edited."""


def estimate_study(study: StudyFolder, root: Path, threads: int = 1) -> tuple[int, int]:
    """Estimate specifications that have changed and gather all in ``tables/<study>/estimates.csv``.

    Returns
    -------
    (estimated, kept) : how many specifications were estimated, and how many were up to date.
    """
    estimated, _ = estimate_part(study, root, 1, 1, threads)
    again, total = gather_study(study, root, threads)
    return estimated + again, total - estimated - again


def estimate_part(study: StudyFolder, root: Path, part: int, parts: int, threads: int = 1) -> tuple[int, int]:
    """Estimate the changed specifications of one part of a study, and record the content of the part.

    The parts are disjoint and make up the whole, so that each can be estimated on a machine of its own;
    the note is ``tables/<study>/.parts/<part>-of-<parts>.json``.

    Returns
    -------
    (estimated, kept) : how many specifications were estimated, and how many were up to date.
    """
    require_part(part, parts)
    tasks = [task for batch in batches(plan_tasks(study, root))[part - 1 :: parts] for task in batch]
    stale = [task for task in tasks if not task.is_current]
    run(stale, threads)
    ledger = Ledger(root / study.part_output(part, parts))
    for task in tasks:
        ledger.note(task.spec.id, task.fingerprint, saved_results.files_of(task.folder))
    ledger.write(keep=[task.spec.id for task in tasks])
    for other in ledger.place.parent.glob("[!.]*.json"):
        if not other.stem.endswith(f"-of-{parts}"):
            other.unlink(missing_ok=True)
    return len(stale), len(tasks) - len(stale)


def require_part(part: int, parts: int) -> None:
    """Refuse a part that there is not."""
    if not 1 <= part <= parts:
        raise SpecError(f"There is no part {part} of {parts}. Number the parts from 1 to {parts}.")


def gather_study(study: StudyFolder, root: Path, threads: int = 1) -> tuple[int, int]:
    """Write ``tables/<study>/estimates.csv`` after a closing check of every fingerprint.

    Specifications edited during estimation are estimated again here.

    Returns
    -------
    (again, total) : how many specifications were estimated here, and how many there are.

    Raises
    ------
    SpecError
        If specifications or panels change as often as they are estimated.
    """
    again = 0
    for _ in range(ROUNDS):
        before = inputs_digest(study, root)
        tasks = plan_tasks(study, root)
        stale = [task for task in tasks if not task.is_current]
        run(stale, threads)
        again += len(stale)
        _note_again(study, root, stale)
        discard_others(root / "tables" / study.id / "specs", {task.spec.id for task in tasks})
        write_bundle(root / "tables" / study.id / TABLE, [task.folder for task in tasks])
        if inputs_digest(study, root) == before:
            return again, len(tasks)
    raise SpecError(
        f"{study.id} was estimated {ROUNDS} times, and each time its specifications or its panels were "
        "changed meanwhile. Run again when no file is edited."
    )


def _note_again(study: StudyFolder, root: Path, tasks: Sequence[Task]) -> None:
    """Enter what was estimated once more into the notes of its part, which hold the digests of its files."""
    parts = (root / study.part_output(1, 1)).parent.glob("[!.]*.json") if tasks else ()
    for place in parts:
        ledger = Ledger.read(place)
        for task in tasks:
            if task.spec.id in ledger.entries:
                ledger.note(task.spec.id, task.fingerprint, saved_results.files_of(task.folder))
        ledger.keep(list(ledger.entries))


def batches(tasks: Sequence[Task]) -> list[Sequence[Task]]:
    """Those that share a panel together, which is then built once."""
    size = max(PAIR, min(BATCH, math.ceil(len(tasks) / FEWEST)))
    alike = sorted(tasks, key=lambda task: repr((task.panel.name, panel_inputs(task.spec))))
    return [alike[start : start + size] for start in range(0, len(tasks), size)]


def run(tasks: Sequence[Task], threads: int) -> None:
    """Estimate the tasks in batches, in as many processes as there are threads."""
    in_processes(run_batch, batches(tasks), threads)


def inputs_digest(study: StudyFolder, root: Path) -> str:
    """Digest of the files that the estimates of a study are made from."""
    return files_digest([*study.spec_files, *panel_files(study, root).values()])


def plan_tasks(study: StudyFolder, root: Path) -> list[Task]:
    """Inputs and fingerprint of each specification."""
    panels = panel_files(study, root)
    digests = {name: file_digest(path) for name, path in panels.items()}
    noted = noted_specs(study)
    codes = {name: estimator_digest(name) for name in {one.spec.estimator for one in noted}}
    return [
        Task(
            one.spec,
            panels[one.spec.panel],
            root / "tables" / study.id / "specs" / one.spec.id,
            fingerprint(one.digest, digests[one.spec.panel], codes[one.spec.estimator]),
            one.notes,
        )
        for one in noted
    ]


def estimator_digest(name: str) -> str:
    """Digest of the code that an estimate by this estimator depends on; no other estimator counts."""
    return code_digest(
        "replication.workflow.estimate_batch", f"replication.estimators.{name}", every_choice=False
    )


def panel_files(study: StudyFolder, root: Path) -> dict[str, Path]:
    """Cleaned panels of a study and their files."""
    return {name: root / "data_clean" / study.id / f"{name}.parquet" for name in study.panels}


def discard_others(folder: Path, keep: set[str]) -> None:
    """Remove results of specifications that no longer exist."""
    if folder.is_dir():
        for place in folder.iterdir():
            if place.is_dir() and place.name not in keep:
                shutil.rmtree(place)
