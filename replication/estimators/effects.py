"""The effects that a regression absorbs, read from the ``trends`` of a specification.

Unit effects and period effects are always there. ``<stratum>_by_time`` replaces the period
effects by effects of stratum and period; ``unit_linear`` and ``<stratum>_linear`` add a straight
line in the period label for every unit or stratum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from replication.errors import SpecError, nearest
from replication.inference.cluster import combined
from replication.results import Bools, Ints, Panel


@dataclass(frozen=True, slots=True)
class Effects:
    """Absorbed effects beyond the unit effects.

    Attributes
    ----------
    by_time : strata with period effects of their own; empty means one set of period effects.
    linear : strata with a linear trend of their own.
    unit_linear : whether every unit has a linear trend.

    """

    by_time: tuple[str, ...] = ()
    linear: tuple[str, ...] = ()
    unit_linear: bool = False

    def __str__(self) -> str:
        periods = [f"{name} by period effects" for name in self.by_time] or ["period effects"]
        trends = [f"{name} linear trends" for name in self.linear]
        trends += ["unit linear trends"] if self.unit_linear else []
        joined = " and ".join(["unit effects", *periods]).replace(
            "unit effects and p", "unit and p"
        )
        return ", ".join([joined, *trends])

    def level_codes(self, panel: Panel) -> list[Ints]:
        """(N,) codes of each set of period effects; one group where there are no strata."""
        if not self.by_time:
            return [np.zeros(len(panel.units), dtype=np.int64)]
        return [panel.strata[name] for name in self.by_time]

    def slope_codes(self, panel: Panel) -> list[Ints]:
        """(N,) codes of each set of stratum trends; unit trends are not among them."""
        return [panel.strata[name] for name in self.linear]


def read_effects(panel: Panel, trends: Sequence[str]) -> Effects:
    """Effects of a list such as ``("region_by_time", "unit_linear")``.

    Raises
    ------
    SpecError
        If a trend is not of a known form or its stratum is not in the panel.

    """
    by_time: list[str] = []
    linear: list[str] = []
    for trend in trends:
        name = trend.removesuffix("_by_time").removesuffix("_linear")
        if trend == "unit_linear":
            continue
        if name not in panel.strata:
            known = ["unit_linear"]
            known += [
                f"{stratum}{end}" for stratum in panel.strata for end in ("_by_time", "_linear")
            ]
            raise SpecError(
                f"The trend {trend!r} cannot be used{nearest(trend, known)}: the panel has no "
                f"stratum {name!r}. Possible with this panel: {', '.join(known)}."
            )
        (by_time if trend.endswith("_by_time") else linear).append(name)
    return Effects(tuple(by_time), tuple(linear), "unit_linear" in trends)


def absorbed_parameters(panel: Panel, effects: Effects, used: Bools) -> int:
    """K of the small-sample correction: absorbed parameters not nested in the clusters.

    The rule of fixest (``fixef.K = "nested"``) and of reghdfe. With sizes ``s_1 .. s_m`` of the
    sets of level effects (units, then periods or stratum-periods), K counts
    ``sum(s) - (m - 1)`` less, for every set that is nested in one of the clusterings, ``s_j - 1``.
    Linear trends of the units (``unit_linear``) are effects of the unit like its level: they are
    not counted where units are nested in a clustering. Trends of strata (``<stratum>_linear``)
    are regressors and are counted, except those that other effects already span. Packages differ
    here and authors too, and it matters: the printed error of Cheng & Hoekstra with state trends,
    0.0388, counts them (a stratum trend by state gives it); with ``unit_linear`` it is 0.037.

    Parameters
    ----------
    used : (N, T) cells of the estimation sample.

    """
    lengths = 1
    if used.all() and all(codes.ndim == 1 for codes in panel.clusters.values()):
        # Every period repeats the first: look at that one, and count it T times.
        lengths, used = used.shape[1], used[:, :1]
    clusterings = [
        np.broadcast_to(codes[:, None] if codes.ndim == 1 else codes, used.shape)[used]
        for codes in panel.clusters.values()
    ]
    rows, columns = np.nonzero(used)
    sets = [rows]
    sets += [codes[rows] * used.shape[1] + columns for codes in effects.level_codes(panel)]
    within = any(_nested(rows, codes) for codes in clusterings)
    count = 1 - len(sets) + _counted_slopes(panel, effects, units_nested=within)
    for place, levels in enumerate(sets):
        size = int((np.bincount(levels) > 0).sum()) * (lengths if place else 1)
        nested = any(_nested(levels, codes) for codes in clusterings)
        count += 1 if nested else size
    return count


def _nested(levels: Ints, clusters: Ints) -> bool:
    """Whether all cells of a level lie in one cluster."""
    owner = np.zeros(int(levels.max()) + 1, dtype=np.int64)
    owner[levels] = clusters
    return bool((owner[levels] == clusters).all())


def _counted_slopes(panel: Panel, effects: Effects, *, units_nested: bool) -> int:
    """Trends that count as parameters and that the period effects do not span already."""
    levels = effects.level_codes(panel)
    if effects.unit_linear:
        return 0 if units_nested else len(panel.units) - _rank(levels)
    if not effects.linear:
        return 0
    return _rank([*levels, *effects.slope_codes(panel)]) - _rank(levels)


def _rank(partitions: Sequence[Ints]) -> int:
    """Rank of the indicators of several groupings of the units."""
    first = combined(partitions)[0]
    columns = [codes[first][:, None] == np.unique(codes) for codes in partitions]
    return int(np.linalg.matrix_rank(np.hstack(columns).astype(float)))
