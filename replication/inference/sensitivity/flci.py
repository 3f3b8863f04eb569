r"""Fixed-length confidence intervals under smoothness, with the optimal affine estimator.

For weights a on the coefficients before the reference, :math:`l'\hat\beta_{post} +
a'\hat\beta_{pre}` has no bias from a straight line if :math:`a's_{pre} + l's_{post} = 0` (s the
distance from the reference), and a worst bias of

.. math:: M \Big( \sum_{t \ge 0} |\textstyle\sum_{s > t} l_s (s - t)| +
          \sum_{t < 0} |\sum_{s < t} a_s (t - s)| \Big)

over :math:`\Delta^{SD}(M)`: one term per bend. The interval with half-length
:math:`\sigma\, cv_\alpha(b / \sigma)`, cv the quantile of :math:`|N(b/\sigma, 1)|`, is the shortest
over a (Rambachan & Roth 2023, section 4; Donoho 1994; Armstrong & Kolesar 2018). In the bends
:math:`u_t` it is a lasso: for any price of bias the minimum of variance plus price times
:math:`\sum |u_t|`, whose solutions form a path of straight pieces; the half-length is convex on
each.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from replication.core.arrays import Floats
from replication.inference.sensitivity.event_path import EventPath
from replication.inference.sensitivity.normal_distributions import folded_quantile


@dataclass(frozen=True, slots=True)
class Affine:
    """An affine estimator of the target and its fixed-length confidence interval.

    Attributes
    ----------
    weights : (K,) on the whole path, those of the target after the reference.
    estimate, std_error, bias, half_length : floats
    """

    weights: Floats
    estimate: float
    std_error: float
    bias: float
    half_length: float


def interval(path: EventPath, weights: Floats, bound: float, level: float) -> tuple[float, float]:
    """Shortest fixed-length confidence interval of ``weights' tau`` under smoothness ``bound``.

    Reproduces R ``HonestDiD::createSensitivityResults(method = "FLCI")``, whose quantile of the
    folded normal comes from 10^6 draws (a relative error of about 1e-3) where ours is exact.
    """
    best = optimal(path, weights, bound, level)
    return best.estimate - best.half_length, best.estimate + best.half_length


def optimal(path: EventPath, weights: Floats, bound: float, level: float) -> Affine:
    """The affine estimator whose interval is shortest."""
    base, bend = _parametrize(path, weights)
    curvature = bend.T @ path.variance @ bend
    knots = lasso_path(curvature, bend.T @ path.variance @ base)
    fixed = _bends_after(path, weights)

    def half_length(u: Floats) -> float:
        """Half of the interval with the bends ``u``."""
        return _interval_of(path, base + bend @ u, bound * (fixed + np.abs(u).sum()), level)[1]

    best, shortest = knots[0], half_length(knots[0])
    for start, end in itertools.pairwise(knots):
        # A straight piece: the half-length is convex in the share of the way.
        found = optimize.minimize_scalar(
            lambda share, start=start, end=end: half_length(start + share * (end - start)),
            bounds=(0.0, 1.0),
            method="bounded",
            options={"xatol": 1e-10},
        )
        for u in (start + found.x * (end - start), end):
            if half_length(u) < shortest:
                best, shortest = u, half_length(u)
    full = base + bend @ best
    bias = bound * (fixed + float(np.abs(best).sum()))
    return Affine(full, float(full @ path.estimate), *_interval_of(path, full, bias, level)[::2], shortest)


def lasso_path(curvature: Floats, gradient: Floats) -> list[Floats]:
    """Corners of the path of ``min u'Qu/2 + q'u + price |u|_1``, from u = 0 to price 0.

    The homotopy of Osborne, Presnell & Turlach (2000): between corners the active coefficients
    move on a straight line; at a corner one joins or leaves.
    """
    size = gradient.size
    u, signs = np.zeros(size), np.zeros(size)
    active = leaves = np.zeros(size, dtype=bool)
    corners = [u]
    price = float(np.abs(gradient).max(initial=0.0))
    floor = 1e-12 * price
    while price > floor and len(corners) < 50 * (size + 1):
        slope = gradient + curvature @ u
        # One that has just left is still at the edge, but moves away from it.
        joins = ~active & ~leaves & (np.abs(slope) >= price * (1 - 1e-9))
        signs = np.where(joins, -np.sign(slope), signs)
        active = active | joins
        move = np.zeros(size)
        block = curvature[np.ix_(active, active)]
        move[active] = np.linalg.lstsq(block, signs[active], rcond=None)[0]
        change = curvature @ move
        step = _next_corner(u, move, slope, change, active, price)
        u = u + step * move
        leaves = active & (np.abs(u) <= 1e-12 * np.abs(u).max(initial=0)) & (move * signs < 0)
        u = np.where(leaves, 0.0, u)
        active = active & ~leaves
        signs = np.where(active, signs, 0.0)
        price -= step
        corners.append(u)
    return corners


def _next_corner(
    u: Floats, move: Floats, slope: Floats, change: Floats, active: np.ndarray, price: float
) -> float:
    """Fall of the price until a coefficient joins or leaves, or the price is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        joins = np.concatenate([(price - slope) / (1 + change), (price + slope) / (1 - change)])
        leaves = -u / move
    joins = joins[np.concatenate([~active, ~active])]
    candidates = np.concatenate([joins, leaves[active]])
    candidates = candidates[np.isfinite(candidates) & (candidates > 1e-12 * price)]
    return float(min(price, candidates.min(initial=price)))


def _parametrize(path: EventPath, weights: Floats) -> tuple[Floats, Floats]:
    """``base`` (K,) and ``bend`` (K, K_pre - 1): estimators without bias from a straight line."""
    before, after = path.steps[: path.n_pre], path.steps[path.n_pre :]
    inner = before[1:]
    system = np.vstack([np.maximum(inner[:, None] - before, 0.0), before])
    inverse = np.linalg.inv(system)
    base = np.concatenate([-inverse[:, -1] * (weights @ after), weights])
    bend = np.vstack([inverse[:, :-1], np.zeros((weights.size, inner.size))])
    return base, bend


def _bends_after(path: EventPath, weights: Floats) -> float:
    after = path.steps[path.n_pre :]
    onset = np.concatenate([[0.0], after[:-1]])
    return float(np.abs(np.maximum(after - onset[:, None], 0.0) @ weights).sum())


def _interval_of(path: EventPath, full: Floats, bias: float, level: float) -> tuple[float, float, float]:
    """Standard error, half-length and worst bias of one estimator."""
    std_error = float(np.sqrt(max(float(full @ path.variance @ full), 0.0)))
    if std_error == 0:
        return 0.0, bias, bias
    return std_error, std_error * folded_quantile(level, bias / std_error), bias
