"""Corrected variances of regressions whose weights may be unequal."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np

from replication.core.arrays import Floats
from replication.core.errors import SpecError
from replication.core.spec import Inference
from replication.inference.bias_reduced import WeightedShares
from replication.inference.cluster_shares import Adjusted, ClusterShares, Share
from replication.inference.variances import adjust_scores


class WeightedRegression(Protocol):
    """A regression in orthonormal coordinates, with weights (N, T)."""

    @property
    def weight(self) -> Floats:
        """(N, T) weights."""

    def moment(self, cluster: int) -> Share:
        """Coordinates of a cluster and their weighted products."""

    def scores(self, residual: Floats) -> Floats:
        """(G, P) sums over clusters of residuals times weights."""


def adjusted_by_weights(
    inference: Inference,
    found: ClusterShares,
    own: WeightedRegression,
    residual: Floats,
    reweighted: Callable[[Floats], WeightedRegression],
) -> Adjusted:
    """Scores and degrees of freedom of ``cv2`` or ``cv3``.

    Parameters
    ----------
    residual : (N, T) residuals times weights.
    reweighted : the products in the same coordinates with other weights.
    """
    weighted = None
    if not equal_weights(own.weight):
        weighted = partial(weighted_shares, found, own, residual, reweighted)
    return adjust_scores(inference, found, weighted)


def weighted_shares(
    found: ClusterShares,
    own: WeightedRegression,
    residual: Floats,
    reweighted: Callable[[Floats], WeightedRegression],
) -> WeightedShares:
    """What CR2 needs where weights are unequal; arguments as for ``adjusted_by_weights``."""
    require_constant(own.weight)
    equal, square = (reweighted(power) for power in (np.where(own.weight > 0, 1.0, 0.0), own.weight**2))
    powers, plain = (equal, own, square), own.scores(unweighted_residuals(residual, own.weight))
    return WeightedShares(found, plain, lambda power, cluster: powers[power].moment(cluster))


def equal_weights(weight: Floats) -> bool:
    """Whether all positive weights are the same number."""
    positive = weight[weight > 0]
    return bool((positive == positive[0]).all())


def require_constant(weight: Floats) -> None:
    """Refuse weights (N, T) that change within a unit, zeros of unused cells aside."""
    constant = np.where(weight > 0, weight.max(axis=1, keepdims=True), 0.0)
    if not np.allclose(weight, constant, rtol=1e-12, atol=0.0):
        raise SpecError(
            "CV2 (CR2) takes weights that are constant within units: unit effects can be swept out "
            "of its adjustment only then, and these weights change over time. Set "
            "'inference.variance: cv3', which takes any weights, or name weights of a base period."
        )


def unweighted_residuals(residual: Floats, weight: Floats) -> Floats:
    """Residuals from residuals times weights; zero outside the sample."""
    return np.divide(residual, weight, out=np.zeros(weight.shape), where=weight > 0)
