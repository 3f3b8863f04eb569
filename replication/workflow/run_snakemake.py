"""``replication run``: Snakemake with one line per step, and a closing report."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from replication.core.errors import InputError
from replication.core.fingerprints import files_digest
from replication.core.processes import cores as every_core
from replication.core.study_folder import study_folders
from replication.workflow import project
from replication.workflow.few_clusters import few_cluster_lines
from replication.workflow.last_run import closing_if_unchanged, note_run, state_read
from replication.workflow.project import StudyFolder, study
from replication.workflow.run_lock import only_run
from replication.workflow.run_requirements import replacements, require_writable
from replication.workflow.run_targets import closing_of, targets_of
from replication.workflow.settings import read_settings, requested_studies
from replication.workflow.skipped_studies import usable_studies
from replication.workflow.snakemake_start import SNAKEMAKE_LOG, Snakemake, snakemake_started
from replication.workflow.step_server import serving

NOTHING = "Nothing to do: every table and figure is up to date."
ROUNDS = 3
"""Number of times that a run restarts because its inputs were edited meanwhile."""
LINES = 12
"""Lines of Snakemake's log that are shown where no step reports the error."""


def run(root: Path, cores: str, only: Sequence[str] = ()) -> int:
    """Run all steps that are out of date and report where the results are and how long it took.

    A study that cannot run does not keep the others from it.

    Parameters
    ----------
    only : what to make, as ``targets_of`` reads it; everything if empty.

    Returns
    -------
    int
        0 if everything is up to date, 2 if a study could not be read or written, else Snakemake's code.

    Raises
    ------
    InputError
        If the settings are wrong, another run is at work, or nothing can be written.
    """
    start = time.perf_counter()
    settings = read_settings(root)
    require_writable(root)
    environment, notes = replacements(root)
    os.environ.update(environment)
    _print_lines(notes)
    with only_run(root):
        if not only and (known := closing_if_unchanged(root)):
            print(f"{NOTHING}\n{known}\n{_time_taken(start)}")
            return 0
        with snakemake_started(root) as process:
            if only:
                return run_only(process, cores, only, start)
            return run_all(process, cores, settings, start)


def run_all(process: Snakemake, cores: str, settings: Mapping[str, Any], start: float) -> int:
    """Make all results of the studies that the settings ask for."""
    root = process.root
    before = state_read(root)
    usable = usable_studies(root)
    complaints = usable.complaints
    requested = requested_studies(settings, [folder.name for folder in study_folders(root)])
    chosen = [name for name in usable.ids if name in requested]
    _print_lines([f"{name} did not run: {text}" for name, text in complaints.items()])
    steps, failures, code = run_until_settled(process, cores, chosen, usable.changed) if chosen else (0, 0, 2)
    if code:
        _print_stopped(root, start, explained=bool(failures) or not chosen)
        return code
    report = closing(root, complaints)
    print("\n".join([*([] if steps else [NOTHING]), report, _time_taken(start)]))
    if complaints:
        return 2
    note_run(root, before, report)
    return 0


def run_only(process: Snakemake, cores: str, only: Sequence[str], start: float) -> int:
    """Make some results and what they need, and leave everything else as it is."""
    root = process.root
    usable = usable_studies(root)
    targets = targets_of(root, only)
    for target in targets:
        if target.study in usable.complaints:
            raise InputError(usable.complaints[target.study])
    files = list(dict.fromkeys(path for target in targets for path in target.files))
    with serving(root, most=number_of(cores)) as server:
        code = process.run(cores, usable.ids, files)
    if code:
        _print_stopped(root, start, explained=bool(server.failures))
        return code
    seconds = time.perf_counter() - start
    owners = [study(root, name) for name in dict.fromkeys(target.study for target in targets)]
    print(closing_of(targets, server.steps, seconds, few_cluster_lines(root, owners)))
    return 0


def number_of(cores: str) -> int:
    """The cores of a run, as the command line names them."""
    return int(cores) if cores.isdecimal() else every_core()


def _print_lines(lines: Sequence[str]) -> None:
    print("".join(f"{line}\n" for line in lines), end="", flush=True)


def _time_taken(start: float) -> str:
    return f"Done in {time.perf_counter() - start:.0f} s."


def _print_stopped(root: Path, start: float, *, explained: bool) -> None:
    """The end of a run that failed; of Snakemake's log as well unless a step has explained it."""
    if not explained:
        print(last_words(root / SNAKEMAKE_LOG), file=sys.stderr)
    seconds = time.perf_counter() - start
    print(f"The run stopped after {seconds:.0f} s; the logs of the steps are in logs/.")


def run_until_settled(
    process: Snakemake, cores: str, studies: Sequence[str], changed: Sequence[str]
) -> tuple[int, int, int]:
    """Run Snakemake, and anew where descriptions or specifications were edited meanwhile.

    Parameters
    ----------
    changed : studies that will have most of the steps.

    Returns
    -------
    (steps, failures, code) : steps that ran, those that failed, and the exit code.
    """
    root, steps, failures, code = process.root, 0, 0, 0
    for number in range(ROUNDS):
        before = edited_files(root)
        again = snakemake_started(root) if number else contextlib.nullcontext(process)
        with again as snakemake, serving(root, ahead=changed, most=number_of(cores)) as server:
            code = snakemake.run(cores, studies)
        steps, failures = steps + server.steps, failures + server.failures
        if code or edited_files(root) == before:
            break
        print("Descriptions or specifications were edited during the run; affected outputs are made again.")
    return steps, failures, code


def edited_files(root: Path) -> str:
    """Digest of the files that users edit: the studies' folders, and the settings."""
    paths = [path for path in (root / "studies").rglob("*") if path.suffix in (".yaml", ".py", ".j2")]
    return files_digest([root / "config.yaml", *sorted(paths)])


def last_words(log: Path) -> str:
    """The end of Snakemake's log, from the last error on."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise InputError(f"{log} cannot be read: {error.strerror}.") from None
    lines = [line for line in lines if line.strip()]
    begin = [number for number, line in enumerate(lines) if re.search(r"\b\w*(Error|Exception)\b", line)]
    return "\n".join(["Snakemake stopped:", *lines[begin[0] if begin else -LINES :][:LINES]])


def closing(root: Path, refused: Collection[str] = ()) -> str:
    """Studies that did not run for want of raw files, and where the results of the others are.

    Parameters
    ----------
    refused : ids of studies that were not run because they cannot be read or written.
    """
    lines = [did_not_run(one) for one in project.readable(root)[0] if project.absent_files(one)]
    able = [one for one in project.runnable(root) if one.id not in refused]
    lines += few_cluster_lines(root, able)
    ran = [one.id for one in able]
    lines.append(f"Tables:  {', '.join(f'tables/{name}/' for name in ran)}")
    lines.append(f"Figures: {', '.join(f'figures/{name}/' for name in ran)}")
    lines.append("Report:  report/index.html")
    return "\n".join(lines)


def did_not_run(study: StudyFolder) -> str:
    """One line: how many raw files of the study are missing, and the command that helps."""
    absent = project.absent_files(study)
    count = "1 raw file is missing" if len(absent) == 1 else f"{len(absent)} raw files are missing"
    names = " and ".join(f"`replication data status {name}`" for name in study.source_names)
    fetchable = all(source.url for source in absent)
    how = f"fetch with `{study.fetch_command}`" if fetchable else f"see {names}"
    ran = (study.root / "tables" / study.id).is_dir()
    earlier = " (outputs of an earlier run are left as they are)" if ran else ""
    return f"{study.id} did not run: {count}; {how}.{earlier}"
