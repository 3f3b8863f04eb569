"""Sensitivity of an event-time path to violations of parallel trends.

Rambachan & Roth (2023), "A More Credible Approach to Parallel Trends", Review of Economic Studies
90(5): 2555-2591. Intervals for a weighted effect after adoption that hold for every violation that
a restriction allows, over a range of bounds; and the bound at which the conclusion breaks down.

All intervals are normal, as in R ``HonestDiD``; pointwise intervals of a path with a t distribution are a
little wider than the row ``parallel_trends_interval``.
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
from replication.inference.sensitivity import flci, relative_magnitudes, smoothness
from replication.inference.sensitivity.arguments import SensitivityError, require_level, require_numbers
from replication.inference.sensitivity.event_path import (
    EventPath,
    event_path,
    path_table,
    target_weights,
)

Interval = Callable[[EventPath, Floats, float, float], tuple[float, float]]
METHODS: dict[str, Interval] = {
    "relative_magnitudes": relative_magnitudes.interval,
    "smoothness": flci.interval,
    "smoothness_clf": smoothness.interval,
}
LABELS = {
    "relative_magnitudes": "Relative magnitudes",
    "smoothness": "Smoothness",
    "smoothness_clf": "Smoothness (C-LF)",
}
ORIGINAL = "original"
DOUBLINGS = 12
PRECISION = 1e-6


def honest_did(
    estimates: Estimates,
    *,
    method: str = "relative_magnitudes",
    bounds: Sequence[float] | None = None,
    target: str | int = "average",
    level: float = 0.95,
    window: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """Compute intervals that remain valid under violations of parallel trends, one row per bound.

    Parameters
    ----------
    estimates : Estimates
        With effects by event time, their covariance, and a reference period.
    method : ``relative_magnitudes``, ``smoothness``, or ``smoothness_clf``
        ``relative_magnitudes`` bounds the change in the violation between consecutive periods after adoption
        relative to the largest such change before it (conditional least-favorable [C-LF] hybrid confidence
        set).
        ``smoothness`` bounds the change in the slope of the violation between consecutive periods
        (fixed-length confidence interval [FLCI]).
        ``smoothness_clf`` bounds the same change, with the C-LF hybrid confidence set.
    bounds : nonnegative
        Mbar (unit-free; default 0, 0.5, 1, 1.5, 2), or M in units of the outcome per period squared (default
        five values from 0 to the largest change in the slope that the periods before adoption do not reject).
    target : ``average`` of the effects from event time 0 on, or one event time
    level : confidence level of the intervals.
    window : first and last event time to use
        By default all but the binned endpoints of an event study, which pool all earlier or later event
        times; ``event_times`` names those that are used.

    Returns
    -------
    DataFrame
        spec_id, study, estimator, outcome, method, target, bound, estimate, conf_low, conf_high,
        level, event_times. ``estimate`` is the one under parallel trends.

    Raises
    ------
    SensitivityError
        For a varying base period, no reference, no pre-treatment period, a target not estimated, a
        covariance that is not positive semi-definite, unknown methods, negative bounds, and a level that is
        not between 0 and 1.

    Examples
    --------
    >>> import replication as rp
    >>> fit = rp.estimate(rp.simulated_panel(seed=1), outcome="y", estimator="event_study")
    >>> rp.honest_did(fit, bounds=[0, 1])[["bound", "conf_low"]].round(1)
       bound  conf_low
    0    0.0       0.8
    1    1.0      -0.4
    """
    require_level(level)
    path = event_path(estimates, window)
    weights = target_weights(path, target)
    chosen = _bounds(path, weights, method, bounds, level)
    rows = [
        _row(path, weights, method, target, bound, METHODS[method](path, weights, bound, level), level)
        for bound in chosen
    ]
    return path_table(path, rows)


def parallel_trends_interval(
    estimates: Estimates,
    *,
    target: str | int = "average",
    level: float = 0.95,
    window: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """The interval under exactly parallel trends, in the columns of ``honest_did``.

    Parameters
    ----------
    estimates : with an event path and its covariance.
    target : ``average``, or one event time after adoption.
    level : confidence level.
    window : first and last event time that are used; all if None.

    Returns
    -------
    pandas.DataFrame
        One row.

    Raises
    ------
    SensitivityError
        If the estimates have no usable path.
    """
    require_level(level)
    path = event_path(estimates, window)
    weights = target_weights(path, target)
    after = path.variance[path.n_pre :, path.n_pre :]
    half = float(special.ndtri(0.5 + level / 2) * np.sqrt(weights @ after @ weights))
    point = float(weights @ path.estimate[path.n_pre :])
    ends = (point - half, point + half)
    return path_table(path, [_row(path, weights, ORIGINAL, target, np.nan, ends, level)])


def sensitivity_frame(
    estimates: Estimates,
    *,
    methods: Sequence[str] = ("relative_magnitudes", "smoothness"),
    target: str | int = "average",
    level: float = 0.95,
    window: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """What the figure ``sensitivity`` plots: one panel per method, at its default bounds.

    Returns
    -------
    DataFrame
        The columns of ``honest_did`` with ``m`` in the place of ``bound``, and ``panel``. The
        first row of each panel is the interval under parallel trends, its ``m`` empty.
    """
    options: dict[str, Any] = {"target": target, "level": level, "window": window}
    first = parallel_trends_interval(estimates, **options)
    parts = []
    for method in methods:
        rows = pd.concat([first, honest_did(estimates, method=method, **options)])
        parts.append(rows.assign(panel=LABELS[method]))
    return pd.concat(parts, ignore_index=True).rename(columns={"bound": "m"})


def breakdown_value(
    estimates: Estimates,
    *,
    method: str = "relative_magnitudes",
    target: str | int = "average",
    level: float = 0.95,
    null: float = 0.0,
    window: tuple[int, int] | None = None,
) -> float:
    """Largest bound up to which the interval excludes ``null``.

    0 if it contains ``null`` at bound 0 already; infinite if it excludes ``null`` at 4,096 times
    the unit (Mbar = 1, or one standard error of the target). Smoothness intervals can move away
    from ``null`` before they reach it; the first bound that reaches it counts.

    Parameters
    ----------
    estimates : with an event path and its covariance.
    method : ``relative_magnitudes``, ``smoothness``, or ``smoothness_clf``.
    target : ``average``, or one event time after adoption.
    level : confidence level.
    null : value of the effect that is to be excluded.
    window : first and last event time that are used; all if None.

    Returns
    -------
    float
        In the unit of the bound: Mbar, or a change of slope per period.

    Raises
    ------
    SensitivityError
        If the estimates have no usable path, or the method is unknown.
    """
    require_level(level)
    path = event_path(estimates, window)
    weights = target_weights(path, target)
    _require_method(method)
    after = path.variance[path.n_pre :, path.n_pre :]
    unit = 1.0 if method == "relative_magnitudes" else float(np.sqrt(weights @ after @ weights))

    @cache
    def distance(bound: float) -> float:
        """How far the interval is from ``null``, negative if it contains it."""
        low, high = METHODS[method](path, weights, bound, level)
        return max(low - null, null - high)

    below, above = 0.0, 0.0
    for bound in [0.0, *(unit * 2.0**power for power in range(-4, DOUBLINGS + 1))]:
        below, above = above, bound
        if not distance(bound) > 0:
            break
    else:
        return np.inf
    if above == 0:
        return 0.0
    return float(optimize.brentq(distance, below, above, xtol=PRECISION * unit))


def _bounds(
    path: EventPath, weights: Floats, method: str, bounds: Sequence[float] | None, level: float
) -> Sequence[float]:
    _require_method(method)
    if bounds is None:
        if method == "relative_magnitudes":
            return relative_magnitudes.DEFAULT_BOUNDS
        return smoothness.default_bounds(path, weights, level)
    require_numbers(bounds, "bounds", "[0, 0.5, 1]")
    wrong = [float(value) for value in bounds if not (np.isfinite(value) and value >= 0)]
    if wrong:
        raise SensitivityError(
            f"Bounds on violations must be finite and nonnegative; got {', '.join(f'{v:g}' for v in wrong)}. "
            "Use for example 0, 0.5, 1, 1.5, 2 for relative magnitudes."
        )
    return [float(value) for value in bounds]


def _require_method(method: str) -> None:
    if method not in METHODS:
        raise SensitivityError(
            f"There is no sensitivity method {method!r}{nearest(method, METHODS)}. Use one of "
            f"{', '.join(METHODS)}."
        )


def _row(
    path: EventPath,
    weights: Floats,
    method: str,
    target: str | int,
    bound: float,
    ends: tuple[float, float],
    level: float,
) -> dict[str, Any]:
    return {
        "method": method,
        "target": str(target),
        "bound": bound,
        "estimate": float(weights @ path.estimate[path.n_pre :]),
        "conf_low": float(ends[0]),
        "conf_high": float(ends[1]),
        "level": level,
    }
