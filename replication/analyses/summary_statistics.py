"""Summary statistics of a panel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.moments import columns_of, weighted_mean, weighted_spread, weights_from


def summary_statistics(
    context: AnalysisContext,
    *,
    panel: str,
    blocks: Mapping[str, Mapping[str, str]],
    weights: str,
    unit: str = "fips",
) -> pd.DataFrame:
    """Mean, spread and quantiles of the rows of a panel.

    Parameters
    ----------
    panel : name of the cleaned panel.
    blocks : heading -> column -> label.
    weights : column of weights of the weighted mean.
    unit : column that identifies a unit.

    Returns
    -------
    DataFrame
        ``block``, ``variable``, ``label``, ``mean``, ``spread`` (standard deviation),
        ``weighted_mean``, ``minimum``, ``median``, ``maximum``, ``rows``, ``units``.
    """
    frame = context.frame(panel)
    weight = weights_from(frame, weights)
    ones = np.ones(len(frame))
    rows = []
    for block, columns in blocks.items():
        values = columns_of(frame, list(columns))
        for name, label in columns.items():
            x = values[name].to_numpy()
            there = np.isfinite(x)
            low, middle, high = np.quantile(x[there], [0, 0.5, 1])
            rows.append(
                {
                    "block": block,
                    "variable": name,
                    "label": label,
                    "mean": weighted_mean(x, ones),
                    "spread": weighted_spread(x, ones),
                    "weighted_mean": weighted_mean(x, weight),
                    "minimum": low,
                    "median": middle,
                    "maximum": high,
                    "rows": int(there.sum()),
                    "units": int(frame.loc[there, unit].nunique()),
                }
            )
    return pd.DataFrame(rows)
