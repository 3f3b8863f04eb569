"""Which cells fit the model of untreated outcomes, and in which the effect is measured.

Shared by the imputation, two-stage and extended two-way estimators. A cell is a unit and a
period. Untreated cells (before adoption less ``anticipation``) carry the model of Y(0); treated
and anticipating ones carry effects.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import Details, Dropped
from replication.core.dropped_units import units_dropped
from replication.core.errors import PanelError
from replication.core.panel import NEVER, Panel
from replication.estimators.shared.cohort_comparisons import comparison_panel, with_means
from replication.estimators.shared.lost_cohorts import lost_cohorts, vanished_cohorts

NO_EVENT = np.iinfo(np.int64).min // 4


@dataclass(frozen=True, slots=True)
class SortedCells:
    """A panel with its cells sorted.

    Attributes
    ----------
    panel : without the units in which nothing can be imputed.
    anticipation : periods before adoption in which the effect may start.
    event : (N, T) periods since adoption; ``NO_EVENT`` for units never treated.
    fit : (N, T) untreated, observed, with positive weight.
    effect : (N, T) treated or anticipating, observed, with positive weight.
    """

    panel: Panel
    anticipation: int
    event: Ints
    fit: Bools
    effect: Bools

    @property
    def outcome(self) -> Floats:
        """(N, T) outcomes, zero where there is none."""
        return np.where(self.panel.observed, self.panel.y, 0.0)

    @property
    def fit_weight(self) -> Floats:
        """(N, T) weights of the untreated cells, zero elsewhere."""
        return np.where(self.fit, self.panel.weight, 0.0)

    @property
    def effect_weight(self) -> Floats:
        """(N, T) weights of the cells with effects, zero elsewhere."""
        return np.where(self.effect, self.panel.weight, 0.0)

    @property
    def n_obs(self) -> int:
        """Cells that enter, on either side."""
        return int(self.fit.sum() + self.effect.sum())


def sort_cells(panel: Panel, anticipation: int, needed: int, estimator: str) -> SortedCells:
    """Sort the cells, and drop treated units with fewer than ``needed`` untreated cells.

    Raises
    ------
    PanelError
        If there is a treatment intensity, no treated or no untreated cell, or one cluster.
    """
    cells = _sorted(comparison_panel(panel, estimator, anticipation), anticipation)
    short = cells.effect.any(axis=1) & (cells.fit.sum(axis=1) < needed)
    if short.any():
        what = "fixed effect" if needed == 1 else "linear trend"
        periods = f"period{'' if needed == 1 else 's'}, too few for a {what}"
        why = f"they are treated and have fewer than {needed} untreated {periods}"
        note = units_dropped(cells.panel.units[short], short.size, why)
        cells = _sorted(cells.panel.keep_units(~short, note), anticipation)
    _require_both(cells, int(short.sum()))
    idle: Bools = np.asarray(~(cells.fit | cells.effect).any(axis=1))
    if idle.any():
        why = "they have no observed period of positive weight"
        note = units_dropped(cells.panel.units[idle], idle.size, why)
        cells = _sorted(cells.panel.keep_units(~idle, note), anticipation)
    if cells.panel.n_clusters < 2:
        raise PanelError(
            "One cluster is left after units that cannot be used were dropped; clustered standard errors "
            "need at least two. Name a finer cluster column or widen the sample."
        )
    return cells


def without_cells(cells: SortedCells, impossible: Bools) -> SortedCells:
    """The cells less treated ones whose Y(0) no untreated cell identifies, with a note."""
    dropped = cells.effect & impossible
    if not dropped.any():
        return cells
    periods = [cells.panel.written(one) for one in cells.panel.periods[dropped.any(axis=0)]]
    note = (
        f"{int(dropped.sum())} treated unit-periods without an untreated comparison in their "
        f"period (or stratum) were left out, in {_span(periods)}"
    )
    left = cells.effect & ~dropped
    if not left.any():
        raise PanelError(
            f"None of the {int(dropped.sum())} treated unit-periods has an untreated comparison in its "
            "period (or stratum, with trends of strata). Add units that adopt later or never."
        )
    panel = replace(cells.panel, notes=(*cells.panel.notes, note))
    return replace(cells, panel=panel, effect=left)


def describe_cells(details: Details, cells: SortedCells, original: Panel) -> Details:
    """The details with the counts and means that every one of these estimators reports."""
    gone = len(original.units) - len(cells.panel.units)
    dropped = (Dropped("units_not_used", gone, "units"),) if gone else ()
    known = replace(
        with_means(details, cells.panel),
        anticipation=cells.anticipation,
        covariates=cells.panel.covariate_names,
        dropped=(*details.dropped, *dropped),
    )
    counts = {"untreated_cells": int(cells.fit.sum()), "treated_cells": int(cells.effect.sum())}
    return known.noted(_lost(cells, original)).with_extras(counts)


def _lost(cells: SortedCells, original: Panel) -> list[str]:
    """Notes on the cohorts without a treated cell, if there are any."""
    treated: Bools = np.asarray((cells.effect & (cells.event >= 0)).any(axis=1))
    shown = cells.panel.cohort[treated].tolist()
    kept = original.keep_units(np.isin(original.units, cells.panel.units))
    why = "have no treated period with an untreated counterfactual"
    controls: Bools = np.asarray(cells.fit.any(axis=1))
    return [*vanished_cohorts(original, kept), *lost_cohorts(kept, shown, why, controls)]


def _sorted(panel: Panel, anticipation: int) -> SortedCells:
    ever = (panel.cohort != NEVER)[:, None]
    event = np.where(ever, panel.periods - panel.cohort[:, None], NO_EVENT).astype(np.int64)
    usable = panel.observed & (panel.weight > 0)
    affected = event >= -anticipation
    return SortedCells(panel, anticipation, event, usable & ~affected, usable & affected)


def _require_both(cells: SortedCells, short: int) -> None:
    treated = (cells.effect & (cells.event >= 0)).any()
    if not treated:
        extra = f" ({short} treated units were dropped: too few untreated periods)" if short else ""
        raise PanelError(
            f"No treated unit-period with an outcome and a positive weight is left{extra}. Check "
            "the cohort column (first treated period, 0 or empty for never) and the sample."
        )
    if not cells.fit.any():
        raise PanelError(
            "No untreated unit-period is left, so outcomes without the treatment are not "
            "identified. Start the panel earlier or add units that are never treated."
        )


def _span(periods: list[str]) -> str:
    if len(periods) == 1:
        return f"period {periods[0]}"
    if len(periods) <= 4:
        return f"periods {', '.join(periods)}"
    return f"{len(periods)} periods from {periods[0]} to {periods[-1]}"
