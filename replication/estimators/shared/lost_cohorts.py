"""Cohorts that adopt inside the panel but do not enter the overall effect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.panel import Panel

MANY = 6
"""Cohorts named in a note; of the others it gives the number."""
WORTH = 2.0
"""Gain in treated unit-periods for which a default leaves out cohorts: below it, the composition
of the effect (every cohort) is worth more than longer horizons."""


def with_lost_cohorts(panel: Panel, adopters: Panel, shown: Iterable[int], why: str) -> Panel:
    """The panel with a note on the cohorts that the overall effect does not average.

    Parameters
    ----------
    panel : what the estimates are reported on.
    adopters : the panel of the units that might have an effect.
    shown : cohorts behind the overall effect.
    why : what they lack, the end of the sentence after ``because they``.

    """
    note = lost_cohorts(adopters, shown, why)
    return replace(panel, notes=(*panel.notes, note)) if note else panel


def lost_cohorts(adopters: Panel, shown: Iterable[int], why: str) -> str:
    """The note, or an empty string if every cohort has an effect."""
    inside = (adopters.first > 0) & (adopters.first < adopters.periods.size)
    lost: Bools = inside & ~np.isin(adopters.cohort, np.array(list(shown), dtype=np.int64))
    if not lost.any():
        return ""
    labels = [str(label) for label in adopters.label(np.unique(adopters.cohort[lost]))]
    named = ", ".join(labels[:MANY]) + (f" and {len(labels) - MANY} more" * (len(labels) > MANY))
    return (
        f"{int(lost.sum())} units in {len(labels)} cohort{'s' * (len(labels) > 1)} ({named}) are excluded "
        f"because they {why}"
    )


def default_horizon(reach: Ints, mass: Floats) -> int:
    """The last horizon of an effect that averages the same cohorts at every horizon.

    It is the longest that every cohort reaches, unless one late or small cohort would cut the
    effects of all the others down to its own few periods: where leaving out cohorts that cannot
    be followed for h periods gives ``WORTH`` times as many treated unit-periods in 0 to h, the h
    with the most of them is taken (of equal ones the shortest, which keeps the most cohorts).

    Parameters
    ----------
    reach : (C,) last horizon at which each cohort can be compared; at least one is 0 or more.
    mass : (C,) weight of each cohort.

    """
    horizons = np.unique(reach[reach >= 0])
    cells = [(h + 1) * mass[reach >= h].sum() for h in horizons]
    best = int(np.argmax(cells))
    return int(horizons[best if cells[best] >= WORTH * cells[0] else 0])
