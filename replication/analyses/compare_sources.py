"""Agreement of two sources of the same quantity by year, and the step where a series changes source."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.moments import columns_of, weighted_mean, weights_from

CLOSE = 0.05


def compare_sources(
    context: AnalysisContext,
    *,
    panel: str,
    pairs: Mapping[str, list[str]],
    weights: str,
    where: str,
    last: int,
) -> pd.DataFrame:
    """Agreement of two log columns.

    Parameters
    ----------
    panel : name of the cleaned panel.
    pairs : label -> first and second column, in logs.
    weights : column of weights of the means.
    where : flag of the rows that are compared.
    last : last year of the first source.

    Returns
    -------
    DataFrame
        ``outcome``, ``year``, ``units`` (with both), ``first`` and ``second`` (weighted means),
        ``difference`` (of the means over units with both), ``spread`` (standard deviation of the
        units' differences), ``correlation``, ``change_correlation`` (of the changes since the
        year before), ``close`` (share within 0.05) and ``seam``: in the year after ``last`` the
        step of a series that changes source there (second minus first source, in the year
        before, weighted), else missing.
    """
    frame = context.frame(panel)
    frame = frame[frame[where]]
    weight = pd.Series(weights_from(frame, weights), index=frame.index)
    rows = []
    for outcome, names in pairs.items():
        values = columns_of(frame, names).set_axis(["first", "second"], axis=1)
        data = values.assign(
            fips=frame["fips"],
            year=frame["year"],
            weight=weight,
            gap=values["second"] - values["first"],
        ).sort_values(["fips", "year"])
        data["change_1"] = data.groupby("fips")["first"].diff()
        data["change_2"] = data.groupby("fips")["second"].diff()
        rows += [{"outcome": outcome, "year": year, **agreement(part)} for year, part in data.groupby("year")]
    table = pd.DataFrame(rows)
    step = table.groupby("outcome")["difference"].shift(1)
    return table.assign(seam=step.where(table["year"] == last + 1))


def agreement(part: pd.DataFrame) -> dict[str, float]:
    """One year."""
    both = part.dropna(subset=["gap"])
    weight = both["weight"].to_numpy()
    alone = part["second"].to_numpy()
    found = {
        "units": float(len(both)),
        "first": weighted_mean(both["first"].to_numpy(), weight),
        "second": weighted_mean(alone, part["weight"].to_numpy()),
        "difference": weighted_mean(both["gap"].to_numpy(), weight),
        "spread": float(both["gap"].std()) if len(both) > 1 else np.nan,
        "close": float((both["gap"].abs() <= CLOSE).mean()) if len(both) else np.nan,
    }
    changed = both.dropna(subset=["change_1", "change_2"])
    found["correlation"] = _correlation(both["first"], both["second"])
    found["change_correlation"] = _correlation(changed["change_1"], changed["change_2"])
    return found


def _correlation(x: pd.Series, y: pd.Series) -> float:
    return float(x.corr(y)) if len(x) > 2 else float("nan")
