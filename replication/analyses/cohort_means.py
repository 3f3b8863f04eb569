"""Raw means by time of activation, in levels and against the first years: no model at all."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from replication.analyses.balance import groups
from replication.analyses.context import AnalysisContext
from replication.analyses.moments import columns_of


def cohort_means(
    context: AnalysisContext,
    *,
    panel: str,
    outcomes: Mapping[str, str],
    people: str,
    date: str,
    breaks: list[str],
    labels: list[str],
    index_years: list[int],
    unit: str = "fips",
) -> pd.DataFrame:
    """Offences per 100,000 people of each group of units, all units of the group as one.

    Parameters
    ----------
    panel : name of the cleaned panel.
    outcomes : column of counts -> label.
    people : column of people.
    date, breaks, labels : column of the day of activation, first days of the second and later
        groups, and a name for each group.
    index_years : first and last of the years whose mean is 100 in the indexed series.
    unit : column that identifies a unit.

    Returns
    -------
    DataFrame
        ``outcome``, ``panel`` (the label, with its unit), ``group``, ``time``, ``mean``,
        ``adoption`` (year in which the group's first unit is active for the first time),
        ``units``.
    """
    frame = context.frame(panel)
    member = groups(frame[date], breaks, labels)
    names = pd.Series(labels).iloc[member].set_axis(frame.index)
    counts = columns_of(frame, [*outcomes, people])
    summed = counts.groupby([names, frame["year"]]).sum()
    started = frame[date].dt.year.groupby(names).min()
    sizes = frame[unit].groupby(names).nunique()
    parts = []
    for name, label in outcomes.items():
        rate = (1e5 * summed[name] / summed[people]).rename("mean")
        level = rate.rename_axis(["group", "time"]).reset_index()
        base = level[level["time"].between(index_years[0], index_years[1])].groupby("group")["mean"].mean()
        indexed = level.assign(mean=100 * level["mean"] / level["group"].map(base))
        ends = f"{index_years[0]}-{index_years[1]}"
        parts += [
            level.assign(outcome=name, panel=f"{label} per 100,000 people"),
            indexed.assign(outcome=name, panel=f"{label}, {ends} = 100"),
        ]
    table = pd.concat(parts, ignore_index=True)
    order = pd.Categorical(table["group"], labels, ordered=True)
    table = table.assign(
        adoption=table["group"].map(started), units=table["group"].map(sizes), order=order
    )
    table = table.sort_values(["outcome", "panel", "order", "time"], kind="stable")
    columns = ["outcome", "panel", "group", "time", "mean", "adoption", "units"]
    return table[columns].reset_index(drop=True)
