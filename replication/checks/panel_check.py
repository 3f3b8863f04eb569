"""``replication check``: what a panel file holds, what would be refused, and the keys that mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from replication.checks import panel_findings as look
from replication.checks.panel_findings import Finding
from replication.checks.trial_estimate import PLACEHOLDER, attempt, unchecked, with_placeholder
from replication.core.column_roles import named_columns
from replication.core.columns import FIRST_LINE, first_in, require_columns
from replication.core.errors import InputError
from replication.core.frames import read_frame, without_marks
from replication.core.intake import Intake, take_in
from replication.core.interactions import covariate_columns
from replication.core.logarithm import source_column
from replication.core.panel import Panel
from replication.core.period_column import period_problem
from replication.core.reading import (
    in_blocks,
    in_call,
    plain_label,
    shell_proposal,
    stripped,
    with_numbers,
)
from replication.core.sample_selection import cohort_column, identifier_columns, strata_names
from replication.core.spec import Spec, parse_spec
from replication.core.wording import agreeing

COMMAND: Final = "Command line"
ESTIMATOR: Final = "callaway_santanna"
"""The estimator that ``replication estimate`` and ``rp.estimate`` use where none is named."""


@dataclass(frozen=True, slots=True)
class PanelCheck:
    """What was found.

    Attributes
    ----------
    head : size, units, periods and balance.
    cohorts : one row per cohort; None where the panel cannot be built even with the proposed keys.
    findings : in the order of the checks.
    keys : the keys given, and those that are proposed.
    proposed : the latter alone.
    refusal : why an estimate with the keys given is refused; empty if none is.
    remaining : why one is refused with the proposed keys as well; empty if none is.
    by_line : whether findings give lines of a file, its header being line 1; else rows, from 1.
    """

    head: str
    cohorts: pd.DataFrame | None
    findings: tuple[Finding, ...]
    keys: Mapping[str, Any]
    proposed: Mapping[str, Any]
    refusal: str = ""
    remaining: str = ""
    by_line: bool = False

    def __str__(self) -> str:
        """The findings, with the call of ``rp.estimate`` that works."""
        given = in_blocks(self.keys)
        call = f"rp.estimate(frame, {', '.join(f'{key}={given[key]!r}' for key in given)})"
        return check_text(self, call, in_call)

    __repr__ = __str__


def check_panel(
    data: Path | pd.DataFrame,
    keys: Mapping[str, Any],
    outcomes: Sequence[str] = (),
    source: str = COMMAND,
) -> PanelCheck:
    """Look at a panel as an estimate would.

    Parameters
    ----------
    data : A .csv, .csv.gz, .xlsx, .parquet, or .dta file, or a frame.
    keys : keys of a specification (``unit``, ``time``, ``cohort`` or ``cohort_from``, ``never``, ...), those
        of ``read`` with a dot.
    outcomes : columns to look at; without any the panel alone is looked at.
    source : what a refusal of a key names as its place.

    Raises
    ------
    InputError
        If the file cannot be read or a column is missing; the message names the option that fixes it.
    """
    spec = _spec(keys, outcomes, source)
    frame = _frame(data, spec)
    _require(frame, _named_columns(frame, spec, outcomes), spec)
    looked_at = frame if outcomes else with_placeholder(frame)
    findings, proposed = _findings(looked_at, spec, list(outcomes), frame.attrs.get(FIRST_LINE, 1))
    full = {**keys, **proposed}
    refusal, panel = attempt(looked_at, spec, outcomes)
    remaining = refusal
    if proposed:
        spec = _spec(full, outcomes, source)
        # A file whose decimal mark or blanks are read differently is read again, as the next command will.
        again = _frame(data, spec)
        remaining, panel = attempt(again if outcomes else with_placeholder(again), spec, outcomes)
    if panel is not None:
        findings += [*look.gaps(panel), *look.design(panel, spec.control_group)]
        findings += [Finding(note) for note in panel.notes if "looks like" in note or "mistake" in note]
        findings += [] if remaining else unchecked(panel, spec)
    table = look.cohorts(panel) if panel is not None else None
    name = data.name if isinstance(data, Path) else "The data"
    head = _head(name, frame, spec, panel)
    return PanelCheck(
        head, table, tuple(findings), full, proposed, refusal, remaining, FIRST_LINE in frame.attrs
    )


def _frame(data: Path | pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """The panel as its file is read; a frame that was passed, with what ``read`` does to labels."""
    if isinstance(data, pd.DataFrame):
        marked = without_marks(data, spec.read)
        return with_numbers(stripped(marked) if spec.read.strip_blanks else marked, spec.read)
    needed = [name for name in named_columns(spec) if name != PLACEHOLDER]
    return read_frame(data, identifier_columns(spec), spec.read, needed)


def _named_columns(frame: pd.DataFrame, spec: Spec, outcomes: Sequence[str]) -> list[str]:
    """The columns that the keys and the outcomes name."""
    some = (spec.weights, spec.offset, spec.eligible, spec.dose)
    treatment = spec.cohort_from or cohort_column(spec, frame)
    return [
        *(spec.unit, spec.time, treatment if spec.treatment == "binary" else spec.treatment),
        *(source_column(name, frame) for name in outcomes),
        *covariate_columns(spec, frame),
        *spec.cluster,
        *(name for name in some if name),
        *strata_names(spec),
    ]


def _require(frame: pd.DataFrame, names: Sequence[str], spec: Spec) -> None:
    """Refuse absent columns; a name whose blanks alone differ counts as there."""
    plain = {plain_label(name) for name in frame.columns}
    require_columns(frame, [name for name in names if name not in plain or spec.read.strip_blanks])


def _spec(keys: Mapping[str, Any], outcomes: Sequence[str], source: str = COMMAND) -> Spec:
    given = {"estimator": ESTIMATOR, **in_blocks(keys), "outcome": (*outcomes, PLACEHOLDER)[0]}
    return parse_spec({**given, "id": str(given["estimator"])}, source)


@dataclass(slots=True)
class _Found:
    """Findings so far, and the keys that they propose."""

    spec: Spec
    first: int
    findings: list[Finding] = field(default_factory=list)
    proposed: dict[str, Any] = field(default_factory=dict)

    def note(self, findings: Iterator[Finding]) -> None:
        """Record findings and the keys that they propose."""
        for finding in findings:
            self.findings.append(finding)
            self._propose(finding.keys)

    def refuse(self, problem: str, column: str = "") -> None:
        """Record why an estimate would be refused."""
        self.findings.append(Finding(problem, column, refused=True))

    def _propose(self, keys: Mapping[str, Any]) -> None:
        """Add the keys of a finding; lists grow, and start with what the keys given name."""
        given = {"never": list(self.spec.never), "read.missing": list(self.spec.read.missing)}
        both = {**self.proposed, **keys}
        read = self.spec.read
        if both.get("read.decimal", read.decimal) == both.get("read.thousands", read.thousands):
            # Two columns are written in two ways, of which one alone can be read.
            keys = {key: keys[key] for key in keys if key not in ("read.decimal", "read.thousands")}
        for key, value in keys.items():
            if isinstance(value, list):
                before = self.proposed.get(key, given.get(key, []))
                self.proposed[key] = [*before, *(part for part in value if part not in before)]
            else:
                self.proposed[key] = value


def _findings(
    frame: pd.DataFrame, spec: Spec, outcomes: list[str], first: int
) -> tuple[list[Finding], dict[str, Any]]:
    """Findings stage by stage, each on the frame as the keys proposed so far leave it."""
    found = _Found(spec, first)
    outcomes = [source_column(name, frame) for name in outcomes]
    frame, covariates = _as_read(frame, outcomes, found)
    taken = _taken_in(frame, found)
    if taken is not None:
        _look_at_never(frame, taken, found)
        if spec.duplicates == "refuse":
            _look_at_duplicates(frame, taken.frame, [*outcomes, *covariates], found)
    return found.findings, found.proposed


def _as_read(frame: pd.DataFrame, outcomes: list[str], found: _Found) -> tuple[pd.DataFrame, list[str]]:
    """The frame with labels and numbers as the proposed keys read them, and its covariates."""
    spec, first = found.spec, found.first
    labels = identifier_columns(spec)
    found.note(look.blanks(frame, labels, [*labels, *outcomes, *spec.covariates], first))
    frame = stripped(frame) if found.proposed else frame
    covariates = covariate_columns(spec, frame)
    found.note(look.spellings(frame, labels, first))
    weights = [spec.weights] if spec.weights else []
    found.note(look.numbers(frame, [*outcomes, *covariates, *weights], first, spec.read))
    proposed = {key.removeprefix("read."): value for key, value in found.proposed.items() if "read." in key}
    return with_numbers(frame, replace(spec.read, **proposed)), covariates


def _taken_in(frame: pd.DataFrame, found: _Found) -> Intake | None:
    """The frame with its periods as numbers; None where they cannot be read."""
    spec = found.spec
    try:
        taken = take_in(frame, replace(spec, cohort="", cohort_from=None, duplicates="refuse"))
    except InputError as error:
        found.refuse(str(error))
        return None
    if problem := period_problem(taken.frame, spec.unit, spec.time):
        found.refuse(problem, spec.time)
        return None
    return taken


def _look_at_never(frame: pd.DataFrame, taken: Intake, found: _Found) -> None:
    """Codes of the cohort column that may stand for never treated."""
    spec = found.spec
    cohort = cohort_column(spec, frame)
    if spec.cohort_from is not None or cohort not in frame.columns:
        return
    periods = pd.to_numeric(taken.frame[spec.time], errors="coerce")
    span = (float(periods.min()), float(periods.max()))
    read_as = taken.kind in ("quarter", "month")
    found.note(
        look.never_codes(frame[cohort], frame[spec.unit], span, found.first, spec.never, refused=read_as)
    )


def _look_at_duplicates(frame: pd.DataFrame, dated: pd.DataFrame, columns: list[str], found: _Found) -> None:
    """Several rows of one unit and period, with the cohorts dated where they can be."""
    spec = found.spec
    treatment = spec.cohort_from or cohort_column(spec, frame)
    read = [treatment if spec.treatment == "binary" else spec.treatment, *columns, *spec.cluster]
    mended = replace(spec, never=(*spec.never, *found.proposed.get("never", ())), duplicates="refuse")
    try:
        dated = take_in(frame, mended).frame
    except InputError as error:
        found.refuse(str(error))
    found.note(look.duplicates(dated, spec.unit, spec.time, list(dict.fromkeys(read)), found.first))


def _head(name: str, frame: pd.DataFrame, spec: Spec, panel: Panel | None) -> str:
    size = f"{name}: {len(frame):,} rows, {len(frame.columns)} columns"
    if panel is None:
        return f"{size}."
    steps = np.diff(panel.periods)
    apart = "consecutive" if (steps == 1).all() else f"{_uneven(panel, steps)}"
    ends = [panel.written(period) for period in panel.periods[[0, -1]]]
    full = int(panel.observed.sum())
    balance = "balanced" if panel.balanced else f"{full:,} of {panel.observed.size:,} unit-periods observed"
    return (
        f"{size}; {len(panel.units):,} units ({spec.unit}), {panel.periods.size} periods ({spec.time}: "
        f"{ends[0]} to {ends[1]}, {apart}), {balance}."
    )


def _uneven(panel: Panel, steps: Any) -> str:
    if (steps == steps[0]).all():
        return f"{steps[0]} apart"
    place = int(np.flatnonzero(steps != np.median(steps))[0])
    pair = [panel.written(period) for period in panel.periods[place : place + 2]]
    return f"unevenly spaced: {pair[0]} is followed by {pair[1]}"


def check_text(
    found: PanelCheck, command: str, written: Callable[[Mapping[str, Any]], str] = shell_proposal
) -> str:
    """The findings for a terminal.

    Parameters
    ----------
    command : what to run next
    written : how keys are proposed: as options and in YAML, or in Python
    """
    lines = [found.head]
    if found.cohorts is not None:
        lines += ["", "Cohort        units   share   periods before   after"]
        lines += [
            f"{row['cohort']:<10}{row['units']:>9,}{row['share']:>8.1%}{row['before']:>17}{row['after']:>8}"
            for _, row in found.cohorts.iterrows()
        ]
    for title, refused in (("Must be fixed before estimation", True), ("Notes", False)):
        some = [finding for finding in found.findings if finding.refused == refused]
        lines += (
            ["", f"{title}:", *(_line(finding, written, by_line=found.by_line) for finding in some)]
            if some
            else []
        )
    lines += ["", *_verdict(found, command)]
    return "\n".join(lines)


def _line(finding: Finding, written: Callable[[Mapping[str, Any]], str], *, by_line: bool) -> str:
    where = [f"column {finding.column}" if finding.column else ""]
    place = f"line {finding.line} of the file" if by_line else f"row {finding.line}"
    where += [
        f"{finding.rows:,} rows, {first_in(place)}" if finding.rows > 1 else place if finding.rows else ""
    ]
    found = ", ".join(part for part in where if part)
    keys = f" Set {written(finding.keys)}." if finding.keys else ""
    return f"  - {f'{found}: ' if found else ''}{agreeing(finding.text.rstrip('.'))}.{keys}"


def _verdict(found: PanelCheck, command: str) -> list[str]:
    if not found.refusal:
        return ["Ready to estimate:", f"  {command}"]
    if not found.remaining:
        return ["Estimation will fail as is. This command works:", f"  {command}"]
    if any(finding.text == found.remaining for finding in found.findings):
        return ["Estimation will fail as is."]
    also = ", even with the options above" if found.proposed else ""
    return [f"Estimation will fail{also}:", f"  {found.remaining}"]
