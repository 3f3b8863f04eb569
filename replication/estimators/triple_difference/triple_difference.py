"""Triple differences with staggered adoption, Ortiz-Villavicencio & Sant'Anna (2025).

Estimand
    ATT(g, t) = E[Y_t(g) - Y_t(0) | S = g, Q = 1]: the mean effect in period t on the eligible units
    (Q = 1) of the groups that adopt in period g, and averages of it.
Assumptions
    The gap between the trends of eligible and ineligible units would have been the same in all
    groups (given covariates, if there are any); no anticipation beyond ``anticipation`` periods; the
    treatment does not reach ineligible units; overlap of all four partitions.
Equations
    4.8 (building block), 4.11 and 4.12 (comparison groups combined by their precision).
Reproduces
    R ``triplediff::ddd`` and ``agg_ddd``; Python ``moderndid.ddd``. Two differences: standard errors are
    the root of the summed squares of the influence, where those packages divide by n - 1 in combined
    cells, and the weights of averages count eligible units, as the paper and moderndid 0.4 do.
Standard errors
    From the influence function, as in ``callaway_santanna``. Weights that combine comparison groups
    come from the influence of units whatever the clusters, so clusters move no estimate.

arXiv 2505.09942.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from replication.core.arrays import Bools
from replication.core.details import Details, Value
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates
from replication.core.panel import NEVER, Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.callaway_santanna.aggregation import plan_averages
from replication.estimators.callaway_santanna.cell_plan import plan_cells
from replication.estimators.callaway_santanna.cells_one_by_one import require_some_estimate
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign, group_time_design
from replication.estimators.callaway_santanna.group_time_fit import GroupTimeFit
from replication.estimators.callaway_santanna.summarize import summarize_fit
from replication.estimators.registry import registered
from replication.estimators.triple_difference.triple_cells import triple_cells

METHODS = ("analytic", "multiplier", "bootstrap", "conley")
FEWEST = 2
"""Units of a partition; the residual of a single one is zero, and so would be its variance."""


@registered(
    "Triple difference (Ortiz-Villavicencio-Sant'Anna)",
    takes=("covariates", "weights"),
    methods=METHODS,
    needs=("eligible",),
)
def triple_difference(
    panel: Panel,
    *,
    eligible: str | None = None,
    control_group: str = "not_yet_treated",
    base_period: str = "universal",
    anticipation: int = 0,
    window: tuple[int, int] | None = None,
    adjustment: str = "doubly_robust",
    balance_e: int | None = None,
    inference: Inference = ANALYTIC,
) -> Estimates:
    """Estimate group-time triple differences with simple, group, calendar, and event averages.

    Parameters
    ----------
    panel : Panel
        N units over T periods. The cohort of a unit is the period in which its group adopts, for
        ineligible units too.
    eligible : str
        Name of the 0/1 column of eligible units, in ``panel.strata``.
    control_group : ``never_treated``, ``not_yet_treated`` (each cohort that has not adopted is one
        comparison group) or ``last_treated``.
    base_period, anticipation, window, balance_e
        As in ``callaway_santanna``.
    adjustment : ``doubly_robust``, ``outcome_regression``, or ``ipw``
    inference : Inference

    Returns
    -------
    Estimates
        Rows as those of ``callaway_santanna``, in units of the outcome.

    Raises
    ------
    PanelError, SpecError
        If ``eligible`` is missing, nothing can be compared, one cluster is left, or options exclude
        one another.

    Examples
    --------
    >>> import replication as rp
    >>> frame = rp.simulated_panel(seed=1)
    >>> frame["eligible"] = frame["unit"] // 4 % 2
    >>> panel = rp.read_panel(frame, outcome="y", eligible="eligible")
    >>> print(round(rp.triple_difference(panel).att[0], 3))
    -0.009
    """
    kept, eligible_there = triple_sample(panel, eligible, control_group, anticipation)
    design = replace(kept, small_sample=inference.small_sample)
    cells = plan_cells(design, base_period)
    estimate, scores, problems = triple_cells(design, cells, eligible_there, adjustment)
    require_some_estimate(estimate, problems)
    treated = only_eligible(design, eligible_there)
    fit = GroupTimeFit(treated, cells, estimate, scores=scores, problems=tuple(problems))
    plan = plan_averages(treated, cells, np.isfinite(estimate), window=window, balance_e=balance_e)
    last = control_group == "last_treated"
    extras: dict[str, Value] = {"eligible": eligible, **counts(design, eligible_there)}
    extras |= {"adjustment": adjustment} if panel.covariate_names else {}
    extras |= {} if balance_e is None else {"balance_e": balance_e}
    details = Details(
        covariates=panel.covariate_names,
        control_group="last_treated" if last else design.comparison,
        base_period=base_period,
        window=window,
        extras=extras,
    ).measured(multiplier=inference.multiplier)
    return summarize_fit(fit, plan, inference, details, "triple_difference")


def triple_sample(
    panel: Panel, eligible: str | None, control_group: str, anticipation: int
) -> tuple[ComparisonDesign, Bools]:
    """The design of the units whose cohort has both partitions, and which of them are eligible."""
    if panel.exposure is not None:
        raise PanelError(
            "triple_difference takes a binary treatment that starts with the cohort; this panel has a "
            "treatment intensity. Set 'treatment: binary' and name the cohort column."
        )
    if eligible is None or eligible not in panel.strata:
        raise SpecError(
            f"triple_difference needs 'eligible', a column that is 1 for units that the treatment can reach "
            f"and 0 for the others{'' if eligible is None else f'; this panel has no {eligible!r}'}. Set "
            "`--set eligible=COLUMN` (in YAML `eligible: COLUMN`; in Python, read the panel with it: "
            "`rp.read_panel(..., eligible='COLUMN')`)."
        )
    while True:
        design = group_time_design(panel, control_group=control_group, anticipation=anticipation)
        partition: Bools = np.asarray(design.panel.strata[eligible] == 1)
        units = np.bincount(2 * design.level + partition, minlength=2 * design.cohorts.size + 2)
        thin: Bools = np.asarray((units.reshape(-1, 2) < FEWEST).any(axis=1))
        if not thin.any():
            return design, partition
        panel = without_thin(design, thin, units.reshape(-1, 2), eligible)


def without_thin(design: ComparisonDesign, thin: Bools, units: Any, eligible: str) -> Panel:
    """The panel without cohorts that lack eligible or ineligible units; refuses to drop all."""
    gone = thin[design.level]
    names = [design.panel.written(cohort) for cohort in design.cohorts] + ["never treated"]
    shown = "; ".join(
        f"{name}: {one} eligible and {zero} ineligible"
        for name, (zero, one), few in zip(names, units.tolist(), thin, strict=True)
        if few
    )
    if thin[:-1].all() or (thin[-1] and design.comparison == "never_treated") or (~thin).sum() < FEWEST:
        raise PanelError(
            f"No triple difference can be formed: every comparison needs {FEWEST} or more eligible and "
            f"ineligible units (column {eligible!r}) in an adopting cohort and in a comparison cohort, but "
            f"there are for {shown}. The cohort of an ineligible unit must be the period in which its group "
            "adopts, not 0 because the unit itself is never treated: check both columns."
        )
    return design.panel.keep_units(
        ~gone,
        f"{int(gone.sum())} units in cohorts with fewer than {FEWEST} eligible or ineligible units were "
        f"dropped ({shown})",
    )


def only_eligible(design: ComparisonDesign, eligible: Bools) -> ComparisonDesign:
    """The design in which ineligible units count as never treated, which they are."""
    panel = replace(design.panel, cohort=np.where(eligible, design.panel.cohort, NEVER))
    return replace(design, panel=panel, adoption=np.where(eligible, design.adoption, np.inf))


def counts(design: ComparisonDesign, eligible: Bools) -> Mapping[str, int]:
    """Units of the four partitions."""
    adopting = np.isfinite(design.adoption)
    return {
        "n_eligible_adopting": int((eligible & adopting).sum()),
        "n_ineligible_adopting": int((~eligible & adopting).sum()),
        "n_eligible_comparison": int((eligible & ~adopting).sum()),
        "n_ineligible_comparison": int((~eligible & ~adopting).sum()),
    }
