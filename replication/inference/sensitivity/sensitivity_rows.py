"""One row per specification: how robust its path is, and what its pre-trends can tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from replication.core.estimates import Estimates
from replication.inference.sensitivity.arguments import SensitivityError
from replication.inference.sensitivity.equivalence import equivalence_test
from replication.inference.sensitivity.event_path import IDENTITY
from replication.inference.sensitivity.honest import breakdown_value, parallel_trends_interval
from replication.inference.sensitivity.pretest_power import pretest_power

TABLE_COLUMNS = [
    *IDENTITY,
    "target",
    "event_times",
    "estimate",
    "conf_low",
    "conf_high",
    "breakdown_relative_magnitudes",
    "breakdown_smoothness",
    "slope_power_50",
    "slope_power_80",
    "trend_power_50",
    "trend_power_80",
    "bias_power_50",
    "bias_power_80",
    "pretest_rejects",
    "equivalence_max",
    "equivalence_mean",
    "level",
    "note",
]


def sensitivity_table(
    results: Iterable[Estimates], *, target: str | int = "average", level: float = 0.95
) -> pd.DataFrame:
    """Breakdown values, power of the pre-test and equivalence bounds of many paths.

    A path that cannot carry the analysis (no reference, a varying base period, no period before
    adoption) keeps its row; ``note`` says why it is empty.

    Returns
    -------
    DataFrame
        The columns ``TABLE_COLUMNS``. ``breakdown_*``: bounds as in ``breakdown_value``;
        ``slope_power_*``, ``trend_power_*`` and ``bias_power_*``: columns of ``pretest_power`` at
        50 and 80 percent; ``equivalence_*``: smallest bounds of ``equivalence_test``.
    """
    rows = [_row(one, target, level) for one in results]
    return pd.DataFrame(rows, columns=TABLE_COLUMNS)


def _row(estimates: Estimates, target: str | int, level: float) -> dict[str, Any]:
    first = estimates.table.iloc[0]
    names = {name: str(first[name]) for name in IDENTITY} | {"target": str(target), "level": level}
    options: dict[str, Any] = {"target": target, "level": level}
    try:
        first = parallel_trends_interval(estimates, **options).iloc[0]
        row: dict[str, Any] = {str(name): value for name, value in first.items()}
        row |= {
            f"breakdown_{method}": breakdown_value(estimates, method=method, **options)
            for method in ("relative_magnitudes", "smoothness")
        }
        bounds = equivalence_test(estimates, level=level).set_index("kind")["smallest_bound"]
    except SensitivityError as refusal:
        return names | {"note": str(refusal)}
    row |= {"equivalence_max": bounds["max"], "equivalence_mean": bounds["mean"]}
    return row | names | _power(estimates, options)


def _power(estimates: Estimates, options: dict[str, Any]) -> dict[str, Any]:
    try:
        found = pretest_power(estimates, power=(0.5, 0.8), **options)
    except SensitivityError as refusal:
        return {"pretest_rejects": np.nan, "note": str(refusal)}
    row: dict[str, Any] = {"pretest_rejects": bool(found["detected"].iloc[0]), "note": ""}
    for name, column in (("slope", "slope"), ("trend", "trend"), ("bias", "bias_if_passed")):
        for share, value in zip((50, 80), found[column], strict=True):
            row[f"{name}_power_{share}"] = float(value)
    return row
