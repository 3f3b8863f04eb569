"""The reference distribution of t-values, and standard errors that count as zero."""

from __future__ import annotations

import numpy as np

from replication.core.arrays import Floats
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.bootstrap_t import DrawnDistribution, drawn_t_values
from replication.inference.row_table import NORMAL, Tails, TDistribution

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
