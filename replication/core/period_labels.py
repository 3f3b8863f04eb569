"""Periods written as quarters, months or dates, turned into the whole numbers that a panel counts with.

2010Q1 becomes 20101 (YYYYQ), 2010-03 becomes 201003 (YYYYMM), and the numbering of a panel counts both as
consecutive periods. Dates become years, quarters or months, whichever holds one date per period.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import pandas as pd

from replication.core.errors import PanelError, SpecError
from replication.core.numbering import MONTH, QUARTER, YEARS, Form
from replication.core.reading import is_text, proposal, shown
from replication.core.wording import label_text

Kind = Literal["year", "quarter", "month"]
Parts = tuple[int, int, int, int]
"""Year, month and day, and how many of them are known (1: year, 2: quarter, 3: month, 4: day)."""
KINDS: Final = ("year", "quarter", "month", "date")
FORMS: Final[dict[str, Form | None]] = {"year": None, "quarter": QUARTER, "month": MONTH}
PRECISION: Final = {"year": 1, "quarter": 2, "month": 3}
LONG: Final = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
MONTHS: Final = {form: place for place, name in enumerate(LONG, 1) for form in (name, name[:3])} | {"sept": 9}
PATTERNS: Final[dict[str, tuple[str, ...]]] = {
    "year": (r"(?P<y>\d{4})",),
    "quarter": (r"(?P<y>\d{4})[-:./ ]*q[-. ]*(?P<q>[1-4])", r"q[-. ]*(?P<q>[1-4])[-:./ ]*(?P<y>\d{4})"),
    "month": (
        r"(?P<y>\d{4})[-/. ]*m?(?P<m>0[1-9]|1[0-2])",
        r"(?P<y>\d{4})(?:[-/.]|[-/. ]*m)(?P<m>[1-9])",
        r"(?P<m>0?[1-9]|1[0-2])[-/.](?P<y>\d{4})",
        r"(?P<b>[a-z]{3,9})[-/. ]*(?P<y>\d{4})",
        r"(?P<y>\d{4})[-/. ]*(?P<b>[a-z]{3,9})",
    ),
    "date": (
        r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?:[t ]00:00(?::00(?:\.0+)?)?)?",
        r"(?P<d>\d{1,2})[-. ]?(?P<b>[a-z]{3,9})[-. ]?(?P<y>\d{4})",
    ),
}
LOOSE_QUARTER: Final = (r"(?P<y>\d{4})[-:./ ]*0?(?P<q>[1-4])",)
"""2010-1 and 20101, where the specification says that they are quarters."""


def parts_of(labels: pd.Series[Any], time_format: str | None) -> dict[Any, Parts]:
    """Year, month and day of every label that can be read; the others are left out.

    Parameters
    ----------
    labels : text, numbers or dates, each once.
    time_format : ``year``, ``quarter``, ``month`` or ``date``, a pattern of ``strptime``, or None for what is
        recognized without being named.
    """
    if pd.api.types.is_datetime64_any_dtype(labels):
        return {label: (label.year, label.month, label.day, 4) for label in labels.dropna()}
    if time_format is not None and time_format not in KINDS:
        return _by_pattern(labels, time_format)
    kinds = KINDS if time_format in (None, "date") else (time_format, "date")
    read = {label: _read(label, kinds, time_format) for label in labels.dropna()}
    return {label: parts for label, parts in read.items() if parts is not None}


def _by_pattern(labels: pd.Series[Any], pattern: str) -> dict[Any, Parts]:
    text = labels.dropna().map(written)
    try:
        dates = pd.to_datetime(text, format=pattern, errors="coerce")
    except (ValueError, LookupError, TypeError, OverflowError, re.error) as error:
        raise SpecError(
            f"'time_format' is {pattern!r}, which is not a strptime pattern ({error}). Write year, quarter, "
            "month, or date, or a pattern such as '%d/%m/%Y', in which %d is the day, %m the month, and %Y "
            "the year."
        ) from None
    known = 4 if re.search("%[dDjxcFeuU]", pattern) else 3 if re.search("%[mbB]", pattern) else 1
    return {
        label: (date.year, date.month, date.day, known)
        for label, date in zip(labels.dropna(), dates, strict=True)
        if not pd.isna(date)
    }


def written(label: Any) -> str:
    """A label as text, whole numbers without a decimal point."""
    # A column of years with an empty cell passes through floating point and is written as 2006.0.
    return re.sub(r"^(\d+)\.0+$", r"\1", label_text(label).strip())


def _read(label: Any, kinds: tuple[str, ...], named: str | None) -> Parts | None:
    if hasattr(label, "year") and hasattr(label, "month"):
        return (label.year, label.month, getattr(label, "day", 1), 4)
    text = written(label).lower()
    for kind in kinds:
        for pattern in (*PATTERNS[kind], *(LOOSE_QUARTER if kind == named == "quarter" else ())):
            found = re.fullmatch(pattern, text)
            if found and (parts := _parts(found.groupdict(), kind)):
                return parts
    return None


def _parts(found: dict[str, str | None], kind: str) -> Parts | None:
    """The numbers of a match; None where there is no such year, month or day."""
    year, word = int(found["y"] or 0), found.get("b")
    if word is not None and word not in MONTHS:
        return None
    month = MONTHS[word] if word else int(found.get("m") or 1)
    month = 3 * int(found["q"] or 1) - 2 if kind == "quarter" else month
    day = int(found.get("d") or 1)
    try:
        pd.Timestamp(year, month, day)
    except ValueError:
        return None
    known = {"year": 1, "quarter": 2, "month": 3, "date": 4}[kind]
    return (year, month, day, known) if YEARS[0] <= year <= YEARS[1] else None


def kind_of(parts: dict[Any, Parts], column: str, time_format: str | None) -> Kind:
    """Whether the labels of the time column are years, quarters or months.

    Raises
    ------
    PanelError
        If they are of different kinds, or dates of which several lie in one month.
    """
    if time_format in FORMS:
        return time_format  # type: ignore[return-value]
    known = sorted({part[3] for part in parts.values()})
    if len(known) > 1:
        first = {part[3]: label for label, part in reversed(parts.items())}
        raise PanelError(
            f"The time column {column!r} contains periods of different kinds, for example "
            f"{shown(first[known[0]])} and {shown(first[known[-1]])}. Write all of them as years, quarters "
            "(2010Q1), months (2010-03), or dates."
        )
    if known != [4]:
        return {1: "year", 2: "quarter", 3: "month"}[known[0]]  # type: ignore[return-value]
    if _several_in_one_month(parts) and (other := exchanged(time_format or "")):
        swapped = _by_pattern(pd.Series(list(parts), dtype=object), other)
        if len(swapped) == len(parts) and not _several_in_one_month(swapped):
            raise PanelError(
                f"Read by the pattern {time_format}, column {column!r} contains several dates in one month. "
                f"If the {'month' if other.index('%m') < other.index('%d') else 'day'} comes first, set "
                f"{proposal({'time_format': other})}."
            )
    return _kind_of_dates(sorted({part[:3] for part in parts.values()}), column)


def _several_in_one_month(parts: dict[Any, Parts]) -> bool:
    """Whether dates, each counted once, share their month without being one per year."""
    dates = {part[:3] for part in parts.values()}
    return len({date[:2] for date in dates}) < len(dates)


def exchanged(pattern: str) -> str:
    """A pattern of dates in numbers with its day and month exchanged; empty for another pattern."""
    if not re.fullmatch(r"%[dm]\W%[dm]\W%[yY]", pattern) or pattern[:2] == pattern[3:5]:
        return ""
    return f"{pattern[3:5]}{pattern[2]}{pattern[:2]}{pattern[5:]}"


def date_hint(labels: Sequence[Any], *, period: bool) -> str:
    """How dates such as 04/01/2010 are read, in a sentence; empty where the labels are none.

    A number above 12 is a day; without one, month and day may be in either order.

    Parameters
    ----------
    labels : what could not be read.
    period : whether they are those of the time column, which ``time_format`` describes.
    """
    found = [re.fullmatch(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})", written(label)) for label in labels]
    dates = [match for match in found if match]
    if len(dates) < len(found) or len({(match[2], len(match[4])) for match in dates}) != 1:
        return ""
    if not period:
        return "Write these dates with the year first, such as 2010-03-31."
    mark, year = dates[0][2], "%Y" if len(dates[0][4]) == 4 else "%y"
    month, day = f"%m{mark}%d{mark}{year}", f"%d{mark}%m{mark}{year}"
    later = [max(int(match[place]) for match in dates) > 12 for place in (1, 3)]
    if later[0] != later[1]:
        order, pattern = ("day", day) if later[0] else ("month", month)
        return f"These are dates with the {order} first: set {proposal({'time_format': pattern})}."
    if all(later):
        return ""
    example = next((match[0] for match in dates if match[1] != match[3]), dates[0][0])
    return (
        f"These seem to be dates. If {example} has the month first, set {proposal({'time_format': month})}; "
        f"if it has the day first, set {proposal({'time_format': day})}."
    )


def _kind_of_dates(dates: list[tuple[int, int, int]], column: str) -> Kind:
    if len({year for year, _, _ in dates}) == len(dates):
        return "year"
    if len({(year, month) for year, month, _ in dates}) < len(dates):
        pair = next((a, b) for a, b in itertools.pairwise(dates) if a[:2] == b[:2])
        shown = " and ".join(f"{y}-{m:02d}-{d:02d}" for y, m, d in pair)
        raise PanelError(
            f"Column {column!r} contains dates, several in one month (such as {shown}): days or weeks. "
            "Number the periods consecutively, cohorts included, or aggregate the rows. If each unit has "
            "one date per month, quarter, or year, set `--time-format month`, `quarter`, or `year` (in YAML "
            "`time_format: month`, in Python `time_format='month'`)."
        )
    return "quarter" if len({month % 3 for _, month, _ in dates}) == 1 else "month"


def number_of(parts: Parts, kind: Kind) -> int:
    """The label as a whole number: 2010, 20101 or 201001."""
    year, month = parts[:2]
    return {"year": year, "quarter": year * 10 + (month + 2) // 3, "month": year * 100 + month}[kind]


def begins(parts: Parts, kind: Kind) -> bool:
    """Whether a date is the first day of its year, quarter, or month, as Stata and Excel store one."""
    first = {"year": 1, "quarter": parts[1] - (parts[1] - 1) % 3, "month": parts[1]}[kind]
    return parts[1:] == (first, 1, 4)


def needs_reading(values: pd.Series[Any], time_format: str | None) -> bool:
    """Whether a column holds something else than numbers, or is to be read in a way that is named."""
    dated = pd.api.types.is_datetime64_any_dtype(values) or isinstance(values.dtype, pd.PeriodDtype)
    if time_format is not None or dated:
        return True
    if not is_text(values):
        return False
    labels = pd.Series(values.dropna().unique())
    return bool(pd.to_numeric(labels, errors="coerce").isna().any())


def ambiguous(labels: pd.Series[Any]) -> bool:
    """Whether months such as 2010-1 may as well be quarters: 1 to 4 occur and nothing else."""
    texts = labels.dropna().astype(str).str.strip()
    last = texts.str.extract(r"^\d{4}[-/.](\d)$")[0]
    return bool(last.notna().all() and set(last) == {"1", "2", "3", "4"})


def converted(values: pd.Series[Any], numbers: Callable[[Any], Any]) -> pd.Series[Any]:
    """A column with its labels replaced, each looked up once; what is missing stays so."""
    table = {label: numbers(label) for label in values.dropna().unique()}
    return values.map(table).astype(float)
