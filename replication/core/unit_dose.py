"""The dose of a continuous treatment: one number per unit, which may be 0 in its rows before adoption."""

from __future__ import annotations

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from replication.core.columns import numeric, place_of
from replication.core.errors import PanelError
from replication.core.panel import NEVER
from replication.core.spec import Spec


def unit_doses(frame: pd.DataFrame, spec: Spec, row: Ints, time: Ints, cohort: Ints) -> dict[str, Floats]:
    """(N,) dose of each unit under the name of its column, 0 for units never treated; empty if none is named.

    Parameters
    ----------
    row, time : unit and numbered period of each row.
    cohort : (N,) numbered first treated periods.

    Raises
    ------
    PanelError
        For negative, infinite and missing doses, doses that change, and treated units without one.

    """
    if spec.dose is None:
        return {}
    at = (spec.unit, spec.time)
    values = numeric(frame, spec.dose, missing="refuse", at=at)
    adopts = np.where(cohort == NEVER, np.iinfo(np.int64).max, cohort)
    treated = (cohort != NEVER)[row]
    wild = treated & ~((values >= 0) & np.isfinite(values))
    dose = np.zeros(cohort.size)
    np.maximum.at(dose, row, np.where(treated, values, 0.0))
    moved = treated & (values != dose[row]) & ~((values == 0) & (time < adopts[row]))
    for bad, what in ((wild, "negative or infinite"), (moved, "not the dose of the unit's other rows")):
        if bad.any():
            raise PanelError(
                f"{int(bad.sum())} values of the dose {spec.dose!r} are {what}, for example "
                f"{values[bad][0]:g}{place_of(frame, bad, at)}. A unit has one positive dose, which may be 0 "
                "in its rows before adoption. For a treatment whose intensity changes over time name the "
                "column in 'treatment' and use twfe or dcdh."
            )
    empty = (cohort != NEVER) & (dose == 0)
    if empty.any():
        raise PanelError(
            f"{int(empty.sum())} units have a cohort but the dose {spec.dose!r} is 0 in all their rows, for "
            f"example {spec.unit} {frame.loc[empty[row], spec.unit].iloc[0]}. Give them their dose, or an "
            "empty cohort if they are never treated."
        )
    return {spec.dose: dose}
