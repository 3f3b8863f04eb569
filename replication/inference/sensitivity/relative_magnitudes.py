r"""Relative magnitudes: changes of the violation at most :math:`\bar M` times the largest before adoption.

.. math:: |\delta_{e+1} - \delta_e| \le \bar M \max_{s < -1} |\delta_{s+1} - \delta_s|, \quad e \ge -1

with :math:`\delta_{-1} = 0` in the reference period, event time -1, which the paper numbers 0 (Rambachan &
Roth 2023, section 2.4.1). The set is a union over which change s before the reference is the largest, and
over its sign; the confidence set is the union of theirs.
"""

from __future__ import annotations

import numpy as np

from replication.core.arrays import Floats
from replication.inference.sensitivity.arp import MomentInequalities, Restriction, confidence_set, dual_rays
from replication.inference.sensitivity.event_path import EventPath

DEFAULT_BOUNDS = (0.0, 0.5, 1.0, 1.5, 2.0)


def interval(path: EventPath, weights: Floats, bound: float, level: float) -> tuple[float, float]:
    """Hybrid (C-LF) interval of ``weights' tau`` for one bound.

    Reproduces R ``HonestDiD::createSensitivityResults_relativeMagnitudes``, without its grid: R
    reports the end of the grid (20 standard errors) where the interval is wider, and simulates the
    critical value of the first stage with 1,000 draws. diff-diff's interval treats the largest
    change before adoption as known and is too short.
    """
    return confidence_set(restrictions(path, weights, bound), path.estimate, path.variance, level)


def restrictions(path: EventPath, weights: Floats, bound: float) -> list[MomentInequalities]:
    """Moments for each change before the reference as the largest one, in each direction."""
    changes = first_differences(path)
    before, after = changes[: path.n_pre], changes[path.n_pre :]
    found = []
    for largest in range(path.n_pre):
        for sign in (1.0, -1.0):
            v = sign * before[largest]
            rows = np.empty((0, path.times.size))
            if weights.size == 1:
                # As in R: with one period after, inequalities among periods before count too.
                rows = np.vstack([before - v, -before - v])
                rows = rows[(rows**2).sum(axis=1) > 1e-10]
            restriction = Restriction(after, bound * v, 0.0, rows)
            found.append(dual_rays(restriction, weights, path.variance))
    return found


def first_differences(path: EventPath) -> Floats:
    """(K, K) changes between neighboring periods; the reference is zero and has no column."""
    size, n_pre = path.times.size, path.n_pre
    with_reference = np.diff(np.eye(size + 1), axis=0)
    return np.delete(with_reference, n_pre, axis=1)
