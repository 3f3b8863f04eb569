"""The estimation sample under random treatment timing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from replication.core.arrays import Bools
from replication.core.dropped_units import units_dropped
from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.estimators.roth_santanna.design_weights import cohorts_of
from replication.estimators.shared.adoption_contrast import require_adoption
from replication.estimators.shared.cohort_comparisons import require_never_treated, untreated_throughout


def assigned_units(panel: Panel, control_group: str, beta: str | int) -> Panel:
    """The units whose timing counts as random: balanced, in cohorts of two or more."""
    require_usable(panel)
    require_adoption(panel)
    before = panel.notes
    gaps = np.asarray(~panel.observed.all(axis=1), dtype=bool)
    panel = without_units(panel, gaps, "they have a gap in the outcome")
    if float(np.ptp(panel.y)) == 0:
        raise PanelError(
            f"The outcome is the same in all {panel.y.size} cells ({panel.y.flat[0]:g}), so "
            "no effect and no standard error can be estimated. Check the outcome column."
        )
    require_never_treated(panel, control_group)
    if control_group == "last_treated":
        why = "they are not treated inside the panel"
        panel = without_units(panel, untreated_throughout(panel), why)
    panel = treated_from_the_start(panel, beta)
    found = cohorts_of(panel)
    alone = np.asarray(found.sizes[found.codes] == 1, dtype=bool)
    why = "they are the only unit in their cohort, and a variance cannot be estimated from one unit"
    panel = without_units(panel, alone, why)
    require_adoption(panel, "; ".join(panel.notes[len(before) :]))
    return panel


def require_usable(panel: Panel) -> None:
    """Refuse a treatment intensity, weights, and clusters above the unit."""
    if panel.exposure is not None:
        raise PanelError(
            "roth_santanna takes a binary treatment that starts with the cohort; this panel has a "
            "treatment intensity. Set 'treatment: binary' and name the cohort column."
        )
    if panel.weighted:
        raise PanelError(
            "roth_santanna takes no weights: every unit is as likely as another to get a date, "
            "and leaving the weights out silently would change the estimand. Remove 'weights'."
        )
    require_unit_assignment(panel)


def treated_from_the_start(panel: Panel, beta: str | int) -> Panel:
    """Units treated in or before the first period: dropped if beta is 1, else noted.

    With beta 1 they have no difference before adoption to subtract (R ``staggered_cs``); otherwise
    random timing identifies their effect from levels, and R ``staggered`` keeps them.
    """
    early = panel.first == 0
    if beta == 1:
        return without_units(panel, early, "they are treated in or before the first period")
    if not early.any():
        return panel
    note = (
        f"{int(early.sum())} units treated in or before the first period are compared in levels: "
        "random timing alone identifies their effect"
    )
    return replace(panel, notes=(*panel.notes, note))


def require_unit_assignment(panel: Panel) -> None:
    """Refuse clusters above the unit: the variance is over assignments of single units."""
    coarse = [
        name
        for name, codes in panel.clusters.items()
        if codes.ndim != 1 or np.unique(codes).size < len(panel.units)
    ]
    if coarse:
        raise PanelError(
            "roth_santanna assumes that treatment timing is assigned unit by unit, but the "
            f"{len(panel.units)} units are in clusters {coarse[0]!r} that contain several units. Leave "
            "'cluster' empty, or, where whole groups were assigned, average the outcome by group "
            "and period and name the group as 'unit'."
        )


def without_units(panel: Panel, dropped: Bools, why: str) -> Panel:
    """The panel without some units, with a note that counts them and says why; refuses to drop all."""
    if not dropped.any():
        return panel
    note = units_dropped(panel.units[dropped], dropped.size, why)
    if dropped.all():
        raise PanelError(
            f"No unit is left for roth_santanna: {note}. Check the outcome for gaps and the cohort column."
        )
    return panel.keep_units(~dropped, note)
