"""Raw means by cohort, in levels and indexed to the first years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.moments import columns_of
from replication.core.errors import SpecError


def cohort_means(
    context: AnalysisContext,
    *,
    panel: str,
    outcomes: Mapping[str, str],
    people: str,
    cohort: str,
    groups: Mapping[str, Sequence[int]],
    index_years: Sequence[int],
    per: str,
    unit: str = "fips",
) -> pd.DataFrame:
    """Events per 100,000 people of each group of units, pooled over the units of the group.

    Parameters
    ----------
    panel : name of the cleaned panel.
    outcomes : column of counts -> label.
    people : column of people.
    cohort : column of the first treated year.
    groups : name -> cohorts that it puts together; every cohort belongs to one.
    index_years : first and last of the years whose mean is 100 in the indexed series.
    per : name of the levels, such as ``Per 100,000 people``.
    unit : column that identifies a unit.

    Returns
    -------
    DataFrame
        ``outcome``, ``label``, ``panel`` (levels or indexed), ``group``, ``time``, ``mean``,
        ``adoption`` (first cohort of the group), ``units``.
    """
    frame = context.frame(panel)
    names = group_names(frame[cohort], groups)
    counts = columns_of(frame, [*outcomes, people])
    summed = counts.groupby([names, frame["year"]]).sum()
    first, last = index_years
    parts = []
    for name, label in outcomes.items():
        rate = (1e5 * summed[name] / summed[people]).rename("mean")
        level = rate.rename_axis(["group", "time"]).reset_index().assign(outcome=name, label=label)
        base = level[level["time"].between(first, last)].groupby("group")["mean"].mean()
        indexed = level.assign(mean=100 * level["mean"] / level["group"].map(base))
        parts += [level.assign(panel=per), indexed.assign(panel=f"Relative to {first}-{last} (= 100)")]
    table = pd.concat(parts, ignore_index=True)
    table = table.assign(
        adoption=table["group"].map({name: min(cohorts) for name, cohorts in groups.items()}),
        units=table["group"].map(frame[unit].groupby(names).nunique()),
    )
    columns = ["outcome", "label", "panel", "group", "time", "mean", "adoption", "units"]
    return table[columns]


def group_names(cohort: pd.Series, groups: Mapping[str, Sequence[int]]) -> pd.Series:
    """Name of each row's group; a cohort without one is refused."""
    member = {value: name for name, cohorts in groups.items() for value in cohorts}
    absent = sorted(set(cohort) - set(member))
    if absent:
        raise SpecError(
            f"No group has the cohort {absent[0]}. Put every cohort of the panel into a group: "
            f"{', '.join(map(str, sorted(set(cohort))))}."
        )
    return cohort.map(member).rename("group")
