"""The overview of a grid: one row per specification, with what it changes and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from replication.core.estimates import Estimates
from replication.core.spec import Spec
from replication.core.spec_grid import flat

NAMING = ("id", "title")
NUMBERS = ("estimate", "std_error", "p_value", "n_obs", "n_units", "n_clusters")


def grid_summary(results: Sequence[tuple[Spec, Estimates]]) -> pd.DataFrame:
    """One row per specification.

    Parameters
    ----------
    results : sequence of (Spec, Estimates)

    Returns
    -------
    DataFrame
        ``id``, ``label`` (the title, where a specification has one), a column for each key that differs
        between the specifications (``weights``, ``inference.method``, ...), ``term``, ``estimate``,
        ``std_error``, ``p_value``, ``n_obs``, ``n_units`` and ``n_clusters``. The estimate is the overall
        effect, or the first coefficient where there is none; missing where there is neither.
    """
    keys = [flat(spec.resolved()) for spec, _ in results]
    varied = [key for key in keys[0] if key not in NAMING and len({str(one.get(key)) for one in keys}) > 1]
    rows = [
        {
            "id": spec.id,
            "label": spec.title,
            **{key: written(one.get(key)) for key in varied},
            **headline(result),
        }
        for (spec, result), one in zip(results, keys, strict=True)
    ]
    frame = pd.DataFrame(rows)
    return frame if frame["label"].notna().any() else frame.drop(columns="label")


def headline(result: Estimates) -> dict[str, Any]:
    """The overall effect, or the first coefficient, with its sample."""
    table = result.table
    rows = table[table["term"] == "att"]
    rows = rows if len(rows) else table[table["term"].str.startswith("coef:")]
    if rows.empty:
        sample = table.iloc[0]
        return {"term": None} | {name: sample[name] if name.startswith("n_") else None for name in NUMBERS}
    return {"term": rows.iloc[0]["term"]} | {name: rows.iloc[0][name] for name in NUMBERS}


def written(value: Any) -> Any:
    """A value of a specification as shown in one cell."""
    if isinstance(value, list):
        return " ".join(str(part) for part in value) or None
    return value
