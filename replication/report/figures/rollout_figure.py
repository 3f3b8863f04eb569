"""The rollout: units and share of the population covered, by date, with its milestones."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib import dates
from matplotlib.axes import Axes

from replication.core.errors import SpecError
from replication.display import formatting, marks
from replication.display.canvas import BLUE, GRAY
from replication.report.figures.figure_files import Drawing, entry_sheet, figure_note
from replication.report.report_context import Context
from replication.report.report_data import read_source
from replication.report.study_config import Entry

OPTIONS = {
    "required": ["source"],
    "shared": ["source", "rename", "where"],
    "properties": {
        "unit": {"type": "string", "default": "counties", "description": "The counted units."},
        "milestones": {
            "type": "array",
            "description": "Dates marked on the curve.",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["date", "label"],
                "properties": {
                    "date": {
                        "type": "string",
                        "pattern": "^\\d{4}-\\d{2}-\\d{2}\\Z",
                        "description": "2010-08-10, in quotation marks.",
                    },
                    "label": {"$ref": "#/$defs/label"},
                },
            },
        },
    },
}

NEEDED = ("date", "counties", "share")


def collect(entry: Entry, context: Context) -> pd.DataFrame:
    """``date``, cumulative ``counties``, ``share`` of the population, and the milestones."""
    options = entry.options
    frame = read_source(
        context.folders, options["source"], NEEDED, where=options.get("where"), rename=options.get("rename")
    )[list(NEEDED)]
    try:
        frame = frame.assign(date=pd.to_datetime(frame["date"], format="ISO8601"))
    except ValueError:
        raise SpecError(
            f"{options['source']}: the column 'date' has values that are not dates, such as "
            f"{frame['date'].iloc[0]!r}. Write them as 2010-08-10."
        ) from None
    frame = frame.sort_values("date", ignore_index=True)
    stones = pd.DataFrame(options.get("milestones", []), columns=["date", "label"])
    stones["date"] = pd.to_datetime(stones["date"])
    if stones.empty:
        return frame.assign(milestone="")
    reached = pd.merge_asof(stones.sort_values("date"), frame, on="date")
    reached = reached.rename(columns={"label": "milestone"})
    both = pd.concat([frame.assign(milestone=""), reached], ignore_index=True)
    return both.sort_values(["date", "milestone"], ignore_index=True)


def draw(frame: pd.DataFrame, entry: Entry, context: Context) -> Drawing:
    """Two step curves, one above the other on the same dates."""
    unit = entry.options.get("unit", "counties")
    words, details = note(frame, entry, context)
    page = entry_sheet(
        entry, context, words, panels=2, height=2.0, above=0.15, below=0.33, left=0.8, right=0.35
    )
    upper, lower = page.axes
    step(upper, frame, frame["counties"], f"{unit[:1].upper()}{unit[1:]}")
    step(lower, frame, 100 * frame["share"], "Share of population (%)")
    upper.yaxis.set_major_formatter(lambda value, _: formatting.integer(value))
    page.figure.align_ylabels(page.axes)
    stones = _stones(frame)
    for axes in page.axes:
        for row in stones:
            marks.dashed(axes, row.date, GRAY, 0.8)
    style = {"ha": "center", "va": "bottom", "fontsize": 8.5, "color": "#333333"}
    for number, row in enumerate(stones, start=1):
        # The note below explains the numbers.
        marks.beside(upper, str(number), (row.date, 1), ("data", "axes fraction"), (0, 2), **style)
    last = frame.iloc[-1]
    alt = (
        f"{entry.title}. Step curves from {frame['date'].iloc[0]:%Y-%m-%d} to "
        f"{last['date']:%Y-%m-%d}, when {formatting.integer(last['counties'])} {unit} and "
        f"{formatting.fixed(100 * last['share'], 1)}% of the population are covered."
    )
    return Drawing(page.figure, alt, words, details=details)


def step(axes: Axes, frame: pd.DataFrame, values: pd.Series[float], name: str) -> None:
    """A step curve that rises on the dates."""
    marks.light_grid(axes)
    axes.step(frame["date"], values, where="post", color=BLUE)
    axes.set_ylim(0, float(values.max()) * 1.05)
    axes.set_ylabel(name)
    calendar: Any = dates  # matplotlib.dates has no annotations
    axes.xaxis.set_major_locator(calendar.YearLocator())
    axes.xaxis.set_major_formatter(calendar.DateFormatter("%Y"))
    axes.xaxis.set_minor_locator(calendar.MonthLocator(bymonth=(4, 7, 10)))


def note(frame: pd.DataFrame, entry: Entry, context: Context) -> tuple[str, tuple[str, ...]]:
    """Explanation of the numbered milestones, and the source."""
    milestones = [
        f"{number}: {row.date:%B} {row.date.day}, {row.date.year}, {row.milestone}"
        for number, row in enumerate(_stones(frame), start=1)
    ]
    stones = [formatting.sentence(f"dashed lines: {'; '.join(milestones)}")] if milestones else []
    return figure_note(entry, context, ["Cumulative counts and shares.", *stones])


def _stones(frame: pd.DataFrame) -> list[Any]:
    return list(frame[frame["milestone"] != ""].itertuples())
