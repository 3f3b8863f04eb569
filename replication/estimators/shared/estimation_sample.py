"""The estimation sample of a regression with absorbed effects, and the count of what is left out.

Dropped, repeatedly and with counts in the notes, are cells without outcome or
with weight zero, and singletons, the only cell of a unit or of a period effect. Singletons
change no coefficient, but counted as observations and clusters they make standard errors too
small; reghdfe and pyfixest drop them as well, linearmodels keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.estimators.shared.fixed_effects import Effects
from replication.inference.cluster import sum_by_cluster


@dataclass(frozen=True, slots=True)
class EstimationSample:
    """The panel reduced to the cells that are used, and what was left out.

    Attributes
    ----------
    panel : the panel; cells that are not used have no outcome.
    used : (N, T) cells of the estimation sample.
    dropped : counts by reason.
    units, periods : (N,) and (T,) of the panel it was drawn from that are in the sample.
    """

    panel: Panel
    used: Bools
    dropped: dict[str, int]
    units: Bools
    periods: Bools

    def on(self, panel: Panel, cells: Bools) -> Bools:
        """Cells of this sample as cells of the panel that it was drawn from."""
        found = np.zeros(panel.y.shape, dtype=bool)
        found[np.ix_(self.units, self.periods)] = cells
        return found

    @property
    def weight(self) -> Floats:
        """(N, T) weights, zero outside the sample."""
        return self.panel.weight if self.used.all() else np.where(self.used, self.panel.weight, 0.0)

    @property
    def regular(self) -> bool:
        """Every cell is used and the weights are constant within unit."""
        weight = self.panel.weight
        return bool(self.used.all() and (weight == weight[:, :1]).all())


def estimation_sample(
    panel: Panel,
    effects: Effects,
    *,
    keep: Bools | None = None,
    separated: Bools | None = None,
    drop_zero_groups: bool = False,
) -> EstimationSample:
    """Sample of a regression.

    Parameters
    ----------
    keep : (N, T) cells that may be used; all observed ones if None.
    separated : (N, T) zeros that a Poisson model fits perfectly.
    drop_zero_groups : also leave out units, periods and stratum-periods whose outcomes are all
        zero, which a Poisson model with their effects fits perfectly.

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
    if separated is not None:
        dropped["cells_separated"] = int((used & separated).sum())
        used &= ~separated
    used, counts = _identified(panel, effects, used, drop_zero_groups)
    dropped |= counts
    reduced = panel if used.all() else _reduce(panel, used)
    units, periods = _margins(used)
    if reduced is not panel:
        used = used[np.ix_(units, periods)]
    if reduced.n_clusters < 2:
        raise PanelError(
            "One cluster is left after cells without outcome or weight and singletons were left "
            "out; clustered standard errors need at least two. Name a finer cluster column."
        )
    notes = (*panel.notes, *_notes(dropped))
    return EstimationSample(replace(reduced, notes=notes), used, dropped, units, periods)


def _identified(
    panel: Panel, effects: Effects, used: Bools, zero_groups: bool
) -> tuple[Bools, dict[str, int]]:
    """Drop singletons (and all-zero groups) until none is left."""
    strata = effects.level_codes(panel)
    if used.all() and not zero_groups and used.shape[1] > 1 and _shared(strata):
        return used, {"singletons": 0}
    counts = {"singletons": 0} | ({"units_all_zero": 0, "cells_all_zero": 0} if zero_groups else {})
    while True:
        alone = _in_groups(used, used, strata, 1)
        counts["singletons"] += int(alone.sum())
        used = used & ~alone
        if zero_groups:
            positive = used & (np.nan_to_num(panel.y) > 0)
            units = _margins(used)[0] & ~_margins(positive)[0]
            zero = _in_groups(positive, used, strata, 0)
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
            "unit effects leave nothing to compare. Check the outcome, the weights, and 'sample'."
        )
    return used, counts


def _shared(strata: list[Ints]) -> bool:
    """Whether every group of units has two or more, so that a panel without gaps is complete."""
    return all(int(np.bincount(codes).min()) > 1 for codes in strata)


def _in_groups(counted: Bools, used: Bools, strata: list[Ints], size: int) -> Bools:
    """Used cells of units, or of stratum-periods, in which ``size`` cells are counted."""
    found: Bools = (counted.sum(axis=1) == size)[:, None]
    for codes in strata:
        if codes.max() == 0:
            found = found | (counted.sum(axis=0) == size)
        else:
            found = found | (sum_by_cluster(counted.astype(float), codes) == size)[codes]
    return found & used


def _margins(cells: Bools) -> tuple[Bools, Bools]:
    """(N,) units and (T,) periods with any cell."""
    return np.asarray(cells.any(axis=1)), np.asarray(cells.any(axis=0))


def _reduce(panel: Panel, used: Bools) -> Panel:
    """The panel without unused units and periods; other unused cells lose their outcome."""
    masked = replace(panel, y=np.where(used, panel.y, np.nan))
    units, periods = _margins(used)
    reduced = masked.keep_units(units).keep_periods(periods)
    cells = reduced.observed
    clusters = {
        name: codes if codes.ndim == 1 else _recode(codes, cells) for name, codes in reduced.clusters.items()
    }
    return replace(reduced, clusters=clusters)


def _recode(codes: Ints, cells: Bools) -> Ints:
    """Codes 0 .. G-1 of the clusters that occur in the sample; 0 elsewhere."""
    out = np.zeros(codes.shape, dtype=np.int64)
    out[cells] = np.unique(codes[cells], return_inverse=True)[1]
    return out


def _notes(dropped: dict[str, int]) -> list[str]:
    words = {
        "zero_weight_cells": "{} unit-periods with weight zero were dropped",
        "cells_outside_window": "{} unit-periods outside the event window were dropped",
        "cells_separated": "{} zeros that trends or covariates predict perfectly were dropped",
        "singletons": "{} singleton observations were dropped",
        "units_all_zero": "{} units with a zero outcome in every period were dropped",
        "cells_all_zero": "{} unit-periods in periods with only zeros were dropped",
    }
    return [words[reason].format(count) for reason, count in dropped.items() if count]


def require_residual(n_obs: int, n_params: int, remedy: str) -> None:
    """Refuse a regression that its parameters fit exactly.

    Parameters
    ----------
    n_params : all parameters, absorbed unit and period effects included.
    remedy : what would leave degrees of freedom, the end of the message.
    """
    if n_obs <= n_params:
        raise PanelError(
            f"{n_obs} observations are left for {n_params} parameters, absorbed effects included, "
            f"so the fit is exact and no standard error can be given. {remedy}"
        )
