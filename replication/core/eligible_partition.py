"""The eligible partition of a triple difference: a column of 0 and 1, one value per unit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from replication.core.arrays import Ints
from replication.core.columns import numeric
from replication.core.errors import PanelError
from replication.core.spec import Spec


def eligible_codes(frame: pd.DataFrame, spec: Spec, row: Ints, n_units: int) -> dict[str, Ints]:
    """(N,) 1 for eligible and 0 for ineligible units under the name of the column; empty if none is named.

    Raises
    ------
    PanelError
        For other values than 0 and 1, one value only, and units whose value changes.

    """
    name = spec.eligible
    if name is None:
        return {}
    values = numeric(frame, name, missing="refuse", at=(spec.unit, spec.time))
    strange = ~np.isin(values, (0.0, 1.0))
    if strange.any() or np.ptp(values) == 0:
        found = np.unique(values)
        shown = ", ".join(f"{value:g}" for value in found[:4]) + (", ..." if found.size > 4 else "")
        raise PanelError(
            f"The column {name!r} named in 'eligible' contains {shown} ({int(strange.sum())} of "
            f"{values.size} rows are neither 0 nor 1). It must be 1 for units that the treatment can reach "
            "and 0 for the other units of the same groups, and both must occur."
        )
    codes = np.zeros(n_units, dtype=np.int64)
    codes[row] = values.astype(np.int64)
    moved = codes[row] != values
    if moved.any():
        raise PanelError(
            f"{np.unique(row[moved]).size} units change their {name!r} over time, for example {spec.unit} "
            f"{frame.loc[moved, spec.unit].iloc[0]}. Eligibility is one value per unit: take that of a "
            "period before adoption."
        )
    return {name: codes}
