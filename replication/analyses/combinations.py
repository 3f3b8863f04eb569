"""Sums of coefficients with their standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.core.errors import SpecError, nearest


def combinations(context: AnalysisContext, *, rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Linear combinations ``c'b`` with variance ``c'Vc`` and t(G-1).

    Parameters
    ----------
    rows : entries with ``label``, ``block``, ``spec`` and ``weights`` (row of the estimates, such
        as ``att`` or ``coef:x``, -> its factor).

    Returns
    -------
    DataFrame
        ``block``, ``label``, ``estimate``, ``std_error``, ``p_value``, ``conf_low``,
        ``conf_high``, ``n_units``, ``n_clusters``, ``spec_id``.
    """
    return pd.DataFrame([combined(context, **row) for row in rows])


def combined(
    context: AnalysisContext, *, label: str, block: str, spec: str, weights: dict[str, float]
) -> dict[str, Any]:
    """One row."""
    from scipy import stats

    found = context.estimates(spec)
    table = found.table.set_index("term")
    for name in weights:
        if name not in table.index or not table.index.is_unique:
            raise SpecError(
                f"{spec} has no single row {name!r}{nearest(name, list(table.index))}. Its rows: "
                f"{', '.join(dict.fromkeys(table.index))}."
            )
    factor = np.array([weights.get(term, 0.0) for term in table.index])
    estimate = float(factor @ table["estimate"].to_numpy())
    std_error = float(np.sqrt(factor @ found.vcov.to_numpy() @ factor))
    clusters = int(table["n_clusters"].iloc[0])
    level = context.spec(spec).inference.level
    width = stats.t.ppf((1 + level) / 2, clusters - 1) * std_error
    return {
        "block": block,
        "label": label,
        "estimate": estimate,
        "std_error": std_error,
        "p_value": 2 * stats.t.sf(abs(estimate / std_error), clusters - 1),
        "conf_low": estimate - width,
        "conf_high": estimate + width,
        "n_units": int(table["n_units"].iloc[0]),
        "n_clusters": clusters,
        "spec_id": spec,
    }
