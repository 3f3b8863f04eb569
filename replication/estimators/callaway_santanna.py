"""Group-time average treatment effects of Callaway & Sant'Anna (2021).

Estimand
    ATT(g, t) = E[Y_t(g) - Y_t(0) | G = g] for cohort g in period t, and averages of them.
Assumptions
    Parallel trends of each cohort and its comparison units from the base period on (given
    covariates, if there are any), no anticipation beyond ``anticipation`` periods, overlap.
Equations
    2.6 and 4.2 (cells), table 1 (averages), algorithm 1 (multiplier bootstrap).
Reproduces
    R ``did::att_gt`` and ``did::aggte`` 2.5; Stata ``csdid``.
Standard errors
    From the influence function. With units as clusters the variance is the sum of squared
    scores, as in R. Clusters that hold several units sum their scores first, and the variance is
    multiplied by G / (G - 1), which R leaves out (Python ``diff-diff`` has it): with 42 states R's
    standard errors are 1.2 per cent smaller. Normal critical values.

Journal of Econometrics 225(2): 200-230.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from replication.errors import PanelError, SpecError
from replication.estimators.aggregation import Plan, average_points, average_scores, plan_averages
from replication.estimators.detrended import slope_weights, with_lines
from replication.estimators.group_time import Cells, balanced_scores, plan_cells
from replication.estimators.group_time_draws import (
    CohortSums,
    cluster_draws,
    multiplier_cell_draws,
)
from replication.estimators.group_time_general import general_scores, require_some_estimate
from replication.estimators.group_time_info import design_facts, pretests
from replication.estimators.group_time_sample import Design, complete_cells, group_time_design
from replication.inference.assemble import Row, from_cluster_scores, from_scores
from replication.inference.bands import multiplier_blocks
from replication.inference.cluster_bootstrap import cluster_bootstrap, with_draws
from replication.inference.methods import by_unit, refuse_method
from replication.results import Estimates, Floats, Panel
from replication.specs import Inference

METHODS = ("analytic", "multiplier", "bootstrap", "conley")
DEFAULT = Inference()


@dataclass(frozen=True, slots=True)
class Options:
    """The keyword arguments of ``callaway_santanna`` other than ``inference``."""

    control_group: str
    base_period: str
    anticipation: int
    window: tuple[int, int] | None
    adjustment: str
    fix_weights: str
    unbalanced: str
    balance_e: int | None
    trends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fit:
    """Estimates (K,) and scores by cluster (K, C) of the cells.

    ``sums`` is there on balanced panels without covariates and with constant weights.
    """

    design: Design
    cells: Cells
    estimate: Floats
    scores: Floats
    sums: CohortSums | None = None
    problems: tuple[str, ...] = ()


def callaway_santanna(
    panel: Panel,
    *,
    control_group: str = "not_yet_treated",
    base_period: str = "universal",
    anticipation: int = 0,
    window: tuple[int, int] | None = None,
    adjustment: str = "doubly_robust",
    fix_weights: str = "none",
    unbalanced: str = "drop",
    balance_e: int | None = None,
    trends: Sequence[str] = (),
    inference: Inference = DEFAULT,
) -> Estimates:
    """Group-time effects with simple, group, calendar and event averages.

    Parameters
    ----------
    panel : Panel
        N units over T periods. Covariates are used where the panel has them.
    control_group : ``never_treated``, ``not_yet_treated`` or ``last_treated``
    base_period : ``universal`` or ``varying``
        The last period before adoption less anticipation for every cell, or, for cells before
        that, the period just before their own.
    anticipation : int
        Periods before adoption in which the effect may start.
    window, balance_e
        Event times of the event path and its average; nothing else depends on them.
    adjustment : ``doubly_robust``, ``outcome_regression`` or ``ipw``
        How covariates enter.
    fix_weights : ``none``, ``base_period``, ``first_period`` or ``varying``
        Which period's weight a unit carries where weights change.
    unbalanced : ``drop`` (units with gaps) or ``pairwise``
    trends : () or ("unit_linear",)
        Take out unit lines before adoption; see ``detrended``.
    inference : Inference
        ``analytic``; ``multiplier`` for bootstrap standard errors; ``bootstrap`` to draw whole
        clusters; ``conley`` for spatial errors. Simultaneous bands always come from the draws.
        With unit lines whole clusters are always drawn.

    Returns
    -------
    Estimates
        Terms ``att`` (all treated cells weighted by size), ``att_gt``, ``event``, ``group`` and
        ``calendar``; a row without its event time, cohort or period is the average of its term.

    Raises
    ------
    PanelError, SpecError
        If nothing can be compared, one cluster is left, no cell lies in the window, or options
        exclude one another.

    """
    options = Options(
        control_group, base_period, anticipation, window, adjustment, fix_weights, unbalanced,
        balance_e, tuple(trends),
    )  # fmt: skip
    require_known_trends(panel, options)
    refuse_method(panel.spec_id or "panel", "callaway_santanna", inference, METHODS)
    fit, plan = fit_and_plan(by_unit(panel) if inference.method == "conley" else panel, options)
    found = summarise(fit, plan, inference, said_of(options, fit, inference))
    resampled = inference.method == "bootstrap" or bool(options.trends)
    # A single draw, as in the inner fits of a permutation, asks for no bootstrap.
    if not resampled or inference.draws == 1:
        return found
    if fit.sums is None:
        again = partial(callaway_santanna, **asdict(options))
        return cluster_bootstrap(again, panel, inference)
    found = replace(found, info={**found.info, "analytic_std_error": found.att[1]})
    return with_draws(found, cluster_draws(fit.sums, plan, inference), fit.design.panel, inference)


def fit_and_plan(panel: Panel, options: Options) -> tuple[Fit, Plan]:
    """Estimates of all cells, and what is averaged."""
    design = group_time_design(
        panel,
        control_group=options.control_group,
        anticipation=options.anticipation,
        unbalanced=options.unbalanced,
    )
    fit = fit_cells(design, options)
    plan = plan_averages(
        fit.design,
        fit.cells,
        np.isfinite(fit.estimate),
        window=options.window,
        balance_e=options.balance_e,
    )
    return fit, plan


def said_of(options: Options, fit: Fit, inference: Inference) -> dict[str, Any]:
    """The choices behind an estimate, in plain values."""
    last = options.control_group == "last_treated"
    covariates = list(fit.design.panel.covariate_names)
    return {
        # With nobody never treated, the comparison is with units not yet treated.
        "control_group": "last_treated" if last else fit.design.comparison,
        "base_period": options.base_period,
        "window": None if options.window is None else list(options.window),
        "balance_e": options.balance_e,
        "covariates": covariates,
        "adjustment": options.adjustment if covariates else None,
        "trends": list(options.trends),
        "std_errors": f"{inference.method}, from the influence function",
        "multiplier": inference.multiplier,
    }


def fit_cells(design: Design, options: Options) -> Fit:
    """Cells by cohort sums where the panel allows it, one by one where it does not."""
    lines, fix_weights = bool(options.trends), options.fix_weights
    if lines:
        design = with_lines(design)
    cells = plan_cells(design, options.base_period)
    panel = design.panel
    if fix_weights == "first_period":
        first = np.broadcast_to(panel.weight[:, :1], panel.weight.shape)
        design = replace(design, panel=replace(panel, weight=first))
    if is_plain(design):
        slope = slope_weights(design) if lines else None
        estimate, scores = balanced_scores(design, cells, slope)
        return Fit(design, cells, estimate, scores, CohortSums(design, cells, slope))
    if lines:
        raise PanelError(
            "Unit lines need weights that do not change over time. Name a column that is constant "
            "within unit, or set 'fix_weights: first_period'."
        )
    estimate, scores, problems = general_scores(design, cells, options.adjustment, fix_weights)
    require_some_estimate(estimate, problems)
    return Fit(design, cells, estimate, scores, problems=tuple(problems))


def is_plain(design: Design) -> bool:
    """Whether cohort-by-period sums suffice: no gaps, no covariates, constant weights."""
    panel = design.panel
    constant = (panel.weight == panel.weight[:, :1]).all()
    return bool(panel.covariates is None and constant and complete_cells(panel).all())


def summarise(fit: Fit, plan: Plan, inference: Inference, info: dict[str, Any]) -> Estimates:
    """Averages, errors, bands and facts of a fit; rows of the averages, then of the cells."""
    design, cells = fit.design, fit.cells
    points = average_points(plan, cells.level, fit.estimate[None], design.mass[None])[0]
    estimate = np.concatenate([points, fit.estimate])
    averages = average_scores(plan, design, cells, np.nan_to_num(fit.estimate), fit.scores)
    scores = np.concatenate([averages, fit.scores]) * small_sample_factor(design)
    facts = {**info, **design_facts(design, cells, plan)}
    facts |= pretests(design, cells, plan, estimate, scores)
    if fit.problems:
        facts["cells_left_out"] = list(fit.problems)
        facts["notes"] = [*facts["notes"], left_out(fit)]
    rows = [*plan.rows, *cell_rows(design, cells)]
    name = "callaway_santanna"
    if inference.method == "conley":
        return from_scores(design.panel, name, rows, estimate, scores.T, inference, info=facts)
    return from_cluster_scores(
        design.panel, name, rows, estimate, scores.T, inference,
        draws=multiplier_draws(fit, scores[: points.size], inference), info=facts,
    )  # fmt: skip


def multiplier_draws(fit: Fit, averages: Floats, inference: Inference) -> Floats:
    """(B, R + K) multiplier draws of the averages, from their scores (R, C), and the cells."""
    factor, blocks = small_sample_factor(fit.design), []
    for factors in multiplier_blocks(averages.shape[1], inference):
        if fit.sums is None:
            cells = factors @ fit.scores.T
        else:
            cells = multiplier_cell_draws(fit.sums, factors)
        blocks.append(np.concatenate([factors @ averages.T, factor * cells], axis=1))
    return np.concatenate(blocks)


def small_sample_factor(design: Design) -> float:
    """Factor of the scores: root of G / (G - 1) with clusters above the unit, else 1."""
    groups = design.panel.n_clusters
    return float(np.sqrt(groups / (groups - 1))) if groups < len(design.panel.units) else 1.0


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


def require_known_trends(panel: Panel, options: Options) -> None:
    """Only unit lines, without covariates, on whole panels."""
    if not options.trends:
        return
    if options.trends != ("unit_linear",):
        raise SpecError(
            "The group-time estimator takes 'trends: unit_linear', not "
            f"{', '.join(options.trends)}. For effects of strata use twfe, event_study or "
            "imputation."
        )
    if panel.covariates is not None or options.unbalanced == "pairwise":
        raise SpecError(
            "Unit lines are taken out of whole panels without covariates: remove 'covariates' and "
            "set 'unbalanced: drop', or use imputation with 'trends: unit_linear'."
        )
