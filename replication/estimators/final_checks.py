"""The last step of every estimator: a finite overall effect, in the labels of the data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from replication.core.arrays import Floats
from replication.core.errors import PanelError
from replication.core.estimates import LEFT_OUT, Estimates, row_labels
from replication.core.numbering import PLAIN
from replication.core.panel import NEVER, Panel


def reported(found: Estimates, panel: Panel, estimator: str) -> Estimates:
    """The estimates in labels of the data, checked for an overall effect.

    Raises
    ------
    PanelError
        If the overall effect is missing or infinite. A missing standard error raises nothing.

    """
    require_overall(found, panel, estimator)
    return found if panel.numbering == PLAIN else _labeled(found, panel)


def require_overall(found: Estimates, panel: Panel, estimator: str) -> None:
    """Refuse an overall effect that is not identified."""
    value = found.att[0]
    if np.isfinite(value):
        return
    dropped = "; ".join(found.notes)
    raise PanelError(
        f"{estimator} has no overall effect of {panel.outcome!r}: what is left of the panel has no "
        f"treated unit-period that can be compared (the value would be {value}). "
        f"{f'Left out: {dropped}. ' if dropped else ''}"
        "Check the cohort column, the outcome, the weights and 'sample'."
    )


def _labeled(found: Estimates, panel: Panel) -> Estimates:
    """Cohorts and periods in the labels of the data."""
    table = found.table.copy()
    for column in ("cohort", "time"):
        numbers = table[column].to_numpy(dtype=float)
        # Goodman-Bacon writes never treated as 0, which may be a label here.
        never = numbers == NEVER
        values: Floats = panel.label(np.where(never, np.nan, numbers)).astype(float)
        keep_zero = never & ~panel.numbering.zero_is_period
        table[column] = np.where(keep_zero, float(NEVER), values)
    kept = (~table["term"].isin(LEFT_OUT)).to_numpy() | (len(found.vcov) == len(table))
    labels = row_labels(table[kept])
    vcov = found.vcov.set_axis(labels, axis=0).set_axis(labels, axis=1)
    return replace(found, table=table, vcov=vcov)
