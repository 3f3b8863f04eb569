"""The effects that a regression absorbs, read from the ``trends`` of a specification.

Unit effects and period effects are always there. ``<stratum>_by_time`` replaces the period
effects by effects of stratum and period; ``unit_linear`` and ``<stratum>_linear`` add a linear
trend in the period label for every unit or stratum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from replication.core.arrays import Bools, Ints
from replication.core.errors import SpecError, nearest
from replication.core.panel import Panel
from replication.core.wording import series
from replication.estimators.shared.closed_form import nests
from replication.inference.cluster import count_codes, dense_codes, distinct_rows


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

    @property
    def absorbed(self) -> tuple[str, ...]:
        """Names of the fixed effects, as ``Details.absorbed`` has them."""
        return ("unit", *(f"{name}_by_time" for name in self.by_time)) if self.by_time else ("unit", "time")

    @property
    def linear_trends(self) -> tuple[str, ...]:
        """Strata with linear trends, and ``unit`` for trends of the units."""
        return (*self.linear, "unit") if self.unit_linear else self.linear

    def __str__(self) -> str:
        levels = [f"{name}-by-period" for name in self.by_time]
        parts = ["unit fixed effects", *(f"{name} fixed effects" for name in levels)]
        parts = parts if levels else ["unit and period fixed effects"]
        return series([*parts, *(f"{name}-specific linear trends" for name in self.linear_trends)])

    def level_codes(self, panel: Panel) -> list[Ints]:
        """(N,) codes of each set of period effects; one group where there are no strata."""
        if not self.by_time:
            return [np.zeros(len(panel.units), dtype=np.int64)]
        return [panel.strata[name] for name in self.by_time]

    def slope_codes(self, panel: Panel) -> list[Ints]:
        """(N,) codes of each set of stratum trends; unit trends are not among them."""
        return [panel.strata[name] for name in self.linear]

    def codes(self, panel: Panel) -> tuple[list[Ints], list[Ints], bool]:
        """Both, and whether units have trends: what is projected out, as ``absorb.Eliminated`` takes it."""
        return self.level_codes(panel), self.slope_codes(panel), self.unit_linear


def read_effects(panel: Panel, trends: Sequence[str]) -> Effects:
    """The absorbed effects named by a list such as ``("region_by_time", "unit_linear")``.

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
            known += [f"{stratum}{end}" for stratum in panel.strata for end in ("_by_time", "_linear")]
            raise SpecError(
                f"The trend {trend!r} cannot be used{nearest(trend, known)}: the panel has no "
                f"stratum {name!r}. Possible with this panel: {', '.join(known)}."
            )
        (by_time if trend.endswith("_by_time") else linear).append(name)
    return Effects(tuple(by_time), tuple(linear), "unit_linear" in trends)


def absorbed_parameters(panel: Panel, effects: Effects, used: Bools) -> int:
    """K of the small-sample correction: rank of the absorbed effects not nested in the clusters.

    Unit effects nested in a clustering count as the constant, other nested sets not at all. What
    is left is counted as its rank given the unit effects, as in Stata with indicators and in
    fixest with ``ssc(fixef.force_exact = TRUE)``: R (T - 1) for R regions over T periods.
    By default fixest takes off one for each set, as if units linked all regions, and has R - 1
    more. With the rank all 13 standard errors of Cheng and Hoekstra (2013) are those printed.

    Linear trends of the units (``unit_linear``) are effects of the unit like its level: they are
    not counted where units are nested in a clustering. Trends of strata (``<stratum>_linear``)
    are regressors and are counted, except those that other effects already span. Packages differ
    here and authors too, and it matters: the published standard error of Cheng and Hoekstra with state
    trends, 0.0388, counts them (a stratum trend by state gives it); with ``unit_linear`` it is 0.037.

    Parameters
    ----------
    used : (N, T) cells of the estimation sample.

    Notes
    -----
    Exact without gaps. With gaps and several sets of period effects, what the sets share is taken
    as if there were no gaps.
    """
    n_periods, whole = used.shape[1], bool(used.all())
    if whole and all(codes.ndim == 1 for codes in panel.clusters.values()):
        # Every period repeats the first.
        used = used[:, :1]
    clusterings = panel.cell_clusters(used)
    rows, columns = np.nonzero(used)
    within = any(nests(codes, rows) for codes in clusterings)
    count = 1 if within else count_codes(rows)
    nested: list[Ints] = []
    free: list[Ints] = []
    for codes in effects.level_codes(panel):
        levels = codes[rows] * used.shape[1] + columns
        inside = any(nests(clusters, levels) for clusters in clusterings)
        (nested if inside else free).append(codes)
        if not inside and not whole:
            count += _beyond_units(rows, levels)
    if free:
        separate = sum(count_codes(codes) for codes in free)
        joint = _rank([*nested, *free]) - (_rank(nested) if nested else 0)
        count += (n_periods - 1) * (joint if whole else joint - separate)
    return count + _counted_slopes(panel, effects, units_nested=within)


def _beyond_units(rows: Ints, levels: Ints) -> int:
    """Rank that effects of the levels add to unit effects: levels less groups linked by units."""
    # Its import takes as long as a small estimate, most of which have no use for it.
    from scipy.sparse import csgraph

    level, units = dense_codes(levels), int(rows.max()) + 1
    size = units + int(level.max()) + 1
    edges = sparse.csr_array((np.ones(rows.size), (rows, units + level)), shape=(size, size))
    groups = csgraph.connected_components(edges, directed=False)[1]
    return size - units - int(np.unique(groups[units:]).size)


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
    if len(partitions) == 1:
        return count_codes(partitions[0])
    first = distinct_rows(partitions)[0]
    if any(count_codes(codes) == first.size for codes in partitions):
        # One grouping lies in all the others.
        return int(first.size)
    columns = [codes[first][:, None] == np.unique(codes) for codes in partitions]
    return int(np.linalg.matrix_rank(np.hstack(columns).astype(float)))
