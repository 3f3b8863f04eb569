"""Which way the cells of a design are estimated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from replication.errors import PanelError
from replication.estimators.detrended import slope_weights
from replication.estimators.group_time import Cells, balanced_scores
from replication.estimators.group_time_draws import CohortSums
from replication.estimators.group_time_general import general_scores, require_some_estimate
from replication.estimators.group_time_sample import Design, complete_cells
from replication.inference.assemble import LARGEST_VCOV
from replication.results import Floats


@dataclass(frozen=True, slots=True)
class Fit:
    """Estimates (K,) of the cells, and what their errors are made of.

    Attributes
    ----------
    scores : (K, C) by cluster; missing where there are too many cells to keep them
    sums : on balanced panels without covariates and with constant weights
    problems : why cells could not be estimated

    """

    design: Design
    cells: Cells
    estimate: Floats
    scores: Floats | None
    sums: CohortSums | None = None
    problems: tuple[str, ...] = ()


def fit_cells(
    design: Design, cells: Cells, *, adjustment: str, fix_weights: str, lines: bool, keep: bool
) -> Fit:
    """Cells by cohort sums where the panel allows it, one by one where it does not.

    Parameters
    ----------
    lines : whether unit lines are taken out
    keep : whether the scores of the cells are needed, however many there are

    """
    panel = design.panel
    if fix_weights == "first_period":
        first = np.broadcast_to(panel.weight[:, :1], panel.weight.shape)
        design = replace(design, panel=replace(panel, weight=first))
    if is_plain(design):
        sums = CohortSums(design, cells, slope_weights(design) if lines else None)
        many = cells.time.size > LARGEST_VCOV and panel.n_clusters == len(panel.units)
        if many and not keep and not lines:
            return Fit(design, cells, sums.estimate(), None, sums)
        estimate, scores = balanced_scores(design, cells, sums.slope)
        return Fit(design, cells, estimate, scores, sums)
    if lines:
        raise PanelError(
            "Unit lines need weights that do not change over time. Name a column that is constant "
            "within unit, or set 'fix_weights: first_period'."
        )
    estimate, scores, problems = general_scores(design, cells, adjustment, fix_weights)
    require_some_estimate(estimate, problems)
    return Fit(design, cells, estimate, scores, problems=tuple(problems))


def is_plain(design: Design) -> bool:
    """Whether cohort-by-period sums suffice: no gaps, no covariates, constant weights."""
    panel = design.panel
    constant = (panel.weight == panel.weight[:, :1]).all()
    return bool(panel.covariates is None and constant and complete_cells(panel).all())
