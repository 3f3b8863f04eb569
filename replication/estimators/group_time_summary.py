"""From the cells to ``Estimates``: averages, errors, bands and what a reader must know."""

from __future__ import annotations

from typing import Any

import numpy as np

from replication.estimators.aggregation import LinearMap, Plan, linear_map
from replication.estimators.group_time import Cells
from replication.estimators.group_time_bands import draw
from replication.estimators.group_time_fit import Fit
from replication.estimators.group_time_info import design_facts, pretests
from replication.estimators.group_time_sample import Design
from replication.inference.assemble import (
    LARGEST_VCOV,
    from_errors,
    from_scores,
    sup_t_of_paths,
    without_fixed,
)
from replication.inference.bands import interquartile_errors
from replication.inference.row_table import Row
from replication.results import ClusterScores, Estimates, Floats
from replication.specs import Inference

NAME = "callaway_santanna"


def summarise(fit: Fit, plan: Plan, inference: Inference, info: dict[str, Any]) -> Estimates:
    """Averages, errors, bands and facts of a fit; rows of the averages, then of the cells."""
    design, cells = fit.design, fit.cells
    averages = linear_map(plan, cells.level, np.nan_to_num(fit.estimate), design.mass)
    estimate = np.concatenate([averages.share @ np.nan_to_num(fit.estimate), fit.estimate])
    rows = [*plan.rows, *cell_rows(design, cells)]
    every = averages.with_cells(np.isfinite(fit.estimate))
    kept = every if fit.estimate.size <= LARGEST_VCOV else averages
    variance = fit.row_covariance(kept.share, kept.tilt)
    facts = {
        **info, **design_facts(design, cells, plan), **pretests(fit, plan, estimate, variance)
    }  # fmt: skip
    if fit.problems:
        facts["cells_left_out"] = list(fit.problems)
        facts["notes"] = [*facts["notes"], left_out(fit)]
    if inference.method == "conley":
        scores = fit.row_scores(every.share, every.tilt).T
        return from_scores(design.panel, NAME, rows, estimate, scores, inference, info=facts)
    std_error, critical = errors_and_bands(fit, plan, averages, variance, inference)
    overall = fit.row_scores(averages.share[:1], averages.tilt[:1])[0]
    return from_errors(
        design.panel, NAME, rows, estimate, std_error, rescaled(variance, std_error),
        critical, inference, info=facts,
        overall=ClusterScores(overall, design.panel.units, design.panel.cluster),
    )  # fmt: skip


def errors_and_bands(
    fit: Fit, plan: Plan, averages: LinearMap, variance: Floats, inference: Inference
) -> tuple[Floats, dict[str, float]]:
    """(R + K,) standard errors, and the critical value of each path."""
    factor, count = fit.design.score_factor, len(plan.rows)
    error = np.sqrt(np.diag(variance))
    analytic = error[count:] if error.size > count else fit.cell_errors()
    source = fit.scores if fit.sums is None else fit.sums
    assert source is not None
    drawn = draw(fit.design, fit.cells, averages, analytic / factor, inference, source)
    error = without_fixed(error[:count])
    if inference.method == "multiplier":
        error = np.where(np.isnan(error), np.nan, factor * interquartile_errors(drawn.averages.T))
    critical = sup_t_of_paths(plan.rows, factor * drawn.averages.T, error, inference.level)
    critical["att_gt"] = float(np.quantile(drawn.largest, inference.level))
    return without_fixed(np.concatenate([error, factor * drawn.cell_error])), critical


def rescaled(variance: Floats, std_error: Floats) -> Floats:
    """The covariance with ``std_error`` on its diagonal, where that is known."""
    length = np.sqrt(np.diag(variance))
    ratio = np.nan_to_num(std_error[: length.size]) / np.where(length > 0, length, 1.0)
    return variance * ratio[:, None] * ratio


def cell_rows(design: Design, cells: Cells) -> list[Row]:
    """Rows of the cells, with their event time."""
    cohort, time = design.cohorts[cells.level], design.panel.periods[cells.time]
    return [
        Row("att_gt", cohort=g, time=t, event_time=t - g)
        for g, t in zip(cohort.tolist(), time.tolist(), strict=True)
    ]


def left_out(fit: Fit) -> str:
    """A sentence on the cells that could not be estimated."""
    count, total = len(fit.problems), int((~fit.cells.reference).sum())
    return (
        f"{count} of {total} group-time cells could not be estimated and are in no average: "
        f"{fit.problems[0]}{'; see cells_left_out' if count > 1 else ''}"
    )
