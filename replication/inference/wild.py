"""Wild cluster bootstrap with the null imposed, on sums over clusters.

For a regression of y on K regressors X (absorbed effects taken out) and the hypothesis
``a'beta = r``, each draw multiplies the restricted residuals of every cluster by one random sign
(or Webb's or Mammen's weight), refits, and compares the studentized statistics (WCR of Cameron,
Gelbach & Miller 2008, Review of Economics and Statistics 90(3)). Refitting is linear in the
multipliers, so a draw needs sums over clusters only (Roodman, Nielsen, MacKinnon & Webb 2019,
Stata Journal 19(1), section 5); here absorbed effects that cut across clusters, such as periods,
are refitted in every draw as well. The restricted residuals are linear in r, which makes the
statistic of a draw a ratio of a line and the root of a parabola in r: intervals are found by
inverting the test without another bootstrap.

Reproduces R ``fwildclusterboot::boottest(type = "rademacher" | "webb", impose_null = TRUE)`` and
Stata ``boottest``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Floats
from replication.core.errors import SpecError
from replication.core.spec import Inference
from replication.inference.multipliers import multipliers

TIE = 1e-9
# Sums of terms of size one leave 1e-16 to 1e-13 where they cancel.
SLOPE = 1e-10
DOUBLINGS = 40
HALVINGS = 60


@dataclass(frozen=True, slots=True)
class ClusterSums:
    """Sums of a fitted regression for the bootstrap: G clusters, K regressors, P effects.

    Attributes
    ----------
    scores : (G, K) sums of ``w x u_hat``
    cross : (G, K, K) sums of ``w x x'``
    bread : (K, K) inverse of the sum of ``cross``
    effect_residual : (G, P) sums of ``w u_hat`` by absorbed effect; unit effects, which lie
        within clusters, need none.
    effect_x : (K, G, P) sums of ``w x`` by absorbed effect
    effect_solved : (K, G, P) the same times the inverse of the effects' normal equations
    """

    scores: Floats
    cross: Floats
    bread: Floats
    effect_residual: Floats
    effect_x: Floats
    effect_solved: Floats


@dataclass(frozen=True, slots=True)
class WildTest:
    """Bootstrap p-value of ``a'beta = 0`` and the interval of the r that are not rejected."""

    statistic: float
    p_value: float
    conf_low: float
    conf_high: float


@dataclass(frozen=True, slots=True)
class Draws:
    """Statistic of B draws as a function of the distance delta of the estimate from r.

    ``t = (top[0] + top[1] delta) / sqrt(below[0] + below[1] delta + below[2] delta^2)``.
    """

    scale: float
    top: Floats
    below: Floats

    def statistics(self, delta: float) -> Floats:
        """(B,) statistics of the draws under the null that is delta below the estimate."""
        square = self.below[0] + self.below[1] * delta + self.below[2] * delta**2
        root = np.sqrt(np.maximum(square, 0.0))
        value: Floats = np.divide(
            self.top[0] + self.top[1] * delta, root, out=np.zeros_like(root), where=root > 0
        )
        return value


def wild_cluster(sums: ClusterSums, combination: Floats, estimate: float, inference: Inference) -> WildTest:
    """Test and interval of one combination ``a'beta`` of the coefficients.

    Parameters
    ----------
    combination : (K,) a
    estimate : a'beta_hat
    inference : ``draws``, ``seed``, ``multiplier``, ``interval`` (kind of p-value and interval)
        and ``level`` are used.

    Notes
    -----
    With Rademacher multipliers and no more than ``draws`` sign patterns (2^G), all of them are
    used once and the p-value is exact; otherwise the statistic counts as one of the draws, so
    that p = (1 + number as extreme) / (1 + draws). An interval that cannot be bounded, which
    happens with very few clusters, ends in infinity.
    """
    signs, complete = sign_patterns(sums.scores.shape[0], inference)
    if not complete:
        require_draws(inference)
    draws = bootstrap(sums, combination, signs)
    extreme = _symmetric if inference.interval == "symmetric" else _equal_tailed

    def p_value(delta: float) -> float:
        """p-value of the hypothesis that the effect is the estimate less ``delta``."""
        return extreme(draws.statistics(delta), delta / draws.scale, complete)

    bounds = [_bound(p_value, draws.scale, 1 - inference.level, side) for side in (1.0, -1.0)]
    return WildTest(
        statistic=estimate / draws.scale,
        p_value=p_value(estimate),
        conf_low=estimate - bounds[0],
        conf_high=estimate + bounds[1],
    )


