"""Numbers of a summary, fetched by specification or file and recorded in a ledger.

Whatever is printed goes through ``Numbers``, which puts the footnote of its source behind it. A
missing specification or row stops the summary with a message. Templates call
these methods by the names of ``template.functions``.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from replication.core.errors import SpecError, nearest
from replication.display import formatting
from replication.report.folders import Folders
from replication.report.report_data import Results, read_source
from replication.report.study_config import StudyConfig

DAGGER = formatting.DAGGER
ESTIMATES = "tables/estimates.csv"
PLACES = {0: "first", -1: "last", -2: "last but one"}


@dataclass(frozen=True, slots=True)
class QuotedEffect:
    """An estimate with its interval and p-value, and the words that name its source."""

    estimate: float
    low: float
    high: float
    p_value: float
    source: str

    @property
    def direction(self) -> int:
        """-1 or 1 if the interval excludes zero on that side, else 0."""
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True, slots=True)
class Value:
    """A number or text of a file, with its source."""

    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class Reported:
    """A published result, as listed in the study's table of published results."""

    words: str
    secondary: bool
    source: str
    verbatim: bool = False


@dataclass
class Numbers:
    """The results of one study as a summary reads and prints them.

    Attributes
    ----------
    sources : source -> number of its footnote, in order of appearance
    ledger : one entry per printed number
    files : files that were read
    """

    study: StudyConfig
    folders: Folders
    sources: dict[str, int] = field(default_factory=dict)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, pd.DataFrame] = field(default_factory=dict)

    @cached_property
    def results(self) -> Results:
        """Saved specifications."""
        return Results(self.folders.tables / "specs")

    @cached_property
    def bundle(self) -> pd.DataFrame:
        """The overall effects of all specifications."""
        table = read_source(self.folders, ESTIMATES, ["spec_id", "term"])
        return table[table["term"] == "att"]

    # What is read.

    def effect(self, spec_id: str, row: str = "att") -> QuotedEffect:
        """A row of a specification."""
        found = self.results.get(spec_id).row(row)
        place = f"`{spec_id}`" if row == "att" else f"`{spec_id}`, row `{row}`"
        return _effect(found, place)

    def about(self, spec_id: str, key: str) -> Value:
        """A column of the overall effect (``n_units``), or a key of the specification.

        Dots reach into the specification (``sample.years``).
        """
        saved = self.results.get(spec_id)
        found = saved.row("att")
        value: Any = saved.spec
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        value = found.get(key, value)
        if value is None:
            raise SpecError(f"{spec_id} has no {key!r}, which the summary needs.")
        return Value(value, f"`{spec_id}`, {key}")

    def effects(self, specs: Mapping[str, str], pattern: str = "{}") -> dict[str, QuotedEffect]:
        """Overall effects by name; ``{}`` in the pattern stands for what is listed under the name."""
        return {name: self.effect(pattern.format(part)) for name, part in specs.items()}

    def estimates(self, *patterns: str) -> pd.DataFrame:
        """The overall effects of all specifications whose id fits one of the patterns (``*`` and ``?``)."""
        fits = [any(fnmatch.fnmatchcase(name, one) for one in patterns) for name in self.bundle["spec_id"]]
        if not any(fits):
            raise SpecError(f"No specification matches {', '.join(map(repr, patterns))}.")
        return self.bundle[fits]

    def years(self, spec_id: str) -> str:
        """First and last year of a specification."""
        first, last = self.about(spec_id, "sample.years").value
        return self.words(Value(f"{first}\N{EN DASH}{last}", f"`{spec_id}`, sample.years"))

    def frame(self, file: str, /, **where: Any) -> pd.DataFrame:
        """Rows of a file whose columns have these values."""
        if file not in self.files:
            self.files[file] = read_source(self.folders, file, list(where))
        rows = self.files[file]
        for column, value in where.items():
            rows = rows[rows[column].astype(str) == str(value)]
        if rows.empty:
            raise SpecError(f"{file} has no row with {where}, which the summary needs.")
        return rows

    def cell(self, file: str, column: str, /, **where: Any) -> Value:
        """The only cell of a column in the rows with these values."""
        rows = self.frame(file, **where)
        _require_column(rows, column, file)
        if len(rows) != 1:
            raise SpecError(f"{file} has {len(rows)} rows with {where}; the summary needs one.")
        return Value(rows[column].iloc[0], f"{_place(file, where)}, {column}{_spec(rows)}")

    def nth(self, file: str, column: str, place: int, *, divide: float | None = None) -> Value:
        """A cell of a column by the place of its row: 0 for the first row, -1 for the last."""
        rows = self.frame(file)
        _require_column(rows, column, file)
        if not -len(rows) <= place < len(rows):
            raise SpecError(f"{file} has {len(rows)} rows, and the summary needs the one at {place}.")
        found = rows[column].iloc[place]
        name = PLACES.get(place, f"number {place + 1}" if place > 0 else f"number {-place} from the end")
        return Value(found if divide is None else found / divide, f"{file}, {name} row, {column}")

    def rows(
        self, file: str, /, *, largest: str | None = None, smallest: str | None = None, **where: Any
    ) -> list[dict[str, Any]]:
        """Rows of a file, those with the largest or smallest values of a column first."""
        rows = self.frame(file, **where)
        for column, ascending in ((largest, False), (smallest, True)):
            if column is not None:
                _require_column(rows, column, file)
                rows = rows.sort_values(column, ascending=ascending)
        return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]

    def line(self, file: str, /, **where: Any) -> QuotedEffect:
        """A row of a file as an effect; a p-value that the file does not have is missing."""
        self.cell(file, "estimate", **where)
        rows = self.frame(file, **where)
        return _effect(rows.iloc[0], f"{_place(file, where)}{_spec(rows)}")

    def reported(self, label: str, table: str = "published") -> Reported:
        """The entry of the study's table of published results under a label."""
        entries = {entry.id: entry for entry in self.study.tables}
        rows = entries[table].options["rows"] if table in entries else []
        for row in rows:
            if row["label"] == label:
                secondary, verbatim = (bool(row.get(key)) for key in ("secondary", "verbatim"))
                return Reported(str(row["reported"]), secondary, f"table `{table}`, {label}", verbatim)
        labels = [str(row["label"]) for row in rows]
        raise SpecError(f"The table {table!r} has no row {label!r}{nearest(label, labels)}.")

    # What is printed.

    def percent(self, effect: QuotedEffect | str) -> str:
        """A log effect as a change in percent with its interval: ``−5.6% [−9.1, −1.9]``.

        A specification id stands for its overall effect.
        """
        effect = self.effect(effect) if isinstance(effect, str) else effect
        point, low, high = (100 * np.expm1(x) for x in (effect.estimate, effect.low, effect.high))
        shown = f"{formatting.fixed(point, 1)}% {formatting.interval(low, high, 1)}"
        return self.note(shown, effect.estimate, effect.source, effect.low, effect.high)

    def interval(self, effect: QuotedEffect) -> str:
        """The interval of a log effect in percent, where its point is not to be shown."""
        low, high = (100 * np.expm1(x) for x in (effect.low, effect.high))
        shown = f"[{formatting.fixed(low, 1)}%, {formatting.fixed(high, 1)}%]"
        return self.note(shown, np.nan, effect.source, effect.low, effect.high)

    def points(self, effect: QuotedEffect, digits: int = 2) -> str:
        """An effect in the unit of its outcome with its interval."""
        shown = f"{formatting.fixed(effect.estimate, digits)} "
        shown += formatting.interval(effect.low, effect.high, digits)
        return self.note(shown, effect.estimate, effect.source, effect.low, effect.high)

    def p(self, value: Value) -> str:
        """A p-value with its letter."""
        return self._number(formatting.p_equals(value.value), value)

    def count(self, value: Value) -> str:
        """A whole number with separators."""
        return self._number(formatting.integer(value.value), value)

    def fixed(self, value: Value, digits: int = 2, ending: str = "") -> str:
        """A number with decimals, and what stands right behind it."""
        return self._number(formatting.fixed(value.value, digits) + ending, value)

    def log_percent(self, value: Value) -> str:
        """A log effect without an interval as a change in percent."""
        return self._number(f"{formatting.fixed(100 * np.expm1(float(value.value)), 1)}%", value)

    def share(self, value: Value, digits: int = 0) -> str:
        """A share as percent."""
        return self._number(f"{formatting.fixed(100 * float(value.value), digits)}%", value)

    def _number(self, shown: str, value: Value) -> str:
        return self.note(shown, float(value.value), value.source)

    def words(self, value: Value) -> str:
        """Text of a file, such as a date or the name of a state."""
        return self.note(str(value.value), np.nan, value.source)

    def day(self, value: Value) -> str:
        """A date of a file in words, such as October 27, 2008."""
        date = pd.Timestamp(str(value.value))
        return self.note(f"{date:%B} {date.day}, {date.year}", np.nan, value.source)

    def quote(self, label: str) -> str:
        """What a publication reports, by its label: its words in quotation marks, a paraphrase in italics.

        A dagger marks what was not read there.
        """
        reported = self.reported(label)
        quoted = f"\N{LEFT DOUBLE QUOTATION MARK}{reported.words}\N{RIGHT DOUBLE QUOTATION MARK}"
        shown = quoted if reported.verbatim else f"*{reported.words}*"
        return self.note(shown + (DAGGER if reported.secondary else ""), np.nan, reported.source)

    def note(self, shown: str, value: float, source: str, low: float = np.nan, high: float = np.nan) -> str:
        """The printed number with the footnote of its source; it is recorded in the ledger."""
        shown = formatting.typeset(shown)
        number = self.sources.setdefault(source, len(self.sources) + 1)
        self.ledger.append(
            {
                "footnote": number,
                "printed": shown,
                "value": value,
                "low": low,
                "high": high,
                "source": source.replace("`", ""),
            }
        )
        return f"{shown}[^{number}]"


def _effect(found: Mapping[str, Any] | pd.Series[Any], source: str) -> QuotedEffect:
    estimate, low, high, p_value = (
        float(found.get(name, np.nan)) for name in ("estimate", "conf_low", "conf_high", "p_value")
    )
    return QuotedEffect(estimate, low, high, p_value, source)


def _require_column(rows: pd.DataFrame, column: str, file: str) -> None:
    if column not in rows.columns:
        raise SpecError(f"{file} has no column {column!r}{nearest(column, rows.columns)}.")


def _place(file: str, where: Mapping[str, Any]) -> str:
    return ", ".join([file, *(f"{key} {value}" for key, value in where.items())])


def _spec(rows: pd.DataFrame) -> str:
    """The specification behind a row of a file, where the file names it."""
    if "spec_id" not in rows.columns or pd.isna(rows["spec_id"].iloc[0]):
        return ""
    return f" (`{rows['spec_id'].iloc[0]}`)"
