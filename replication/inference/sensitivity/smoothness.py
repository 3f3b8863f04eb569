r"""Smoothness: the slope of the violation changes by at most M between neighboring periods.

.. math:: |(\delta_{t+1} - \delta_t) - (\delta_t - \delta_{t-1})| \le M

(Rambachan & Roth 2023, section 2.4.2). M = 0 extrapolates a straight line. The unit of M is that
of the outcome, per period squared.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from replication.core.arrays import Floats
from replication.inference.sensitivity.arp import MomentInequalities, Restriction, confidence_set, dual_rays
from replication.inference.sensitivity.event_path import EventPath


def interval(path: EventPath, weights: Floats, bound: float, level: float) -> tuple[float, float]:
    """Hybrid (C-LF) confidence set; the FLCI of ``flci`` is the default elsewhere.

    Reproduces R ``HonestDiD::createSensitivityResults(method = "C-LF")``.
    """
    return confidence_set([restriction(path, weights, bound)], path.estimate, path.variance, level)


def restriction(path: EventPath, weights: Floats, bound: float) -> MomentInequalities:
    """Moments of the smoothness restriction in the periods after the reference."""
    bends = second_differences(path)
    before, after = bends[: path.n_pre - 1], bends[path.n_pre - 1 :]
    slack = np.zeros(path.times.size)
    rows = np.vstack([before, -before]) if weights.size == 1 else np.empty((0, path.times.size))
    return dual_rays(Restriction(after, slack, bound, rows), weights, path.variance)


def second_differences(path: EventPath) -> Floats:
    """(K - 1, K) changes of slope at each inner period; the reference has no column."""
    with_reference = np.diff(np.eye(path.times.size + 1), n=2, axis=0)
    return np.delete(with_reference, path.n_pre, axis=1)


def largest_plausible(path: EventPath, level: float) -> float:
    """Upper limit, one-sided at ``level``, of the bends before the reference; NaN if there is none.

    Reproduces R ``HonestDiD::DeltaSD_upperBound_Mpre``.
    """
    before = second_differences(path)[: path.n_pre - 1]
    if not len(before):
        return np.nan
    std_error = np.sqrt(np.einsum("ik,kl,il->i", before, path.variance, before))
    return float((np.abs(before @ path.estimate) + special.ndtri(level) * std_error).max())


def default_bounds(path: EventPath, weights: Floats, level: float) -> tuple[float, ...]:
    """Five round bounds from 0 to the largest plausible bend, or one standard error of the target."""
    top = largest_plausible(path, level)
    if np.isnan(top):
        after = path.variance[path.n_pre :, path.n_pre :]
        top = float(np.sqrt(weights @ after @ weights))
    step = float(f"{top / 4:.2g}")
    return tuple(float(f"{count * step:.6g}") for count in range(5))
