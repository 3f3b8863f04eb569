"""Which cohort-by-period cells the extended two-way model gives a dummy.

``not_yet_treated``: the treated (and anticipating) ones, so that every untreated outcome is
comparison. ``never_treated``: all cells of the cohorts treated inside the panel but the last one
before adoption less ``anticipation``, so that units never treated are the only comparison.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.dropped_units import units_dropped
from replication.core.errors import PanelError, SpecError
from replication.core.panel import Panel
from replication.estimators.imputation.untreated_cells import NO_EVENT, SortedCells, sort_cells
from replication.estimators.shared.cohort_comparisons import (
    comparison_panel,
    require_never_treated,
    untreated_throughout,
)

CONTROL_GROUPS = ("not_yet_treated", "never_treated")


def model_cells(panel: Panel, control_group: str, anticipation: int, family: str) -> SortedCells:
    """Sorted cells; ``effect`` are those with a dummy, ``fit`` the comparison.

    Raises
    ------
    SpecError
        For a comparison that the model does not have.
    PanelError
        If no comparison, no treated cell or one cluster is left.
    """
    if control_group not in CONTROL_GROUPS:
        raise SpecError(
            f"etwfe compares with {' or '.join(CONTROL_GROUPS)} units, not {control_group!r}. "
            "Without never-treated units, not_yet_treated cuts the panel where the last cohort "
            "adopts, which makes that cohort the last comparison."
        )
    panel = comparison_panel(panel, "etwfe", anticipation)
    if family == "gaussian":
        panel = _without_singletons(panel)
    cells = _sorted(panel, control_group, anticipation)
    while True:
        kept = _compared(cells, family)
        if kept.all():
            return cells
        cut = cells.panel.periods[~kept]
        ends = f"{cells.panel.written(cut[0])} to {cells.panel.written(cut[-1])}"
        note = (
            f"{cut.size} periods without a comparison were cut ({ends})"
            if family == "gaussian"
            else f"{cut.size} periods without a positive untreated outcome were cut ({ends})"
        )
        if not kept.any():
            raise PanelError(
                "No period has a comparison: every observed cell is treated. Start the panel "
                "earlier or add units that are never treated."
            )
        cells = _sorted(cells.panel.keep_periods(kept, note), control_group, anticipation)


def _sorted(panel: Panel, control_group: str, anticipation: int) -> SortedCells:
    cells = sort_cells(panel, anticipation, 0, "etwfe")
    if control_group == "not_yet_treated":
        return cells
    outside = untreated_throughout(cells.panel, anticipation)
    require_never_treated(cells.panel, control_group, anticipation)
    dummied = ~outside[:, None] & ~_reference(cells)
    usable = cells.fit | cells.effect
    return replace(cells, fit=usable & ~dummied, effect=usable & dummied)


def _reference(cells: SortedCells) -> Bools:
    """(N, T) the last period before adoption less anticipation, of units that adopt."""
    before = (cells.event < -cells.anticipation) & (cells.event != NO_EVENT)
    last = np.where(before, cells.event, NO_EVENT).max(axis=1, keepdims=True)
    found: Bools = before & (cells.event == last)
    return found


def _compared(cells: SortedCells, family: str) -> Bools:
    """(T,) periods with a comparison; for the Poisson model one with a positive outcome."""
    counted = cells.fit if family == "gaussian" else cells.fit & (cells.outcome > 0)
    return np.asarray(counted.any(axis=0))


def _without_singletons(panel: Panel) -> Panel:
    """Drop units observed once, which identify only their own effect but would count as clusters."""
    once = (panel.observed & (panel.weight > 0)).sum(axis=1) == 1
    if not once.any():
        return panel
    return panel.keep_units(~once, units_dropped(panel.units[once], once.size, "they are observed once"))


def positive_cohorts(cells: SortedCells) -> SortedCells:
    """Drop cohorts whose comparison outcomes are all zero, which a log link cannot fit."""
    total: dict[int, float] = {}
    sums: Floats = (cells.fit_weight * cells.outcome).sum(axis=1)
    cohorts: Ints = cells.panel.cohort
    for label in np.unique(cohorts):
        total[int(label)] = float(sums[cohorts == label].sum())
    empty = np.array([total[int(label)] == 0 for label in cohorts])
    if not empty.any():
        return cells
    if empty.all():
        raise PanelError(
            "All untreated outcomes are zero, so a Poisson model has nothing to fit. Check the "
            "outcome and the sample."
        )
    count = np.unique(cohorts[empty]).size
    note = (
        f"{int(empty.sum())} units of {count} cohorts without a positive untreated outcome were "
        "dropped (Poisson separation)"
    )
    keep = ~empty
    panel = cells.panel.keep_units(keep, note)
    return replace(
        cells, panel=panel, event=cells.event[keep], fit=cells.fit[keep], effect=cells.effect[keep]
    )


def positive_treated(cells: SortedCells) -> SortedCells:
    """The cells; refuses those of a Poisson model without a positive treated outcome."""
    treated = cells.effect & (cells.event >= 0)
    if (treated & (cells.outcome > 0)).any():
        return cells
    dropped = "; ".join(cells.panel.notes)
    reason = "all of their outcomes are zero" if treated.any() else "no treated unit is left"
    raise PanelError(
        f"The Poisson model of {cells.panel.outcome!r} has no treated outcome to compare: {reason}"
        f"{f' ({dropped})' if dropped else ''}, so the effect in logarithms is not finite. "
        "Use 'family: gaussian', or check the outcome and the sample."
    )
