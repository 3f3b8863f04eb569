"""A tidy frame made ready: periods and cohorts as numbers, one row per unit and period.

Nothing is changed that the specification does not ask for, except that quarters, months and dates
become whole numbers; what was done is in the notes, with counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from replication.core.columns import EXACT, FORMS_OF_COLUMNS, first_in, place_of, row_name
from replication.core.duplicates import without_duplicates
from replication.core.errors import PanelError
from replication.core.never_treated import never_code, never_hint, without_blanks, without_codes
from replication.core.numbering import Form, calendar_form, written_label
from replication.core.period_column import period_hint
from replication.core.period_labels import (
    FORMS,
    PRECISION,
    Kind,
    ambiguous,
    begins,
    converted,
    date_hint,
    kind_of,
    needs_reading,
    number_of,
    parts_of,
    written,
)
from replication.core.policy_cohort import with_cohort_from
from replication.core.reading import (
    MOST_MARKS,
    is_text,
    plain_numbers,
    proposal,
    shown,
    stripped,
    with_numbers,
)
from replication.core.sample_selection import cohort_column
from replication.core.spec import Spec
from replication.core.wording import label_text, series

MISTAKES: Final = 0.5
"""Share of rows up to which labels that cannot be read are mistakes in a column that can."""
UNREAD: Final = (
    "Years, quarters (2010Q1), months (2010-03, Mar 2010) and dates (2010-03-31) are recognized; for "
    f"anything else give the pattern, as in {proposal({'time_format': '%d/%m/%Y'})}."
)


@dataclass(frozen=True, slots=True)
class Intake:
    """A frame that is ready to be sampled.

    Attributes
    ----------
    frame : one row per unit and period, periods and cohorts as numbers.
    notes : what was recognized, replaced and dropped.
    kind : whether the periods were read as years, quarters or months; None for numbers left as they are.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    kind: Kind | None = None

    @property
    def form(self) -> Form | None:
        """How the periods are made up, where they were read."""
        return FORMS[self.kind] if self.kind else None


def take_in(frame: pd.DataFrame, spec: Spec) -> Intake:
    """The frame as ``read``, ``time_format``, ``never``, ``cohort_from`` and ``duplicates`` say.

    Parameters
    ----------
    frame : DataFrame
        As it was read or passed; it is not changed.
    spec : Spec

    Raises
    ------
    PanelError
        With the column, the count, an example and the key that helps.
    """
    notes: list[str] = []
    labels: frozenset[Any] = frozenset()
    frame = stripped(frame) if spec.read.strip_blanks else frame
    frame = with_numbers(frame, spec.read)
    kind = None
    if spec.time in frame.columns and needs_reading(frame[spec.time], spec.time_format):
        labels = frozenset(frame[spec.time].unique())
        frame, kind, added = with_periods(frame, spec)
        notes += added
    if spec.cohort_from is not None:
        frame, added = with_cohort_from(frame, spec, spec.cohort_from)
        notes += added
    elif (name := cohort_column(spec, frame)) in frame.columns and spec.time in frame.columns:
        frame, blank = without_blanks(frame, spec, name)
        frame, added = with_cohorts(frame, spec, name, kind, labels)
        notes += [*blank, *added]
    if spec.duplicates != "refuse":
        frame, added = without_duplicates(frame, spec)
        notes += added
    return Intake(frame, tuple(notes), kind)


