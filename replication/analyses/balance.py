"""Balance of early- and late-treated units.

Normalized difference of two groups (Imbens & Rubin 2015, section 14.2):
``(mean_1 - mean_0) / sqrt((s_1^2 + s_0^2) / 2)``. Unlike a t statistic it does not grow with the
sample; beyond a quarter in absolute value, regression adjustment relies on its functional form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.moments import columns_of, weighted_mean, weighted_spread, weights_from
from replication.core.arrays import Floats
from replication.core.errors import SpecError

LIMIT = 0.25


def balance(
    context: AnalysisContext,
    *,
    panel: str,
    variables: Mapping[str, str],
    group: str,
    breaks: list[str],
    labels: list[str],
    weights: Mapping[str, str | None],
    year: int,
    unit: str = "fips",
) -> pd.DataFrame:
    """Means by time of activation, and normalized differences of the first and the last group.

    Parameters
    ----------
    panel : name of the cleaned panel.
    variables : column -> label.
    group : column of dates by which units are grouped.
    breaks : first days of the second and later groups, ascending.
    labels : name of each group, one more than the breaks.
    weights : heading -> column of weights, or none.
    year : year whose rows are compared, for columns that change.
    unit : column that identifies a unit.

    Returns
    -------
    DataFrame
        ``block``, ``variable``, ``label``; ``mean_1``, ``spread_1``, ``units_1``, ... for each
        group; ``difference``, ``normalised_difference`` (last group less first) and ``flag``
        (``yes`` beyond 0.25).
    """
    frame = context.frame(panel)
    frame = frame[frame["year"] == year].drop_duplicates(unit)
    member = groups(frame[group], breaks, labels)
    values = columns_of(frame, list(variables))
    rows = []
    for block, name in weights.items():
        weight = weights_from(frame, name)
        for variable, label in variables.items():
            found = compared(values[variable].to_numpy(), weight, member, len(labels))
            rows.append({"block": block, "variable": variable, "label": label, **found})
    return pd.DataFrame(rows)


def groups(dates: pd.Series, breaks: list[str], labels: list[str]) -> Any:
    """(N,) number of each date's group."""
    bounds = pd.to_datetime(pd.Series(breaks, dtype="object"))
    if len(labels) != len(bounds) + 1 or not bounds.is_monotonic_increasing:
        raise SpecError(
            f"{len(bounds)} 'breaks' make {len(bounds) + 1} groups: give them in ascending order "
            f"and as many 'labels' as groups (there are {len(labels)})."
        )
    return np.searchsorted(bounds.to_numpy(), dates.to_numpy(), side="right")


def compared(x: Floats, weight: Floats, member: Any, count: int) -> dict[str, Any]:
    """Means and standard deviations by group, and the difference of the last and the first."""
    found: dict[str, Any] = {}
    for k in range(count):
        chosen = member == k
        found[f"mean_{k + 1}"] = weighted_mean(x[chosen], weight[chosen])
        found[f"spread_{k + 1}"] = weighted_spread(x[chosen], weight[chosen])
        found[f"units_{k + 1}"] = int(np.isfinite(x[chosen]).sum())
    gap = found[f"mean_{count}"] - found["mean_1"]
    scale = np.sqrt((found["spread_1"] ** 2 + found[f"spread_{count}"] ** 2) / 2)
    normalized = gap / scale if scale > 0 else float("nan")
    flag = "yes" if abs(normalized) > LIMIT else "no"
    return {**found, "difference": gap, "normalised_difference": normalized, "flag": flag}
