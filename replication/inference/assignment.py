"""Treated clusters, and control clusters that stay untreated throughout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.inference.cluster import distinct_rows, sum_by_cluster


@dataclass(frozen=True, slots=True)
class Assignment:
    """Treatment by cluster.

    Attributes
    ----------
    codes : (N,) cluster of each unit, 0 .. G-1
    mass : (G,) weight of each cluster, summed over its units and averaged over its periods
    treated : (C,) clusters whose treatment starts within the panel
    control : (D,) clusters that are untreated in every period
    left_out : number of clusters that are neither (treated throughout, or without weight)
    """

    codes: Ints
    mass: Floats
    treated: Ints
    control: Ints
    left_out: int


def schedule_codes(panel: Panel) -> Ints:
    """(N,) codes of the distinct schedules of treatment: the cohort and, if any, the exposure."""
    if panel.exposure is None:
        return distinct_rows([panel.cohort])[1]
    rows = np.unique(panel.exposure, axis=0, return_inverse=True)[1]
    return distinct_rows([panel.cohort, rows.reshape(-1).astype(np.int64)])[1]


def mixed_clusters(codes: Ints, labels: Ints) -> Ints:
    """Clusters whose units differ in their label."""
    low = np.full(int(codes.max()) + 1, np.iinfo(np.int64).max)
    high = np.full(low.size, -1)
    np.minimum.at(low, codes, labels)
    np.maximum.at(high, codes, labels)
    return np.flatnonzero(low < high)


def assigned_clusters(panel: Panel) -> Ints | None:
    """(N,) clusters above the unit within which all units have one schedule; None if not so."""
    codes = panel.whole_clusters
    if codes is None or int(codes.max()) + 1 == codes.size:
        return None
    return None if mixed_clusters(codes, schedule_codes(panel)).size else codes


def assignment_of(panel: Panel, method: str) -> Assignment:
    """Treated and control clusters.

    Raises
    ------
    PanelError
        With several clusterings, clusters that units leave, clusters whose units differ in their
        treatment, no treated cluster, or no control cluster.
    """
    codes = panel.whole_clusters
    if codes is None:
        raise PanelError(
            f"'method: {method}' compares clusters of whole units, and this panel has "
            f"{len(panel.clusters)} clusterings ({', '.join(panel.clusters)}) or units that change "
            "their cluster. Name one column in 'cluster' that contains whole units."
        )
    name = next(iter(panel.clusters))
    rows = np.unique(panel.dose, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    mixed = mixed_clusters(codes, rows)
    if mixed.size:
        raise PanelError(mixed_message(panel, codes, mixed, method))
    seen = np.where(panel.observed, panel.weight, 0.0)
    mass = sum_by_cluster(seen, codes).mean(axis=1)
    dose = panel.dose[np.unique(codes, return_index=True)[1]]
    untreated, constant = (dose == 0).all(axis=1), np.ptp(dose, axis=1) == 0
    treated, control = ~constant & (mass > 0), untreated & (mass > 0)
    require_both(treated, control, name, method)
    left_out = int((~treated & ~control).sum())
    return Assignment(codes, mass, np.flatnonzero(treated), np.flatnonzero(control), left_out)


def mixed_message(panel: Panel, codes: Ints, mixed: Ints, method: str) -> str:
    """The message for clusters whose units differ in their treatment."""
    name = next(iter(panel.clusters))
    inside = np.flatnonzero(codes == mixed[0])
    dose = panel.dose[inside]
    other = inside[int(np.flatnonzero((dose != dose[0]).any(axis=1))[0])]
    pair = f"units {panel.units[inside[0]]} and {panel.units[other]}"
    return (
        f"'method: {method}' takes the treatment as assigned to whole clusters, and in "
        f"{mixed.size} of {int(codes.max()) + 1} clusters of {name!r} units differ in their "
        f"treatment, for example {pair}, which share a cluster. Cluster by the level at which "
        "treatment was assigned, or use 'method: permutation' with 'blocks'."
    )


def require_both(treated: Bools, control: Bools, name: str, method: str) -> None:
    """Refuse a panel without clusters of both kinds."""
    if not treated.any():
        raise PanelError(
            f"No cluster of {name!r} starts its treatment within the panel, so there is nothing "
            f"for 'method: {method}' to test. Check the cohort column and the periods."
        )
    if not control.any():
        raise PanelError(
            f"Every one of the {treated.size} clusters of {name!r} is treated in some period, so "
            f"'method: {method}' has no untreated cluster whose residuals show the sampling variation. "
            "End the panel before the last cluster adopts, or use 'method: permutation'."
        )