def with_periods(frame: pd.DataFrame, spec: Spec) -> tuple[pd.DataFrame, Kind | None, list[str]]:
    """The frame with numbers in the time column, their kind, and a note."""
    values = frame[spec.time]
    labels = pd.Series(values.dropna().unique())
    if labels.empty:
        raise PanelError(
            f"The time column {spec.time!r} is empty in all {len(values)} rows. Name the column with the "
            "periods, or fill it in."
        )
    parts = parts_of(labels, spec.time_format)
    if spec.time_format is None and is_text(values) and ambiguous(labels):
        raise PanelError(
            f"The time column {spec.time!r} contains labels such as {shown(labels.iloc[0])}, which may be "
            f"months or quarters. Say which: `--time-format month` or {proposal({'time_format': 'quarter'})}."
        )
    _require_read(frame, spec.time, parts, spec)
    kind = kind_of(parts, spec.time, spec.time_format)
    coarse = [label for label, part in parts.items() if part[3] < PRECISION[kind]]
    if coarse:
        raise PanelError(
            f"{len(coarse)} labels of the time column {spec.time!r} say less than a {kind}, for example "
            f"{shown(coarse[0])}. Correct them, or set another `time_format`."
        )
    numbers = converted(values, lambda label: number_of(parts[label], kind))
    ends = [written_label(number, FORMS[kind]) for number in (numbers.min(), numbers.max())]
    note = f"the periods in {spec.time!r} were read as {kind}s ({ends[0]} to {ends[1]})"
    known = numbers.astype("int64") if numbers.notna().all() else numbers
    frame = frame.assign(**{spec.time: known})
    if FORMS[kind] is not None:
        frame.attrs[FORMS_OF_COLUMNS] = {spec.time: FORMS[kind]}
    if kind != "year" and spec.sample.years is not None and "year" not in frame.columns:
        frame = frame.assign(year=numbers // (10 if kind == "quarter" else 100))
    return frame, kind, [note]


def _require_read(frame: pd.DataFrame, column: str, parts: dict[Any, Any], spec: Spec) -> None:
    """Refuse labels that are no period, with the key that may read them."""
    wrong = frame[column].notna() & ~frame[column].isin(list(parts))
    if not wrong.any():
        return
    numbers = pd.to_numeric(frame[column], errors="coerce").notna()
    if numbers.mean() > MISTAKES and (wrong & ~numbers).any():
        wrong &= ~numbers
    example = frame.loc[wrong, column].iloc[0]
    kind = spec.time_format or ""
    if "%" in kind and wrong.mean() > MISTAKES and column == spec.time:
        many = f"{int(wrong.sum())} of {len(frame)} values of column {column!r} do not match"
        none = f"No value of column {column!r} matches"
        raise PanelError(
            f"{none if wrong.all() else many} the pattern {kind}, for example {shown(example)}. Correct "
            "`time_format` (`--time-format`)."
        )
    if kind in FORMS and wrong.equals(frame[column].notna()) and column == spec.time:
        _refuse_kind(frame[column], kind)
    unit = f",{place_of(frame, wrong, [spec.unit])}" if spec.unit in frame.columns else ""
    todo = never_hint(example) if column != spec.time else ""
    if not todo and wrong.sum() >= MISTAKES * frame[column].notna().sum():
        todo = date_hint(list(frame.loc[wrong, column].unique()), period=column == spec.time)
    if not todo and wrong.mean() < MISTAKES:
        todo = f"Correct {'it' if wrong.sum() == 1 else 'them'}."
    if not todo and wrong.all() and spec.unit in frame.columns:
        todo = f"{UNREAD} {period_hint(frame, spec.unit, column)}" if column == spec.time else ""
    marks = ", ".join(shown(mark) for mark in list(dict.fromkeys(frame.loc[wrong, column]))[:MOST_MARKS])
    place = row_name(frame, int(wrong.to_numpy().argmax()))
    noun = "a period" if wrong.sum() == 1 else "periods"
    raise PanelError(
        f"{int(wrong.sum())} of {len(frame)} values of column {column!r} cannot be read as {noun}: {marks} "
        f"({place if wrong.sum() == 1 else first_in(place)}{unit}). "
        f"{todo or UNREAD}"
    )


def _refuse_kind(values: pd.Series[Any], given: str) -> None:
    """Refuse a ``time_format`` where every label of the column is a period of one other kind."""
    labels = pd.Series(values.dropna().unique())
    parts = parts_of(labels, None)
    known = {part[3] for part in parts.values()}
    kinds = [kind for kind, precision in PRECISION.items() if {precision} == known and kind != given]
    if len(parts) == len(labels) and kinds:
        few = ", ".join(map(written, labels[:2]))
        raise PanelError(
            f"Column {values.name!r} holds {kinds[0]}s ({few}{', ...' if len(labels) > 2 else ''}), not "
            f"{given}s. Leave out `--time-format {given}`, or set {proposal({'time_format': kinds[0]})}."
        )


def _refuse_numbers(frame: pd.DataFrame, time: str, cohorts: pd.Series[Any], kind: Kind) -> None:
    """Refuse cohorts that are all plain numbers where the periods are quarters or months."""
    numbers = pd.to_numeric(cohorts, errors="coerce")
    if numbers.isna().any() or any(never_code(label) is not None for label in cohorts):
        return
    first, last = (written_label(end, FORMS[kind]) for end in (frame[time].min(), frame[time].max()))
    few = ", ".join(label_text(number) for number in numbers[:MOST_MARKS])
    more = ", ..." if len(cohorts) > MOST_MARKS else ""
    switch = f" If it is 1 while a unit is treated, set `--cohort-from {cohorts.name}`." if few == "1" else ""
    raise PanelError(
        f"Column {time!r} contains {kind}s ({first} to {last}), but the cohort column {cohorts.name!r} "
        f"contains numbers ({few}{more}). Write the cohort in the same form as the periods, such as {last}, "
        f"or name a time column of numbers (`--time COLUMN`).{switch}"
    )


def _require_fine(labels: pd.Series[Any], parts: Mapping[Any, Any], kind: Kind, spec: Spec) -> None:
    """Refuse cohorts that are longer than a period of the panel, such as years beside quarters."""
    coarse = [label for label, part in parts.items() if part[3] < PRECISION[kind]]
    if coarse:
        raise PanelError(
            f"The time column {spec.time!r} contains {kind}s, and {len(coarse)} values of the cohort column "
            f"{labels.name!r} are {_kinds([parts[label][3] for label in coarse], kind)}, for example "
            f"{shown(coarse[0])}. "
            f"{never_hint(coarse[0]) or ''}Give the {kind} of adoption for each unit, such as "
            f"{written_label(number_of((2006, 1, 1, 4), kind), FORMS[kind])}."
        )


def with_cohorts(
    frame: pd.DataFrame,
    spec: Spec,
    name: str,
    kind: Kind | None,
    periods: frozenset[Any] = frozenset(),
) -> tuple[pd.DataFrame, list[str]]:
    """The frame with numbers in the cohort column, missing where the unit is never treated, and notes.

    ``periods``: labels of the time column, before they became numbers.
    """
    values, notes = without_codes(frame, spec, name)
    frame = frame.assign(**{name: values}) if spec.never else frame
    text = needs_reading(values, None)
    if not text and kind in (None, "year"):
        return frame, notes
    if kind is None:
        kind = _kind_of_numbers(frame, spec.time)
        if kind is None:
            return frame, notes
    zero = plain_numbers(values).isin([0, np.inf])
    values = values.mask(zero)
    labels = pd.Series(values.dropna().unique(), name=name)
    parts = parts_of(labels, None) | (parts_of(labels, spec.time_format) if spec.time_format else {})
    parts |= _numbered(labels, kind)
    frame = frame.assign(**{name: values})
    if labels.size and not parts:
        _refuse_numbers(frame, spec.time, labels, kind)
    _require_read(frame, name, parts, spec)
    _require_fine(labels, parts, kind, spec)
    fine = sum(
        part[3] > PRECISION[kind] and label not in periods and not begins(part, kind)
        for label, part in parts.items()
    )
    if fine:
        notes.append(
            f"{fine} labels of the cohort column {name!r} were counted in the {kind} that contains them"
        )
    frame = frame.assign(**{name: converted(values, lambda label: number_of(parts[label], kind))})
    if FORMS[kind] is not None:
        frame.attrs[FORMS_OF_COLUMNS] = {**frame.attrs.get(FORMS_OF_COLUMNS, {}), name: FORMS[kind]}
    return frame, notes


def _kinds(precisions: list[int], kind: Kind) -> str:
    """What labels of coarse precisions are: ``years, not quarters``, ``a year, not a quarter``."""
    found = [name for name, precision in PRECISION.items() if precision in precisions]
    if len(precisions) == 1:
        return f"a {found[0]}, not a {kind}"
    return f"{series(f'{name}s' for name in found)}, not {kind}s"


def _numbered(labels: pd.Series[Any], kind: Kind) -> dict[Any, tuple[int, int, int, int]]:
    """Numbers that are labels of the kind already: 20101 and 201001."""
    form = FORMS[kind]
    numbers = plain_numbers(labels)
    whole = (numbers.abs() < EXACT) & (numbers == numbers.round())
    found = {}
    for label, number in zip(labels[whole], numbers[whole].astype("int64"), strict=True):
        if form is not None and bool(form.fits(number)):
            part = int(number % form.factor)
            month = part if kind == "month" else 3 * part - 2
            found[label] = (int(number // form.factor), month, 1, PRECISION[kind])
        elif form is None:
            found[label] = (int(number), 1, 1, 1)
    return found


def _kind_of_numbers(frame: pd.DataFrame, time: str) -> Kind | None:
    """What a time column of numbers counts, where its cohorts are text or dates."""
    numbers = pd.to_numeric(pd.Series(frame[time].unique()), errors="coerce").to_numpy(dtype=float)
    whole = (np.abs(numbers) < EXACT) & (numbers == np.round(numbers))
    labels = np.unique(numbers[whole]).astype(np.int64)
    if not labels.size:
        return None
    form = calendar_form(labels, labels[:0], (time, time))[0]
    if form is not None:
        return "month" if form is FORMS["month"] else "quarter"
    return "year" if labels.min() >= 1800 and labels.max() <= 2200 else None
