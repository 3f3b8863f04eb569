"""Two-way event study: one coefficient for every time since adoption.

Estimand
    beta_e in ``y_it = alpha_i + delta_t + sum_e beta_e 1{t - g_i = e} + gamma'x_it + eps_it``,
    g_i the cohort of unit i, relative to the period before adoption (less the anticipation).
    With effects that differ over cohorts beta_e mixes effects of other event times (Sun & Abraham
    2021, Journal of Econometrics 225(2), Proposition 3); see ``sun_abraham``.
Assumptions
    Parallel trends, no anticipation beyond what is allowed, the same path in every cohort.
Reproduces
    R ``fixest::feols(y ~ i(e, ref = -1) | i + t)`` with never-treated units at the reference;
    binned ends as in Schmidheiny & Siegloch (2023). ``family="poisson"``: ``fepois``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import Details, EventSupport
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates
from replication.core.panel import NEVER, Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.registry import registered
from replication.estimators.shared.adoption_contrast import require_contrast
from replication.estimators.shared.estimation_sample import EstimationSample, estimation_sample
from replication.estimators.shared.fixed_effects import Effects, read_effects
from replication.estimators.shared.least_squares import (
    NotIdentified,
    RegressionDesign,
    RegressionFit,
    design_of,
    least_squares,
)
from replication.estimators.shared.poisson_irls import poisson_regression
from replication.estimators.shared.regression_results import regression_estimates
from replication.inference.cluster import distinct_rows
from replication.inference.methods import REGRESSION
from replication.inference.row_table import EstimateRow

NONE = np.iinfo(np.int64).min
"""Event time of units that are never treated."""


@registered(
    "Two-way event study",
    takes=("trends", "covariates", "weights", "offset"),
    methods=REGRESSION,
    interactions=True,
)
def event_study(
    panel: Panel,
    *,
    trends: Sequence[str] = (),
    window: tuple[int, int] | None = None,
    anticipation: int = 0,
    endpoints: str = "bin",
    family: str = "gaussian",
    inference: Inference = ANALYTIC,
) -> Estimates:
    """Estimate the event-time path (``event``), its post-treatment average (``att``), and covariates.

    Parameters
    ----------
    panel : event time is period less cohort, in units of the period labels. Units treated
        before the panel starts are kept, as their event times are known.
    trends : ``unit_linear``, ``<stratum>_by_time``, ``<stratum>_linear``, in any combination.
    window : first and last event time; all that occur if None.
    anticipation : the reference is event time ``-1 - anticipation``, exactly zero.
    endpoints : ``bin`` collects event times beyond the window in its end coefficients;
        ``drop`` leaves those cells out.
    family : ``gaussian`` or ``poisson``.
    inference : method, variance, level, and draws of standard errors, intervals, and tests.

    Returns
    -------
    Estimates
        ``att`` is the unweighted average of the coefficients from event time 0 on.
        ``details.support`` counts cohorts and units by event time, ``details.pretrend`` is the F
        test that all coefficients before the reference are zero.

    Raises
    ------
    SpecError
        For a window without the reference period, or an offset in a linear model.
    PanelError
        If no unit is treated or observed at the reference, or the path is not identified.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> print(round(rp.event_study(panel).att[0], 3))
    0.903
    """
    effects = read_effects(panel, trends)
    reference = -1 - anticipation
    require_window(window, reference)
    require_contrast(panel, anticipation)
    require_no_offset(panel, family)
    dropping = window is not None and endpoints == "drop"
    keep = inside(event_times(panel.periods, panel.cohort), window) if dropping else None
    sample, fit = fit_path(panel, effects, keep, window, reference, family)
    lost = lost_event_times(panel, sample, window, reference, keep)
    rows, loading = rows_of(fit, reference)
    averaged = [averaged_note(rows, panel, window, endpoints)] if window else []
    notes = (*sample.panel.notes, *lost, *averaged)
    sample = replace(sample, panel=replace(sample.panel, notes=notes))
    support = support_of(kinds_of(sample, window))
    return regression_estimates(
        sample,
        effects,
        fit,
        "event_study",
        rows,
        loading,
        inference,
        Details(
            base_period=reference,
            anticipation=anticipation,
            window=window,
            endpoints=endpoints if window else "all",
            average="event_times_equally",
            scale="log points" if family == "poisson" else "",
            support=support,
            extras=pooled_ends(panel, window, endpoints),
        ),
    )


def require_no_offset(panel: Panel, family: str) -> None:
    """Refuse an offset in a linear model."""
    if panel.offset is not None and family != "poisson":
        raise SpecError(
            "An offset enters the linear index of a Poisson model only. Set 'family: poisson', or "
            "remove 'offset'."
        )


def pooled_ends(panel: Panel, window: tuple[int, int] | None, endpoints: str) -> dict[str, bool]:
    """Whether the first and the last event time of a window pool others beyond it."""
    if window is None or endpoints != "bin":
        return {}
    event = event_times(panel.periods, panel.cohort)
    event = event[panel.observed & (event != NONE)]
    return {
        "pools_earlier": bool((event < window[0]).any()),
        "pools_later": bool((event > window[1]).any()),
    }


def averaged_note(rows: Sequence[EstimateRow], panel: Panel, window: tuple[int, int], endpoints: str) -> str:
    """A note on the event times of the overall effect where a window chooses them."""
    last = max(row.event_time for row in rows if row.event_time is not None)
    beyond = int(event_times(panel.periods, panel.cohort).max()) > window[1]
    pooled = f"; event time {last} includes later ones" if beyond and endpoints == "bin" else ""
    return f"the overall effect is the unweighted mean of the coefficients at event times 0 to {last}{pooled}"


def require_window(window: tuple[int, int] | None, reference: int) -> None:
    """Refuse a window that leaves out the reference period or everything after adoption."""
    if window is not None and not (window[0] <= reference and window[1] >= 0):
        raise SpecError(
            f"The event window {list(window)} must reach from the reference period {reference} or "
            "earlier to 0 or later. Widen it, or change 'anticipation'."
        )


def event_times(periods: Ints, cohort: Ints) -> Ints:
    """(N, T) period less cohort; ``NONE`` for units never treated."""
    event = periods[None, :] - cohort[:, None]
    return np.where((cohort == NEVER)[:, None], NONE, event)


def inside(event: Ints, window: tuple[int, int] | None) -> Bools:
    """Cells in the window, and all cells of units never treated."""
    low, high = window or (NONE, np.iinfo(np.int64).max)
    cells: Bools = (event == NONE) | ((event >= low) & (event <= high))
    return cells


def binned(event: Ints, window: tuple[int, int] | None) -> Ints:
    """Event times with those beyond the window moved to its ends."""
    return event if window is None else np.where(event == NONE, NONE, np.clip(event, *window))


@dataclass(frozen=True, slots=True)
class Kinds:
    """Kinds of units: those that share cohort and gaps.

    Attributes
    ----------
    cohort, units : (G,) cohort, and number of units.
    event : (G, T) event times, binned.
    used : (G, T) cells of the estimation sample.
    """

    cohort: Ints
    units: Ints
    event: Ints
    used: Bools

    @property
    def times(self) -> Ints:
        """Event times that occur in the sample, ascending."""
        return np.unique(self.event[self.used & (self.event != NONE)])


def kinds_of(sample: EstimationSample, window: tuple[int, int] | None) -> Kinds:
    """The kinds of a sample, a few where it has no gaps."""
    panel = sample.panel
    columns = [panel.cohort]
    if not sample.used.all():
        columns += list(np.packbits(sample.used, axis=1).astype(np.int64).T)
    first, codes = distinct_rows(columns)
    cohort = panel.cohort[first]
    event = binned(event_times(panel.periods, cohort), window)
    return Kinds(cohort, np.bincount(codes), event, sample.used[first])


def support_of(kinds: Kinds) -> tuple[EventSupport, ...]:
    """Cohorts and units observed at each event time."""
    found = []
    for time in kinds.times.tolist():
        seen = (kinds.used & (kinds.event == time)).any(axis=1)
        cohorts = np.unique(kinds.cohort[seen]).size
        units = int(kinds.units[seen].sum())
        found.append(EventSupport(time, int(cohorts), units))
    return tuple(found)


def require_support(times: list[int], reference: int) -> None:
    """Refuse a sample in which no unit is treated, or none is seen at the reference."""
    if not times:
        raise PanelError(
            "No unit with a cohort is left, so there is no event time. Check the cohort column (the first "
            "treated period in the units of the time column; 0 or empty for never) and 'sample'."
        )
    if reference not in times:
        raise PanelError(
            f"No treated unit is observed at the reference event time {reference}; event times "
            f"that occur: {', '.join(map(str, times))}. Change 'anticipation' or start "
            "the panel earlier; if periods are more than one apart, number them consecutively and give "
            "cohorts in the same numbers."
        )


def require_treated_period(sample: EstimationSample, times: Ints) -> None:
    """Refuse a path without an event time of 0 or later."""
    if (times >= 0).any():
        return
    separated = (
        "; all outcomes of treated units are zero, so a Poisson model has no finite effect"
        if sample.dropped.get("cells_separated")
        else ""
    )
    raise PanelError(
        f"No treated unit-period is left in the sample of {sample.panel.outcome!r}{separated}: "
        "there is no overall effect. Check the cohort column, 'sample', and the outcome."
    )


def lost_event_times(
    panel: Panel, sample: EstimationSample, window: tuple[int, int] | None, reference: int, keep: Bools | None
) -> list[str]:
    """Notes on event times that were left out.

    Parameters
    ----------
    panel, keep : what was asked for, and the cells of it that are inside the window.
    sample : what the regression uses.
    """
    there = panel.observed & (panel.weight > 0) & (True if keep is None else keep)
    event = binned(event_times(panel.periods, panel.cohort), window)
    requested = np.unique(event[there & (event != NONE)])
    used = kinds_of(sample, window).times
    lost = np.setdiff1d(requested, [*used, reference])
    if not lost.size:
        return []
    named = ", ".join(map(str, lost))
    return [f"event times {named} were left out with their cells and are not in the overall effect"]


def fit_path(
    panel: Panel,
    effects: Effects,
    keep: Bools | None,
    window: tuple[int, int] | None,
    reference: int,
    family: str,
) -> tuple[EstimationSample, RegressionFit]:
    """Regression on indicators of every event time but the reference."""
    # Poisson may cut the sample further.
    design = partial(path_design, effects=effects, window=window, reference=reference)
    try:
        if family == "poisson":
            return poisson_regression(panel, effects, design, keep)
        sample = estimation_sample(panel, effects, keep=keep)
        return sample, least_squares(sample, effects, design(sample))
    except NotIdentified as error:
        raise PanelError(not_identified(panel, effects, error.names)) from None


def path_design(
    sample: EstimationSample, effects: Effects, window: tuple[int, int] | None, reference: int
) -> RegressionDesign:
    """Indicators of the event times that occur, by cohort and stratum, and the covariates."""
    panel = sample.panel
    times = kinds_of(sample, window).times
    require_support(times.tolist(), reference)
    require_treated_period(sample, times)
    strata = [*effects.level_codes(panel), *effects.slope_codes(panel)]
    member, profile = distinct_rows([panel.cohort, *strata])
    event = binned(event_times(panel.periods, panel.cohort[member]), window)
    chosen = times[times != reference]
    path = (event == chosen[:, None, None]).astype(float)
    return design_of(panel, path, [f"event:{time}" for time in chosen], profile)


def not_identified(panel: Panel, effects: Effects, names: Sequence[str]) -> str:
    """The message for a path that is collinear with the absorbed effects."""
    never = int((panel.cohort == NEVER).sum())
    return (
        f"The event-study coefficients are not identified with {effects}: {', '.join(names)} cannot be "
        f"distinguished from the other event times and the effects ({never} of {len(panel.units)} units are "
        "never treated). Without never-treated units, or with unit-specific linear trends, the "
        "coefficients of all event times are identified only up to a linear trend. Give a 'window' with "
        "endpoints binned, which takes the effect as constant beyond it, or use fewer trends."
    )


def rows_of(fit: RegressionFit, reference: int) -> tuple[list[EstimateRow], Floats]:
    """Rows of the table and their loadings on the coefficients."""
    names = fit.design.names
    times = [int(name.removeprefix("event:")) for name in names if name.startswith("event:")]
    identity = np.eye(len(names))
    post = np.array([time >= 0 for time in times])
    average = np.zeros(len(names))
    average[: len(times)] = post / post.sum()
    place = {time: identity[k] for k, time in enumerate(times)}
    place[reference] = np.zeros(len(names))
    rows = [EstimateRow("att"), *(EstimateRow("event", event_time=time) for time in sorted(place))]
    rows += [EstimateRow(name) for name in names[len(times) :]]
    loading = np.vstack([average, *(place[time] for time in sorted(place)), identity[len(times) :]])
    return rows, loading
