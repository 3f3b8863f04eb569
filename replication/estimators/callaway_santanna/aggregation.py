"""Averages of group-time cells: simple, group, calendar and event, with their influence.

Callaway & Sant'Anna (2021), section 3, table 1; R ``did::aggte``. An average weighted by cohort
size has estimated weights, and their influence belongs in the standard error: unit i of cohort h
adds w_i d_h to the score of theta = sum_k p_k ATT_k / sum_k p_k, with

    d_h = sum_{k: g_k = h} (ATT_k - theta) / sum_k p_k,    p_k = total weight of cohort g_k.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from replication.core.arrays import Bools, Floats, Ints
from replication.core.errors import PanelError
from replication.estimators.callaway_santanna.cell_plan import GroupTimeCells
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign
from replication.inference.row_table import EstimateRow


@dataclass(frozen=True, slots=True)
class Average:
    """A row that averages cells: over time within a cohort, or by cohort size."""

    row: EstimateRow
    members: Ints
    by_size: bool = True


@dataclass(frozen=True, slots=True)
class Summary:
    """A row that averages averages: equally, or by cohort size (the group average)."""

    row: EstimateRow
    members: Ints
    by_size: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The averages; rows of ``averages`` come first, then those of ``summaries``."""

    averages: tuple[Average, ...]
    summaries: tuple[Summary, ...]

    @property
    def rows(self) -> list[EstimateRow]:
        """One row per average."""
        return [entry.row for entry in self.averages] + [entry.row for entry in self.summaries]


def plan_averages(
    design: ComparisonDesign,
    cells: GroupTimeCells,
    usable: Bools,
    *,
    window: tuple[int, int] | None = None,
    balance_e: int | None = None,
) -> Plan:
    """All averages of the usable cells.

    ``window`` and ``balance_e`` bound the event study and its mean, nothing else: the simple,
    group and calendar averages are over all treated cells.

    Raises
    ------
    PanelError
        If no treated cell can be estimated, or none lies in the window.
    """
    periods, cohorts = design.panel.periods, design.cohorts
    event_time = periods[cells.time] - cohorts[cells.level]
    treated = usable & (event_time >= 0)
    require_treated(treated, design)
    averages = [Average(EstimateRow("att"), np.flatnonzero(treated))]
    in_path = usable & in_event_path(design, cells, event_time, window, balance_e)
    for value in np.unique(event_time[in_path]):
        members = np.flatnonzero(in_path & (event_time == value))
        averages.append(Average(EstimateRow("event", event_time=int(value)), members))
    for level in np.unique(cells.level[treated]):
        members = np.flatnonzero(treated & (cells.level == level))
        averages.append(Average(EstimateRow("group", cohort=int(cohorts[level])), members, by_size=False))
    for column in np.unique(cells.time[treated]):
        members = np.flatnonzero(treated & (cells.time == column))
        averages.append(Average(EstimateRow("calendar", time=int(periods[column])), members))
    return Plan(tuple(averages), tuple(summaries_of(averages)))


def summaries_of(averages: Sequence[Average]) -> Iterator[Summary]:
    """The average after adoption of the event path, the group and the calendar average."""
    for term, by_size in (("event", False), ("group", True), ("calendar", False)):
        members = [
            position
            for position, entry in enumerate(averages)
            if entry.row.term == term and (entry.row.event_time or 0) >= 0
        ]
        if members:
            yield Summary(EstimateRow(term), np.array(members), by_size)


def in_event_path(
    design: ComparisonDesign,
    cells: GroupTimeCells,
    event_time: Ints,
    window: tuple[int, int] | None,
    balance_e: int | None,
) -> Bools:
    """(K,) cells of the event path: inside the window and, if balanced, of the same cohorts.

    ``balance_e`` keeps the cohorts observed that long after adoption, and the event times at
    which all of them can be observed (R ``aggte(balance_e)``).
    """
    inside = np.ones(event_time.size, dtype=bool)
    if balance_e is not None:
        last, first = design.panel.periods[-1], design.panel.periods[0]
        inside &= last - design.cohorts[cells.level] >= balance_e
        inside &= (event_time <= balance_e) & (event_time >= balance_e - last + first)
    if window is not None:
        inside &= (event_time >= window[0]) & (event_time <= window[1])
    if not inside.any():
        keys = {"window": window and list(window), "balance_e": balance_e}
        given = {key: value for key, value in keys.items() if value is not None}
        raise PanelError(
            f"No group-time effect remains with {' and '.join(f'{key} {given[key]}' for key in given)}; the "
            f"panel has event times {event_time.min()} to {event_time.max()}. "
            f"Change {' or '.join(map(repr, given))}."
        )
    return inside


def require_treated(treated: Bools, design: ComparisonDesign) -> None:
    """Refuse a panel without a treated cell that can be estimated."""
    if not treated.any():
        raise PanelError(
            "No treated cell can be estimated for cohorts "
            f"{', '.join(design.panel.written(one) for one in design.cohorts)} in periods "
            f"{design.panel.written(design.panel.periods[0])} to "
            f"{design.panel.written(design.panel.periods[-1])}: none has both treated and "
            "comparison units. Check the cohort column, the weights, and 'control_group'."
        )


