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
    scores, as in R. Clusters that contain several units sum their scores first, and the variance is
    multiplied by G / (G - 1), which R leaves out (Python ``diff-diff`` has it): with 42 states R's
    standard errors are 1.2 percent smaller. Critical values are normal where the units are the
    clusters and 40 or more, as in R, else t(G-1). ``inference: {distribution: normal,
    small_sample: none}`` gives R's numbers in all cases.

Journal of Econometrics 225(2): 200-230.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np

from replication.core.details import Details, Value
from replication.core.errors import SpecError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.callaway_santanna.aggregation import Plan, plan_averages
from replication.estimators.callaway_santanna.comparison_sample import group_time_design
from replication.estimators.callaway_santanna.group_time_fit import GroupTimeFit, estimate_cells
from replication.estimators.callaway_santanna.summarize import summarize_fit, with_cluster_draws
from replication.estimators.registry import registered
from replication.estimators.shared.lost_cohorts import lost_cohorts, vanished_cohorts
from replication.inference.methods import OwnMethods, by_unit, refuse_method

METHODS = ("analytic", "multiplier", "bootstrap", "conley")


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
    repeated_cross_sections: bool = False


@registered(
    "Callaway-Sant'Anna",
    takes=("covariates", "weights", "trends"),
    own=lambda spec: OwnMethods(bootstrap=not spec.covariates, resampled=bool(spec.trends)),
)
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
    repeated_cross_sections: bool = False,
    inference: Inference = ANALYTIC,
) -> Estimates:
    """Estimate group-time effects and their simple, group, calendar, and event averages.

    Parameters
    ----------
    panel : Panel
        N units over T periods. Covariates are used where the panel has them.
    control_group : ``never_treated``, ``not_yet_treated``, or ``last_treated``
    base_period : ``universal`` or ``varying``
        The last period before adoption less anticipation for every cell, or, for cells before
        that, the period just before their own.
    anticipation : int
        Periods before adoption in which the effect may start.
    window, balance_e
        Event times of the event study and its mean; nothing else depends on them.
    adjustment : ``doubly_robust``, ``outcome_regression``, or ``ipw``
        How covariates enter.
    fix_weights : ``none``, ``base_period``, ``first_period``, or ``varying``
        Period whose weight is used for a unit with changing weights.
    unbalanced : ``drop`` (units with gaps) or ``pairwise``
    trends : () or ("unit_linear",)
        Removes unit-specific linear trends fitted before adoption; see ``detrending``.
    repeated_cross_sections : bool
        Whether every unit is an individual that is observed once; see ``cross_section_adjustment``.
    inference : Inference
        ``analytic``; ``multiplier`` for bootstrap standard errors; ``bootstrap`` to draw whole
        clusters; ``conley`` for spatial standard errors. Uniform bands always come from the draws:
        from a bootstrap-t if few clusters identify the event-study coefficients, unless ``distribution``
        is ``normal``. With unit-specific linear trends, the cluster bootstrap is always used.

    Returns
    -------
    Estimates
        Terms ``att`` (all treated cells weighted by size), ``att_gt``, ``event``, ``group`` and
        ``calendar``; a row without its event time, cohort, or period is the average of its term.

    Raises
    ------
    PanelError, SpecError
        If nothing can be compared, one cluster is left, no cell lies in the window, or options
        conflict.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> print(round(rp.callaway_santanna(panel).att[0], 3))
    0.723
    """
    options = Options(
        control_group,
        base_period,
        anticipation,
        window,
        adjustment,
        fix_weights,
        unbalanced,
        balance_e,
        tuple(trends),
        repeated_cross_sections,
    )
    require_possible(panel, options)
    refuse_method(panel.spec_id or "panel", "callaway_santanna", inference, METHODS)
    return estimated(panel, options, inference)


