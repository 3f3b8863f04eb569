"""Requirements of corrected variances on the weights, and clusters as lists of their units."""

from __future__ import annotations

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.errors import SpecError


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


def members_of(codes: Ints) -> list[Ints]:
    """Units of each cluster."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes))[:-1])
