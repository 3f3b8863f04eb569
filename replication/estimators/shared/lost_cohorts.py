"""Notes on cohorts that the overall effect does not average: controls only, left out, or gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from replication.core.arrays import Bools
from replication.core.panel import Panel
from replication.core.wording import counted

MANY = 6
"""Cohorts named in a note; of the others it gives the number."""


def seen_untreated(panel: Panel, fewest: int = 1) -> Bools:
    """(N,) units observed in ``fewest`` or more untreated periods, without which they are no controls."""
    found: Bools = (panel.observed & ~panel.treated).sum(axis=1) >= fewest
    return found


def with_lost_cohorts(
    panel: Panel, adopters: Panel, shown: Iterable[int], why: str, controls: Bools | None = None
) -> Panel:
    """The panel with the notes of ``lost_cohorts``."""
    return replace(panel, notes=(*panel.notes, *lost_cohorts(adopters, shown, why, controls)))


def lost_cohorts(adopters: Panel, shown: Iterable[int], why: str, controls: Bools | None = None) -> list[str]:
    """Notes on the cohorts that the overall effect does not average; none if it averages all.

    Parameters
    ----------
    adopters : the panel of the units that might have an effect.
    shown : cohorts behind the overall effect.
    why : what the others lack, the end of the sentence after ``because they``.
    controls : (N,) units of ``adopters`` that are controls in the overall effect; none if not given.
    """
    inside = (adopters.first > 0) & (adopters.first < adopters.periods.size)
    lost: Bools = inside & ~np.isin(adopters.cohort, np.array(list(shown), dtype=np.int64))
    serving = lost & (False if controls is None else controls)
    parts = (
        (serving, "serve only as controls in the overall effect"),
        (lost & ~serving, "are excluded from the overall effect"),
    )
    return [
        f"{_described(adopters, units)} {what} because they {why}" for units, what in parts if units.any()
    ]


def vanished_cohorts(panel: Panel, left: Panel) -> list[str]:
    """A note on cohorts of ``panel`` that lost all their units, which have notes of their own."""
    inside = (panel.first > 0) & (panel.first < panel.periods.size)
    gone = inside & ~np.isin(panel.cohort, left.cohort)
    if not gone.any():
        return []
    several = np.unique(panel.cohort[gone]).size > 1
    return [f"no unit of cohort{'s' * several} {_named(panel, gone)} remains in the sample"]


def _described(panel: Panel, units: Bools) -> str:
    """Units with their cohorts: ``15 units in 1 cohort (8)``."""
    count = np.unique(panel.cohort[units]).size
    return f"{int(units.sum())} units in {counted(count, 'cohort')} ({_named(panel, units)})"


def _named(panel: Panel, units: Bools) -> str:
    """The first cohorts of units, and the number of the others."""
    labels = [panel.written(cohort) for cohort in np.unique(panel.cohort[units])]
    return ", ".join(labels[:MANY]) + (f" and {len(labels) - MANY} more" * (len(labels) > MANY))