def estimated(panel: Panel, options: Options, inference: Inference) -> Estimates:
    """The walk of a panel: sample, cells, averages, uncertainty."""
    # 1. The sample: who is compared with whom. Spatial standard errors need the scores of units.
    design = group_time_design(
        by_unit(panel) if inference.method == "conley" else panel,
        control_group=options.control_group,
        anticipation=options.anticipation,
        unbalanced="pairwise" if options.repeated_cross_sections else options.unbalanced,
        small_sample=inference.small_sample,
    )
    # 2. ATT(g, t) of each cohort g in each period t, from sums of cohorts (``CohortSums.cells_of``) or one by
    # one; the design of the fit may have lost cohorts that are too short for a trend.
    fit = estimate_cells(
        design,
        base_period=options.base_period,
        adjustment=options.adjustment,
        fix_weights=options.fix_weights,
        detrend=bool(options.trends),
        cross_sections=options.repeated_cross_sections,
    )
    # 3. Which cells each average takes, and with which weights.
    plan = plan_averages(
        fit.design, fit.cells, np.isfinite(fit.estimate), window=options.window, balance_e=options.balance_e
    )
    # 4. Standard errors from ``influence``, draws from ``bootstrap_draws``, uniform bands by ``score_sup_t``.
    found = summarize_fit(fit, plan, inference, details_of(options, fit, inference))
    notes = (*lost_notes(panel, fit, plan), *found.details.notes)
    found = replace(found, details=replace(found.details, notes=notes))
    if inference.method == "bootstrap" or options.trends:
        again = partial(callaway_santanna, **asdict(options))
        return with_cluster_draws(found, fit, plan, panel, inference, again)
    return found


def lost_notes(panel: Panel, fit: GroupTimeFit, plan: Plan) -> list[str]:
    """Notes on cohorts that left the sample, or have no treated cell that can be estimated."""
    design = fit.design
    compared = design.panel.cohort[np.isinf(design.adoption)]
    kept = panel.keep_units(np.isin(panel.units, design.panel.units))
    adopters = kept.keep_units(~np.isin(kept.cohort, compared))
    shown = [row.cohort for row in plan.rows if row.term == "group" and row.cohort is not None]
    why = "have no treated and control units observed both in a treated period and in the base period"
    if fit.problems:
        why = "have no group-time effect that can be estimated, as the note on group-time cells says"
    return [*vanished_cohorts(panel, kept), *lost_cohorts(adopters, shown, why)]


def details_of(options: Options, fit: GroupTimeFit, inference: Inference) -> Details:
    """The choices behind an estimate."""
    last = options.control_group == "last_treated"
    covariates = fit.design.panel.covariate_names
    extras: dict[str, Value] = {"adjustment": options.adjustment} if covariates else {}
    if options.balance_e is not None:
        extras["balance_e"] = options.balance_e
    return Details(
        linear_trends=("unit",) if options.trends else (),
        covariates=covariates,
        # Without never-treated units, the comparison is with units not yet treated.
        control_group="last_treated" if last else fit.design.comparison,
        base_period=options.base_period,
        window=options.window,
        extras=extras,
    ).measured(multiplier=inference.multiplier)


def require_possible(panel: Panel, options: Options) -> None:
    """Refuse options that conflict, and individuals that are observed more than once."""
    if options.repeated_cross_sections and not options.trends and (panel.observed.sum(axis=1) > 1).any():
        raise SpecError(
            "'repeated_cross_sections' is set, but units of the panel are observed in several periods. "
            "Remove the key, or read the panel with it, so that every row is an individual of its own."
        )
    if not options.trends:
        return
    if options.repeated_cross_sections:
        raise SpecError(
            "An individual that is observed once has no trend of its own. Remove 'trends' or "
            "'repeated_cross_sections'."
        )
    if options.trends != ("unit_linear",):
        raise SpecError(
            "The group-time estimator takes 'trends: unit_linear', not "
            f"{', '.join(options.trends)}. For effects of strata use twfe, event_study, or "
            "imputation."
        )
    if panel.covariates is not None or options.unbalanced == "pairwise":
        raise SpecError(
            "Unit-specific linear trends need panels without gaps and without covariates. Remove "
            "'covariates' and set 'unbalanced: drop', or use imputation with 'trends: unit_linear'."
        )
