"""One step of one study, with its line of progress and its log."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from replication.core.errors import InputError
from replication.core.files import unwritable
from replication.leavings import sweep, with_folders_below
from replication.workflow import project


def step(name: str, study: str | None, root: Path, *, threads: int, log: Path | None) -> int:
    """Run a step, print one line about it, and keep the account in ``log``.

    Returns
    -------
    int
        0 on success, 2 for unusable input, 1 for a fault of ours (its traceback is in the log).
    """
    label = study or ("all studies" if name in WITHOUT_STUDY else "replication")
    start = time.perf_counter()
    try:
        if not study and name not in WITHOUT_STUDY:
            raise InputError(_study_needed(name, root))
        sweep(with_folders_below(folders_of(root, study)))
        said = STEPS[name](root, study or "", threads)
    except InputError as error:
        return _failed(label, name, f"{error}", log, 2)
    except Exception:
        _write(log, traceback.format_exc())
        where = f"; the account is in {log}" if log else f":\n{traceback.format_exc()}"
        return _failed(label, name, f"stopped by a fault of the package{where}", None, 1)
    line = f"{label:<28} {name:<9} {said} ({time.perf_counter() - start:.1f} s)"
    _write(log, line + "\n")
    print(line, flush=True)
    return 0


def folders_of(root: Path, study: str | None) -> list[Path]:
    """Folders into which the steps of a study write; those of the page where none is named."""
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
    return f"{estimated} specifications estimated, {kept} unchanged"


def _analyse(root: Path, study: str, _: int) -> str:
    from replication.workflow.analysis_step import analyse_study

    made, kept = analyse_study(project.study(root, study), root)
    return f"{made} analyses made, {kept} unchanged"


def _check(root: Path, study: str, _: int) -> str:
    from replication.checks.second_engine_step import check_study

    result = check_study(project.study(root, study), root)
    if result.empty:
        return "no two-way column to check"
    return f"{len(result)} coefficients agree with a second engine"


def _tables(root: Path, study: str, _: int) -> str:
    from replication.workflow.report_step import tables

    return f"{tables(project.study(root, study), root)} tables"


def _figures(root: Path, study: str, _: int) -> str:
    from replication.workflow.report_step import figures

    drawn, kept = figures(project.study(root, study), root)
    return f"{drawn} figures drawn, {kept} unchanged"


def _summary(root: Path, study: str, _: int) -> str:
    from replication.workflow.report_step import summary

    return f"{summary(project.study(root, study), root)} numbers"


def _page(root: Path, _: str, __: int) -> str:
    from replication.workflow.report_step import page

    return str(page(root).relative_to(root))


STEPS: dict[str, Callable[[Path, str, int], str]] = {
    "clean": _clean,
    "estimate": _estimate,
    "analyse": _analyse,
    "check": _check,
    "tables": _tables,
    "figures": _figures,
    "summary": _summary,
    "page": _page,
}


WITHOUT_STUDY = ("page",)
PLACES = ("data_clean", "tables", "figures", "report")


def _study_needed(name: str, root: Path) -> str:
    known = [one.id for one in project.studies(root)]
    return (
        f"the step {name!r} is of one study, and none is named. Name it, as in `replication step "
        f"{name} {known[0] if known else 'STUDY'}`; `replication run` does every step of every "
        f"study. Studies: {', '.join(known)}."
    )


def _failed(label: str, name: str, message: str, log: Path | None, code: int) -> int:
    _write(log, message + "\n")
    print(f"{label}: {name}: {message}", file=sys.stderr, flush=True)
    return code


def _write(log: Path | None, text: str) -> None:
    if log is None:
        return
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text, encoding="utf-8")
    except OSError as error:
        # What the log would have said is printed as well; the step itself may have succeeded.
        print(unwritable(log, error), file=sys.stderr, flush=True)
