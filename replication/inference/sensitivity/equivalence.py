r"""Equivalence tests of pre-trends: is the violation before adoption small, rather than unseen?

Dette & Schumann (2024), "Testing for Equivalence of Pre-Trends in Difference-in-Differences
Estimation", Journal of Business & Economic Statistics 42(4): 1289-1301. The null hypothesis is
that the pre-trend is at least :math:`\delta`, and rejecting it is evidence for parallel trends:

* one coefficient: reject if :math:`|\hat\beta_t|` is below the quantile :math:`\alpha` of the
  folded normal with mean :math:`\delta` and the variance of the coefficient;
* ``max``: reject if every coefficient is rejected (intersection-union, their section 4.2.1);
* ``mean``: the same test of the average coefficient (their equation 3.2).

Their root-mean-square test needs estimates on growing subsamples, which a path does not hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special

from replication.core.estimates import Estimates
from replication.inference.sensitivity.arguments import SensitivityError, is_number, require_level
from replication.inference.sensitivity.event_path import EventPath, event_path, path_table
from replication.inference.sensitivity.normal_distributions import folded_cdf


def equivalence_test(
    estimates: Estimates,
    *,
    threshold: float | None = None,
    level: float = 0.95,
    window: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """Smallest equivalence bound of each coefficient before adoption, of their maximum and mean.

    Parameters
    ----------
    threshold : a violation too small to matter, in units of the outcome; gives a p-value.

    Returns
    -------
    DataFrame
        ``kind`` (coefficient, max, mean), ``event_time``, ``estimate``, ``std_error``;
        ``smallest_bound``, below which violations as large as the bound can no longer be rejected
        at ``1 - level`` (R ``EquiTrends::maxEquivTest(type = "IU")`` and ``meanEquivTest``);
        ``tost_bound``, the same by two one-sided tests, which is never smaller; ``threshold`` and
        ``p_value`` where a threshold is given.

    Raises
    ------
    SensitivityError
        As ``honest_did``, and for a threshold that is not positive.
    """
    require_level(level)
    if threshold is not None and not (is_number(threshold) and threshold > 0):
        raise SensitivityError(
            f"An equivalence threshold is a positive number in units of the outcome; got "
            f"{threshold}. Leave it out to get the smallest bound that the data support."
        )
    path = event_path(estimates, window)
    std_error = np.sqrt(np.diag(path.variance))
    single = [
        _row("coefficient", float(path.estimate[k]), float(std_error[k]), threshold, level)
        | {"event_time": float(path.times[k])}
        for k in range(path.n_pre)
    ]
    return path_table(path, [*single, _largest(single), _mean(path, threshold, level)])


def smallest_bound(estimate: float, std_error: float, level: float) -> float:
    """The bound whose folded normal has ``|estimate|`` as its quantile ``1 - level``.

    0 where the estimate is closer to zero than even an estimate without any violation would be
    with that probability.
    """
    seen = abs(estimate) / std_error

    def excess(bound: float) -> float:
        """Probability within ``bound``, less what is left of the level."""
        return folded_cdf(seen, bound) - (1 - level)

    if excess(0.0) <= 0:
        return 0.0
    top = seen + float(special.ndtri(level)) + 1
    return std_error * float(optimize.brentq(excess, 0.0, top, xtol=1e-12))


def _row(
    kind: str, estimate: float, std_error: float, threshold: float | None, level: float
) -> dict[str, Any]:
    p_value = np.nan
    if threshold is not None:
        p_value = folded_cdf(abs(estimate) / std_error, threshold / std_error)
    return {
        "kind": kind,
        "event_time": np.nan,
        "estimate": estimate,
        "std_error": std_error,
        "smallest_bound": smallest_bound(estimate, std_error, level),
        "tost_bound": abs(estimate) + float(special.ndtri(level)) * std_error,
        "threshold": np.nan if threshold is None else threshold,
        "p_value": p_value,
        "level": level,
    }


def _largest(single: list[dict[str, Any]]) -> dict[str, Any]:
    """Intersection-union: the weakest of the single tests decides."""
    widest = max(single, key=lambda row: abs(row["estimate"]))
    return {
        **widest,
        "kind": "max",
        "smallest_bound": max(row["smallest_bound"] for row in single),
        "tost_bound": max(row["tost_bound"] for row in single),
        "p_value": max(row["p_value"] for row in single),
    }


def _mean(path: EventPath, threshold: float | None, level: float) -> dict[str, Any]:
    n_pre = path.n_pre
    std_error = float(np.sqrt(path.variance[:n_pre, :n_pre].sum())) / n_pre
    return _row("mean", float(path.estimate[:n_pre].mean()), std_error, threshold, level)
