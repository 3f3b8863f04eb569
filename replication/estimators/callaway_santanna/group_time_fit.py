"""Group-time effects of all cells, by sums of cohorts where the panel allows them, else one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Floats
from replication.core.errors import PanelError
from replication.estimators.callaway_santanna.aggregation import LinearMap, cohort_scores
from replication.estimators.callaway_santanna.cell_plan import GroupTimeCells, plan_cells
from replication.estimators.callaway_santanna.cells_one_by_one import general_scores, require_some_estimate
from replication.estimators.callaway_santanna.cohort_sums import CohortSums
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign, complete_cells
from replication.estimators.callaway_santanna.cross_section_cells import cross_section_scores, individuals_of
from replication.estimators.callaway_santanna.detrending import slope_weights, without_short_cohorts
from replication.estimators.callaway_santanna.influence import (
    CohortRows,
    Rows,
    ScoredRows,
    cell_std_errors,
    influence_loadings,
)


@dataclass(frozen=True, slots=True)
class GroupTimeFit:
    """Estimates (K,) of the cells, and the sums or scores behind their standard errors.

    Attributes
    ----------
    sums : on balanced panels without covariates and with constant weights
    scores : (K, C) by cluster, on all others
    problems : why cells could not be estimated
    """

    design: ComparisonDesign
    cells: GroupTimeCells
    estimate: Floats
    sums: CohortSums | None = None
    scores: Floats | None = None
    problems: tuple[str, ...] = ()

    def influence(self, rows: LinearMap) -> Rows:
        """Influence functions of estimates that are sums of cells and of cohort sizes."""
        factor = self.design.score_factor
        if self.sums is not None:
            return CohortRows(self.sums, list(influence_loadings(self.sums, rows, factor)))
        assert self.scores is not None
        return ScoredRows(factor * (rows.share @ self.scores + rows.tilt @ cohort_scores(self.design)))

    def cell_std_errors(self) -> Floats:
        """(K,) standard errors of the cells."""
        if self.sums is not None:
            return self.design.score_factor * cell_std_errors(self.sums)
        assert self.scores is not None
        length: Floats = np.sqrt(np.einsum("kc,kc->k", self.scores, self.scores))
        return self.design.score_factor * length


def estimate_cells(
    design: ComparisonDesign,
    *,
    base_period: str,
    adjustment: str,
    fix_weights: str,
    detrend: bool,
    cross_sections: bool,
) -> GroupTimeFit:
    """ATT(g, t) of every cohort and period against its base period.

    Parameters
    ----------
    detrend : whether unit-specific linear trends are removed.
    cross_sections : whether every unit is an individual that is observed once.
    """
    if cross_sections:
        design = individuals_of(design)
        cells = plan_cells(design, base_period)
        estimate, scores, problems = cross_section_scores(design, cells, adjustment)
        require_some_estimate(estimate, problems)
        return GroupTimeFit(design, cells, estimate, scores=scores, problems=tuple(problems))
    design = without_short_cohorts(design) if detrend else design
    cells = plan_cells(design, base_period)
    return fit_cells(design, cells, adjustment=adjustment, fix_weights=fix_weights, detrend=detrend)


def fit_cells(
    design: ComparisonDesign, cells: GroupTimeCells, *, adjustment: str, fix_weights: str, detrend: bool
) -> GroupTimeFit:
    """Cells by cohort sums where the panel allows it, one by one where it does not.

    ``detrend``: whether unit-specific linear trends are removed.
    """
    panel = design.panel
    if fix_weights == "first_period":
        first = np.broadcast_to(panel.weight[:, :1], panel.weight.shape)
        design = replace(design, panel=replace(panel, weight=first))
    if is_plain(design):
        sums = CohortSums(design, cells, slope_weights(design) if detrend else None)
        return GroupTimeFit(design, cells, sums.estimate(), sums)
    if detrend:
        raise PanelError(
            "Unit-specific linear trends need weights that are constant over time. Name a column "
            "that is constant within unit, or set 'fix_weights: first_period'."
        )
    estimate, scores, problems = general_scores(design, cells, adjustment, fix_weights)
    require_some_estimate(estimate, problems)
    return GroupTimeFit(design, cells, estimate, scores=scores, problems=tuple(problems))


def is_plain(design: ComparisonDesign) -> bool:
    """Whether cohort-by-period sums suffice: no gaps, no covariates, constant weights."""
    panel = design.panel
    constant = (panel.weight == panel.weight[:, :1]).all()
    return bool(panel.covariates is None and constant and complete_cells(panel).all())
