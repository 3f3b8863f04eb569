"""From the cells to ``Estimates``: averages, standard errors, bands, notes and details."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from replication.core.arrays import Floats
from replication.core.details import Details, Dropped
from replication.core.estimates import ClusterScores, Estimates
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.estimators.callaway_santanna.aggregation import LinearMap, Plan, linear_map
from replication.estimators.callaway_santanna.bootstrap_draws import (
    Drawn,
    cluster_draws,
    draw_many,
    draw_rows,
    draw_scores,
)
from replication.estimators.callaway_santanna.cell_plan import GroupTimeCells
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign
from replication.estimators.callaway_santanna.diagnostics import pretest_cells, with_design
from replication.estimators.callaway_santanna.group_time_fit import GroupTimeFit
from replication.estimators.callaway_santanna.influence import Rows
from replication.inference.assemble import PointEstimates, from_scores, from_std_errors
from replication.inference.bands import interquartile_std_errors, quantiles, studentized_critical_value
from replication.inference.critical_values import (
    choose_distribution,
    largest_of_paths,
    score_sup_t,
    without_fixed,
)
from replication.inference.row_table import LARGEST_VCOV, EstimateRow, RowKeys, Tails

NAME = "callaway_santanna"


def summarize_fit(
    fit: GroupTimeFit, plan: Plan, inference: Inference, details: Details, name: str = NAME
) -> Estimates:
    """Averages, standard errors, bands and details of a fit; rows of the averages, then of the cells.

    ``name`` is that of the estimator.
    """
    design, cells = fit.design, fit.cells
    # Averages as sums of cells; these and every cell; of them the rows whose covariance is kept, as cells
    # may be too many for one; and the rows of the averages among the kept.
    averages = linear_map(plan, cells.level, np.nan_to_num(fit.estimate), design.mass)
    estimate = np.concatenate([averages.share @ np.nan_to_num(fit.estimate), fit.estimate])
    rows = [*plan.rows, *cell_rows(design, cells)]
    every = averages.with_cells(np.isfinite(fit.estimate))
    with_cells = fit.estimate.size <= LARGEST_VCOV
    kept = fit.influence(every if with_cells else averages)
    shown = kept.first(len(plan.rows))
    variance = kept.covariance()
    details = with_design(details, design, cells, plan)
    details = replace(details, pretest_cells=pretest_cells(fit, plan, variance))
    if fit.problems:
        lost = Dropped("not_estimated", len(fit.problems), "cells", tuple(fit.problems))
        details = replace(details, dropped=(*details.dropped, lost)).noted([left_out(fit)])
    points = PointEstimates(design.panel, name, rows, estimate, inference, details=details)
    if inference.method == "conley":
        units = fit.influence(every)
        return from_scores(points, units.scores()[:, np.argsort(units.clusters)].T)
    scores = shown.scores()
    overall = np.empty(scores.shape[1])
    overall[shown.clusters] = scores[0]
    if with_cells:
        std_error = np.sqrt(np.diag(variance)[len(plan.rows) :])
        drawn = draw_rows(kept, std_error, design.panel.n_clusters, inference)
    else:
        drawn = drawn_without_covariance(fit, averages, kept, inference)
    std_error, critical = std_errors_and_bands(plan, variance, scores, drawn, inference)
    return from_std_errors(
        points,
        std_error,
        rescaled(variance, std_error),
        lambda _: critical,
        scores=scores_if_drawn(fit, every, inference),
        overall=ClusterScores(overall, design.panel.units, design.panel.cluster),
    )


def with_cluster_draws(
    found: Estimates,
    fit: GroupTimeFit,
    plan: Plan,
    panel: Panel,
    inference: Inference,
    again: Callable[..., Estimates],
) -> Estimates:
    """The same estimates with standard errors and bands from clusters drawn with replacement.

    ``again`` estimates a drawn panel where the sums by cohort do not suffice.
    """
    # A single draw, as in the inner fits of a permutation, asks for no bootstrap.
    if inference.draws == 1:
        return found
    from replication.inference.cluster_bootstrap import cluster_bootstrap, with_draws

    if fit.sums is None:
        return cluster_bootstrap(again, panel, inference)
    found = replace(found, details=found.details.with_extras({"analytic_std_error": found.att[1]}))
    draws, tails = cluster_draws(fit.sums, plan, inference), requested_distribution(fit, plan, inference)
    return with_draws(found, draws, fit.design.panel, inference, tails)


def scores_if_drawn(fit: GroupTimeFit, every: LinearMap, inference: Inference) -> Floats | None:
    """(C, R + K) scores of all rows, if the intervals come from draws of them."""
    return fit.influence(every).scores().T if inference.distribution == "bootstrap_t" else None


def requested_distribution(fit: GroupTimeFit, plan: Plan, inference: Inference) -> Tails | None:
    """The distribution of all t-values, where intervals around bootstrap standard errors use one."""
    if inference.distribution not in ("t", "bootstrap_t"):
        return None
    averages = linear_map(plan, fit.cells.level, np.nan_to_num(fit.estimate), fit.design.mass)
    scores = scores_if_drawn(fit, averages.with_cells(np.isfinite(fit.estimate)), inference)
    return choose_distribution(inference, "t", fit.design.panel.n_clusters - 1.0, scores)


def drawn_without_covariance(
    fit: GroupTimeFit, averages: LinearMap, rows: Rows, inference: Inference
) -> Drawn:
    """Multiplier draws of averages (``rows``) and cells that are too many for a covariance matrix."""
    n_clusters = fit.design.panel.n_clusters
    factor = fit.design.score_factor
    if fit.scores is not None:
        return draw_scores(fit.scores, rows, fit.cell_std_errors(), factor, inference)
    assert fit.sums is not None
    found = draw_many(fit.sums, averages, fit.cell_std_errors() / factor, n_clusters, inference)
    return Drawn(factor * found.averages, found.largest, factor * found.cell_std_error)


def std_errors_and_bands(
    plan: Plan, variance: Floats, scores: Floats, drawn: Drawn, inference: Inference
) -> tuple[Floats, dict[str, float]]:
    """(R + K,) standard errors, and the critical value of each path.

    ``scores`` (R, C) are those of the averages; ``variance`` may leave out the cells.
    """
    std_error = without_fixed(np.sqrt(np.diag(variance)[: len(scores)]))
    if inference.method == "multiplier":
        std_error = np.where(np.isnan(std_error), np.nan, interquartile_std_errors(drawn.averages.T))
    paths = list(RowKeys(plan.rows).paths(std_error))
    largest = largest_of_paths(paths, drawn.averages.T, std_error)
    signed = quantiles({**largest, "att_gt": drawn.largest}, inference.level)
    cells = signed.pop("att_gt")
    critical = score_sup_t(paths, scores.T, inference, signed)
    # Cells may be too many for scores of theirs, so that their value is always moved.
    moved = (
        cells if inference.distribution == "normal" else studentized_critical_value(cells, scores.shape[1])
    )
    return (without_fixed(np.concatenate([std_error, drawn.cell_std_error])), {**critical, "att_gt": moved})


def rescaled(variance: Floats, std_error: Floats) -> Floats:
    """The covariance with ``std_error`` on its diagonal, where that is known."""
    length = np.sqrt(np.diag(variance))
    ratio = np.nan_to_num(std_error[: length.size]) / np.where(length > 0, length, 1.0)
    return variance * ratio[:, None] * ratio


def cell_rows(design: ComparisonDesign, cells: GroupTimeCells) -> list[EstimateRow]:
    """Rows of the cells, with their event time."""
    cohort, time = design.cohorts[cells.level], design.panel.periods[cells.time]
    return [
        EstimateRow("att_gt", cohort=g, time=t, event_time=t - g)
        for g, t in zip(cohort.tolist(), time.tolist(), strict=True)
    ]


def left_out(fit: GroupTimeFit) -> str:
    """A sentence on the cells that could not be estimated."""
    count, total = len(fit.problems), int((~fit.cells.reference).sum())
    return (
        f"{count} of {total} group-time cells could not be estimated and are in no average"
        f"{'; for example, ' if count > 1 else ': '}{fit.problems[0]}"
    )
