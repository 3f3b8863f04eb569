"""Leave-one-out estimates of one specification over groups of units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.core.arrays import Bools
from replication.core.errors import SpecError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.spec import Spec
from replication.estimators.estimate_spec import estimate

KEPT = ["estimate", "std_error", "p_value", "conf_low", "conf_high", "n_obs", "n_units"]
EVERYONE = "All units"


def leave_out(
    context: AnalysisContext,
    *,
    spec: str,
    by: str,
    heading: str,
    others: Mapping[str, Mapping[str, Sequence[Any]]] | None = None,
    others_heading: str = "Without other groups",
    everyone: str = EVERYONE,
    everyone_heading: str = "",
) -> pd.DataFrame:
    """Overall effect of the whole sample, without each value of a column, and without others.

    Parameters
    ----------
    spec : id of the specification to be reestimated.
    by : column with one value per unit; each is left out in turn.
    heading, others_heading, everyone, everyone_heading : names of the rows in a figure.
    others : label -> {column: values} of further groups to leave out; a group without a unit in
        the sample keeps its row, with ``units_left_out`` 0.

    Returns
    -------
    DataFrame
        ``label``, ``group``, the estimate with its interval, ``units_left_out`` and ``spec_id``;
        the first row is the whole sample.
    """
    chosen = context.spec(spec)
    frame = context.frame(chosen.panel)
    panel = build_panel(frame, chosen)
    rows = [_row(everyone, everyone_heading or heading, estimate(panel, chosen), 0)]
    values = of_units(frame, chosen, panel, by)
    for value in sorted(values.unique()):
        rows.append(_without(str(value), heading, (values == value).to_numpy(), panel, chosen))
    for label, rule in (others or {}).items():
        gone = pd.Series(True, index=panel.units)
        for column, listed in rule.items():
            gone &= of_units(frame, chosen, panel, column).isin(listed)
        rows.append(_without(label, others_heading, gone.to_numpy(), panel, chosen))
    return pd.DataFrame(rows).assign(spec_id=spec)


def of_units(frame: pd.DataFrame, spec: Spec, panel: Panel, column: str) -> pd.Series[Any]:
    """The value of a column for each unit of the panel, in its order."""
    if column not in frame.columns:
        raise SpecError(f"The panel {spec.panel!r} has no column {column!r}.")
    counts = frame.groupby(spec.unit)[column].nunique()
    moving = int((counts > 1).sum())
    if moving:
        raise SpecError(
            f"{moving} units change their {column!r} over time, so it does not identify the units to "
            "leave out. Name a column with one value per unit."
        )
    return frame.groupby(spec.unit)[column].first().reindex(panel.units)


def _without(label: str, group: str, gone: Bools, panel: Panel, spec: Spec) -> dict[str, Any]:
    left = panel.keep_units(~gone)
    return _row(label, group, estimate(left, spec), int(gone.sum()))


def _row(label: str, group: str, found: Estimates, gone: int) -> dict[str, Any]:
    row = found.rows("att").iloc[0]
    numbers = {name: row[name] for name in KEPT}
    return {"label": label, "group": group, **numbers, "units_left_out": gone}
