"""Intertemporal effects of de Chaisemartin & D'Haultfoeuille (2026): reversals, doses, covariates.

Estimand
    delta_l = mean effect of having been exposed to a changed treatment for l periods: the outcome
    of a unit l periods after its treatment first changed, less that with its baseline treatment
    throughout, times -1 where treatment fell first:
    DID_l = sum_i w_i S_i [(Y_{i,F-1+l} - Y_{i,F-1}) - mean change of the controls] / N_l, with F the
    column of the first change, S_i its sign, N_l the summed weights, and controls the units with
    the same baseline treatment whose treatment has not changed until F-1+l (section 3).
    Placebo l compares Y_{i,F-1-l} with Y_{i,F-1} for the units and controls of effect l.
    With a binary treatment that is kept this is the mean effect of l treated periods.
Normalized
    DID_l / mean over switchers of S_i sum_{t=F}^{F-1+l} (D_it - D_i1): an average of the effects of
    the current treatment and of its lags per unit of treatment.
Overall effect
    ``att = sum_l N_l DID_l / sum_l N_l d_l``, d_l the mean of S_i (D_{i,F-1+l} - D_i1): the average
    total effect per unit of treatment, which compares benefits with costs (section 3.3). It is the
    mean over switchers and periods if treatment is binary and kept.
Event time
    HorizonEffect l is event time l-1 (the period of the change is 0) and placebo l is event time -1-l:
    both are changes from event time -1, as in the other event paths of this package. Steps are
    counted in calendar time: in a panel that skips 2007, 2008 is two steps after 2006, and a
    panel of every second year has steps of two. The command of the authors numbers the periods
    that occur and so counts a gap as one step.
Covariates
    See ``control_slopes``.
Assumptions
    Units with the same baseline treatment would have parallel trends had they kept it (conditional on
    changes of the covariates), and no anticipation.
Reproduces
    Stata and R ``did_multiplegt_dyn y i t d, effects(L) placebo(P)`` with ``normalized``,
    ``switchers`` and ``controls``, including analytic standard errors.

Review of Economics and Statistics 108(4): 863-880 (2026; published online 2024). With ``cluster`` the
degrees of freedom count clusters, as the authors' command does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from replication.core.arrays import Floats
from replication.core.details import Details, EventSupport
from replication.core.errors import PanelError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.dcdh.control_slopes import control_slopes
from replication.estimators.dcdh.switcher_comparisons import HorizonEffect, did, layout_of
from replication.estimators.dcdh.treatment_paths import TreatmentPaths, switching_panel
from replication.estimators.registry import registered
from replication.estimators.shared.cohort_comparisons import Grid, on_calendar
from replication.estimators.shared.lost_cohorts import seen_untreated, with_lost_cohorts
from replication.inference.assemble import PointEstimates, from_scores
from replication.inference.row_table import EstimateRow

OF_WINDOW = "the overall effect averages event times 0 to {} only; 'window' leaves out the later ones"


@registered("de Chaisemartin-D'Haultfoeuille", cohorts=False, takes=("weights", "covariates"))
def dcdh(
    panel: Panel,
    *,
    window: tuple[int, int] | None = None,
    normalized: bool = False,
    switchers: str = "all",
    baseline_bins: int | None = None,
    inference: Inference = ANALYTIC,
) -> Estimates:
    """Estimate effects by length of exposure, placebos, and the average total effect.

    Parameters
    ----------
    panel : Panel
        With a treatment column, which may rise, fall, and take any values, or with cohorts of an
        absorbing binary treatment. Units treated in the first period are then dropped, since
        they have no untreated past; with a column they are controls for each other.
    window : first and last event time; all that can be estimated if empty.
    normalized : divide each effect by the cumulative change in treatment.
    switchers : ``all``, or those whose treatment first rises (``in``) or falls (``out``).
    baseline_bins : number of quantile bins of the baseline treatment within which units are compared;
        None compares units with equal baseline treatment.
    inference : method, variance, level, and draws of standard errors, intervals, and tests.

    Returns
    -------
    Estimates
        Rows ``att`` (per unit of treatment) and ``event`` (effect l at event time l - 1, placebo l at
        -1 - l). Units of the outcome.

    Raises
    ------
    PanelError
        If no treatment changes, no switcher has a control, one cluster is left, a covariate is
        collinear in changes, or the window contains no event time that can be estimated.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> print(round(rp.dcdh(panel).att[0], 3))
    0.723
    """
    dosed = panel.exposure is not None
    panel, grid, paths = switching_panel(panel, baseline_bins)
    adjusted, slopes = panel, None
    if panel.covariates is not None:
        y, slopes = control_slopes(panel, grid, paths)
        adjusted = replace(panel, y=y)
    layout = layout_of(adjusted, on_calendar(adjusted) if slopes is not None else grid, paths, switchers)
    effects = [found for step in horizons_of(grid, window) if (found := did(layout, step))]
    if slopes is not None:
        effects = [with_slopes(effect, slopes, paths) for effect in effects]
    after = [effect for effect in effects if effect.step >= 0]
    if not after:
        raise PanelError(
            f"No effect can be estimated{f' in the window {list(window)}' if window else ''}: no period has "
            "both a switcher and a control unit with the same baseline treatment that has not switched. "
            f"{'Widen the window, or add' if window else 'Add'} units that switch later or never."
        )
    panel = with_effects(panel, grid, after)
    last = after[-1].step
    if window and did(layout, last + 1) is not None:
        panel = replace(panel, notes=(*panel.notes, OF_WINDOW.format(last * grid.step)))
    if dosed:
        panel = with_uncompared(panel, grid, after)
    overall = average_total(after, dosed=dosed)
    shown = [per_unit(effect) for effect in effects] if normalized else effects
    points = PointEstimates(
        panel,
        "dcdh",
        [EstimateRow("att"), *(EstimateRow("event", event_time=e.step * grid.step) for e in shown)],
        np.array([overall.estimate, *(effect.estimate for effect in shown)]),
        inference,
        details=dcdh_details(effects, grid, panel, dosed=dosed, normalized=normalized),
    )
    return from_scores(points, np.column_stack([overall.scores, *(effect.scores for effect in shown)]))


def with_effects(panel: Panel, grid: Grid, after: list[HorizonEffect]) -> Panel:
    """The panel with a note on the cohorts that have no effect of any length."""
    onsets = {onset for effect in after for onset in effect.onsets}
    shown = panel.cohort[np.isin(grid.onset, list(onsets))].tolist()
    why = (
        "lack a not-yet-treated control that is observed in the period before adoption and in a treated "
        "period"
    )
    return with_lost_cohorts(panel, panel, shown, why, seen_untreated(panel, 2))


def horizons_of(grid: Grid, window: tuple[int, int] | None) -> list[int]:
    """Steps from adoption to try, in order, without the reference -1."""
    low, high = grid.steps(window) if window else (-grid.length, grid.length)
    low, high = max(low, -grid.length), min(high, grid.length - 1)
    return [step for step in range(low, high + 1) if step != -1]


def average_total(after: list[HorizonEffect], *, dosed: bool) -> HorizonEffect:
    """The effects of all lengths together, per unit of treatment where it has a dose."""
    shares = np.array([effect.mass for effect in after])
    shares /= shares.sum()
    point = float(shares @ [effect.estimate for effect in after])
    score = sum(
        (share * effect.scores for share, effect in zip(shares, after, strict=True)),
        np.zeros(len(after[0].scores)),
    )
    per = float(shares @ [effect.last for effect in after]) if dosed else 1.0
    return replace(after[0], estimate=point / per, scores=score / per)


def per_unit(effect: HorizonEffect) -> HorizonEffect:
    """The effect per unit of treatment, summed since the switch."""
    return replace(effect, estimate=effect.estimate / effect.total, scores=effect.scores / effect.total)


def with_slopes(effect: HorizonEffect, slopes: Floats, paths: TreatmentPaths) -> HorizonEffect:
    """The effect with the errors of the estimated slopes in its scores."""
    moved = np.einsum("nk,nk->n", slopes, effect.gradient[paths.group])
    return replace(effect, scores=effect.scores - moved)


def dcdh_details(
    effects: list[HorizonEffect], grid: Grid, panel: Panel, *, dosed: bool, normalized: bool
) -> Details:
    """What is reported beside the table."""
    after = [(f"event:{effect.step * grid.step}", effect) for effect in effects if effect.step >= 0]
    changes = {
        "treatment_change_summed": {label: effect.total for label, effect in after},
        "treatment_change_in_period": {label: effect.last for label, effect in after},
    }
    return Details(
        covariates=panel.covariate_names,
        control_group="not_yet_treated",
        base_period=-grid.step,
        average="switchers_per_unit" if dosed else "switchers",
        support=tuple(
            EventSupport(
                effect.step * grid.step, len(effect.onsets), effect.switchers.size, float(effect.mass)
            )
            for effect in effects
        ),
        by_row=changes if dosed else {},
        extras={"events_per_unit_of_treatment": "yes"} if normalized else {},
        notes=unit_notes(dosed=dosed, normalized=normalized),
    )


def unit_notes(*, dosed: bool, normalized: bool) -> tuple[str, ...]:
    """What the numbers are effects of, where that is not a period of treatment."""
    overall = ("the overall effect is per unit of treatment and period",) if dosed else ()
    path = "effects by event time are divided by the change of treatment summed since it first changed"
    return (*overall, *((path,) if normalized else ()))


def with_uncompared(panel: Panel, grid: Grid, after: list[HorizonEffect]) -> Panel:
    """The panel with a note on single units whose treatment changes and that have no effect."""
    shown = {onset for effect in after for onset in effect.onsets}
    behind = np.zeros(len(panel.units), dtype=bool)
    for effect in after:
        behind[effect.switchers] = True
    alone = ~behind & np.isin(grid.onset, list(shown))
    if not alone.any():
        return panel
    note = (
        f"{int(alone.sum())} units whose treatment changes, for example unit {panel.units[alone][0]}, are "
        "excluded because they are not observed together with a unit with the same baseline treatment that "
        "has not changed yet, their date of change is unknown, or 'switchers' leaves them out"
    )
    return replace(panel, notes=(*panel.notes, note))
