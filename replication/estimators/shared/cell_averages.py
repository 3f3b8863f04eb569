"""Averages over cohort-by-period cells: overall, by event time, by cohort, by calendar period.

Every row is a weighted mean over cells that are wholly in it or wholly out, and a cell is known
by its cohort and period. Sums for hundreds of rows are therefore products with one sparse 0/1
matrix, and no array of units x periods x rows is ever formed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import EventSupport
from replication.core.errors import PanelError
from replication.estimators.imputation.untreated_cells import NO_EVENT, SortedCells
from replication.inference.cluster import members_of, sum_by_cluster
from replication.inference.row_table import EstimateRow


@dataclass(frozen=True)
class Averages:
    """K rows over the cells of G cohorts and T periods.

    Attributes
    ----------
    rows : what each mean is.
    codes : (N,) cohort of each unit, 0 .. G-1, in ascending order of the label.
    member : (G T, K) 0/1 sparse, the cells of each row.
    weight : (N, T) weights, zero outside the cells that are averaged.
    """

    rows: list[EstimateRow]
    codes: Ints
    member: sparse.csr_matrix
    weight: Floats

    @property
    def total(self) -> Floats:
        """(K,) summed weights of each row."""
        return self.sums(self.weight)

    def sums(self, field: Floats) -> Floats:
        """(K,) sums of ``field`` (N, T) over the cells of each row."""
        return self.member.T @ _by_cohort(field, self.codes).ravel()

    def subset(self, kept: Bools) -> Averages:
        """Some of the rows."""
        rows = [row for row, keep in zip(self.rows, kept, strict=True) if keep]
        member = sparse.csr_matrix(self.member[:, np.flatnonzero(kept)])
        return Averages(rows, self.codes, member, self.weight)

    def merged(self, alike: Ints) -> Averages:
        """The same rows over kinds of units, none of which spans two cohorts."""
        codes = self.codes[np.unique(alike, return_index=True)[1]]
        return Averages(self.rows, codes, self.member, sum_by_cluster(self.weight, alike))

    @cached_property
    def blocks(self) -> list[tuple[Ints, Ints, Floats]]:
        """For each cohort its units, the rows that it enters, and (T, rows) the cells in them."""
        n_periods = self.weight.shape[1]
        blocks = []
        for cohort, units in enumerate(members_of(self.codes)):
            start = cohort * n_periods
            bounds = self.member.indptr[start : start + n_periods + 1]
            within = self.member.indices[bounds[0] : bounds[-1]]
            entered, place = np.unique(within, return_inverse=True)
            inside = np.zeros((n_periods, entered.size))
            inside[np.repeat(np.arange(n_periods), np.diff(bounds)), place] = 1.0
            blocks.append((units, entered.astype(np.int64), inside))
        return blocks

    def by_unit(self, field: Floats) -> Floats:
        """(N, K) sums of ``field`` (N, T) over the cells of each row, unit by unit."""
        out = np.zeros((len(field), len(self.rows)))
        for units, rows, inside in self.blocks:
            out[units[:, None], rows] = field[units] @ inside
        return out

    def spread(self, values: Floats) -> Floats:
        """(N, T) field that takes the value (K,) of the rows on the cells of each."""
        cohorts: Floats = (self.member @ values).reshape(-1, self.weight.shape[1])
        return np.where(self.weight > 0, cohorts[self.codes], 0.0)

    def by_period(self, field: Floats, units: Ints | None = None) -> Floats:
        """(T, K) sums of ``field`` over the cells of each row, period by period.

        ``units`` restricts the sum to some units.
        """
        if units is None:
            sums = _by_cohort(field, self.codes)
        else:
            sums = _by_cohort(field[units], self.codes[units], int(self.codes.max()) + 1)
        n_cohorts, n_periods = sums.shape
        place = (np.tile(np.arange(n_periods), n_cohorts), np.arange(sums.size))
        spread = sparse.csr_matrix((sums.ravel(), place), shape=(n_periods, sums.size))
        product: Any = spread @ self.member
        dense: Floats = product.toarray()
        return dense


def _by_cohort(field: Floats, codes: Ints, groups: int | None = None) -> Floats:
    """(G, T) sums by cohort."""
    if groups is None:
        return sum_by_cluster(field, codes)
    place = (codes, np.arange(codes.size))
    return np.asarray(sparse.csr_matrix((np.ones(codes.size), place), (groups, codes.size)) @ field)


def effect_averages(cells: SortedCells, window: tuple[int, int] | None, which: tuple[str, ...]) -> Averages:
    """Rows of treatment effects: ``att`` first, then event, group and calendar rows as asked.

    ``att``, group and calendar rows average the cells at or after adoption; event rows also show
    the anticipating periods, and only they keep to the window.
    """
    cohort, codes, event = _cohorts(cells)
    there = _by_cohort(cells.effect_weight, codes) > 0
    after = there & (event >= 0)
    chosen: list[tuple[EstimateRow, Bools]] = [(EstimateRow("att"), after)]
    if "event" in which:
        shown = np.unique(event[there])
        shown = shown[_inside(shown, window)]
        chosen += [(EstimateRow("event", event_time=int(h)), there & (event == h)) for h in shown]
    if "group" in which:
        chosen += [
            (EstimateRow("group", cohort=int(g)), after & (cohort == g)[:, None])
            for g in cohort[after.any(axis=1)]
        ]
    if "calendar" in which:
        columns = np.arange(after.shape[1])
        chosen += [
            (EstimateRow("calendar", time=int(cells.panel.periods[t])), after & (columns == t))
            for t in np.flatnonzero(after.any(axis=0))
        ]
    if "att_gt" in which:
        chosen += _single_cells(cells, cohort, there)
    return _averages(chosen, codes, cells.effect_weight)


def count_cells(cells: SortedCells) -> int:
    """Cohorts times periods with effects."""
    _, codes, _ = _cohorts(cells)
    return int((_by_cohort(cells.effect_weight, codes) > 0).sum())


def lead_averages(cells: SortedCells, leads: Ints) -> Averages:
    """One row per lead: the untreated cells ``-lead`` periods before adoption."""
    _, codes, event = _cohorts(cells)
    there = _by_cohort(cells.fit_weight, codes) > 0
    chosen = [(EstimateRow("event", event_time=int(h)), there & (event == h)) for h in leads]
    return _averages(chosen, codes, cells.fit_weight)


def leads_of(cells: SortedCells, window: tuple[int, int] | None) -> Ints:
    """Event times before adoption (and anticipation) with cells inside the window, ascending.

    Only those that a cohort treated inside the panel goes through: the far leads of cohorts that
    adopt long after its end are comparison periods, and a path normalized on them says nothing
    about the treated.
    """
    adopting = cells.effect.any(axis=1)
    seen = np.unique(cells.event[adopting][cells.fit[adopting]])
    seen = seen[seen != NO_EVENT]
    found: Ints = seen[_inside(seen, window)]
    return found


def event_time_support(cells: SortedCells, shown: Ints) -> tuple[EventSupport, ...]:
    """Cohorts and units with a cell at each event time."""
    _, codes, event = _cohorts(cells)
    there = _by_cohort((cells.fit | cells.effect).astype(float), codes)
    found = []
    for event_time in np.unique(shown):
        at = (event == event_time) & (there > 0)
        units = int(there[at].sum())
        found.append(EventSupport(int(event_time), int(at.sum()), units))
    return tuple(found)


def require_window(window: tuple[int, int] | None, cells: SortedCells, shown: int) -> None:
    """Refuse a window without a cell in it."""
    if window is not None and shown == 0:
        seen = cells.event[(cells.fit | cells.effect) & (cells.event != NO_EVENT)]
        raise PanelError(
            f"The window {list(window)} contains no event time of this panel, whose event times run "
            f"from {seen.min()} to {seen.max()}. Widen the window, or leave it empty for all."
        )


def overall_means(averages: Averages, cells: SortedCells) -> tuple[list[EstimateRow], Floats]:
    """Means of the event, group and calendar rows, as rows and their (K, M) loadings.

    Group effects count by the weight of their cohort's units, event times from 0 on and calendar
    periods count once each, as in R ``did::aggte``. The shares are taken as given.
    """
    size = np.bincount(averages.codes, cells.panel.weight.mean(axis=1))
    labels = np.unique(cells.panel.cohort)
    share = dict(zip(labels.tolist(), size.tolist(), strict=True))
    rows, loadings = [], []
    for term in ("event", "group", "calendar"):
        load = np.array([_load(row, term, share) for row in averages.rows])
        if load.sum() > 0:
            rows.append(EstimateRow(term))
            loadings.append(load / load.sum())
    return rows, np.array(loadings).reshape(len(rows), len(averages.rows)).T


def _load(row: EstimateRow, term: str, share: dict[int, float]) -> float:
    if row.term != term:
        return 0.0
    if row.cohort is not None:
        return share[row.cohort]
    return float(row.event_time is None or row.event_time >= 0)


def _single_cells(cells: SortedCells, cohort: Ints, there: Bools) -> list[tuple[EstimateRow, Bools]]:
    found = []
    for g, t in zip(*np.nonzero(there), strict=True):
        only = np.zeros(there.shape, dtype=bool)
        only[g, t] = True
        time = int(cells.panel.periods[t])
        found.append((EstimateRow("att_gt", int(cohort[g]), time, time - int(cohort[g])), only))
    return found


def _averages(chosen: list[tuple[EstimateRow, Bools]], codes: Ints, weight: Floats) -> Averages:
    places = [np.flatnonzero(mask) for _, mask in chosen]
    column = np.repeat(np.arange(len(chosen)), [place.size for place in places])
    cell = np.concatenate([np.zeros(0, dtype=np.int64), *places])
    shape = ((int(codes.max()) + 1) * weight.shape[1], len(chosen))
    member = sparse.csr_matrix((np.ones(cell.size), (cell, column)), shape=shape)
    return Averages([row for row, _ in chosen], codes, member, weight)


def _cohorts(cells: SortedCells) -> tuple[Ints, Ints, Ints]:
    """(G,) labels, (N,) codes and (G, T) event times of the cohorts, units never treated first."""
    labels, first, codes = np.unique(cells.panel.cohort, return_index=True, return_inverse=True)
    return labels, codes.reshape(-1).astype(np.int64), cells.event[first]


def _inside(events: Ints, window: tuple[int, int] | None) -> Bools:
    low, high = (events.min(initial=0), events.max(initial=0)) if window is None else window
    return (events >= low) & (events <= high)
