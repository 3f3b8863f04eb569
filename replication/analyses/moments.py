"""Weighted means and standard deviations of columns, ignoring missing values."""

from __future__ import annotations

import numpy as np
import pandas as pd

from replication.core.arrays import Floats
from replication.core.errors import PanelError, nearest


def columns_of(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The columns as floats; an unknown one is refused with the nearest spelling."""
    for name in names:
        if name not in frame.columns:
            known = [str(column) for column in frame.columns]
            raise PanelError(
                f"The panel has no column {name!r}{nearest(name, known)}. Correct it in analyses.yaml."
            )
    return frame[names].astype(float)


def weighted_mean(values: Floats, weight: Floats) -> float:
    """``sum(w x) / sum(w)`` over the values that are there.

    Parameters
    ----------
    values : (N,), NaN where missing.
    weight : (N,) nonnegative weights.

    Returns
    -------
    float
        NaN if no value has a positive weight.
    """
    there = np.isfinite(values) & (weight > 0)
    if not there.any():
        return float("nan")
    return float(np.average(values[there], weights=weight[there]))


def weighted_spread(values: Floats, weight: Floats) -> float:
    """Standard deviation: ``sqrt(sum(w (x - mean)^2) / sum(w) * n / (n - 1))``.

    With equal weights the usual one, with n - 1 below.
    """
    there = np.isfinite(values) & (weight > 0)
    count = int(there.sum())
    if count < 2:
        return float("nan")
    mean = weighted_mean(values, weight)
    square = np.average((values[there] - mean) ** 2, weights=weight[there])
    return float(np.sqrt(square * count / (count - 1)))


def weights_from(frame: pd.DataFrame, name: str | None) -> Floats:
    """A column of weights, or ones."""
    if name is None:
        return np.ones(len(frame))
    return columns_of(frame, [name])[name].to_numpy()
