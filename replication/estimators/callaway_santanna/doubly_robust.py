"""Two periods, two groups, covariates: outcome regression, weighting, and doubly robust.

Sant'Anna & Zhao (2020), Journal of Econometrics 219(1), for panels; the R functions
``DRDID::reg_did_panel``, ``std_ipw_did_panel`` and ``drdid_panel`` with their trimming of
comparison units at a propensity of 0.995.

All functions take n units and m outcome changes that share treated units, covariates and
weights, and return m estimates and (n, m) scores: the influence divided by n.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats

OVERLAP = 0.999
TRIM = 0.995
SINGULAR = 1e-13
ITERATIONS = 50


class CellProblem(Exception):
    """A cell that cannot be estimated; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Treated and comparison units of one or more 2x2 comparisons.

    Attributes
    ----------
    change : (n, m) outcome in the period less outcome in the base period
    treated : (n,)
    x : (n, k) covariates with a leading column of ones
    weight : (n,)
    """

    change: Floats
    treated: Bools
    x: Floats
    weight: Floats


def standardized(covariates: Floats) -> Floats:
    """(n, k + 1) a column of ones and the covariates, centered and scaled.

    Every estimator here is the same for covariates that span the same space; the scaling keeps
    digits when covariates are as large as populations.
    """
    spread = covariates.std(axis=0)
    scaled = (covariates - covariates.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.column_stack([np.ones(len(scaled)), scaled])


def outcome_regression(data: Comparison) -> tuple[Floats, Floats]:
    """Changes of the treated less those predicted from the comparison units' regression."""
    residual, bread, u_scores = control_regression(data)
    weight = data.weight * data.treated
    mass = weight.sum()
    estimate = weight @ residual / mass
    scores = weight[:, None] * (residual - estimate)
    scores -= (u_scores @ (bread @ (weight @ data.x)))[:, None] * residual
    return estimate, scores / mass


def inverse_probability(data: Comparison) -> tuple[Floats, Floats]:
    """Changes of the treated less those of comparison units weighted to resemble them."""
    share, bread = propensity(data)
    return _weighted_contrast(data, data.change, share, bread)


def doubly_robust(data: Comparison) -> tuple[Floats, Floats]:
    """Weighted contrast of the residuals of the comparison units' regression."""
    residual, bread_ols, u_scores = control_regression(data)
    share, bread_ps = propensity(data)
    estimate, scores = _weighted_contrast(data, residual, share, bread_ps)
    weight, odds = data.weight * data.treated, comparison_weight(data, share)
    shift = (weight @ data.x) / weight.sum() - (odds @ data.x) / odds.sum()
    scores -= (u_scores @ (bread_ols @ shift))[:, None] * residual
    return estimate, scores


ADJUSTMENTS: dict[str, Callable[[Comparison], tuple[Floats, Floats]]] = {
    "outcome_regression": outcome_regression,
    "ipw": inverse_probability,
    "doubly_robust": doubly_robust,
}


def control_regression(data: Comparison) -> tuple[Floats, Floats, Floats]:
    """Least squares of the changes of the comparison units.

    Returns
    -------
    residual : (n, m) changes of all units less their prediction
    bread : (k, k) inverse of X'WX over the comparison units
    u_scores : (n, k) w x of the comparison units, zero for treated ones
    """
    u_scores: Floats = data.x * (data.weight * ~data.treated)[:, None]
    bread = inverse(u_scores.T @ data.x, "the covariates of the comparison units are collinear")
    beta = bread @ (u_scores.T @ data.change)
    return data.change - data.x @ beta, bread, u_scores


def propensity(data: Comparison) -> tuple[Floats, Floats]:
    """(n,) probabilities of treatment by weighted logit, and the inverse information (k, k)."""
    x, treated, weight = data.x, data.treated.astype(float), data.weight
    beta = np.zeros(x.shape[1])
    beta[0] = np.log(weight @ treated / (weight @ (1 - treated)))
    share = np.full(treated.size, np.nan)
    for _ in range(ITERATIONS):
        share = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        information = (x * (weight * share * (1 - share))[:, None]).T @ x
        try:
            bread = inverse(information, "the covariates are collinear")
        except CellProblem:
            require_overlap(share)
            raise
        step = bread @ (x.T @ (weight * (treated - share)))
        beta += step
        if np.abs(step).max() < 1e-10 * max(1.0, np.abs(beta).max()):
            require_overlap(share)
            return share, bread
    require_overlap(share)
    raise CellProblem("the propensity score does not converge")


def require_overlap(share: Floats) -> None:
    """Refuse fits in which some unit is treated almost surely."""
    certain = int((share >= OVERLAP).sum())
    if certain:
        raise CellProblem(
            "the covariates almost perfectly separate treated from comparison units: "
            f"{certain} of {share.size} units {'has' if certain == 1 else 'have'} a propensity score of "
            f"{OVERLAP} or higher"
        )


def comparison_weight(data: Comparison, share: Floats) -> Floats:
    """(n,) weights of the comparison units: odds of treatment, zero where trimmed."""
    odds = np.where(data.treated | (share >= TRIM), 0.0, share / (1 - share))
    return data.weight * odds


def _weighted_contrast(
    data: Comparison, values: Floats, share: Floats, bread: Floats
) -> tuple[Floats, Floats]:
    weight, odds = data.weight * data.treated, comparison_weight(data, share)
    if not odds.any():
        raise CellProblem("every comparison unit is trimmed")
    mean_own, mean_other = weight @ values / weight.sum(), odds @ values / odds.sum()
    off = odds[:, None] * (values - mean_other)
    scores = weight[:, None] * (values - mean_own) / weight.sum() - off / odds.sum()
    score_ps = data.x * (data.weight * (data.treated - share))[:, None]
    scores -= score_ps @ (bread @ (data.x.T @ off)) / odds.sum()
    return mean_own - mean_other, scores


def inverse(matrix: Floats, why: str) -> Floats:
    """Inverse of a symmetric matrix; ``CellProblem`` where it is singular to rounding."""
    values, vectors = np.linalg.eigh(matrix)
    if not values[0] > SINGULAR * values[-1]:
        raise CellProblem(why)
    inverted: Floats = (vectors / values) @ vectors.T
    return inverted
