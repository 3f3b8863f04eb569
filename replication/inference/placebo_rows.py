"""Standard errors, p-values, intervals and bands from placebo values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import JointTest
from replication.core.estimates import LEFT_OUT, Estimates
from replication.core.estimator_records import FewTreatedRecord
from replication.core.spec import Inference

TIE = 1e-9
PATHS = {"event": "event_time", "group": "cohort", "calendar": "time", "att_gt": "cohort"}


def p_values(points: Floats, draws: Floats) -> Floats:
    """(K,) ``(1 + #{|W| >= |theta|}) / (1 + n)`` over the n rows of ``draws`` (n, K).

    Parameters
    ----------
    points : (K,) estimates.
    draws : (n, K) placebo values.

    Returns
    -------
    (K,) array
        p-values of zero, at least 1 / (1 + n).
    """
    beyond = (np.abs(draws) >= np.abs(points) * (1 - TIE)).sum(axis=0)
    return np.asarray((1 + beyond) / (1 + len(draws)), dtype=np.float64)


def reach(sizes: Floats, level: float) -> Floats:
    """Largest distance that the test of ``p_values`` does not reject, from (n, ...) sizes.

    It is the k-th largest of n sizes, with k the whole part of ``(1 - level) (1 + n)``.
    """
    rank = int((1 - level) * (1 + len(sizes)) + TIE)
    return np.asarray(np.sort(sizes, axis=0)[len(sizes) - rank], dtype=np.float64)


def with_placebo_values(
    found: Estimates,
    tested: Ints,
    draws: Floats,
    inference: Inference,
    record: FewTreatedRecord,
    notes: Sequence[str],
) -> Estimates:
    """The estimates with uncertainty from the (n, K) placebo ``draws`` of the rows ``tested``."""
    table = found.table.copy()
    point = table["estimate"].to_numpy(dtype=float)[tested]
    std_error = np.sqrt((draws**2).mean(axis=0))
    # The placebo values of a reference period are zero up to rounding.
    fixed = std_error <= TIE * std_error.max(initial=0.0)
    std_error = np.where(fixed, np.nan, std_error)
    ends = reach(np.abs(draws), inference.level)
    columns = {
        "std_error": std_error,
        "statistic": point / std_error,
        "p_value": np.where(fixed, np.nan, p_values(point, draws)),
        "conf_low": np.where(fixed, np.nan, point - ends),
        "conf_high": np.where(fixed, np.nan, point + ends),
    }
    for name, values in columns.items():
        column = table[name].to_numpy(dtype=float).copy()
        column[tested] = values
        table[name] = column
    table = with_bands(table, tested, draws, std_error, inference.level)
    # Tests of the scores do not belong to these standard errors.
    details = replace(
        found.details,
        few_treated=record,
        pretest_cells=None,
        pretrend=leads_test(table, tested, draws, std_error),
    )
    details = details.noted(notes).measured(draws=inference.draws)
    vcov = covariance(found, tested, draws, fixed)
    return replace(found, table=table, vcov=vcov, details=details, overall=None)


def with_bands(
    table: pd.DataFrame, tested: Ints, draws: Floats, std_error: Floats, level: float
) -> pd.DataFrame:
    """Bands as wide as the largest studentized placebo value of a path.

    Parameters
    ----------
    table : rows of the estimates with pointwise intervals.
    tested : places of the K rows that have placebo values.
    draws : (n, K) placebo values.
    std_error : (K,) root mean squares of the placebo values; NaN for reference periods.
    level : confidence level.

    Returns
    -------
    pandas.DataFrame
        The table with ``band_low`` and ``band_high``.
    """
    low = table["band_low"].to_numpy(dtype=float).copy()
    high = table["band_high"].to_numpy(dtype=float).copy()
    low[tested], high[tested] = table["conf_low"].iloc[tested], table["conf_high"].iloc[tested]
    term = table["term"].to_numpy()[tested]
    point = table["estimate"].to_numpy(dtype=float)[tested]
    for name, axis in PATHS.items():
        on_path = (term == name) & table[axis].notna().to_numpy()[tested]
        index = np.flatnonzero(on_path & np.isfinite(std_error))
        if index.size > 1:
            critical = reach(np.abs(draws[:, index] / std_error[index]).max(axis=1), level)
            low[tested[index]] = point[index] - critical * std_error[index]
            high[tested[index]] = point[index] + critical * std_error[index]
    return table.assign(band_low=low, band_high=high)


def leads_test(table: pd.DataFrame, tested: Ints, draws: Floats, std_error: Floats) -> JointTest | None:
    """Test that all effects before adoption are zero: the largest studentized one."""
    rows = table.iloc[tested]
    leads = ((rows["term"] == "event") & (rows["event_time"] < 0)).to_numpy() & np.isfinite(std_error)
    if not leads.any():
        return None
    observed = np.abs(rows["statistic"].to_numpy(dtype=float)[leads]).max(keepdims=True)
    largest = np.abs(draws[:, leads] / std_error[leads]).max(axis=1)
    p_value = float(p_values(observed, largest[:, None])[0])
    return JointTest("placebo", int(leads.sum()), float(observed[0]), p_value)


def covariance(found: Estimates, tested: Ints, draws: Floats, fixed: Bools) -> pd.DataFrame:
    """Mean products of the placebo values; rows of covariates keep their own covariance."""
    kept = np.ones(len(found.table), dtype=bool)
    if len(found.vcov) != kept.size:
        kept = (~found.table["term"].isin(LEFT_OUT)).to_numpy(dtype=bool)
    inside = kept[tested]
    place = (np.cumsum(kept) - 1)[tested[inside]]
    values = np.where(fixed, 0.0, draws)[:, inside]
    variance = found.vcov.to_numpy(dtype=float).copy()
    variance[place] = 0.0
    variance[:, place] = 0.0
    variance[np.ix_(place, place)] = values.T @ values / len(draws)
    return pd.DataFrame(variance, found.vcov.index, found.vcov.columns)