def sign_patterns(n_clusters: int, inference: Inference) -> tuple[Floats, bool]:
    """(B, G) multipliers, and whether they are all that there are."""
    if inference.multiplier == "rademacher" and n_clusters < np.log2(inference.draws + 1):
        codes = np.arange(2**n_clusters)[:, None] >> np.arange(n_clusters)
        return (1 - 2 * (codes & 1)).astype(np.float64), True
    rng = np.random.default_rng(inference.seed)
    return multipliers(rng, inference.multiplier, (inference.draws, n_clusters)), False


def require_draws(inference: Inference) -> None:
    """Refuse so few draws that no statistic, however large, could be significant."""
    tails = 1 if inference.interval == "symmetric" else 2
    least = int(np.ceil(tails / (1 - inference.level) - 1e-9))
    if inference.draws < least:
        raise SpecError(
            f"With {inference.draws} draws the wild bootstrap cannot reject at the "
            f"{100 * (1 - inference.level):.3g}% level: the smallest possible p-value is "
            f"{tails}/{inference.draws + 1}. Set 'inference.draws' to at least {least}; "
            "999 or more is customary."
        )


def bootstrap(sums: ClusterSums, combination: Floats, signs: Floats) -> Draws:
    """Numerators and squared denominators of all draws.

    With z = X B a, the regressor whose weighted sum with y is the estimate, the restricted
    residual is ``u_hat + delta z / a'Ba``. A draw moves the estimate from r by ``sum_g v_g c_g``,
    c the cluster sums of ``w z u``; cluster h's score in the draw is ``v_h c_h`` less the
    projection of ``v u`` on the effects and the regressors.

    Parameters
    ----------
    sums : of the fit, by cluster (G clusters, K coefficients).
    combination : (K,) weights of the coefficients in the estimate.
    signs : (G, B) multipliers of the clusters.

    Returns
    -------
    Draws
        Their statistics as a function of the null hypothesis.
    """
    ba = sums.bread @ combination
    norm = float(combination @ ba)
    z_cross = sums.cross @ ba
    z_effects = np.tensordot(ba, sums.effect_x, 1)
    z_solved = np.tensordot(ba, sums.effect_solved, 1)
    own = (sums.scores @ ba, z_cross @ ba / norm)
    by_effect = (sums.effect_residual, z_effects / norm)
    by_regressor = (sums.scores, z_cross / norm)
    top = np.stack([signs @ c for c in own])
    taken = z_cross @ sums.bread
    parts = [
        signs * c - (signs @ effect) @ z_solved.T - (signs @ regressor) @ taken.T
        for c, effect, regressor in zip(own, by_effect, by_regressor, strict=True)
    ]
    parts[1] = _without_rounding(parts[1], float(np.abs(own[1]).sum()))
    below = np.stack(
        [(parts[0] ** 2).sum(axis=1), 2 * (parts[0] * parts[1]).sum(axis=1), (parts[1] ** 2).sum(axis=1)]
    )
    return Draws(float(np.sqrt(own[0] @ own[0])), top, below)


def _without_rounding(slope: Floats, size: float) -> Floats:
    """(B, G) change of the draws' scores with r; exactly zero in draws where it is rounding.

    Where all signs are equal a draw is the sample itself and its scores do not depend on r. Left
    as rounding, the slope would grow with r, break the tie with the sample far from the estimate
    and end an interval that has no end.
    """
    moving = np.abs(slope).max(axis=1, initial=0.0) > SLOPE * size
    found: Floats = slope * moving[:, None]
    return found


def _symmetric(drawn: Floats, statistic: float, complete: bool) -> float:
    """Share of draws that are as large in absolute value."""
    floor = abs(statistic) * (1 - TIE)
    count = int((np.abs(drawn) >= floor).sum())
    return count / drawn.size if complete else (1 + count) / (1 + drawn.size)


def _equal_tailed(drawn: Floats, statistic: float, complete: bool) -> float:
    """Twice the smaller share of draws on one side of the statistic."""
    slack = TIE * abs(statistic)
    count = min(int((drawn <= statistic + slack).sum()), int((drawn >= statistic - slack).sum()))
    share = count / drawn.size if complete else (1 + count) / (1 + drawn.size)
    return min(1.0, 2 * share)


def _bound(p_value: Callable[[float], float], scale: float, alpha: float, side: float) -> float:
    """Distance from the estimate at which the test starts to reject, by bisection."""
    inside, outside = 0.0, scale
    for _ in range(DOUBLINGS):
        if p_value(side * outside) < alpha:
            break
        inside, outside = outside, 2 * outside
    else:
        return np.inf
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        if p_value(side * middle) < alpha:
            outside = middle
        else:
            inside = middle
    return outside
