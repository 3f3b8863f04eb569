"""Local projections difference-in-differences of Dube, Girardi, Jorda & Taylor (2025).

One regression per horizon h, on adopters and clean controls only
    y_{i,t+h} - y_{i,t-1} = beta_h dD_it + lambda_t^h + x_it' g_h + e_it^h,
    with dD_it = 1 where unit i adopts in t, and as controls the units still untreated in t+h (in
    t for h < 0).
Estimand
    beta_h = sum_t omega_t (change of the adopters of t - change of their controls), with
    omega_t proportional to n1 n0 / (n1 + n0), adopters and controls of t: weights that are never
    negative, larger where adopters and controls are even (the variance-weighted form, the
    default of the authors' Stata command). ``reweight`` sets omega_t proportional to n1, the
    equally weighted average over adopters.
Overall effect
    ``att`` pools: the dependent variable is the mean of y over t .. t+H less y_{t-1}, controls
    are untreated through t+H. The pooled placebo (means over the periods before t-1) is in
    the details.
Assumptions
    No anticipation, parallel trends. With covariates also that they act linearly and alike on
    all (online appendix B.2).
Variance
    Clustered by unit or above within a horizon, N and K those of its regression, t(G-1).
Reproduces
    Stata ``lpdid y, unit(i) time(t) treat(d) pre_window() post_window() [rw]``; R ``lpdid``.

Journal of Applied Econometrics 40(5): 741-758.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Bools, Ints
from replication.core.details import ClusterInfluence, Details, Dropped, EventSupport
from replication.core.errors import PanelError
from replication.core.estimates import Estimates
from replication.core.estimator_records import PooledPlacebo
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.core.threads import side_by_side
from replication.estimators.local_projections.horizon_regression import HorizonProjection, Setting, project
from replication.estimators.registry import registered
from replication.estimators.shared.cohort_comparisons import (
    Grid,
    comparison_panel,
    default_horizon,
    empty_window,
    on_calendar,
    possible_controls,
    support_row,
    used_units,
    with_means,
)
from replication.estimators.shared.lost_cohorts import with_lost_cohorts
from replication.estimators.stacked import reach_of
from replication.inference.assemble import PointEstimates, from_scores
from replication.inference.cluster import sum_by_cluster
from replication.inference.cluster_shares import Adjusted
from replication.inference.leverage import cluster_influence
from replication.inference.row_table import EstimateRow
from replication.inference.variances import from_adjusted


@registered("Local projections (Dube et al.)", takes=("weights", "covariates"))
def local_projections(
    panel: Panel,
    *,
    control_group: str = "not_yet_treated",
    window: tuple[int, int] | None = None,
    reweight: bool = False,
    inference: Inference = ANALYTIC,
) -> Estimates:
    """Estimate effects by horizon, placebos, and the pooled effect.

    Parameters
    ----------
    panel : N units by T periods, with cohorts; units treated from the first period on are dropped.
    control_group : ``not_yet_treated`` (clean controls), ``never_treated``, ``last_treated``.
    window : first and last horizon. If empty: every horizon that can be estimated, and the
        pooled effect over the longest that every cohort reaches with a clean control. Late cohorts
        that would shorten it too much are excluded and named (``default_horizon``).
    reweight : estimate the equally weighted average over adopters instead of the variance-weighted one.
    inference : method, variance, level, and draws of standard errors, intervals, and tests.

    Returns
    -------
    Estimates
        Rows ``att`` (the pooled effect) and ``event`` (horizon h is event time h; negative ones are
        placebos). Units of the outcome. Each is a regression of its own, with its own observations,
        units, and clusters, and t(G-1) critical values.

    Raises
    ------
    PanelError
        If no horizon has adopters and clean controls in the same period, or if ``reweight`` is
        asked for with covariates.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> print(round(rp.local_projections(panel).att[0], 3))
    0.446
    """
    panel = comparison_panel(panel, "local_projections")
    require_no_adjustment(panel, reweight)
    grid = on_calendar(panel)
    setting = prepare(panel, grid, possible_controls(panel, control_group), reweight)
    corrected = inference.variance != "cv1"
    done = projections(setting, grid, window, keep=corrected)
    shown = sorted(done.path)
    found = [done.pooled, *(done.path[h] for h in shown)]
    used = np.any([one.used for one in found], axis=0)
    points = PointEstimates(
        pooled_over(used_units(panel, used, "projection"), panel, grid, done),
        "local_projections",
        [EstimateRow("att"), *(EstimateRow("event", event_time=h * grid.step) for h in shown)],
        np.array([one.estimate for one in found]),
        inference,
        distribution="t",
        n_obs=np.array([one.n_obs for one in found]),
        n_units=np.array([one.used.sum() for one in found]),
        n_clusters=np.array([np.unique(panel.cluster[one.used]).size for one in found]),
        details=details_of(panel, grid, done, control_group, reweight=reweight),
    )
    points = points.with_influence(influence_of(points.panel, done.pooled, used))
    if corrected:
        return from_adjusted(points, adjusted_path(found, panel.cluster, used, inference))
    return from_scores(points, np.column_stack([one.scores for one in found])[used])


@dataclass(frozen=True, slots=True)
class Projections:
    """The regressions of a result.

    Attributes
    ----------
    path : by horizon; the reference period, exactly 0, is among them where it is shown.
    pooled, last : that of the overall effect, over horizons 0 to ``last``.
    placebo, before : that of the pooled placebo and its horizons, where a window has leads.
    """

    path: dict[int, HorizonProjection]
    pooled: HorizonProjection
    last: int
    placebo: HorizonProjection | None
    before: list[int]


def projections(setting: Setting, grid: Grid, window: tuple[int, int] | None, *, keep: bool) -> Projections:
    """All regressions; ``keep`` those of single horizons for a corrected variance."""
    steps, last = horizons(grid, setting.eligible, window)
    tried = [h for h in steps if h != -1]

    def at(horizon: int) -> HorizonProjection | None:
        """The regression for one horizon."""
        return project(setting, [horizon], keep=keep)

    each = side_by_side(at, tried, len(tried) * setting.y.size)
    path = {h: found for h, found in zip(tried, each, strict=True) if found is not None}
    pooled = project(setting, list(range(last + 1)), keep=True)
    if pooled is None:
        raise nothing_to_project(last * grid.step)
    if not path:
        raise empty_window(window, -grid.length * grid.step, grid.length * grid.step)
    before = [h for h in range(steps[0], -1) if h in path] if window else []
    placebo = project(setting, before) if before else None
    if -1 in steps:
        nobody, nothing = pooled.used & False, np.zeros(pooled.used.size)
        path[-1] = HorizonProjection(0.0, nothing, 0, np.zeros(0, np.int64), 0, 0, nobody)
    return Projections(path, pooled, last, placebo, before)


def details_of(panel: Panel, grid: Grid, done: Projections, control_group: str, *, reweight: bool) -> Details:
    """What a reader must know beside the numbers."""
    unmatched = int(done.pooled.unmatched)
    details = Details(
        absorbed=("time",),
        covariates=panel.covariate_names,
        control_group=control_group,
        base_period=-grid.step,
        average="horizons_equally" if reweight else "horizons_by_variance",
        averaged_times=(0, done.last * grid.step),
        support=support_of(done.path, grid.step),
        dropped=(Dropped("no_clean_control", unmatched, "adopters"),) if unmatched else (),
        pooled_placebo=placebo_record(panel, done.before, done.placebo, grid.step),
    )
    return with_means(details, panel)


def pooled_over(kept: Panel, panel: Panel, grid: Grid, done: Projections) -> Panel:
    """The panel with notes on the horizons and cohorts of the pooled effect."""
    note = (
        "the overall effect is the effect on the average outcome over event times 0 to "
        f"{done.last * grid.step}"
    )
    shown = panel.cohort[np.isin(grid.onset, done.pooled.onsets)].tolist()
    why = f"lack clean controls over event times -1 to {done.last * grid.step}"
    return with_lost_cohorts(replace(kept, notes=(*kept.notes, note)), panel, shown, why, done.pooled.used)


def influence_of(panel: Panel, pooled: HorizonProjection, used: Bools) -> ClusterInfluence | None:
    """Leverage of the clusters in the pooled regression, whose coefficient is ``att``."""
    assert pooled.fit is not None
    partial, leverage = pooled.fit.influence()
    return cluster_influence(panel, partial[used], leverage[used])


def adjusted_path(
    found: Sequence[HorizonProjection], cluster: Ints, used: Bools, inference: Inference
) -> Adjusted:
    """Scores of every regression beside one another; each has degrees of freedom of its own."""
    present = np.unique(cluster[used])
    parts = [None if one.fit is None else one.fit.adjusted(cluster, inference) for one in found]
    score = np.zeros((present.size, len(found)))
    freedom = np.full(len(found), np.nan)
    alone = np.full(len(found), -1, dtype=np.int64)
    for place, part in enumerate(parts):
        if part is not None:
            score[:, place] = part.score[present, 0]
            freedom[place] = part.freedom[0]
            if part.alone[0] >= 0:
                alone[place] = np.searchsorted(present, part.alone[0])
    return Adjusted(score, freedom, alone)


def require_no_adjustment(panel: Panel, reweight: bool) -> None:
    """Refuse covariates in the equally weighted form."""
    if reweight and panel.covariate_names:
        raise PanelError(
            "The equally weighted form with covariates is a regression adjustment, which "
            "local_projections does not offer. Drop the covariates or set 'reweight: false', or "
            "use callaway_santanna with 'adjustment: outcome_regression', the same estimand."
        )


def support_of(path: Mapping[int, HorizonProjection], step: int) -> tuple[EventSupport, ...]:
    """Cohorts and adopters behind each horizon but the reference."""
    return tuple(
        support_row(h * step, path[h].onsets.size, path[h].adopters) for h in sorted(path) if h != -1
    )


def prepare(panel: Panel, grid: Grid, eligible: Bools, reweight: bool) -> Setting:
    """The arrays of all horizons."""
    covariates = np.full((len(panel.covariate_names), *grid.y.shape), np.nan)
    column = (panel.periods - grid.start) // grid.step
    if panel.covariates is not None:
        covariates[:, :, column] = panel.covariates
    seen = np.zeros(grid.y.shape, dtype=bool)
    seen[:, column] = panel.observed
    return Setting(
        y=np.ascontiguousarray(grid.y.T),
        seen=seen.T.copy(),
        weight=np.ascontiguousarray(grid.base_weight.T),
        covariates=np.ascontiguousarray(np.nan_to_num(covariates).transpose(0, 2, 1)),
        complete=np.ascontiguousarray(~np.isnan(covariates).any(axis=0).T),
        names=panel.covariate_names,
        onset=grid.onset,
        cluster=panel.cluster,
        eligible=eligible,
        reweight=reweight,
    )


def horizons(grid: Grid, eligible: Bools, window: tuple[int, int] | None) -> tuple[list[int], int]:
    """Steps to try, and the last horizon of the pooled effect."""
    longest = grid.length - 1
    if window is not None:
        low, high = grid.steps(window)
        low, high = max(low, -longest), min(high, longest)
        if low > high:
            raise empty_window(window, -longest * grid.step, longest * grid.step)
        if high < 0:
            raise PanelError(
                f"The window {list(window)} ends before adoption, so there is no effect to pool. "
                "End it at 0 or later."
            )
        return list(range(low, high + 1)), high
    _, reach, mass = reach_of(grid, eligible)
    last = default_horizon(reach, mass) if (reach >= 0).any() else longest
    return list(range(-longest, longest + 1)), last


def nothing_to_project(horizon: int) -> PanelError:
    """The refusal of a panel without adopters and clean controls in one period."""
    return PanelError(
        f"No adoption period has both a unit that is observed from the period before adoption through "
        f"horizon {horizon} and a clean control, so there is no pooled effect. End the window earlier, use "
        "'control_group: not_yet_treated', or add units that adopt later or never."
    )


def placebo_record(
    panel: Panel, leads: list[int], found: HorizonProjection | None, step: int
) -> PooledPlacebo | None:
    """The pooled placebo, if there are leads."""
    if found is None:
        return None
    sums = sum_by_cluster(found.scores[:, None], panel.cluster)
    horizons = (leads[0] * step, leads[-1] * step)
    return PooledPlacebo(horizons, float(found.estimate), float(np.sqrt((sums**2).sum())))
