"""Least squares on the simplex with a ridge: the weights of synthetic difference-in-differences.

    minimize |A w - b|^2 + ridge |w|^2   subject to  w >= 0, sum(w) = 1

Two solvers of the same problem. ``FrankWolfe`` takes the steps of R ``synthdid`` and stops where
it stops, so that published numbers come out to the digit; it may stop short of the minimum (on
California's Proposition 99 at its limit of 10,000 steps). ``exact_weights`` finds the minimum,
which is unique, by an active-set method in the manner of Lawson & Hanson (1974, chapter 23), and
takes a fraction of the time.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve, qr
from scipy.linalg.blas import daxpy

from replication.core.arrays import Bools, Floats

TOLERANCE = 1e-11
WELL_CONDITIONED = 1e-6
EPSILON = float(np.finfo(np.float64).eps)
STEPS_BEFORE = 100
STEPS_AFTER = 10_000
SMALLEST_SCALE = 1e-8
"""Below it weights and gradient are scaled anew; a full step scales them by zero."""


class FrankWolfe:
    """The steps of R ``synthdid`` to weights on the columns of ``a`` (m, n).

    Its crossproducts (n, n) take as long to form as the steps on them, and can be formed elsewhere.
    """

    def __init__(self, a: Floats, b: Floats, ridge: float) -> None:
        self._rows, self._linear, self._ridge = (a - b[:, None]).T @ a, a.T @ b, ridge

    def weights(self, decrease: float) -> tuple[Floats, bool]:
        """(n,) weights, and whether the steps ended before their limit.

        A hundred steps from equal weights; weights of at most a quarter of the largest set to zero;
        then steps until the objective falls by less than ``decrease``, 10,000 at most.
        """
        equal = np.full(self._linear.size, 1.0 / self._linear.size)
        first, _ = self._from(equal, decrease, STEPS_BEFORE)
        sparse = np.where(first <= first.max() / 4, 0.0, first)
        return self._from(sparse / sparse.sum(), decrease, STEPS_AFTER)

    def _from(self, start: Floats, decrease: float, limit: int) -> tuple[Floats, bool]:
        return _steps(self._rows, self._linear, self._ridge, start, decrease, limit)


def _steps(
    rows: Floats, linear: Floats, ridge: float, w: Floats, decrease: float, limit: int
) -> tuple[Floats, bool]:
    """Frank-Wolfe steps with exact line search, in terms of the crossproducts.

    ``rows`` has the rows of gram less linear. ``lw``, ``quad`` and ``square`` are linear'w, w'gram w
    and w'w, carried along with the gradient so that a step costs one row.
    """
    linears = linear.tolist()
    diagonal = (np.diag(rows) + linear).tolist()
    # The half gradient, gram w - linear + ridge w; weights sum to one.
    half = w @ rows + ridge * w
    lw, square = float(linear @ w), float(w @ w)
    quad = float(w @ half) + lw - ridge * square
    # A step scales weights and gradient and adds a multiple of one row. The scale is kept apart, so
    # that a step passes over the gradient once. Numbers are Python's, as those of numpy are slower.
    weights, scale, last = w.tolist(), 1.0, np.inf
    for _ in range(limit):
        i = int(half.argmin())
        least, weight = scale * half.item(i), scale * weights[i]
        along = least + linears[i] - ridge * weight
        curve = diagonal[i] - 2 * along + quad + ridge * (1 - 2 * weight + square)
        slope = quad - lw + ridge * square - least
        step = min(1.0, max(0.0, slope / curve)) if curve > 0 else 0.0
        keep = 1 - step
        quad = keep**2 * quad + 2 * step * keep * along + step**2 * diagonal[i]
        square = keep**2 * square + 2 * step * keep * weight + step**2
        lw = keep * lw + step * linears[i]
        scale *= keep
        if scale < SMALLEST_SCALE:
            half *= scale
            weights, scale = [scale * one for one in weights], 1.0
        daxpy(rows[i], half, a=step / scale)
        half[i] = half.item(i) + ridge * step / scale
        weights[i] += step / scale
        value = ridge * square + quad - 2 * lw
        if last - value < decrease:
            return scale * np.array(weights), True
        last = value
    return scale * np.array(weights), False


def exact_weights(a: Floats, b: Floats, ridge: float, start: Floats | None = None) -> Floats:
    """Weights (n,) on the columns of ``a`` (m, n) at the minimum.

    Parameters
    ----------
    ridge : positive; makes the minimum unique.
    start : weights on the simplex to start from; equal weights if None.
    """
    n = a.shape[1]
    if a.shape[0] > n + 1:
        # The triangular factor has the crossproducts of the data, and fewer rows.
        triangle: Floats = qr(np.column_stack([a, b]), mode="economic")[1].astype(float)
        a, b = triangle[:, :n], triangle[:, n]
    weights = np.full(n, 1.0 / n) if start is None else start.copy()
    scale = float((a**2).sum() / n + (b**2).sum() + ridge)
    support = weights > 0
    last = np.inf
    while True:
        weights, support = _descend(a, b, ridge, weights, support)
        miss = a @ weights - b
        value = float(miss @ miss + ridge * (weights @ weights))
        gradient = a.T @ miss + ridge * weights
        entering = ~support & (gradient - weights @ gradient < -TOLERANCE * scale)
        # Every round lowers the objective; where rounding forbids it, the minimum is reached.
        if value >= last or not entering.any():
            return weights
        support, last = support | entering, value


def _descend(a: Floats, b: Floats, ridge: float, weights: Floats, support: Bools) -> tuple[Floats, Bools]:
    """The minimum on the support, after dropping the columns that would turn negative."""
    while True:
        target = np.zeros(weights.size)
        target[support] = _on_support(a[:, support], b, ridge)
        falling = support & (target <= 0)
        if not falling.any():
            return target, support
        held = falling & (weights <= 0)
        if held.any():
            support = support & ~held
            continue
        share = np.full(weights.size, np.inf)
        share[falling] = weights[falling] / (weights[falling] - target[falling])
        step = share.min()
        weights = np.maximum(weights + step * (target - weights), 0.0)
        blocking = share <= step
        weights[blocking] = 0.0
        support = support & ~blocking


def _on_support(a: Floats, b: Floats, ridge: float) -> Floats:
    """The minimum over weights that sum to one, signs free.

    With w = 1/k + u and u orthogonal to the vector of ones, u is an ordinary ridge fit on the
    columns less their mean; the smaller of the two systems is solved. A small ridge leaves the
    normal equations ill-conditioned: then by singular values.
    """
    rows, k = a.shape
    mean = a.mean(axis=1)
    centered = a - mean[:, None]
    left = b - mean
    if ridge < WELL_CONDITIONED * float((centered**2).sum()) / min(rows, k):
        u, s, vt = np.linalg.svd(centered, full_matrices=False)
        # The vector of ones has singular value zero; rounding there would be blown up by 1/ridge.
        gain = np.where(s > s[0] * max(rows, k) * EPSILON, s / (s**2 + ridge), 0.0)
        free = vt.T @ (gain * (u.T @ left))
    elif rows < k:
        dual = centered @ centered.T
        dual[np.diag_indices(rows)] += ridge
        free = centered.T @ cho_solve(cho_factor(dual), left)
    else:
        normal = centered.T @ centered
        normal[np.diag_indices(k)] += ridge
        free = cho_solve(cho_factor(normal), centered.T @ left)
    found: Floats = 1.0 / k + free - free.mean()
    return found
