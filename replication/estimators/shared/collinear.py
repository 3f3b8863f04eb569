"""Covariates that are collinear with those before them."""

from __future__ import annotations

from typing import Final

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.errors import PanelError

COLLINEAR: Final = 1e-10
"""Share of a covariate's variation below which what is left of it is rounding."""
ROUNDING: Final = 1e-20
"""The same of its squared level: the square of what a float of 64 bits resolves, and some."""


def least_variation(squares: Floats | float, spread: Floats | float) -> Floats:
    """Sum of squares up to which a covariate counts as spanned.

    Parameters
    ----------
    squares : weighted sum of squares of the covariate.
    spread : the same of its deviations from its mean; adding a constant must not matter.
    """
    return np.maximum(np.maximum(COLLINEAR * spread, ROUNDING * squares), 1e-300)


def spread_of(x: Floats, weight: Floats) -> float:
    """Weighted sum of squared deviations from the mean."""
    total = float(weight.sum())
    mean = float((weight * x).sum()) / total if total > 0 else 0.0
    return float((weight * (x - mean) ** 2).sum())


def own_variation(cross: Floats, least: Floats) -> Bools:
    """(K,) whether each covariate varies beyond those before it.

    Parameters
    ----------
    cross : (K, K) cross-products of the covariates, effects taken out.
    least : (K,) of ``least_variation``.
    """
    left, found = cross.copy(), np.zeros(len(cross), dtype=bool)
    for k in range(len(cross)):
        found[k] = left[k, k] > least[k]
        if found[k]:
            left = left - np.outer(left[k], left[k]) / left[k, k]
    return found


def spanned_everywhere(basis: Floats, used: Bools, cohort: Ints) -> list[int]:
    """Covariates that those before them span in every period and in every cohort.

    Their slopes by period and by cohort are then slopes of the others.

    Parameters
    ----------
    basis : (N, T, 1 + Q) ones and standardized covariates.
    used : (N, T) cells of the sample.
    cohort : (N,)
    """
    groups = [np.where(np.arange(used.shape[1]) == t, used, False) for t in range(used.shape[1])]
    groups += [used & (cohort == label)[:, None] for label in np.unique(cohort)]
    return [
        q
        for q in range(1, basis.shape[2])
        if all(_spanned(basis[cells][:, : q + 1]) for cells in groups if cells.any())
    ]


def _spanned(columns: Floats) -> bool:
    """Whether the last column is a combination of the others."""
    others, last = columns[:, :-1], columns[:, -1]
    left = last - others @ np.linalg.lstsq(others, last, rcond=None)[0]
    return bool(left @ left <= COLLINEAR * max(float(last @ last), 1.0))


def collinear_words(name: str, others: str) -> str:
    """The refusal of a covariate that effects and other covariates explain."""
    return (
        f"Covariate {name!r} is collinear with {others}, so its coefficient is not identified. Remove it; "
        "covariates that are constant within units are absorbed by the unit fixed effects."
    )


def inverse_of_crossproduct(
    inner: Floats, raw: Floats, weight: Floats, names: tuple[str, ...], others: str
) -> Floats:
    """(K, K) inverse of the weighted cross-products of covariates (K, N, T) net of the effects.

    Parameters
    ----------
    inner, raw : the covariates net of the effects, and as they are.
    others : what a covariate without variation of its own is collinear with, for its refusal.

    Raises
    ------
    PanelError
        If a covariate is explained by the effects and the covariates before it.
    """
    product = np.einsum("knt,nt,lnt->kl", inner, weight, inner)
    size = np.einsum("knt,nt,knt->k", raw, weight, raw)
    for place, name in enumerate(names):
        along = product[:place, place]
        own = product[place, place] - along @ np.linalg.solve(product[:place, :place], along)
        if own <= least_variation(float(size[place]), spread_of(raw[place], weight)):
            raise PanelError(collinear_words(name, others))
    return np.linalg.inv(product)
