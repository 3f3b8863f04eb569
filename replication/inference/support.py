"""How many treated and how many control clusters an estimate rests on.

A clustered variance is a sum over clusters. Where one treated cluster carries the effect, its
residuals are nearly zero by construction, so that the standard error holds the noise of the
controls only: with 50 units of which one is treated, tests at the 5% level reject a true null
hypothesis in three samples of four (Conley & Taber 2011, Review of Economics and Statistics 93(1);
MacKinnon & Webb 2018, Econometrics Journal 21(2)). The same is true of one control cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.panel import Panel


@dataclass(frozen=True, slots=True)
class Support:
    """Clusters behind an estimate.

    Attributes
    ----------
    treated : clusters with a unit that starts treatment while others are untreated.
    control : clusters with a unit that is untreated while one of those is treated.
    alone : treated clusters that are the only cluster of their cohort.
    kind : name of the clusters.

    """

    treated: int
    control: int
    alone: int
    kind: str


def support_of(panel: Panel, control_group: str | None = None) -> Support:
    """Count the clusters of the estimation sample; the smallest counts over several clusterings.

    Parameters
    ----------
    control_group : ``never_treated``, ``last_treated`` or ``not_yet_treated``, where treated units
        are compared with units that are untreated at the time only; None where those already
        treated are compared with as well (two-way regressions).

    Notes
    -----
    Clusterings that cut across units (such as periods) say nothing of how many units are treated;
    if there are no others, the units themselves are counted.

    """
    first = onset(panel)
    treated, control = carriers(panel, first, control_group)
    whole = {name: codes for name, codes in panel.clusters.items() if codes.ndim == 1}
    counted = whole or {"unit": np.arange(len(panel.units))}
    found = [_count(name, codes, first, treated, control) for name, codes in counted.items()]
    return min(found, key=lambda one: (one.treated, one.control))


def onset(panel: Panel) -> Ints:
    """(N,) column of the first period with any treatment; T for units without."""
    if panel.exposure is None:
        return panel.first
    dosed = panel.exposure > 0
    return np.where(dosed.any(axis=1), dosed.argmax(axis=1), panel.periods.size).astype(np.int64)


def carriers(panel: Panel, first: Ints, control_group: str | None) -> tuple[Bools, Bools]:
    """(N,) units whose treatment starts in the sample, and units that they are compared with."""
    n_periods = panel.periods.size
    seen = panel.observed & (panel.weight > 0)
    after = np.arange(n_periods) >= first[:, None]
    eligible = np.ones(first.size, dtype=bool)
    if control_group == "never_treated" and (first == n_periods).any():
        eligible = first == n_periods
    elif control_group == "last_treated":
        eligible = first >= first[first < n_periods].max(initial=0)
    untreated = seen & ~after
    compared = (untreated & eligible[:, None]).any(axis=0) if control_group else True
    dosed: Bools = seen & after & compared
    treated: Bools = np.asarray(dosed.any(axis=1) & untreated.any(axis=1))
    during = dosed[treated].any(axis=0)
    control: Bools = np.asarray((untreated & eligible[:, None] & during).any(axis=1))
    return treated, control


def _count(name: str, codes: Ints, first: Ints, treated: Bools, control: Bools) -> Support:
    return Support(
        treated=np.unique(codes[treated]).size,
        control=np.unique(codes[control]).size,
        alone=_alone(codes[treated], first[treated]),
        kind=name,
    )


def _alone(codes: Ints, first: Ints) -> int:
    """Clusters that hold all treated units of each cohort that they have."""
    pairs = np.unique(np.column_stack([first, codes]), axis=0)
    cohort, size = np.unique(pairs[:, 0], return_counts=True)
    single = np.isin(pairs[:, 0], cohort[size == 1])
    return int(np.setdiff1d(pairs[single, 1], pairs[~single, 1]).size)


def as_info(found: Support) -> Mapping[str, int | str]:
    """The counts as entries of ``Estimates.info``."""
    return {
        "treated_clusters": found.treated,
        "control_clusters": found.control,
        "treated_clusters_alone": found.alone,
        "counted_clusters": found.kind,
    }


def effective(scores: Floats) -> float:
    """Effective number of clusters behind one row, from its (G,) scores.

    ``3 (sum s^2)^2 / sum s^4``, at most G: see ``bootstrap_t.effective_clusters``.
    """
    fourth = float((scores**4).sum())
    return min(3 * float((scores**2).sum()) ** 2 / fourth if fourth > 0 else 0.0, scores.size)
