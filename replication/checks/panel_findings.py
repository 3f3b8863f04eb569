"""What is unusual about a panel file, column by column, with the keys of a specification that mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from replication.core.columns import written_cell
from replication.core.dropped_units import examples
from replication.core.duplicates import repeated_rows
from replication.core.identifiers import same_but_case
from replication.core.never_treated import is_code, names_blanks, never_code
from replication.core.panel import NEVER, Panel
from replication.core.reading import (
    AS_USUAL,
    MOST_MARKS,
    Read,
    formatted,
    is_blank,
    is_text,
    not_numbers,
    number_hint,
    number_keys,
    of_read,
    plain_label,
    plain_numbers,
    proposal,
    shown,
)
from replication.core.wording import counted, label_text, series
from replication.inference.remedies import DESIGNED, remedy_of

LEVEL: Final = 0.95
"""Level of the intervals for which a method of inference is named."""
SHOWN: Final = 4
"""Labels and units that a finding names."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation about a panel file.

    Attributes
    ----------
    text : a sentence.
    column : where it is.
    rows, line : how many rows it concerns, and the first of them: line of the file or row (0: none).
    keys : keys of a specification that mend it.
    refused : whether an estimate is refused because of it.
    """

    text: str
    column: str = ""
    rows: int = 0
    line: int = 0
    keys: Mapping[str, Any] = field(default_factory=dict)
    refused: bool = False


def finding(
    text: str,
    column: str,
    rows: Any,
    first: int,
    keys: Mapping[str, Any] | None = None,
    *,
    refused: bool = False,
) -> Finding:
    """A finding on the rows that are true.

    Parameters
    ----------
    first : number of the first row: 2 in a file with a header, whose lines are counted, else 1.
    """
    places = np.flatnonzero(np.asarray(rows))
    line = int(places[0]) + first if places.size else 0
    return Finding(text, column, int(places.size), line, keys or {}, refused)


def blanks(frame: pd.DataFrame, labels: Sequence[str], named: Sequence[str], first: int) -> Iterator[Finding]:
    """Labels with leading or trailing spaces; refused where two labels of one unit or group arise.

    Names of columns with such spaces are refused where one of the columns that are used has them.
    """
    for name in frame.columns:
        if not is_text(frame[name]):
            continue
        known = [label for label in frame[name].dropna().unique() if isinstance(label, str)]
        stray = [label for label in known if plain_label(label) != label]
        twins = [label for label in stray if plain_label(label) in known]
        if stray:
            also = f", beside {plain_label(twins[0])!r} without them" if twins else ""
            example = (twins or stray)[0]
            many = "1 label has" if len(stray) == 1 else f"{len(stray)} labels have"
            text = f"{many} leading or trailing spaces, such as {shown(example)}{also}"
            rows, keys = frame[name].isin(stray), {"read.strip_blanks": True}
            yield finding(text, str(name), rows, first, keys, refused=bool(twins) and name in labels)
    padded = [str(name) for name in frame.columns if plain_label(name) != str(name)]
    if padded:
        many = "1 column name has" if len(padded) == 1 else f"{len(padded)} column names have"
        text = f"{many} leading or trailing spaces, such as {padded[0]!r}"
        wanted = any(plain_label(name) in named for name in padded)
        yield Finding(text, keys={"read.strip_blanks": True}, refused=wanted)


def spellings(frame: pd.DataFrame, labels: Sequence[str], first: int) -> Iterator[Finding]:
    """Labels that differ in capital letters only: two units to the package, one to a reader.

    Names are refused; a single letter, or a code with digits, may well depend on case.
    """
    for name in labels:
        if name not in frame.columns or not is_text(frame[name]):
            continue
        known = pd.Series([label for label in frame[name].dropna().unique() if isinstance(label, str)])
        same = known.map(plain_label).str.casefold()
        pairs = known[same.duplicated(keep=False) & ~known.map(plain_label).duplicated(keep=False)]
        if len(pairs):
            names = same_but_case(known)
            two = list(names) if names else pairs[same[pairs.index] == same[pairs.index[0]]].tolist()
            text = (
                f"{two[0]!r} and {two[1]!r} differ in capital letters only and count as two: use one spelling"
            )
            yield finding(text, name, frame[name].isin(two[1:]), first, refused=bool(names))


def numbers(
    frame: pd.DataFrame, names: Sequence[str], first: int, read: Read = AS_USUAL
) -> Iterator[Finding]:
    """Text, infinite, missing and constant values where numbers are measured.

    ``read``: how the numbers of the frame were read.
    """
    for name in names:
        values = pd.to_numeric(frame[name], errors="coerce")
        text = not_numbers(frame[name], values, read)
        if text.any():
            yield _text(frame[name], text, first, read)
            continue
        infinite, missing = np.isinf(values.to_numpy(dtype=float, na_value=np.nan)), frame[name].isna()
        if infinite.any():
            yield finding("infinite values", name, infinite, first, refused=True)
        if missing.any():
            yield finding("missing values; these rows are left out", name, missing, first)
        if values.nunique() == 1:
            yield Finding(
                f"the same value in every row ({values.dropna().iloc[0]:g})", name, len(values), first
            )


def _text(values: pd.Series[Any], text: Any, first: int, read: Read) -> Finding:
    """A finding on text in a column of numbers; keys where the text can mean one thing only."""
    marks = sorted({str(value).strip() for value in values[text].unique()})
    written = [mark for mark in marks if formatted(mark, read)]
    others = [mark for mark in marks if mark not in written]
    keys: dict[str, Any] = {}
    advice = ""
    if codes := [mark for mark in others if number_keys(mark, read)]:
        keys["read.missing"] = others if len(others) <= MOST_MARKS else codes[:MOST_MARKS]
    elif others:
        advice = f".{number_hint(others, read)}"
    meanings = [number_keys(mark, read) for mark in written]
    sure = next((known[0] for known in meanings if len(known) == 1), None)
    if sure is not None:
        keys |= of_read(sure[1])
    elif meanings:
        choice = " or ".join(meaning for meaning, _ in meanings[0])
        advice = f"; find out whether {choice}, and set `--decimal ,` or `--thousands ,`{advice}"
    named = _named(others), _named(written)
    if keys.keys() >= {"read.missing"} and sure is not None:
        named = f"{named[0]} (missing)", f"{named[1]} ({sure[0]})"
    words = " and ".join(part for part in named if part)
    what = "values with a percent sign" if "read.percent" in keys else "values that are not numbers"
    if "read.percent" in keys:
        advice = " (12% is read as 12; to read it as 0.12, set `--percent share` instead)"
    return finding(f"{what}: {words}{advice}", str(values.name), text, first, keys, refused=True)


def _named(marks: Sequence[str]) -> str:
    """Texts in a row, the first of many."""
    more = ", and others" if len(marks) > MOST_MARKS else ""
    return ", ".join(shown(mark) for mark in marks[:MOST_MARKS]) + more


def never_codes(
    values: pd.Series[Any],
    units: pd.Series[Any],
    span: tuple[float, float],
    first: int,
    named: Sequence[Any] = (),
    *,
    refused: bool = False,
) -> Iterator[Finding]:
    """Which values of the cohort column mean never treated, or look as if they did.

    Parameters
    ----------
    values, units : the cohort column and the unit of each row.
    span : first and last period.
    named : codes that the specification names.
    refused : whether a code that is not named is refused, as one that is no quarter or month is.
    """
    plain = plain_numbers(values)
    at = str(values.name)
    zero = (plain == 0) & (not span[0] <= 0 <= span[1])
    infinite = plain.isin([np.inf])
    values = values if names_blanks(named) else values.mask(is_blank(values))
    for words, rows in (("empty", values.isna()), ("0", zero), ("Inf", infinite)):
        if units[rows].notna().any():
            text = f"{units[rows].nunique()} units are never treated: the cohort is {words}"
            yield finding(text, at, rows, first)
    for code in named:
        rows = is_code(values, code)
        text = f"{units[rows].nunique()} units are never treated: `never` names their cohort {code}"
        yield finding(text, at, rows, first)
        values = values.mask(rows)
    rest = values[values.notna() & ~zero & ~infinite]
    for label in rest.unique():
        code = never_code(label)
        number = pd.to_numeric(str(label), errors="coerce")
        inside = span[0] <= number <= span[1]
        if code is None or inside:
            continue
        rows = values == label
        count = units[rows].nunique()
        text = f"{count} units have the cohort {shown(label)}, which looks like a code for never treated"
        yield finding(text, at, rows, first, {"never": [code]}, refused=refused or bool(np.isnan(number)))


def duplicates(
    frame: pd.DataFrame, unit: str, time: str, read: Sequence[str], first: int
) -> Iterator[Finding]:
    """Rows that share their unit and period, how they can be reduced to one, and rows that lack either."""
    whole = frame[[unit, time]].notna().all(axis=1)
    if not whole.all():
        text = f"rows without {unit} or {time}: fill it in, or delete these rows"
        yield finding(text, unit, ~whole, first, refused=True)
    repeated, differing = repeated_rows(frame[whole], unit, time, read)
    repeated = repeated.reindex(frame.index, fill_value=False)
    if not repeated.any():
        return
    row = frame[repeated].iloc[0]
    who, when = label_text(row[unit]), written_cell(frame, time, row[time])
    # A number alone would read as a count.
    who = f"{unit} {who}" if who[:1].isdigit() else who
    where = f"such as {who} {f'at {time}' if when.isdigit() else 'in'} {when}"
    if not differing:
        text = f"rows share their {unit} and {time} with another row and are identical, {where}"
        keys = {"duplicates": "drop_identical"}
        yield finding(text, unit, repeated, first, keys, refused=True)
        return
    text = (
        f"rows share their {unit} and {time} with another row but differ in "
        f"{series(map(str, differing[:SHOWN]))}, {where}. Find out which are right, or set "
        "`--duplicates first`, `last`, or `mean`"
    )
    yield finding(text, unit, repeated, first, refused=True)


def gaps(panel: Panel) -> Iterator[Finding]:
    """Units that are not observed throughout: with gaps inside, entering late, leaving early."""
    seen = panel.observed
    some = seen.any(axis=1)
    first = np.where(some, seen.argmax(axis=1), 0)
    last = seen.shape[1] - 1 - np.where(some, seen[:, ::-1].argmax(axis=1), 0)
    inside = (last - first + 1 - seen.sum(axis=1)) * some
    missing = counted(int(inside.sum()), "unit-period")
    for count, words in (
        (inside > 0, f"have gaps between their first and last period ({missing})"),
        (first > 0, "are first observed after the first period"),
        (last < seen.shape[1] - 1, "are not observed through the last period"),
    ):
        if count.any():
            named = examples(panel.units[count])
            alone, several = (named, "") if count.sum() == 1 else ("", named)
            yield Finding(f"{int(count.sum())} of {len(seen)} units{alone} {words}{several}")
    part = int((some & ~seen.all(axis=1)).sum())
    if part:
        yield Finding(
            f"{part} of {len(seen)} units are not observed in every period; callaway_santanna drops such "
            f"units without {proposal({'unbalanced': 'pairwise'})}"
        )


def cohorts(panel: Panel) -> pd.DataFrame:
    """One row per cohort: its label, units, share, and periods before and after within the panel."""
    rows = []
    for cohort in np.unique(panel.cohort):
        units = int((panel.cohort == cohort).sum())
        before = int((panel.periods < cohort).sum()) if cohort != NEVER else panel.periods.size
        label = "never" if cohort == NEVER else panel.written(cohort)
        after = panel.periods.size - before if cohort != NEVER else 0
        rows.append({"cohort": label, "units": units, "before": before, "after": after})
    frame = pd.DataFrame(rows)
    return frame.assign(share=frame["units"] / frame["units"].sum())


def design(panel: Panel, control_group: str = "") -> Iterator[Finding]:
    """Cohorts that say little: treated throughout, after the panel, of one unit; no control group.

    ``control_group``: the one that the specification sets.
    """
    first, last = panel.periods[[0, -1]]
    treated = panel.cohort != NEVER
    early, late = treated & (panel.cohort <= first), treated & (panel.cohort > last)
    if early.any():
        yield Finding(
            f"{int(early.sum())} units are treated in every period and have no pre-treatment period; "
            "most estimators drop such units"
        )
    if late.any():
        yield Finding(f"{int(late.sum())} units are first treated after the last period")
    if treated.all() and np.unique(panel.cohort).size == 1:
        yield Finding(
            f"All units adopt in period {panel.written(panel.cohort[0])}, so there is no control group"
        )
    elif treated.all():
        others = "; not-yet-treated cohorts are the only control group"
        yield Finding(f"There are no never-treated units{'' if control_group == 'never_treated' else others}")
    if not (treated & ~early & ~late).any():
        yield Finding("no unit changes its treatment within the panel")
    sizes = pd.Series(panel.cohort[treated & ~early & ~late]).value_counts()
    if treated.sum() == 1:
        remedy = remedy_of(panel, LEVEL, DESIGNED)
        yield Finding(f"Only 1 unit is ever treated, so clustered standard errors are not valid{remedy}")
    elif alone := int((sizes == 1).sum()):
        whose = "1 cohort has only one unit; the standard errors of its"
        several = f"{alone} cohorts have only one unit each; the standard errors of their"
        only = "effects reflect sampling variation in the control group only"
        yield Finding(f"{whose if alone == 1 else several} {only}")
