"""Estimands of random treatment timing as weights on cohort means of the outcome.

Every estimand of Roth & Sant'Anna (2023) is ``theta = sum_g A_g Ybar_g``, and so is the difference
X in the last period before adoption that serves as its covariate: ``X = sum_g A0_g Ybar_g``
(section 2.2). A cell (g, t) compares cohort g in period t with the control cohorts c that are
untreated in t, weighted by their size: those with ``c > max(g, t)``; X compares the same cohorts in
the last period before g.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.estimators.shared.cohort_comparisons import adoption_periods, empty_window
from replication.inference.row_table import EstimateRow


@dataclass(frozen=True, slots=True)
class Cohorts:
    """The G cohorts of a panel in order of adoption, units never treated last.

    Attributes
    ----------
    labels : (G,) first treated period; beyond every period for units never treated.
    sizes : (G,) units.
    codes : (N,) place of each unit's cohort among the labels.
    periods : (T,) labels of the periods.
    base : (G,) column of the last period before adoption; -1 where there is none.
    """

    labels: Ints
    sizes: Ints
    codes: Ints
    periods: Ints
    base: Ints

    @property
    def event(self) -> Ints:
        """(G, T) event time."""
        return self.periods - self.labels[:, None]

    @property
    def inside(self) -> Bools:
        """(G,) cohorts that adopt by the last period."""
        return np.asarray(self.labels <= self.periods[-1])


@dataclass(frozen=True, slots=True)
class EstimandWeights:
    """Weights of K estimands on the cohort means.

    Attributes
    ----------
    rows : what each estimand is.
    outcome : (K, G, T) A of the paper.
    difference : (K, G, T) A0, the weights of X.
    earliest : (K,) place of the first cohort with a weight in ``outcome``.
    cells : (K, G, T) weight of each effect in the estimand; sums to one.
    """

    rows: list[EstimateRow]
    outcome: Floats
    difference: Floats
    earliest: Ints
    cells: Floats

    def take(self, chosen: Bools) -> EstimandWeights:
        """The weights of some of the estimands."""
        kept = [row for row, keep in zip(self.rows, chosen, strict=True) if keep]
        return EstimandWeights(
            kept, self.outcome[chosen], self.difference[chosen], self.earliest[chosen], self.cells[chosen]
        )


def cohorts_of(panel: Panel) -> Cohorts:
    """The cohorts of a panel."""
    labels, codes = np.unique(adoption_periods(panel), return_inverse=True)
    codes = codes.reshape(-1).astype(np.int64)
    base = np.searchsorted(panel.periods, labels) - 1
    return Cohorts(labels, np.bincount(codes), codes, panel.periods, base.astype(np.int64))


def design_weights(found: Cohorts, control_group: str, window: tuple[int, int] | None) -> EstimandWeights:
    """Weights of the simple, cohort and calendar averages and of each event time.

    Parameters
    ----------
    control_group : ``not_yet_treated`` (all cohorts untreated in the period), ``last_treated``
        (the last cohort alone) or ``never_treated`` (cohorts untreated throughout the panel).
    window : first and last event time; all that can be compared if None.

    Raises
    ------
    PanelError
        If no treated cell has a control cohort, or the window is empty.
    """
    share = control_shares(found, control_group)
    live = share.any(axis=2)
    treated = live & (found.event >= 0)
    if not treated.any():
        other = "" if control_group == "not_yet_treated" else ", use 'control_group: not_yet_treated'"
        raise PanelError(
            "No cohort can be compared with units that are untreated at the same time: apart from "
            f"the control group {control_group!r}, no unit adopts inside the panel. Check the "
            f"cohort column{other}, or add units that adopt later or never."
        )
    low, high = window or (int(found.event[live].min()), int(found.event[live].max()))
    times = np.unique(found.event[live & (found.event >= low) & (found.event <= high)])
    if not np.setdiff1d(times, [-1]).size:
        raise empty_window(window, int(found.event[live].min()), int(found.event[live].max()))
    rows = [EstimateRow("att"), EstimateRow("group"), EstimateRow("calendar")]
    rows += [EstimateRow("event", event_time=int(e)) for e in times]
    paths = [live & (found.event == e) for e in times]
    size = found.sizes[:, None]
    cells = np.stack([*averages(treated, found.sizes), *(normalized(size * path) for path in paths)])
    return on_cohort_means(rows, cells, share, found)


def control_shares(found: Cohorts, control_group: str) -> Floats:
    """(G, T, C) weight of control cohort c in the comparison of cell (g, t); zero if there is none.

    Cells of cohorts that adopt after the last period are left out: they are controls only.
    """
    able = np.ones(found.labels.size, dtype=bool)
    if control_group == "never_treated":
        able = ~found.inside
    elif control_group == "last_treated":
        able[:-1] = False
    limit = np.maximum(found.labels[:, None], found.periods)
    clean = (found.labels > limit[:, :, None]) & able & found.inside[:, None, None]
    mass = clean * found.sizes
    total = mass.sum(axis=2, keepdims=True)
    return np.asarray(mass / np.maximum(total, 1))


def averages(treated: Bools, sizes: Ints) -> tuple[Floats, Floats, Floats]:
    """(G, T) weights of treated cells: by size, by cohort, and by calendar period.

    The second averages each cohort over its periods and then cohorts by size; the third averages
    the cohorts of each period by size and then periods equally (section 2.3).
    """
    mass = sizes[:, None] * treated
    length = np.maximum(treated.sum(axis=1, keepdims=True), 1)
    by_period = mass / np.maximum(mass.sum(axis=0), 1)
    return normalized(mass), normalized(mass / length), normalized(by_period)


def normalized(mass: Floats | Ints) -> Floats:
    """Weights that sum to one."""
    return np.asarray(mass / mass.sum())


def on_cohort_means(rows: list[EstimateRow], cells: Floats, share: Floats, found: Cohorts) -> EstimandWeights:
    """From weights of effects to weights of cohort means in each period."""
    by_period = np.matmul(cells.transpose(2, 0, 1), share.transpose(1, 0, 2))
    outcome = cells - by_period.transpose(1, 2, 0)
    before = np.zeros(found.event.shape)
    known = np.flatnonzero(found.inside & (found.base >= 0))
    before[known, found.base[known]] = 1.0
    by_cohort = np.matmul(cells.transpose(1, 0, 2), share)
    difference = cells.sum(axis=2)[:, :, None] * before
    difference -= np.einsum("gkc,gt->kct", by_cohort, before, optimize=True)
    earliest = (outcome != 0).any(axis=2).argmax(axis=1)
    return EstimandWeights(rows, outcome, difference, earliest.astype(np.int64), cells)
