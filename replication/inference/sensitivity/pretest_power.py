r"""What a pre-trend test can see, and what it does to the estimates that pass it.

Roth (2022), "Pretest with Caution", American Economic Review: Insights 4(3): 305-322. Under a
linear violation :math:`\delta_t = \gamma t` the coefficients before adoption are normal around
:math:`\gamma t`; the pre-test passes with some probability, and the estimates after adoption that
readers see are those given that it passed:

.. math:: E[\hat\beta_{post} - \tau \mid pass] = \gamma t_{post} +
          \Sigma_{post,pre} \Sigma_{pre}^{-1} (E[\hat\beta_{pre} \mid pass] - \gamma t_{pre}).

All probabilities are computed, not simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special

from replication.core.arrays import Floats
from replication.core.errors import nearest
from replication.core.estimates import Estimates
from replication.inference.sensitivity.arguments import SensitivityError, require_level, require_numbers
from replication.inference.sensitivity.event_path import (
    EventPath,
    event_path,
    path_table,
    target_weights,
)
from replication.inference.sensitivity.normal_distributions import box_moments, chi_square_quantile

Passing = Callable[[EventPath, Floats, float], tuple[float, Floats]]
SINGULAR = 1e-9


def pretest_power(
    estimates: Estimates,
    *,
    power: Sequence[float] = (0.5, 0.8),
    test: str = "individual",
    target: str | int = "average",
    level: float = 0.95,
    window: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """Slope of a linear violation that the pre-test detects with given power, and its bias.

    Parameters
    ----------
    power : probabilities of detection, above the size of the test and below 1
    test : ``individual`` (it detects if any coefficient before adoption is significant at
        ``level``; R ``pretrends::slope_for_power``) or ``joint`` (Wald test of all of them)
    target, window : as in ``honest_did``

    Returns
    -------
    DataFrame
        One row per power: ``slope`` per unit of event time; ``trend`` the violation in the target
        that it makes; ``bias_if_passed`` the expected error of the target given that the pre-test
        passes; ``bayes_factor`` the probability of passing relative to no violation;
        ``likelihood_ratio`` that of the coefficients seen before adoption; ``detected`` whether
        the pre-test rejects in the data. A slope of 0 means that the test rejects that often
        without any violation.

    Raises
    ------
    SensitivityError
        As ``honest_did``, and for a singular covariance before adoption.
    """
    require_level(level)
    require_numbers(power, "power", "[0.5, 0.8]")
    path = event_path(estimates, window)
    weights = target_weights(path, target)
    wrong = [value for value in power if not 0 < value < 1]
    if wrong:
        raise SensitivityError(f"Power lies between 0 and 1; got {wrong}. Use 0.5 and 0.8.")
    passing = _passing(test)
    _require_regular(path)
    return path_table(
        path, [_row(path, weights, passing, test, str(target), share, level) for share in power]
    )


def pretest_path(
    estimates: Estimates,
    slope: float,
    *,
    test: str = "individual",
    level: float = 0.95,
    window: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """A linear violation beside the path, and what the path looks like on average if it passes.

    Returns
    -------
    DataFrame
        event_time, estimate, std_error, trend, mean_if_passed; the reference is a row of zeros.
        Reproduces ``df_eventplot`` of R ``pretrends::pretrends``.
    """
    require_level(level)
    path = event_path(estimates, window)
    _require_regular(path)
    trend = slope * path.spacing * path.steps
    table = pd.DataFrame(
        {
            **path.names,
            "event_time": path.times,
            "estimate": path.estimate,
            "std_error": np.sqrt(np.diag(path.variance)),
            "trend": trend,
            "mean_if_passed": mean_if_passed(path, trend, _passing(test), level)[1],
        }
    )
    zero = dict.fromkeys(["estimate", "std_error", "trend", "mean_if_passed"], 0.0)
    reference = pd.DataFrame([{**path.names, "event_time": path.reference, **zero}])
    return pd.concat([table, reference]).sort_values("event_time", ignore_index=True)


def slope_for_power(path: EventPath, passing: Passing, power: float, level: float) -> float:
    """Smallest nonnegative slope that is detected with probability ``power``.

    Parameters
    ----------
    path : coefficients before adoption and their covariance.
    passing : probability that a trend passes the pre-test.
    power : probability of rejection, such as 0.5 or 0.8.
    level : of the pre-test.

    Returns
    -------
    float
        Slope per period, in units of the outcome.
    """
    distance = path.spacing * path.steps

    @cache
    def missed(slope: float) -> float:
        """Probability of passing with this slope, less the probability allowed."""
        return passing(path, slope * distance, level)[0] - (1 - power)

    if missed(0.0) <= 0:
        return 0.0
    std_error = np.sqrt(np.diag(path.variance))[: path.n_pre]
    # At this slope the farthest coefficient alone is detected with more than the power asked.
    z = special.ndtri(0.5 + level / 2) + special.ndtri(power) + 1
    top = z * float((std_error / np.abs(distance[: path.n_pre])).min())
    return float(optimize.brentq(missed, 0.0, top, xtol=1e-10 * top))


def mean_if_passed(path: EventPath, trend: Floats, passing: Passing, level: float) -> tuple[float, Floats]:
    """Probability that the pre-test passes under ``trend``, and the (K,) mean given that."""
    n_pre = path.n_pre
    probability, before = passing(path, trend, level)
    within = path.variance[:n_pre, :n_pre]
    shift = np.linalg.solve(within, before - trend[:n_pre])
    after = trend[n_pre:] + path.variance[n_pre:, :n_pre] @ shift
    return probability, np.concatenate([before, after])


def individual(path: EventPath, trend: Floats, level: float) -> tuple[float, Floats]:
    """Passing means that no coefficient before adoption is significant."""
    within = path.variance[: path.n_pre, : path.n_pre]
    half = special.ndtri(0.5 + level / 2) * np.sqrt(np.diag(within))
    root: Floats = np.asarray(np.linalg.cholesky(within), dtype=np.float64)
    return box_moments(trend[: path.n_pre], root, half)


def joint(path: EventPath, trend: Floats, level: float) -> tuple[float, Floats]:
    """Passing means that the Wald statistic is below its chi-squared value.

    Given that, the mean shrinks by the ratio of two non-central probabilities with K + 2 and K
    degrees of freedom.
    """
    mean = trend[: path.n_pre]
    within = path.variance[: path.n_pre, : path.n_pre]
    critical = chi_square_quantile(level, mean.size)
    distance = float(mean @ np.linalg.solve(within, mean))
    probability = float(special.chndtr(critical, mean.size, distance))
    shrunk = float(special.chndtr(critical, mean.size + 2, distance))
    return probability, mean * shrunk / probability


TESTS: dict[str, Passing] = {"individual": individual, "joint": joint}


def _row(
    path: EventPath, weights: Floats, passing: Passing, test: str, target: str, power: float, level: float
) -> dict[str, Any]:
    slope = slope_for_power(path, passing, power, level)
    trend = slope * path.spacing * path.steps
    passed, mean = mean_if_passed(path, trend, passing, level)
    return {
        "test": test,
        "target": target,
        "power": power,
        "slope": slope,
        "trend": float(weights @ trend[path.n_pre :]),
        "bias_if_passed": float(weights @ mean[path.n_pre :]),
        "bayes_factor": passed / passing(path, 0 * trend, level)[0],
        "likelihood_ratio": _likelihood_ratio(path, trend),
        "detected": _detected(path, test, level),
        "level": level,
    }


def _likelihood_ratio(path: EventPath, trend: Floats) -> float:
    within, mean = path.variance[: path.n_pre, : path.n_pre], trend[: path.n_pre]
    scaled = np.linalg.solve(within, mean)
    return float(np.exp(scaled @ path.estimate[: path.n_pre] - scaled @ mean / 2))


def _detected(path: EventPath, test: str, level: float) -> bool:
    before, within = path.estimate[: path.n_pre], path.variance[: path.n_pre, : path.n_pre]
    if test == "joint":
        wald = before @ np.linalg.solve(within, before)
        return bool(wald > chi_square_quantile(level, before.size))
    half = special.ndtri(0.5 + level / 2) * np.sqrt(np.diag(within))
    return bool((np.abs(before) > half).any())


def _passing(test: str) -> Passing:
    if test not in TESTS:
        raise SensitivityError(
            f"There is no pre-test {test!r}{nearest(test, TESTS)}. Use individual or joint."
        )
    return TESTS[test]


def _require_regular(path: EventPath) -> None:
    within = path.variance[: path.n_pre, : path.n_pre]
    std_error = np.sqrt(np.diag(within))
    lowest = float(np.linalg.eigvalsh(within / np.outer(std_error, std_error)).min())
    if lowest < SINGULAR:
        raise SensitivityError(
            f"The {path.n_pre} coefficients of {path.names['spec_id']!r} before adoption have a "
            "singular covariance, as happens with fewer clusters than coefficients, so the power "
            "of a test of them is not defined. Choose a shorter window, or finer clusters."
        )
