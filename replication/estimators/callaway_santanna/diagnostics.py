"""Diagnostics of a group-time estimate: sample, comparison, support and pre-test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import linalg, sparse, special

from replication.core.arrays import Floats
from replication.core.details import Details, EventSupport, JointTest
from replication.estimators.callaway_santanna.aggregation import LinearMap, Plan
from replication.estimators.callaway_santanna.cell_plan import GroupTimeCells, comparison_thresholds
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign
from replication.estimators.callaway_santanna.group_time_fit import GroupTimeFit
from replication.estimators.shared.cohort_comparisons import weighted_mean
from replication.inference.row_table import LARGEST_VCOV


def with_design(details: Details, design: ComparisonDesign, cells: GroupTimeCells, plan: Plan) -> Details:
    """The details with sample, comparison and support."""
    panel = design.panel
    compared = {f"comparison_units_{name}": count for name, count in comparison_units(design, cells).items()}
    return (
        replace(
            details,
            anticipation=design.anticipation,
            average="simple",
            dropped=design.dropped,
            support=group_time_support(design, cells, plan),
            mean_outcome=weighted_mean(panel),
            mean_pre=mean_pre(design),
        )
        .noted(design.notes)
        .with_extras(
            {
                **compared,
                "treated_units": int(np.isfinite(design.adoption).sum()),
                "comparison_only_units": int(np.isinf(design.adoption).sum()),
            }
        )
    )


def group_time_support(
    design: ComparisonDesign, cells: GroupTimeCells, plan: Plan
) -> tuple[EventSupport, ...]:
    """Cohorts and units behind each point of the event path."""
    units = np.bincount(design.level, minlength=design.cohorts.size + 1)
    found = []
    for entry in plan.averages:
        if entry.row.event_time is not None:
            # A cohort has one cell at an event time.
            behind = int(units[cells.level[entry.members]].sum())
            found.append(EventSupport(int(entry.row.event_time), int(entry.members.size), behind))
    return tuple(found)


def comparison_units(design: ComparisonDesign, cells: GroupTimeCells) -> dict[str, int]:
    """Fewest and most comparison units behind a treated cell."""
    units = np.bincount(design.level, minlength=design.cohorts.size + 1)
    if design.comparison == "never_treated":
        counts = units[-1:]
    else:
        treated = design.panel.periods[cells.time] >= design.cohorts[cells.level]
        first = np.searchsorted(design.cohorts, comparison_thresholds(design, cells)[treated], "right")
        counts = np.cumsum(units[::-1])[::-1][first]
    return {"fewest": int(counts.min()), "most": int(counts.max())} if counts.size else {}


def mean_pre(design: ComparisonDesign) -> float:
    """Weighted mean outcome of the treated cohorts before adoption less anticipation."""
    before = design.panel.periods + design.anticipation < design.adoption[:, None]
    return weighted_mean(design.panel, before & np.isfinite(design.adoption)[:, None])


def pretest_cells(fit: GroupTimeFit, plan: Plan, variance: Floats) -> JointTest:
    """Joint test of the cells before adoption less anticipation, as R ``did::att_gt`` (``W``, ``Wpval``).

    ``variance`` may leave out the cells.
    """
    design, cells = fit.design, fit.cells
    early = design.panel.periods[cells.time] < design.cohorts[cells.level] - design.anticipation
    before = np.flatnonzero(early & ~cells.reference & np.isfinite(fit.estimate))
    if before.size > LARGEST_VCOV:
        return untested(before.size, f"{before.size} cells are too many for a joint test")
    if len(variance) > len(plan.rows):
        part = variance[np.ix_(len(plan.rows) + before, len(plan.rows) + before)]
    else:
        chosen = sparse.csr_matrix(sparse.eye(fit.estimate.size, format="csr")[before])
        none = np.zeros((before.size, fit.design.cohorts.size + 1))
        part = fit.influence(LinearMap(chosen, none)).covariance()
    return wald(fit.estimate[before], part, fit.design.panel.n_clusters)


def untested(count: int, reason: str) -> JointTest:
    """A test that is not possible, with the reason."""
    return JointTest("Wald", count, reason=reason)


def wald(estimate: Floats, variance: Floats, n_clusters: int) -> JointTest:
    """Wald statistic that K values with a (K, K) covariance are all zero."""
    usable = np.isfinite(estimate) & (np.diag(variance) > 0)
    count = int(usable.sum())
    if not count:
        return untested(count, "no pre-treatment value with a standard error")
    if count >= n_clusters:
        return untested(count, f"{count} values are tested with {n_clusters} clusters")
    variance = variance[np.ix_(usable, usable)]
    factor, status = linalg.lapack.dpotrf(variance, lower=1)
    rcond = 0.0 if status else linalg.lapack.dpocon(factor, linalg.norm(variance, 1), uplo="L")[0]
    if rcond <= np.finfo(float).eps:
        return untested(count, "the covariance of the pre-treatment values is singular")
    root = linalg.solve_triangular(factor, estimate[usable], lower=True)
    statistic = float(root @ root)
    return JointTest("Wald", count, statistic, float(special.chdtrc(count, statistic)))
