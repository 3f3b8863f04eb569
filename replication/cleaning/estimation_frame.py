"""A ready panel as its specifications read it, with dates for quarters and months, for other software."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from replication.core.intake import take_in
from replication.core.logarithm import with_logarithm
from replication.core.period_labels import Kind
from replication.core.sample_selection import cohort_column
from replication.core.spec import Spec

READING: Final = ("unit", "time", "cohort", "cohort_from", "time_format", "never", "duplicates", "read")
"""Keys of a specification that say how a panel is read."""


@dataclass(frozen=True, slots=True)
class EstimationFrame:
    """A panel for export.

    Attributes
    ----------
    frame : one row per unit and period; quarters and months are the dates of their first day.
    unit : column of the unit; empty where the panel is exported as it is.
    kind : what the periods are; None for numbers left as they are.
    dated : columns of periods that were made dates.
    """

    frame: pd.DataFrame
    unit: str = ""
    kind: Kind | None = None
    dated: tuple[str, ...] = ()


def estimation_frame(frame: pd.DataFrame, specs: Sequence[Spec]) -> EstimationFrame:
    """The panel as its specifications read it; unchanged where they read it in different ways.

    Rows are reduced to one per unit and period, periods and cohorts are read, and the cohort is missing
    for units that are never treated, as ``duplicates``, ``time_format`` and ``never`` say.
    """
    ways = {tuple(str(getattr(spec, key)) for key in READING) for spec in specs}
    if len(ways) != 1:
        return EstimationFrame(frame)
    spec = specs[0]
    taken = take_in(with_logarithm(frame, spec), spec)
    ready = taken.frame[[name for name in taken.frame if name in (*frame.columns, spec.cohort)]]
    if not taken.notes:
        return EstimationFrame(frame)
    ready = ready.reset_index(drop=True)
    ready.attrs.clear()
    name = cohort_column(spec, ready)
    cohort = name if name in ready.columns else ""
    dated = [column for column in (spec.time, cohort) if column and taken.form is not None]
    changed: dict[str, Any] = {column: _dates(ready[column], taken.kind) for column in dated}
    if cohort and not dated:
        numbers = pd.to_numeric(ready[cohort], errors="coerce")
        changed[cohort] = numbers.where(np.isfinite(numbers) & (numbers != 0))
    return EstimationFrame(ready.assign(**changed), spec.unit, taken.kind, tuple(dated))


def _dates(values: pd.Series[Any], kind: Kind | None) -> pd.Series[Any]:
    """The first day of each quarter or month; missing for cohorts of units never treated."""
    numbers = pd.to_numeric(values, errors="coerce")
    numbers = numbers.where(np.isfinite(numbers) & (numbers > 0))
    factor, months = (10, 3) if kind == "quarter" else (100, 1)
    parts = {"year": numbers // factor, "month": (numbers % factor - 1) * months + 1, "day": numbers * 0 + 1}
    return pd.to_datetime(pd.DataFrame(parts), errors="coerce")
