"""Repeated cross-sections as a panel: every row is a unit that is observed once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from replication.core.errors import PanelError
from replication.core.spec import Spec


def as_individuals(frame: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """The frame with one unit per row: its own labels, or row numbers where there is no unit column.

    Raises
    ------
    PanelError
        If a unit is observed twice, so that the data are a panel.

    """
    if spec.unit not in frame.columns:
        return frame.assign(**{spec.unit: np.arange(1, len(frame) + 1)})
    again = frame[spec.unit].duplicated()
    if again.any():
        raise PanelError(
            f"{int(again.sum())} of {len(frame)} rows repeat a value of {spec.unit!r}, for example "
            f"{frame.loc[again, spec.unit].iloc[0]}, but in repeated cross-sections every individual is "
            "observed once. Remove 'repeated_cross_sections' if units are followed over time, name the "
            "column of individuals in 'unit', or put the groups that repeat in 'cluster'."
        )
    return frame
