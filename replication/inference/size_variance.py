"""The variance of a cluster's functional as a function of its size (Ferman & Pinto 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Floats

SAME = 1e-9


@dataclass(frozen=True, slots=True)
class SizeVariance:
    """``Var = a + b / M`` for each treated cluster's functional and each row.

    Attributes
    ----------
    a, b : (C, K)
    equal_sizes : whether all control clusters have one size, so that b is not identified and zero

    """

    a: Floats
    b: Floats
    equal_sizes: bool

    def at(self, size: Floats) -> Floats:
        """(C, M, K) variance at the sizes (M,)."""
        found: Floats = self.a[:, None] + self.b[:, None] / size[:, None]
        return found


def variance_by_size(values: Floats, size: Floats) -> SizeVariance:
    """Least squares of squared values on one and 1/M, both coefficients zero or more.

    Parameters
    ----------
    values : (C, D, K) functionals of the control clusters.
    size : (D,) their sizes.

    Notes
    -----
    A variance must be positive at every size, those of treated clusters beyond the range of the
    controls' included; the bounds make it so. Where one binds the fit is that of the other term
    alone, which is what Ferman & Pinto do with a negative fitted variance.

    """
    square = values**2
    if np.ptp(size) <= SAME * size.max():
        mean = square.mean(axis=1)
        return SizeVariance(mean, np.zeros_like(mean), equal_sizes=True)
    inverse = 1 / size
    moving = inverse - inverse.mean()
    b = np.einsum("d,cdk->ck", moving, square) / (moving @ moving)
    a = square.mean(axis=1) - b * inverse.mean()
    through_zero = np.einsum("d,cdk->ck", inverse, square) / (inverse @ inverse)
    level = square.mean(axis=1)
    a, b = (
        np.where(a < 0, 0.0, np.where(b < 0, level, a)),
        np.where(a < 0, through_zero, np.where(b < 0, 0.0, b)),
    )
    return SizeVariance(a, b, equal_sizes=False)


def rescaling(model: SizeVariance, treated: Floats, control: Floats) -> Floats:
    """(C, D, K) factors that give values of controls the variance of the treated clusters.

    Parameters
    ----------
    treated, control : (C,) and (D,) sizes.

    """
    own = model.a + model.b / treated[:, None]
    theirs = model.at(control)
    ratio = np.divide(own[:, None], theirs, out=np.ones_like(theirs), where=theirs > 0)
    factor: Floats = np.sqrt(ratio)
    return factor
