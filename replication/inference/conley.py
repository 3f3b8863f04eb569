"""Spatial standard errors from the coordinates of the units.

Estimand
    ``V = sum_ij k(d_ij) S_i S_j'`` with S_i the score of unit i summed over its periods, d_ij the
    great-circle distance and k a kernel that is zero beyond a cutoff (Conley 1999, Journal of
    Econometrics 92(1)). Any two periods of nearby units may be correlated, as with clusters whose
    members depend on the unit. With ``pairs = same_period`` nearby units are correlated within a
    period only, and every unit with itself at any lag (Hsiang 2010, PNAS 107(35)):
    ``V = sum_t sum_{i != j} k(d_ij) s_it s_jt' + sum_i S_i S_i'``.
Kernels
    ``bartlett`` falls in a straight line to zero at the cutoff; ``uniform`` is one up to it.
Reproduces
    With a cutoff below every distance: standard errors clustered by unit. With a uniform kernel over
    clusters that are far apart and small: standard errors clustered by them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from replication.core.arrays import Floats
from replication.core.details import Value
from replication.core.errors import PanelError
from replication.core.spec import Inference
from replication.inference.psd import Repaired, repaired_variance

EARTH_RADIUS_KM = 6371.0


def conley_variance(
    scores: Floats, coordinates: Floats | None, inference: Inference
) -> tuple[Repaired, dict[str, Value]]:
    """(K, K) variance from unit scores (N, K), and a note on the kernel.

    Parameters
    ----------
    scores : (N, K) scores of the units.
    coordinates : (N, 2) latitude and longitude in degrees.
    inference : ``cutoff_km`` and ``kernel`` are used.

    Returns
    -------
    tuple
        ``sum_ij k(d_ij) s_i s_j'`` with d in kilometers, positive semi-definite, and facts on the kernel.

    Raises
    ------
    PanelError
        If units have no coordinates, or invalid ones.
    """
    kernel = kernel_matrix(coordinates, inference)
    return _positive(scores.T @ (kernel @ scores)), _facts(kernel, inference)


def conley_variance_same_period(
    scores_at: Callable[[int], Floats], n_periods: int, coordinates: Floats | None, inference: Inference
) -> tuple[Repaired, dict[str, Value]]:
    """The variance with ``pairs = same_period``.

    Parameters
    ----------
    scores_at : gives the (N, K) scores of one period column, zero where a unit is not used; one
        period at a time, since all of them may not fit into memory.
    """
    kernel = kernel_matrix(coordinates, inference)
    total = scores_at(0)
    variance = total.T @ (kernel @ total) - total.T @ total
    for column in range(1, n_periods):
        scores = scores_at(column)
        variance += scores.T @ (kernel @ scores) - scores.T @ scores
        total = total + scores
    return _positive(variance + total.T @ total), _facts(kernel, inference)


def kernel_matrix(coordinates: Floats | None, inference: Inference) -> sparse.csr_matrix:
    """(N, N) kernel weights of all pairs within ``inference.cutoff_km``; ones on the diagonal."""
    # The import of scipy.spatial takes as long as a small estimate, which has no use for it.
    from scipy.spatial import cKDTree

    places = require_coordinates(coordinates)
    tree = cKDTree(unit_vectors(places))
    reach = 2 * np.sin(min(inference.cutoff_km / (2 * EARTH_RADIUS_KM), np.pi / 2))
    pairs = tree.sparse_distance_matrix(tree, reach, output_type="ndarray")
    distance = 2 * EARTH_RADIUS_KM * np.arcsin(np.clip(pairs["v"] / 2, 0, 1))
    weight = kernel_weight(distance, inference)
    kept = (weight > 0) & (pairs["i"] != pairs["j"])
    shape = (len(places), len(places))
    between = sparse.csr_matrix((weight[kept], (pairs["i"][kept], pairs["j"][kept])), shape=shape)
    return sparse.csr_matrix(between + sparse.identity(len(places), format="csr"))


def kernel_weight(distance: Floats, inference: Inference) -> Floats:
    """Weights of pairs at ``distance`` kilometers."""
    if inference.kernel == "uniform":
        return (distance <= inference.cutoff_km).astype(np.float64)
    return np.maximum(1 - distance / inference.cutoff_km, 0.0)


def unit_vectors(coordinates: Floats) -> Floats:
    """(N, 3) points on the unit sphere, where a chord c spans an angle of 2 arcsin(c / 2)."""
    latitude, longitude = np.radians(coordinates).T
    return np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )


def require_coordinates(coordinates: Floats | None) -> Floats:
    """Refuse missing coordinates and values that are not degrees."""
    if coordinates is None:
        raise PanelError(
            "Spatial standard errors need the latitude and longitude of every unit, and the panel has none. "
            "Name their columns in 'inference.coordinates' and set 'method: conley'."
        )
    wrong = (np.abs(coordinates[:, 0]) > 90) | (np.abs(coordinates[:, 1]) > 180)
    wrong |= ~np.isfinite(coordinates).all(axis=1)
    if wrong.any():
        example = coordinates[wrong][0].tolist()
        raise PanelError(
            f"{int(wrong.sum())} of {wrong.size} units have coordinates outside the range of "
            f"latitude (-90 to 90) and longitude (-180 to 180), for example {example}. Give the "
            "latitude first, in decimal degrees."
        )
    return coordinates


def _positive(variance: Floats) -> Repaired:
    """Kernels that are cut off at a distance can give negative variances."""
    return repaired_variance((variance + variance.T) / 2, "The Conley variance")


def _facts(kernel: sparse.csr_matrix, inference: Inference) -> dict[str, Value]:
    units = kernel.shape[0]
    return {
        "cutoff_km": inference.cutoff_km,
        "kernel": inference.kernel,
        "neighbors_per_unit": (kernel.nnz - units) / units,
        "units_without_neighbor": int((np.diff(kernel.indptr) == 1).sum()),
    }
