"""``replication verify``: compare outputs with the expected numbers in ``expected/``, cell by cell."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from replication.checks.content_digests import matrix_contents, panel_contents
from replication.core.arrays import Bools
from replication.core.errors import InputError, OutputError
from replication.core.estimates import LABELS
from replication.core.files import unwritable, write_csv
from replication.core.temporary_files import visible_paths

# Estimates travel between machines with the last digits of another BLAS: a relative 1e-6 is a
# hundredth of the sixth digit and far below anything printed. Cells at zero get an absolute 1e-9.
RELATIVE = 1e-6
ABSOLUTE = 1e-9
# The tolerance of an interval's end is relative to the interval's length, as it may lie near zero by
# chance. Bands come from draws in single precision, whose error a test bounds below this.
OF_LENGTH = 1e-5
PLACES = ("tables", "figures", "data_clean")
CONTENTS = {"panels": ("data_clean", panel_contents), "vcov": ("tables", matrix_contents)}
"""Files of ``expected/contents``: the folder whose contents they describe, and what computes them."""

COMMITTED = "agree with expected/"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Result of comparing one file; ``how`` says what files that pass do in its place."""

    study: str
    file: str
    cells: int
    failed: int
    message: str
    how: str = COMMITTED

    @property
    def passed(self) -> bool:
        """Whether every cell agreed."""
        return self.failed == 0


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


def hold(expected: Path, found: Path, study: str, label: str) -> Verdict:
    """Compare one file with the expected one."""
    if not found.is_file():
        return Verdict(study, label, 0, 1, "the file was not written")
    try:
        left, right = (_held(_as_written(path)) for path in (expected, found))
    except InputError as error:
        return Verdict(study, label, 0, 1, str(error))
    if list(left.columns) != list(right.columns):
        changed = sorted(set(left.columns) ^ set(right.columns)) or ["their order"]
        return Verdict(study, label, left.size, left.size, f"columns differ: {', '.join(changed)}")
    left, right, named = _aligned(left, right)
    if len(left) != len(right):
        message = f"{len(right)} rows where {len(left)} are expected"
        return Verdict(study, label, left.size, left.size, message)
    agree = np.column_stack([agreeing(left[name], right[name]) for name in left.columns])
    agree |= ends_agreeing(left, right)
    if agree.all() and not named.changed:
        return Verdict(study, label, agree.size, 0, "")
    failed = int((~agree).sum()) + named.changed * agree.shape[1]
    details = [named.message] if named.changed else []
    if not agree.all():
        details.append(_first_difference(left, right, agree, named.keys))
    return Verdict(study, label, agree.size, failed, "; ".join(details))


@dataclass(frozen=True, slots=True)
class _Named:
    """Columns that name a row, and the rows that are only expected or only found."""

    keys: list[str]
    changed: int = 0
    message: str = ""


def _aligned(left: pd.DataFrame, right: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, _Named]:
    """Both frames with the rows that both have, where columns name the rows; else as they are."""
    keys = [name for name in KEYS if name in left.columns]
    if "spec_id" not in keys or left.duplicated(keys).any() or right.duplicated(keys).any():
        return left, right, _Named([])
    ours, theirs = (_row_names(frame[keys]) for frame in (left, right))
    lost, new = ours.difference(theirs), theirs.difference(ours)
    parts = [
        f"{len(rows)} rows {what}, such as {_readable(rows[0])}"
        for rows, what in ((lost, "are missing"), (new, "are not expected"))
        if len(rows)
    ]
    place = theirs.get_indexer(ours)
    left = left[place >= 0].reset_index(drop=True)
    right = right.iloc[place[place >= 0]].reset_index(drop=True)
    return left, right, _Named(keys, len(lost) + len(new), "; ".join(parts))


def _row_names(frame: pd.DataFrame) -> pd.Index:
    """One text per row, from columns of text."""
    columns = (frame[name].tolist() for name in frame.columns)
    return pd.Index(["\t".join(row) for row in zip(*columns, strict=True)])


def _readable(name: str) -> str:
    return " ".join(name.split())


def _first_difference(left: pd.DataFrame, right: pd.DataFrame, agree: Bools, keys: list[str]) -> str:
    """The first cell that differs, and how many differ by column."""
    row, column = np.argwhere(~agree)[0]
    place = _readable(" ".join(left.loc[row, keys])) if keys else f"line {row + 2} of the file"
    counts = (~agree).sum(axis=0)
    columns = [f"{name} ({n})" for name, n in zip(left.columns, counts, strict=True) if n]
    return (
        f"{place}, {left.columns[column]}: expected {left.iat[row, column]!r}, "
        f"found {right.iat[row, column]!r}; cells that differ: {', '.join(columns)}"
    )


def _held(frame: pd.DataFrame) -> pd.DataFrame:
    """What is compared: no provenance, and averages but not the thousands of cells below them."""
    frame = frame.drop(columns=PROVENANCE, errors="ignore")
    if {"spec_id", "term"} <= set(frame.columns):
        frame = frame[~frame["term"].isin(CELLS)]
    return frame.reset_index(drop=True)


def agreeing(left: pd.Series[str], right: pd.Series[str]) -> Bools:
    """Cells that are the same text, or numbers within the tolerances."""
    same = (left == right).to_numpy()
    if same.all():
        return same
    a = pd.to_numeric(left, errors="coerce").to_numpy(dtype=float)
    b = pd.to_numeric(right, errors="coerce").to_numpy(dtype=float)
    agreed: Bools = same | np.isclose(a, b, rtol=RELATIVE, atol=ABSOLUTE)
    return agreed


def ends_agreeing(left: pd.DataFrame, right: pd.DataFrame) -> Bools:
    """Cells that are ends of intervals, ``x_low`` or ``x_high``, and close by their length."""
    agreed = np.zeros(left.shape, dtype=bool)
    for place, name in enumerate(left.columns):
        other = name.replace("low", "high") if "low" in name else name.replace("high", "low")
        if other != name and other in left.columns:
            end, far, found = (
                pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
                for column in (left[name], left[other], right[name])
            )
            agreed[:, place] = np.abs(end - found) <= OF_LENGTH * np.abs(end - far)
    return agreed


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
            write_csv(new / place / path.name, _held(_as_written(path)))
        for name, (place, contents) in CONTENTS.items():
            frame = contents(root / place / study)
            if len(frame):
                write_csv(new / "contents" / f"{name}.csv", frame)
        files = visible_paths(new.rglob("*.csv"), new)
        _swap(base, new, old)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return [base / path.relative_to(new) for path in files]


def _as_written(path: Path) -> pd.DataFrame:
    """A CSV file with every cell as text."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except ValueError as error:
        raise InputError(
            f"{path} cannot be read as CSV ({error}). Run the pipeline again; the file is written anew."
        ) from error


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


# Columns that identify a row of estimates.
KEYS = ["spec_id", "term", "cohort", "time", "event_time"]
# Group-time cells and weights: every average over them is compared, and they run to megabytes.
CELLS = ["att_gt", "weight"]
# Columns that record the version behind a file, not its content.
PROVENANCE = ["made_with", *LABELS]
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
