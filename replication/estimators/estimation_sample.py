"""Cells that identify something: what a regression with absorbed effects leaves out, and says.

Left out, with the count in the notes, until nothing more is left out: cells without outcome or
with weight zero, and singletons, the only cell of a unit or of a period effect. Singletons
change no coefficient, but counted as observations and clusters they make standard errors too
small; reghdfe and pyfixest drop them as well, linearmodels keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from replication.errors import PanelError
from replication.estimators.effects import Effects
from replication.results import Bools, Floats, Ints, Panel


@dataclass(frozen=True, slots=True)
class Sample:
    """The panel reduced to the cells that are used, and what was left out.

    Attributes
    ----------
    panel : the panel; cells that are not used have no outcome.
    used : (N, T) cells of the estimation sample.
    dropped : counts by reason.

    """

    panel: Panel
    used: Bools
    dropped: dict[str, int]

    @property
    def weight(self) -> Floats:
        """(N, T) weights, zero outside the sample."""
        return np.where(self.used, self.panel.weight, 0.0)

    @property
    def regular(self) -> bool:
        """Every cell is used and the weights are constant within unit."""
        weight = self.panel.weight
        return bool(self.used.all() and (weight == weight[:, :1]).all())


def estimation_sample(
    panel: Panel, effects: Effects, *, keep: Bools | None = None, separated: bool = False
) -> Sample:
    """Sample of a regression.

    Parameters
    ----------
    keep : (N, T) cells that may be used; all observed ones if None.
    separated : also leave out units, periods and stratum-periods whose outcomes are all zero,
        which a Poisson model with their effects fits perfectly.

    Raises
    ------
    PanelError
        If no unit is left with two cells, or fewer than two clusters are left.

    """
    used = panel.observed & (panel.weight > 0)
    dropped = {"zero_weight_cells": int((panel.observed & ~used).sum())}
    if keep is not None:
        dropped["cells_outside_window"] = int((used & ~keep).sum())
        used &= keep
    used, counts = _identified(panel, effects, used, separated)
    dropped |= counts
    reduced = panel if used.all() else _reduce(panel, used)
    if not used.all():
        kept = used.any(axis=1)
        used = used[kept][:, used.any(axis=0)]
    if reduced.n_clusters < 2:
        raise PanelError(
            "One cluster is left after cells without outcome or weight and singletons were left "
            "out; clustered errors need at least two. Name a finer cluster column or a wider sample."
        )
    notes = (*panel.notes, *_notes(dropped))
    return Sample(replace(reduced, notes=notes), used, dropped)


def _identified(
    panel: Panel, effects: Effects, used: Bools, separated: bool
) -> tuple[Bools, dict[str, int]]:
    """Drop singletons (and all-zero groups) until none is left."""
    strata = effects.level_codes(panel)
    counts = {"singletons": 0} | ({"units_all_zero": 0, "cells_all_zero": 0} if separated else {})
    while True:
        alone = _in_groups(used, used, strata, 1)
        counts["singletons"] += int(alone.sum())
        used = used & ~alone
        if separated:
            positive = used & (np.nan_to_num(panel.y) > 0)
            units = used.any(axis=1) & ~positive.any(axis=1)
            zero = used & _in_groups(positive, used, strata, 0)
            counts["units_all_zero"] += int(units.sum())
            counts["cells_all_zero"] += int((zero & ~units[:, None]).sum())
            used = used & ~zero
            if zero.any():
                continue
        if not alone.any():
            break
    if not used.any():
        raise PanelError(
            "No unit is left with an outcome and a positive weight in two or more periods, so "
            "unit effects leave nothing to compare. Check the outcome, the weights and 'sample'."
        )
    return used, counts


def _in_groups(counted: Bools, used: Bools, strata: list[Ints], size: int) -> Bools:
    """Used cells of units, or of stratum-periods, in which ``size`` cells are counted."""
    found = (counted.sum(axis=1) == size)[:, None] & used
    for codes in strata:
        if codes.max() == 0:
            found |= (counted.sum(axis=0) == size)[None, :] & used
        else:
            total = np.zeros((int(codes.max()) + 1, used.shape[1]), dtype=np.int64)
            np.add.at(total, codes, counted)
            found |= (total == size)[codes] & used
    return found


def _reduce(panel: Panel, used: Bools) -> Panel:
    """The panel without unused units and periods; other unused cells lose their outcome."""
    masked = replace(panel, y=np.where(used, panel.y, np.nan))
    reduced = masked.keep_units(used.any(axis=1)).keep_periods(used.any(axis=0))
    cells = reduced.observed
    clusters = {
        name: codes if codes.ndim == 1 else _recode(codes, cells)
        for name, codes in reduced.clusters.items()
    }
    return replace(reduced, clusters=clusters)


def _recode(codes: Ints, cells: Bools) -> Ints:
    """Codes 0 .. G-1 of the clusters that occur in the sample; 0 elsewhere."""
    out = np.zeros(codes.shape, dtype=np.int64)
    out[cells] = np.unique(codes[cells], return_inverse=True)[1]
    return out


def _notes(dropped: dict[str, int]) -> list[str]:
    words = {
        "zero_weight_cells": "{} unit-periods with weight zero were left out",
        "cells_outside_window": "{} unit-periods outside the event window were left out",
        "singletons": "{} singletons (the only cell of a unit or period effect) were left out",
        "units_all_zero": "{} units whose outcomes are all zero were left out (Poisson separation)",
        "cells_all_zero": "{} unit-periods in periods with only zeros were left out",
    }
    return [words[reason].format(count) for reason, count in dropped.items() if count]
