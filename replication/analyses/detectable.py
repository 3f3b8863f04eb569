"""Minimum detectable effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from replication.analyses.analysis_context import AnalysisContext


def detectable(
    context: AnalysisContext,
    *,
    groups: Mapping[str, Mapping[str, str]],
    permutations: Mapping[str, str] | None = None,
    power: float = 0.8,
    level: float = 0.95,
) -> pd.DataFrame:
    """Minimum effect that a test at ``level`` detects with probability ``power``.

    Parameters
    ----------
    groups : heading -> {label: id of a specification whose outcome is a log or a log mean}.
    permutations : id of a specification -> id of the same one with ``method: permutation``, whose
        draws give the distribution of the estimate without any effect.
    power : probability with which the test is to find the effect.
    level : one less the size of the test.

    Returns
    -------
    DataFrame
        ``group``, ``label``, ``spec_id``, ``std_error``; ``found`` is the estimate, and ``estimate`` the
        detectable effect by the standard error, (z_level + z_power) times it (2.80 at 0.95 and 0.8);
        ``percent`` the same as a fall in percent, 100 (1 - exp(-effect)); ``by_permutation`` and
        ``percent_by_permutation`` are those by the draws, empty where there are none; ``power`` and
        ``size`` of the test.
    """
    factor = float(stats.norm.ppf(0.5 + level / 2) + stats.norm.ppf(power))
    known = permutations or {}
    rows = []
    for heading, lines in groups.items():
        for label, spec_id in lines.items():
            found, std_error = context.estimates(spec_id).att
            drawn = by_draws(context, known[spec_id], power, level) if spec_id in known else np.nan
            rows.append(
                {
                    "group": heading,
                    "label": label,
                    "spec_id": spec_id,
                    "std_error": std_error,
                    "found": found,
                    "estimate": factor * std_error,
                    "percent": percent_fall(factor * std_error),
                    "by_permutation": drawn,
                    "percent_by_permutation": percent_fall(drawn),
                    "power": power,
                    "size": 1 - level,
                }
            )
    return pd.DataFrame(rows)


def percent_fall(effect: float) -> float:
    """Fall in percent of a log effect of this size."""
    return float(100 * -np.expm1(-effect))


def by_draws(context: AnalysisContext, spec_id: str, power: float, level: float) -> float:
    """Detectable effect by the draws of a permutation test of the estimate.

    The test rejects beyond the ``level`` quantile of the draws' size; an effect shifts them. The
    larger one of the effects needed upward and downward.
    """
    return effect_for(context.permutation(spec_id).estimates, power, level)


def effect_for(draws: Sequence[float], power: float, level: float) -> float:
    """Shift at which a share ``power`` of the draws lies beyond the critical value.

    Parameters
    ----------
    draws : (B,) estimates under permuted rollouts.
    power : such as 0.8.
    level : size of the two-sided test, such as 0.05.

    Returns
    -------
    float
        Minimum detectable effect, in units of the outcome.
    """
    values = np.asarray(draws, dtype=float)
    critical = np.quantile(np.abs(values), level)
    upwards = critical - np.quantile(values, 1 - power)
    downwards = critical + np.quantile(values, power)
    return float(max(upwards, downwards))
