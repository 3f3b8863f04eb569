"""Weighted stacked difference-in-differences of Wing, Freedman & Hollingsworth (2024).

Estimand
    theta_e = sum_a (N_a / N) DiD_a(e): the average over treated units of the effect e periods
    after adoption, over the adoption cohorts a whose whole event window lies in the panel and has
    clean controls (the trimmed aggregate ATT). ``att`` is the mean of theta_e over
    e = 0 .. kappa_post: the same cohorts stand behind every point.
Construction
    One sub-experiment per cohort: its units, and the units untreated through the window, over the
    periods a - kappa_pre .. a + kappa_post. By equation 3 the stack of all is regressed on
    event-time dummies, a treatment-group dummy and their products, with weight 1 for the treated
    and Q_a = (N_a^D / N^D) / (N_a^C / N^C) for the controls (Table 1, aggregate weights). Counts
    are those of the event time where the panel has gaps, and sums of weights where it is weighted.
Assumptions
    No anticipation; parallel trends inside every window between the cohort and its controls.
Covariates
    Regression adjustment inside every sub-experiment (``shared.stacked_adjustment``), by covariates in
    the period before adoption and units that are observed throughout the window.
Variance
    Clustered by unit or above, so a unit's copies are one cluster; K = 2 (kappa_pre +
    kappa_post + 1) and N counts the rows of the stack, as in the authors' R code
    ``feols(y ~ i(event_time, treat, ref = -1) | treat + event_time, weights = ~ stack_weight)``.

NBER Working Paper 32054.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import Details, Dropped
from replication.core.errors import PanelError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
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
from replication.estimators.shared.estimation_sample import require_residual
from replication.estimators.shared.lost_cohorts import seen_untreated, with_lost_cohorts
from replication.estimators.shared.stacked_adjustment import (
    adjusted_estimates,
    adjusted_stack,
    whole_in_window,
)
from replication.estimators.shared.stacked_shares import SubExperimentBlock, cell_rows, stack_shares
from replication.inference.assemble import PointEstimates, from_scores
from replication.inference.cluster import small_sample_factor
from replication.inference.leverage import cluster_influence
from replication.inference.row_table import EstimateRow
from replication.inference.variances import from_adjusted


@dataclass(frozen=True, slots=True)
class Experiment:
    """One cohort and its clean controls over the H periods of the window.

    Attributes
    ----------
    onset : column of adoption.
    treated, control : rows.
    columns : (H,) columns of the window.
    treated_mass, control_mass : (H,) summed weights.
    """

    onset: int
    treated: Ints
    control: Ints
    columns: Ints
    treated_mass: Floats
    control_mass: Floats


@registered("Stacked (Wing-Freedman-Hollingsworth)", takes=("weights", "covariates"))
def stacked(
    panel: Panel,
    *,
    control_group: str = "not_yet_treated",
    window: tuple[int, int] | None = None,
    clean_window: tuple[int, int] | None = None,
    inference: Inference = ANALYTIC,
) -> Estimates:
    """Estimate the event study and overall effect of the weighted stack.

    Parameters
    ----------
    panel : N units by T periods, with cohorts; units treated from the first period on are dropped.
    control_group : ``not_yet_treated`` (untreated through the window), ``never_treated``, or
        ``last_treated`` (those of the last cohort that are untreated through the window).
    window : event times reported.
    clean_window : event times (-kappa_pre, kappa_post) that every cohort must cover and through
        which controls must be untreated; the window if empty. If both are empty: the widest that
        every cohort with a clean control at adoption can cover, unless late cohorts would cut it
        short (``default_horizon``), which are then left out and named.
    inference : method, variance, level, and draws of standard errors, intervals, and tests.

    Returns
    -------
    Estimates
        Rows ``att`` (the mean of the effects from event time 0 on) and ``event``. Units of the outcome.

    Raises
    ------
    PanelError
        If no cohort covers the window with clean controls, the window is not a pair of event
        times, or controls do not identify the slopes of the covariates.
    SpecError
        For corrected variances with covariates.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> print(round(rp.stacked(panel).att[0], 3))
    0.458
    """
    panel = comparison_panel(panel, "stacked")
    grid = on_calendar(panel)
    eligible = possible_controls(panel, control_group)
    low, high = resolve_window(grid, eligible, window, clean_window)
    found, dropped = experiments(grid, eligible, low, high, whole=panel.covariates is not None)
    used = units_of(found, len(panel.units))
    kept = covered(used_units(panel, used, "sub-experiment"), panel, grid, found, (low, high))
    n_rows = sum(count_rows(grid, one) for one in found)
    require_residual(n_rows, 2 * (high - low + 1), "Narrow 'clean_window' (or 'window'), or add units.")
    shown = [h for h in range(low, high + 1) if inside(h * grid.step, window)]
    rows = [EstimateRow("att"), *(EstimateRow("event", event_time=h * grid.step) for h in shown)]
    details = details_of(kept, grid, found, dropped, (low, high), shown)
    details = replace(details, control_group=control_group)
    loadings, reference = row_loadings(low, high, shown), -1 - low
    level, blocks = stack_blocks(grid, found)
    estimate = (level - level[reference]) @ loadings
    points = PointEstimates(kept, "stacked", rows, estimate, inference, "t", n_rows, details)
    if panel.covariates is not None:
        parts = [(one.onset, one.treated, one.control, one.columns) for one in found]
        adjusted = adjusted_stack(panel, grid, parts, reference).of_units(used)
        noted = details.noted(partly_observed(grid, eligible, found))
        return adjusted_estimates(replace(points, details=noted), loadings, adjusted)
    shares = stack_shares(blocks, used.size).of_units(used)
    cells = cell_rows(loadings, reference)
    points = points.with_influence(cluster_influence(kept, *shares.influence(cells[0])))
    if inference.variance != "cv1":
        return from_adjusted(points, shares.adjusted(cells, kept.cluster, inference))
    factor = small_sample_factor(kept.n_clusters, n_rows, 2 * (high - low + 1))
    return from_scores(points, shares.score @ cells.T, factor)


def units_of(found: list[Experiment], n_units: int) -> Bools:
    """(N,) units that are in a sub-experiment."""
    used = np.zeros(n_units, dtype=bool)
    for one in found:
        used[one.treated] = used[one.control] = True
    return used


def row_loadings(low: int, high: int, shown: list[int]) -> Floats:
    """(H, 1 + E) from the event times of the window to the overall effect and those shown."""
    overall = np.zeros(high - low + 1)
    overall[-low:] = 1 / (high + 1)
    return np.column_stack([overall, np.eye(overall.size)[:, [h - low for h in shown]]])


def details_of(
    panel: Panel,
    grid: Grid,
    found: list[Experiment],
    dropped: list[int],
    steps: tuple[int, int],
    shown: list[int],
) -> Details:
    """What a reader must know beside the numbers."""
    low, high = (step * grid.step for step in steps)
    treated_units = sum(one.treated.size for one in found)
    trimmed = tuple(panel.label([grid.label(onset) for onset in dropped]).tolist())
    details = Details(
        absorbed=("treatment group", "event time"),
        base_period=-grid.step,
        window=(low, high),
        average="event_times_of_window",
        averaged_times=(0, high),
        support=tuple(support_row(h * grid.step, len(found), treated_units) for h in shown),
        dropped=(Dropped("no_clean_window", len(trimmed), "cohorts", trimmed),) if trimmed else (),
        extras={"cohorts": len(found), "rows_counted": "a unit once in each sub-experiment"},
    )
    return with_means(details, panel)


def covered(kept: Panel, panel: Panel, grid: Grid, found: list[Experiment], steps: tuple[int, int]) -> Panel:
    """The panel with notes on the event times that the overall effect averages, and the cohorts."""
    window = [step * grid.step for step in steps]
    note = f"the overall effect is the mean of event times 0 to {window[1]}"
    kept = replace(kept, notes=(*kept.notes, note))
    onsets = [one.onset for one in found]
    shown = panel.cohort[np.isin(grid.onset, onsets)].tolist()
    why = f"lack clean controls over the full window {window[0]} to {window[1]}"
    controls = np.isin(panel.units, kept.units) & seen_untreated(panel)
    return with_lost_cohorts(kept, panel, shown, why, controls)


def inside(event_time: int, window: tuple[int, int] | None) -> bool:
    """Whether an event time is reported."""
    return window is None or window[0] <= event_time <= window[1]


def resolve_window(
    grid: Grid, eligible: Bools, window: tuple[int, int] | None, clean_window: tuple[int, int] | None
) -> tuple[int, int]:
    """Steps -kappa_pre and kappa_post of the window that every sub-experiment covers."""
    requested = clean_window or window
    if requested is None:
        return widest_window(grid, eligible)
    low, high = grid.steps(requested)
    if low > -1 or high < 0:
        raise PanelError(
            f"The clean window {list(requested)} must reach from before adoption (-{grid.step} or "
            "earlier, the reference period) to 0 or later. Widen it."
        )
    if window is not None and clean_window is not None:
        if window[0] < clean_window[0] or window[1] > clean_window[1]:
            raise PanelError(
                f"The window {list(window)} reaches beyond the clean window {list(clean_window)}, "
                "where sub-experiments have no cells. Narrow 'window' or widen 'clean_window'."
            )
        if not any(inside(h * grid.step, window) for h in range(low, high + 1) if h != -1):
            raise empty_window(window, low * grid.step, high * grid.step)
    return low, high


def widest_window(grid: Grid, eligible: Bools) -> tuple[int, int]:
    """The widest window of every cohort with a clean control that is kept by default."""
    onsets, reach, mass = reach_of(grid, eligible)
    if not (reach >= 0).any():
        raise nothing_to_compare("at adoption")
    high = default_horizon(reach, mass)
    return -int(onsets[reach >= high].min()), high


def reach_of(grid: Grid, eligible: Bools) -> tuple[Ints, Ints, Floats]:
    """Columns of adoption, the last step at which each has a clean control, and weights."""
    latest = int(grid.onset[eligible].max(initial=-1))
    onsets, codes = np.unique(grid.onset, return_inverse=True)
    mass: Floats = np.bincount(codes.reshape(-1), grid.base_weight[:, 0]).astype(float)
    inside_panel = onsets < grid.length
    onsets = onsets[inside_panel]
    reach: Ints = np.minimum(grid.length - 1, latest - 1) - onsets
    return onsets, reach, mass[inside_panel]


def experiments(
    grid: Grid, eligible: Bools, low: int, high: int, *, whole: bool = False
) -> tuple[list[Experiment], list[int]]:
    """Sub-experiments with cells in the whole window, and the onsets that were trimmed.

    ``whole`` keeps the units that are observed throughout the window only.
    """
    found, dropped = [], []
    for onset in np.unique(grid.onset[grid.onset < grid.length]):
        columns = np.arange(onset + low, onset + high + 1)
        treated = np.flatnonzero(grid.onset == onset)
        control = np.flatnonzero(eligible & (grid.onset > onset + high))
        if columns[0] < 0 or columns[-1] >= grid.length or not control.size:
            dropped.append(int(onset))
            continue
        if whole:
            treated, control = (whole_in_window(grid, units, columns) for units in (treated, control))
        mass = [grid.weight[np.ix_(rows, columns)].sum(axis=0) for rows in (treated, control)]
        if min(m.min() for m in mass) > 0:
            found.append(Experiment(int(onset), treated, control, columns, *mass))
        else:
            dropped.append(int(onset))
    if not found:
        raise nothing_to_compare(f"over the whole window [{low * grid.step}, {high * grid.step}]")
    return found, dropped


def nothing_to_compare(where: str) -> PanelError:
    """The refusal of a stack without sub-experiments."""
    return PanelError(
        f"No adoption cohort is observed and has clean controls {where}, so no sub-experiment can "
        "be built. Narrow 'clean_window' (or 'window'), use 'control_group: not_yet_treated', or "
        "add units that adopt later or never."
    )


def stack_blocks(grid: Grid, found: list[Experiment]) -> tuple[Floats, list[SubExperimentBlock]]:
    """Differences of cell means (H,) of the weighted stack, and the rows of the stack.

    The regression is saturated in group and event time, so its coefficients are differences of
    four weighted means and its scores are residuals over the summed weights of a cell.
    """
    treated_total = np.sum([one.treated_mass for one in found], axis=0)
    control_total = np.sum([one.control_mass for one in found], axis=0)
    parts = []
    for one in found:
        q = one.treated_mass / treated_total * control_total / one.control_mass
        for rows, treated, share in (
            (one.treated, True, 1 / treated_total),
            (one.control, False, q / control_total),
        ):
            cell = np.ix_(rows, one.columns)
            parts.append((rows, treated, grid.weight[cell] * share, grid.y[cell]))
    mean = {
        side: np.sum([(w * y).sum(axis=0) for _, treated, w, y in parts if treated == side], axis=0)
        for side in (True, False)
    }
    mass = {True: treated_total, False: control_total}
    blocks = [
        SubExperimentBlock(rows, treated, w, y - mean[treated], mass[treated])
        for rows, treated, w, y in parts
    ]
    return mean[True] - mean[False], blocks


def partly_observed(grid: Grid, eligible: Bools, found: list[Experiment]) -> list[str]:
    """A note on units that the stack with covariates leaves out of sub-experiments."""
    every = sum(
        int((grid.onset == one.onset).sum() + (eligible & (grid.onset > one.columns[-1])).sum())
        for one in found
    )
    left = every - sum(one.treated.size + one.control.size for one in found)
    where = "units of sub-experiments that are not observed throughout the window"
    return [f"{left} {where} were dropped"] if left else []


def count_rows(grid: Grid, one: Experiment) -> int:
    """Observed rows of a sub-experiment."""
    rows = np.concatenate([one.treated, one.control])
    return int((grid.weight[np.ix_(rows, one.columns)] > 0).sum())
