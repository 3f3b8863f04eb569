"""Numbering of period labels: months of YYYYMM are one apart, and every period is above zero.

An estimator subtracts periods, and takes 0 in the cohort for "never treated". Labels such as
201012 and 201101 are 89 apart though one month lies between them, and in a panel whose periods
run from -3 to 4 the cohort 0 is a period. ``Numbering`` maps the labels of a panel to whole
numbers for which both are right; results carry the labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from replication.core.arrays import Ints
from replication.core.errors import PanelError

YEARS: Final = (1800, 2200)
MOSTLY: Final = 0.8
"""Share of labels with a month of 1 to 12 from which the others are taken for mistakes."""
FEWEST_QUARTERS: Final = 5
"""Fewer labels of five digits may end in 1 to 4 by chance."""


@dataclass(frozen=True, slots=True)
class Form:
    """A label made of a year and a part of it: ``year * factor + part``, part 1 to ``count``."""

    name: str
    part: str
    factor: int
    count: int

    def fits(self, labels: Any) -> Any:
        """Whether each label has a plausible year and a valid part."""
        return self.has_year(labels) & (labels % self.factor >= 1) & (labels % self.factor <= self.count)

    def has_year(self, labels: Any) -> Any:
        """Whether each label begins with a plausible year."""
        year = labels // self.factor
        return (year >= YEARS[0]) & (year <= YEARS[1])


MONTH: Final = Form("YYYYMM", "month", 100, 12)
QUARTER: Final = Form("YYYYQ", "quarter", 10, 4)
WEEK: Final = Form("YYYYWW", "week", 100, 53)
DAY_OF_YEAR: Final = Form("YYYYDDD", "day", 1000, 366)
DAY: Final = Form("YYYYMMDD", "day", 10_000, 1231)


@dataclass(frozen=True, slots=True)
class Numbering:
    """One-to-one map of labels to the numbers that estimators count with.

    Attributes
    ----------
    form : how a label is made up; None for plain numbers.
    shift : added to the number, so that no period or cohort is 0.
    zero_is_period : whether a cohort labeled 0 is a period.
    """

    form: Form | None = None
    shift: int = 0
    zero_is_period: bool = False

    def number(self, labels: Any) -> Ints:
        """Numbers of labels, one apart where the labels are consecutive."""
        values = np.asarray(labels, dtype=np.int64)
        if self.form is not None:
            values = values // self.form.factor * self.form.count + values % self.form.factor - 1
        return np.asarray(values + self.shift, dtype=np.int64)

    def label(self, numbers: Any) -> Any:
        """Labels of numbers; what is missing stays missing."""
        values = np.asarray(numbers) - self.shift
        if self.form is None:
            return values
        return values // self.form.count * self.form.factor + values % self.form.count + 1

    def written(self, number: Any) -> str:
        """The period or cohort of a number in the usual notation: ``2006Q3``, ``2006-09``, or the label."""
        return written_label(self.label(number), self.form)


def written_label(label: Any, form: Form | None) -> str:
    """A label of this form in the usual notation: 20063 is ``2006Q3``, 200609 is ``2006-09``."""
    whole = int(label)
    if form == QUARTER:
        return f"{whole // 10}Q{whole % 10}"
    return f"{whole // 100}-{whole % 100:02d}" if form == MONTH else str(whole)


def written_period(label: float, period: str) -> str:
    """A label in the usual notation: the number, or the quarter or month that it is.

    Parameters
    ----------
    period : ``quarter`` or ``month``; any other word for labels that are numbers.
    """
    form = next((form for form in (QUARTER, MONTH) if form.part == period), None)
    return f"{label:.15g}" if form is None or not form.fits(label) else written_label(label, form)


PLAIN: Final = Numbering()


def read_numbering(
    periods: Ints, cohorts: Ints, *, zero_is_period: bool, names: tuple[str, str]
) -> tuple[Numbering, list[str]]:
    """The numbering of a panel, and notes on it.

    Parameters
    ----------
    periods, cohorts : labels that occur, each once; cohorts without those that mean never.
    zero_is_period : whether a cohort of 0 is the period 0 (``never_or_period``).
    names : columns of the period and the cohort, for messages.

    Raises
    ------
    PanelError
        If labels are years and months (or quarters) in part only, or are dates, whose distance
        is not a number of periods.
    """
    form, notes = calendar_form(periods, cohorts, names)
    if form is not None:
        return Numbering(form), notes
    lowest = int(min(periods.min(), cohorts.min(initial=periods.min())))
    if zero_is_period:
        notes.append(
            f"cohort 0 of {names[1]!r} is taken as period 0, since {names[0]!r} spans 0 and other "
            "units have an empty cohort, which means never treated"
        )
    if zero_is_period or periods.min() <= 0:
        return Numbering(None, max(1 - lowest, 0), zero_is_period), notes
    return PLAIN, notes


def calendar_form(periods: Ints, cohorts: Ints, names: tuple[str, str]) -> tuple[Form | None, list[str]]:
    """The form in which labels hold a year and a month or quarter, if they do."""
    if _years(MONTH, periods) and MONTH.fits(periods).mean() >= MOSTLY:
        return _converted(MONTH, periods, cohorts, names)
    if QUARTER.fits(periods).all() and _years(QUARTER, periods) > 1:
        return _quarters(periods, cohorts, names)
    for form in (WEEK, DAY_OF_YEAR, DAY):
        if form.fits(periods).all() and _spans_a_jump(form, periods):
            raise PanelError(
                f"The periods in {names[0]!r} look like {form.name} ({periods[0]} to "
                f"{periods[-1]}), whose differences are not a number of {form.part}s from one "
                f"{'month' if form is DAY else 'year'} to the next. Number the {form.part}s "
                f"consecutively in {names[0]!r} and {names[1]!r}."
            )
    return None, []


def _years(form: Form, labels: Ints) -> int:
    """Years that occur; 0 where a label does not begin with one."""
    return np.unique(labels // form.factor).size if form.has_year(labels).all() else 0


def _spans_a_jump(form: Form, periods: Ints) -> bool:
    """Whether the labels go on in another year (for dates: in another month)."""
    if form is DAY:
        parts = periods % form.factor
        return bool((parts % 100 <= 31).all()) and np.unique(periods // 100).size > 1
    return _years(form, periods) > 1


def _quarters(periods: Ints, cohorts: Ints, names: tuple[str, str]) -> tuple[Form | None, list[str]]:
    """Quarters where all four occur one after the other; else a note."""
    parts = np.unique(periods % QUARTER.factor)
    steps = np.diff(Numbering(QUARTER).number(periods))
    if parts.size == QUARTER.count and periods.size >= FEWEST_QUARTERS and np.median(steps) == 1:
        return _converted(QUARTER, periods, cohorts, names)
    if parts.size == 1:
        return None, []
    return None, [
        f"the periods in {names[0]!r} may be year and quarter or half-year ({periods[0]} to "
        f"{periods[-1]}); they are taken as plain numbers, so event times jump from one year "
        "to the next. Number them consecutively if they are"
    ]


def _converted(
    form: Form, periods: Ints, cohorts: Ints, names: tuple[str, str]
) -> tuple[Form | None, list[str]]:
    """The form, where cohorts have it too; a mixture is refused."""
    wrong = [
        (name, labels[~form.fits(labels)])
        for name, labels in zip(names, (periods, cohorts), strict=True)
        if not form.fits(labels).all()
    ]
    if wrong and _years(form, periods) < 2:
        # Within one year the labels are one apart already.
        return None, []
    if wrong:
        name, values = wrong[0]
        raise PanelError(
            f"The periods in {names[0]!r} look like {form.name} ({periods[0]} to {periods[-1]}), "
            f"but {values.size} values of {name!r} are none, for example {values[0]}. Correct "
            f"them, or number the {form.part}s consecutively in {names[0]!r} and {names[1]!r}."
        )
    note = (
        f"the periods in {names[0]!r} are year and {form.part} ({form.name}) and are counted as "
        f"consecutive {form.part}s"
    )
    return form, [note]


def never_or_period(periods: Ints, zeros: int, empty: int, names: tuple[str, str]) -> bool:
    """Whether a cohort of 0 is the period 0 rather than "never treated".

    Parameters
    ----------
    periods : labels that occur, ascending.
    zeros, empty : rows whose cohort is 0, and rows whose cohort is empty or infinite.

    Raises
    ------
    PanelError
        If 0 lies among the periods and no cohort is empty, so that 0 may mean either.
    """
    if not zeros or not periods[0] <= 0 <= periods[-1]:
        return False
    if empty:
        return True
    raise PanelError(
        f"{zeros} rows have cohort 0 in {names[1]!r}, and the periods in {names[0]!r} run from "
        f"{periods[0]} to {periods[-1]}, so 0 may be a period or mean never treated. Leave "
        "the cohort of never-treated units empty, or add a constant to the periods and to the "
        "cohorts that are periods, so that all of them are above 0."
    )


LONGEST: Final = 32
"""Calendar steps for each period that occurs: months dated by their first day have 31."""
SLACK: Final = 100


def require_even_calendar(periods: Ints, numbers: Ints, labels: Ints, column: str) -> None:
    """Refuse periods so far apart that one of them must be a mistake.

    Parameters
    ----------
    periods : the distinct ones of ``numbers``, ascending.
    numbers : (R,) numbered periods of the rows.
    labels : (R,) as written in the column.
    """
    if periods.size < 3:
        return
    step = max(int(np.gcd.reduce(np.diff(periods))), 1)
    length = int(periods[-1] - periods[0]) // step + 1
    if length <= LONGEST * periods.size + SLACK:
        return
    far = periods[int(np.abs(periods - np.median(periods)).argmax())]
    label = labels[numbers == far][0]
    raise PanelError(
        f"The {periods.size} periods in {column!r} are spread over {length} steps of the calendar; "
        f"the farthest is {label}, in {(numbers == far).sum()} rows. If it is a mistake, correct it or drop "
        "these rows; if the periods are dates, number them consecutively, cohorts included."
    )


def isolated_period(periods: Ints, numbers: Ints, labels: Ints, column: str) -> list[str]:
    """A note on a first or last period further away than all the others are apart; arguments as above."""
    if periods.size < 4:
        return []
    gaps = {-1: periods[-1] - periods[-2], 0: periods[1] - periods[0]}
    for end, gap in gaps.items():
        rest = periods[:-1] if end else periods[1:]
        if gap > rest[-1] - rest[0] + 1:
            label = labels[numbers == periods[end]][0]
            return [f"period {label} of {column!r} lies {gap} from the next one; is it a mistake?"]
    return []
