"""One step of one study, with its line of progress and its log."""

from __future__ import annotations

import argparse
import errno
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from replication.core.errors import InputError
from replication.core.files import unwritable
from replication.core.temporary_files import remove_temporary_files, with_folders_below
from replication.core.wording import counted
from replication.workflow import project


def chosen_step(chosen: argparse.Namespace, root: Path, *, swept: bool = False) -> int:
    """Run the step that the arguments of ``replication step`` name; returns its exit code."""
    part = (chosen.part, chosen.parts) if chosen.part is not None else None
    return step(
        chosen.name, chosen.study, root, threads=chosen.threads, log=chosen.log, part=part, swept=swept
    )


def step(
    name: str,
    study: str | None,
    root: Path,
    *,
    threads: int,
    log: Path | None,
    part: tuple[int, int] | None = None,
    swept: bool = False,
) -> int:
    """Run a step, print one line about it, and keep the trace in ``log``.

    Parameters
    ----------
    part : (number, how many) of the part to estimate; the whole study if None.
    swept : whether ``sweep`` was called for the study since the run began.

    Returns
    -------
    int
        0 on success, 2 for unusable input or a failure of the machine, 1 for an internal error (its
        traceback is in the log).
    """
    label = study or ("all studies" if name in WITHOUT_STUDY else "replication")
    start = time.perf_counter()
    try:
        if not study and name not in WITHOUT_STUDY:
            raise InputError(_study_needed(name, root))
        if not swept:
            sweep(root, study)
        message = (
            _estimate_part(root, study or "", threads, part)
            if part
            else STEPS[name](root, study or "", threads)
        )
    except InputError as error:
        return _failed(label, name, f"{error}", log, 2)
    except OSError as error:
        if error.errno not in MACHINE:
            return _failed_by_fault(label, name, log)
        return _failed(label, name, machine_text(error), log, 2)
    except Exception:
        return _failed_by_fault(label, name, log)
    line = f"{label:<28} {name:<9} {message} ({time.perf_counter() - start:.1f} s)"
    _write(log, line + "\n")
    print(line, flush=True)
    return 0


MACHINE = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE}
)
"""Errors of the machine, not of the package: no permission, read-only, disk full, and the like."""


def machine_text(error: OSError) -> str:
    """One paragraph about a file that the system does not allow to be read or written."""
    where = error.filename or "a file"
    return (
        f"{where}: {error.strerror or error}. The step stopped and left no incomplete file. Make the "
        "folder writable or free some space, and run again; the steps of other studies are not affected."
    )


def _failed_by_fault(label: str, name: str, log: Path | None) -> int:
    trace = traceback.format_exc()
    where = f"; the account is in {log}" if log else f":\n{trace}"
    code = _failed(label, name, f"stopped by an internal error{where}", None, 1)
    _write(log, trace)
    return code


def sweep(root: Path, study: str | None) -> None:
    """Remove what killed writes left in the folders of a study, or in the report's where none is named."""
    remove_temporary_files(with_folders_below(folders_of(root, study)))


def folders_of(root: Path, study: str | None) -> list[Path]:
    """Folders into which the steps of a study write; that of the report where none is named."""
    if not study:
        return [root / "report"]
    return [root / place / study for place in PLACES]


def _clean(root: Path, study: str, _: int) -> str:
    from replication.workflow.clean_step import clean_study

    cleaned = clean_study(project.study(root, study), root)
    return ", ".join(f"{name}: {len(frame):,} rows" for name, (frame, _) in cleaned.panels.items())


def _estimate(root: Path, study: str, threads: int) -> str:
    from replication.workflow.estimate_step import estimate_study

    estimated, kept = estimate_study(project.study(root, study), root, threads)
    return f"{counted(estimated, 'specification')} estimated, {kept} unchanged"


def _estimate_part(root: Path, study: str, threads: int, part: tuple[int, int]) -> str:
    from replication.workflow.estimate_step import estimate_part

    estimated, kept = estimate_part(project.study(root, study), root, *part, threads)
    of = f" in part {part[0]} of {part[1]}" if part[1] > 1 else ""
    return f"{counted(estimated, 'specification')} estimated, {kept} unchanged{of}"


def _gather(root: Path, study: str, threads: int) -> str:
    from replication.workflow.changed_estimates import changed_estimates
    from replication.workflow.estimate_step import gather_study

    again, total = gather_study(project.study(root, study), root, threads)
    late = f", {again} of them once more as they changed meanwhile" if again else ""
    changed = changed_estimates(root, study)
    return f"{counted(total, 'specification')} gathered{late}{f'; {changed}' if changed else ''}"


def _analyze(root: Path, study: str, _: int) -> str:
    from replication.workflow.analysis_step import analyze_study

    count, kept = analyze_study(project.study(root, study), root)
    return f"{counted(count, 'analysis', 'analyses')} made, {kept} unchanged"


def _check(root: Path, study: str, threads: int) -> str:
    from replication.workflow.check_step import check_study

    result = check_study(project.study(root, study), root, threads)
    if result.empty:
        return "no two-way column to check"
    return f"{counted(len(result), 'coefficient')} agree{'s' * (len(result) == 1)} with independent software"


def _tables(root: Path, study: str, _: int) -> str:
    from replication.workflow.report_step import tables

    written, kept = tables(project.study(root, study), root)
    return f"{counted(written, 'table')} written, {kept} unchanged"


def _figures(root: Path, study: str, _: int) -> str:
    from replication.workflow.report_step import figures

    drawn, kept = figures(project.study(root, study), root)
    return f"{counted(drawn, 'figure')} drawn, {kept} unchanged"


def _summary(root: Path, study: str, _: int) -> str:
    from replication.workflow.report_step import summary

    return f"{summary(project.study(root, study), root)} numbers"


def _traces(root: Path, study: str, _: int) -> str:
    from replication.workflow.trace_step import traces

    written, kept = traces(project.study(root, study), root)
    return f"those of {counted(written, 'table or figure', 'tables and figures')} written, {kept} unchanged"


def _page(root: Path, study: str, _: int) -> str:
    from replication.workflow.page_step import page

    return f"{counted(page(project.study(root, study), root), 'file')} of its pages"


def _report(root: Path, _: str, __: int) -> str:
    from replication.workflow.report_step import report

    return str(report(root).relative_to(root))


STEPS: dict[str, Callable[[Path, str, int], str]] = {
    "clean": _clean,
    "estimate": _estimate,
    "gather": _gather,
    "analyze": _analyze,
    "check": _check,
    "tables": _tables,
    "figures": _figures,
    "summary": _summary,
    "traces": _traces,
    "page": _page,
    "report": _report,
}


WITHOUT_STUDY = ("report",)
PLACES = ("data_clean", "tables", "figures", "report")


def _study_needed(name: str, root: Path) -> str:
    known = [one.id for one in project.studies(root)]
    return (
        f"the step {name!r} is of one study, and none is named. Name it, as in `replication step "
        f"{name} {known[0] if known else 'STUDY'}`; `replication run` does every step of every "
        f"study. Studies: {', '.join(known)}."
    )


def _failed(label: str, name: str, message: str, log: Path | None, code: int) -> int:
    print(f"{label}: {name}: {message}", file=sys.stderr, flush=True)
    _write(log, message + "\n")
    return code


def _write(log: Path | None, text: str) -> None:
    if log is None:
        return
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text, encoding="utf-8")
    except OSError as error:
        # The content of the log is printed as well; the step itself may have succeeded.
        print(unwritable(log, error), file=sys.stderr, flush=True)
