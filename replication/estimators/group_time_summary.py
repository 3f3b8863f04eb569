"""From the cells to ``Estimates``: averages, errors, bands and what a reader must know."""

from __future__ import annotations

from typing import Any

import numpy as np

from replication.estimators.aggregation import (
    LinearMap,
    Plan,
    average_points,
    cohort_scores,
    linear_map,
)
from replication.estimators.group_time import Cells
from replication.estimators.group_time_bands import draw
from replication.estimators.group_time_fit import Fit
from replication.estimators.group_time_info import design_facts, pretests
from replication.estimators.group_time_moments import cell_errors, scores_of_averages
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
    design, cells, factor = fit.design, fit.cells, fit.design.score_factor
    points = average_points(plan, cells.level, fit.estimate[None], design.mass[None])[0]
    averages = linear_map(plan, cells.level, np.nan_to_num(fit.estimate), design.mass)
    scores = factor * scores_by_cluster(fit, averages)
    facts = {**info, **design_facts(design, cells, plan), **pretests(fit, plan, points, scores)}
    if fit.problems:
        facts["cells_left_out"] = list(fit.problems)
        facts["notes"] = [*facts["notes"], left_out(fit)]
    rows, estimate = [*plan.rows, *cell_rows(design, cells)], np.concatenate([points, fit.estimate])
    if inference.method == "conley":
        every = np.concatenate([scores, scores_kept(fit)]).T
        return from_scores(design.panel, NAME, rows, estimate, every, inference, info=facts)
    std_error, critical = errors_and_bands(fit, plan, averages, scores, inference)
    return from_errors(
        design.panel, NAME, rows, estimate, std_error, covariance(fit, scores, std_error),
        critical, inference, info=facts,
        overall=ClusterScores(scores[0], design.panel.units, design.panel.cluster),
    )  # fmt: skip


def scores_by_cluster(fit: Fit, averages: LinearMap) -> Floats:
    """(R, C) scores of the averages, those of the estimated cohort sizes included."""
    cohorts = cohort_scores(fit.design)
    if fit.scores is not None:
        return averages(fit.scores, cohorts)
    assert fit.sums is not None
    scores: Floats = scores_of_averages(fit.sums, averages) + averages.tilt @ cohorts
    return scores


def scores_kept(fit: Fit) -> Floats:
    """(K, C) scores of the cells, small-sample factor included."""
    assert fit.scores is not None
    return fit.scores * fit.design.score_factor


def errors_and_bands(
    fit: Fit, plan: Plan, averages: LinearMap, scores: Floats, inference: Inference
) -> tuple[Floats, dict[str, float]]:
    """(R + K,) standard errors, and the critical value of each path."""
    factor = fit.design.score_factor
    if fit.scores is not None:
        analytic = np.sqrt(np.einsum("kc,kc->k", fit.scores, fit.scores))
    else:
        assert fit.sums is not None
        analytic = cell_errors(fit.sums)
    source = fit.scores if fit.sums is None else fit.sums
    assert source is not None
    drawn = draw(fit.design, fit.cells, averages, analytic, inference, source)
    error = without_fixed(np.sqrt((scores**2).sum(axis=1)))
    if inference.method == "multiplier":
        error = np.where(np.isnan(error), np.nan, factor * interquartile_errors(drawn.averages.T))
    critical = sup_t_of_paths(plan.rows, factor * drawn.averages.T, error, inference.level)
    critical["att_gt"] = float(np.quantile(drawn.largest, inference.level))
    return without_fixed(np.concatenate([error, factor * drawn.cell_error])), critical


def covariance(fit: Fit, scores: Floats, std_error: Floats) -> Floats:
    """Covariance with ``std_error`` on its diagonal, of all rows or of the averages only."""
    every = scores
    if fit.estimate.size <= LARGEST_VCOV:
        every = np.concatenate([scores, scores_kept(fit)])
    length = np.sqrt((every**2).sum(axis=1))
    ratio = np.nan_to_num(std_error[: len(every)]) / np.where(length > 0, length, 1.0)
    scaled = every * ratio[:, None]
    variance: Floats = scaled @ scaled.T
    return variance


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
