"""Reference distributions of t-values, and critical values of whole paths (sup-t).

The latter are from scores, from draws, or from a variance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import special

from replication.core.arrays import Floats, Ints
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.bands import (
    gaussian_critical_value,
    largest_t,
    quantiles,
    studentized_critical_value,
)
from replication.inference.bootstrap_t import DrawnDistribution, drawn_t_values, effective_clusters
from replication.inference.multipliers import multiplier_draws
from replication.inference.row_table import LARGEST_VCOV, NORMAL, Tails, TDistribution

Paths = Sequence[tuple[str, Ints]]
Values = Mapping[str, float | Floats]

FEW_CLUSTERS = 12
# With so many clusters behind each row of a path, a separate standard error per draw barely changes a band.
MANY = 200


def score_sup_t(
    paths: Paths, scores: Floats, inference: Inference, signed: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Critical value of each path from draws of the (G, K) scores.

    ``signed``: values of multiplier draws, where those are at hand.

    Multiplier draws, as in R ``did``, take the standard errors as known, so that bands undercover
    by four points at 50 clusters (``benchmarks/results/coverage.md``). They are used where the
    distribution is set to normal. Otherwise each draw has its own standard error, computed draw by draw
    where a row of the path rests on few clusters (``bootstrap_t``), and by moving the value of the
    multiplier draws (``studentized_critical_value``) where none does, or cells are too many. Below a
    dozen clusters, where the largest draw of the first kind is bounded, the larger value is taken; it
    may be infinite.
    """
    known = inference.distribution == "normal"
    few = [] if known or not paths else on_few(paths, scores)
    own = _largest(few, scores, inference, drawn_t_values)
    others = paths if len(scores) < FEW_CLUSTERS else [path for path in paths if path[0] not in own]
    values = _largest(others, scores, inference, sign_t_values) if signed is None else signed
    if known:
        return dict(values)
    moved = {term: studentized_critical_value(values[term], len(scores)) for term, _ in others}
    return {term: max(own.get(term, 0.0), moved.get(term, 0.0)) for term, _ in paths}


def _largest(
    paths: Paths, scores: Floats, inference: Inference, draw: Callable[[Floats, Inference], Floats]
) -> dict[str, float]:
    """Quantile of the largest drawn t-value of each path; one set of draws serves all."""
    if not paths:
        return {}
    draws = draw(scores[:, np.concatenate([index for _, index in paths])], inference)
    ends = np.cumsum([index.size for _, index in paths])[:-1]
    parts = zip(paths, np.split(draws, ends, axis=1), strict=True)
    return quantiles({term: largest_t(part, 1.0) for (term, _), part in parts}, inference.level)


def on_few(paths: Paths, scores: Floats) -> Paths:
    """The paths of which a row rests on few clusters, by its (G, K) scores."""
    effective = effective_clusters(scores)
    return [
        (term, index) for term, index in paths if index.size <= LARGEST_VCOV and effective[index].min() < MANY
    ]


def sign_t_values(scores: Floats, inference: Inference) -> Floats:
    """(B, K) multiplier draws of the scores over the standard errors."""
    values: Floats = multiplier_draws(scores, inference) / np.sqrt((scores**2).sum(axis=0))
    return values


def largest_of_paths(paths: Paths, draws: Floats, std_error: Floats) -> dict[str, Floats]:
    """(B,) largest t-value of each path, from (B, K) draws."""
    return {term: largest_t(draws[:, index], std_error[index]) for term, index in paths}


def normal_sup_t(
    paths: Paths, variance: Floats, inference: Inference, freedom: float | Floats
) -> dict[str, Floats]:
    """(k,) critical values of each path from normal draws with the variance.

    Unless the distribution is set to normal they keep their tail probability under t with the degrees of
    each row.

    Parameters
    ----------
    paths : term and rows of each path.
    variance : (K, K) covariance of the rows.
    inference : ``draws``, ``seed``, ``level`` and ``distribution`` are used.
    freedom : degrees of freedom of the pointwise intervals, one or (K,).

    Returns
    -------
    dict
        Critical values by term, in standard errors.
    """
    found = {}
    for term, index in paths:
        value = gaussian_critical_value(variance[np.ix_(index, index)], inference)
        own = freedom if isinstance(freedom, float) else freedom[index]
        tails = NORMAL if inference.distribution == "normal" else TDistribution(own)
        found[term] = np.broadcast_to(tails.ppf(float(special.ndtr(value))), index.size)
    return found


FEWEST_FOR_NORMAL = 40
"""Fewer clusters than this have critical values of t(G-1) even where the units are clusters.

With 40 the normal critical value of a 5% test is exceeded by 5.7% of t(39), with 20 by 6.5% of t(19).
"""


def default_distribution(panel: Panel, distribution: str) -> str:
    """``normal`` or ``t`` for estimators whose published software has normal intervals.

    Normal, as there, where the units are the clusters and many; t(G-1) where clusters lie above
    the units or are fewer than ``FEWEST_FOR_NORMAL``.
    """
    if distribution != "influence":
        return distribution
    groups = panel.n_clusters
    return "t" if groups < max(len(panel.units), FEWEST_FOR_NORMAL) else "normal"


def choose_distribution(
    inference: Inference, default: str, freedom: float | Floats, scores: Floats | None = None
) -> Tails:
    """The distribution of the t-values: the requested one, else that of the estimator.

    ``bootstrap_t`` needs the (G, K) scores; without them it is t with ``freedom`` degrees.
    """
    name = default if inference.distribution == "auto" else inference.distribution
    if name == "normal":
        return NORMAL
    if name == "bootstrap_t" and scores is not None:
        return DrawnDistribution(drawn_t_values(scores, inference))
    return TDistribution(freedom)


def without_fixed(std_error: Floats) -> Floats:
    """Standard errors with those of fixed values, zero but for rounding, set to missing."""
    floor = 1e-14 * max(1.0, std_error.max(initial=0))
    return np.where(std_error > floor, std_error, np.nan)
