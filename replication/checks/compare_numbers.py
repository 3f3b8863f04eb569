"""``replication verify``: compare outputs with the expected numbers in ``expected/``, cell by cell."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd

from replication.checks.compare_cells import (
    ABSOLUTE,
    COMMITTED,
    OF_LENGTH,
    RELATIVE,
    Verdict,
    hold,
    read_cells,
)
from replication.checks.content_digests import matrix_contents, panel_contents
from replication.core.errors import InputError, OutputError
from replication.core.files import unwritable, write_csv
from replication.core.temporary_files import visible_paths

PLACES = ("tables", "figures", "data_clean")
CONTENTS = {"panels": ("data_clean", panel_contents), "vcov": ("tables", matrix_contents)}
"""Files of ``expected/contents``: the folder whose contents they describe, and what computes them."""


def verify(root: Path, studies: list[str]) -> list[Verdict]:
    """Compare every expected CSV of the studies with the outputs of the pipeline.

    Panels and covariance matrices are compared by ``compare_contents``.
    """
    verdicts = []
    for study in studies:
        base = root / "studies" / study / "expected"
        files = visible_paths(base.rglob("*.csv"), base)
        if not files:
            verdicts.append(
                Verdict(study, "expected/", 0, 1, "no expected numbers are committed for this study")
            )
        for path in files:
            relative = path.relative_to(base)
            if relative.parts[0] == "contents":
                continue
            place, name = relative.parts[0], Path(*relative.parts[1:])
            verdicts.append(hold(path, root / place / study / name, study, str(relative)))
    return verdicts


def write_expected(root: Path, study: str) -> list[Path]:
    """Replace the expected numbers of a study by its present outputs; for maintainers, reviewed in git.

    The numbers are written to a new folder, which takes the place of the old one when all of them
    are there: a run that fails leaves ``expected/`` as it was.

    Raises
    ------
    InputError
        If the study has no outputs, or one of them cannot be read.
    """
    base = root / "studies" / study / "expected"
    requested = [
        (place, path)
        for place in PLACES
        for path in visible_paths((root / place / study).glob("*.csv"), root / place / study)
        if path.name not in LEFT_OUT
    ]
    if not requested:
        raise InputError(f"{study} has no outputs to expect. Run the pipeline first.")
    new, old = (base.with_name(f".{base.name}.{word}") for word in ("new", "old"))
    _recover(base, new, old)
    try:
        for place, path in requested:
            cells = read_cells(path)
            write_csv(new / place / path.name, pd.DataFrame(cells.rows, columns=cells.header, dtype=str))
        for name, (place, contents) in CONTENTS.items():
            frame = contents(root / place / study)
            if len(frame):
                write_csv(new / "contents" / f"{name}.csv", frame)
        files = visible_paths(new.rglob("*.csv"), new)
        _swap(base, new, old)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return [base / path.relative_to(new) for path in files]


def _recover(base: Path, new: Path, old: Path) -> None:
    """Undo what an interrupted run left between the two renames of ``_swap``."""
    if old.is_dir() and not base.exists():
        old.rename(base)
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)


def _swap(base: Path, new: Path, old: Path) -> None:
    """Put the new folder in the place of the present one, which is kept until that is done."""
    try:
        if base.exists():
            base.rename(old)
        new.rename(base)
    except OSError as error:
        if old.is_dir() and not base.exists():
            old.rename(base)
        raise OutputError(unwritable(base, error)) from error
    shutil.rmtree(old, ignore_errors=True)


# Digests of code and data are not results.
LEFT_OUT = frozenset({"second_engine.csv"})


def report(verdicts: list[Verdict], *, every: bool = False) -> str:
    """The failures with their first cell, or one line per file, and a total for each comparison."""
    lines = []
    for verdict in verdicts:
        if not verdict.passed:
            counted = f"{verdict.failed} of {verdict.cells} cells: " if verdict.cells > 1 else ""
            lines.append(f"FAIL  {verdict.study}/{verdict.file}  {counted}{verdict.message}")
        elif every:
            cells = f" ({verdict.cells} cells)" if verdict.cells > 1 else ""
            more = f"; {verdict.message}" if verdict.message else ""
            lines.append(f"pass  {verdict.study}/{verdict.file}  {verdict.how}{cells}{more}")
    for how in dict.fromkeys(sorted((one.how for one in verdicts), key=lambda how: how != COMMITTED)):
        held = [verdict for verdict in verdicts if verdict.how == how]
        lines.append(f"{sum(one.passed for one in held)} of {len(held)} files {how}")
    committed = [verdict for verdict in verdicts if verdict.how == COMMITTED]
    total, failed = sum(one.cells for one in committed), sum(one.failed for one in committed)
    if committed:
        lines.append(
            f"{total - failed} of {total} committed values agree: numbers within a relative tolerance of "
            f"{RELATIVE:g} or an absolute tolerance of {ABSOLUTE:g}, ends of intervals within {OF_LENGTH:g} "
            "of their length, text exactly."
        )
    return "\n".join(lines)
