"""Multiplier bootstrap of cells and averages, one cohort at a time.

A draw of all cells is looked at and let go: what is kept is the draw of each average, the largest
absolute t-value among the cells, and where asked for the interquartile range of each cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replication.estimators.aggregation import LinearMap, cohort_scores
from replication.estimators.group_time import Cells
from replication.estimators.group_time_draws import CohortSums, Factors
from replication.estimators.group_time_sample import Design
from replication.inference.bands import PackedSigns, interquartile_errors, multipliers
from replication.inference.row_table import LARGEST_VCOV
from replication.results import Floats, Ints
from replication.specs import Inference

Table = NDArray[Any]
Blocks = Iterator[tuple[Ints, Table]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Draws of the averages (R, B), largest t-value of the cells (B,) and their errors (K,)."""

    averages: Floats
    largest: Floats
    cell_error: Floats


def draw(
    design: Design,
    cells: Cells,
    averages: LinearMap,
    cell_error: Floats,
    inference: Inference,
    source: CohortSums | Floats,
) -> Drawn:
    """Multiplier draws from cohort sums, or from the scores (K, C) of the cells.

    Parameters
    ----------
    cell_error : (K,) analytic errors; ``inference.method == "multiplier"`` replaces them by the
        interquartile range of the draws over that of the normal law.

    """
    resampled = inference.method == "multiplier"
    share = averages.share.toarray() if cells.time.size <= LARGEST_VCOV else averages.share
    blocks: Blocks
    if isinstance(source, CohortSums):
        means = source.influence(cluster_factors(design.panel.n_clusters, inference, np.float32))
        mass, blocks = means.mass, (source.cells_of(means, g) for g in range(len(means.own)))
    else:
        every = np.arange(design.panel.n_clusters)
        factors = cluster_factors(every.size, inference, np.float64).take(every, axis=0)
        mass = cohort_scores(design) @ factors
        blocks = score_blocks(design, cells, source, factors)
    drawn = averages.tilt @ mass
    largest, errors = np.zeros(inference.draws), cell_error.copy()
    for index, values in blocks:
        known = np.isfinite(cell_error[index]) & (cell_error[index] > 0)
        values[~known] = 0.0
        drawn += share[:, index] @ values
        if resampled:
            errors[index] = np.where(known, interquartile_errors(values.T), errors[index])
        if known.any():
            scaled = np.abs(values[known])
            scaled /= errors[index][known].astype(values.dtype)[:, None]
            np.maximum(largest, scaled.max(axis=0), out=largest)
    return Drawn(drawn, largest, errors)


def cluster_factors(n_clusters: int, inference: Inference, dtype: type) -> Factors:
    """(C, B) multipliers; the same numbers in single and double precision."""
    rng, shape = np.random.default_rng(inference.seed), (n_clusters, inference.draws)
    if inference.multiplier == "rademacher":
        return PackedSigns(rng, shape, dtype)
    return multipliers(rng, inference.multiplier, shape).astype(dtype)


def score_blocks(design: Design, cells: Cells, scores: Floats, factors: Table) -> Blocks:
    """Draws of the cells of each cohort from their scores."""
    for level in range(design.cohorts.size):
        index = cells.of(level)
        yield index, scores[index] @ factors