def average_points(plan: Plan, level: Ints, att: Floats, mass: Floats) -> Floats:
    """(B, R) averages of (B, K) cells for (B, H) cohort sizes.

    A cohort without weight in a draw drops out of averages by size; a row is missing where
    nothing is left of it.
    """
    points = []
    for entry in plan.averages:
        size = mass[:, level[entry.members]]
        share = size if entry.by_size else np.ones_like(size)
        points.append(_mean(np.where(size > 0, att[:, entry.members], 0.0), share, size))
    table = np.stack(points, axis=1)
    for summary in plan.summaries:
        values = table[:, summary.members]
        if summary.by_size:
            cohorts = [level[plan.averages[place].members[0]] for place in summary.members]
            size = mass[:, cohorts]
            points.append(_mean(np.where(size > 0, values, 0.0), size, size))
        else:
            points.append(values.mean(axis=1))
    return np.stack(points, axis=1)


def _mean(values: Floats, share: Floats, size: Floats) -> Floats:
    total = np.where(size > 0, share, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = (values * total).sum(axis=1) / total.sum(axis=1)
    return mean


@dataclass(frozen=True, slots=True)
class LinearMap:
    """How R averages move with K cells and with the H + 1 cohort sizes, at the estimates.

    Attributes
    ----------
    share : (R, K) sparse, weight of each cell in each average
    tilt : (R, H + 1), the d_h of the module's formula; zero where weights are not estimated
    """

    share: sparse.csr_matrix
    tilt: Floats

    def with_cells(self, usable: Bools) -> LinearMap:
        """The averages followed by the cells themselves; unusable cells count nothing."""
        share, number = self.share, np.arange(usable.size)
        values = np.concatenate([share.data, usable])
        cells = np.concatenate([share.indices, number])
        ends = np.concatenate([share.indptr, share.indptr[-1] + number + 1])
        shape = (share.shape[0] + usable.size, usable.size)
        whole = sparse.csr_matrix((values, cells, ends), shape=shape)
        return LinearMap(whole, np.vstack([self.tilt, np.zeros((usable.size, self.tilt.shape[1]))]))


def linear_map(plan: Plan, level: Ints, att: Floats, size: Floats) -> LinearMap:
    """The derivative of ``average_points`` at the estimates (K,) and cohort sizes (H + 1,)."""
    share, tilt = _shares(plan.averages, att, level, size)
    # Summaries are averages of averages, whose cohort is that of the first cell.
    first = np.array([level[entry.members[0]] for entry in plan.averages])
    above, above_tilt = _shares(plan.summaries, share @ att, first, size)
    both = _below_identity(above)
    return LinearMap(
        sparse.csr_matrix(both @ share), both @ tilt + np.pad(above_tilt, ((len(tilt), 0), (0, 0)))
    )


def _shares(
    rows: Sequence[Average | Summary], values: Floats, level: Ints, size: Floats
) -> tuple[sparse.csr_matrix, Floats]:
    """(R, M) weights of M values in their averages, and (R, H + 1) how those move with the sizes.

    ``level`` (M,) is the cohort of each value, ``size`` (H + 1,) the weights of the cohorts.
    """
    counts = [entry.members.size for entry in rows]
    row, member = np.repeat(np.arange(len(rows)), counts), np.concatenate([e.members for e in rows])
    by_size, cohort = np.array([entry.by_size for entry in rows])[row], level[member]
    weight = np.where(by_size, size[cohort], 1.0)
    total = np.bincount(row, weight)
    share = weight / total[row]
    gap = values[member] - np.bincount(row, share * values[member])[row]
    cell = row * size.size + cohort
    tilt = np.bincount(cell, np.where(by_size, gap, 0.0), len(rows) * size.size)
    ends = np.cumsum([0, *counts])
    shares = sparse.csr_matrix((share, member, ends), shape=(len(rows), values.size))
    return shares, np.asarray(tilt.reshape(len(rows), -1) / total[:, None], dtype=np.float64)


def _below_identity(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """(M + R, M): an (R, M) sparse matrix below the identity."""
    rows, columns = matrix.shape
    values = np.concatenate([np.ones(columns), matrix.data])
    places = np.concatenate([np.arange(columns), matrix.indices])
    ends = np.concatenate([np.arange(columns), columns + matrix.indptr])
    return sparse.csr_matrix((values, places, ends), shape=(columns + rows, columns))


def cohort_scores(design: ComparisonDesign) -> Floats:
    """(H + 1, C) weight of each cohort in each cluster: the scores of the cohort sizes."""
    scores = np.zeros((design.cohorts.size + 1, design.panel.n_clusters))
    np.add.at(scores, (design.level, design.panel.cluster), design.panel.weight[:, 0])
    return scores
