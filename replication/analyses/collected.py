"""Estimates of several specifications in one file, with further columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.core.errors import SpecError, nearest
from replication.core.estimates import row_labels

NUMBERS = [
    "estimate",
    "std_error",
    "statistic",
    "p_value",
    "conf_low",
    "conf_high",
    "n_obs",
    "n_units",
    "n_clusters",
]
INTERVAL = ["std_error", "conf_low", "conf_high"]


def collected(context: AnalysisContext, *, groups: Mapping[str, Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """One row per entry of ``groups``.

    Parameters
    ----------
    groups : heading -> entries with ``label``, ``spec`` and, if it is not the overall effect,
        ``row`` (such as ``coef:name``). Other keys become columns of the file as they are.

    Returns
    -------
    DataFrame
        ``group``, ``label``, ``spec_id``, ``row``, the numbers of the row, and the further
        columns. A permutation test gives a p-value only, so the standard error and the interval of
        its row are missing; so are clusters where standard errors are not clustered.
    """
    rows = [_row(context, heading, entry) for heading, entries in groups.items() for entry in entries]
    return pd.DataFrame(rows)


def _row(context: AnalysisContext, heading: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    spec_id, name = str(entry["spec"]), str(entry.get("row", "att"))
    found = context.estimates(spec_id)
    labels = row_labels(found.table)
    if name not in labels:
        raise SpecError(f"{spec_id} has no row {name!r}{nearest(name, labels)}.")
    numbers = dict(found.table.iloc[labels.index(name)][NUMBERS])
    if found.details.uncertainty.method == "permutation":
        numbers |= dict.fromkeys(INTERVAL, float("nan"))
    if found.details.uncertainty.method == "conley" or found.details.uncertainty.variance == "hc1":
        numbers["n_clusters"] = float("nan")
    options = {key: value for key, value in entry.items() if key not in ("spec", "row", "label")}
    return {"group": heading, "label": entry["label"], "spec_id": spec_id, "row": name, **numbers, **options}
