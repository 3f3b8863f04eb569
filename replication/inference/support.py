"""Treated and control clusters behind an estimate.

A clustered variance is a sum over clusters. Where one treated cluster carries the effect, its
residuals are nearly zero by construction, so that the standard error reflects the noise of the
controls only: with 50 units of which one is treated, tests at the 5% level reject a true null
hypothesis in three samples of four (Conley & Taber 2011, Review of Economics and Statistics 93(1);
MacKinnon & Webb 2018, Econometrics Journal 21(2)). The same is true of one control cluster.
"""

from __future__ import annotations

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import ClusterSupport
from replication.core.panel import Panel
from replication.inference.cluster import count_codes, distinct_rows


def support_of(panel: Panel, control_group: str | None = None) -> ClusterSupport:
    """Count the clusters of the estimation sample; the smallest counts over several clusterings.

    Parameters
    ----------
    control_group : ``never_treated``, ``last_treated`` or ``not_yet_treated``, where treated units
        are compared with units that are untreated at the time only; None where those already
        treated are compared with as well (two-way regressions).

    Notes
    -----
    Clusterings that cut across units (such as periods) carry no information on how many units are treated;
    if there are no others, the units themselves are counted.
    """
    first = panel.first if panel.exposure is None else first_change(panel, panel.exposure)
    if panel.exposure is None:
        treated, control = carriers(panel, first, control_group)
    else:
        treated, control = dosed_carriers(first, panel.exposure)
    whole = {name: codes for name, codes in panel.clusters.items() if codes.ndim == 1}
    counted = whole or {"unit": np.arange(len(panel.units))}
    found = [_count(name, codes, first, treated, control) for name, codes in counted.items()]
    return min(found, key=lambda one: (one.treated, one.control))


def carriers(panel: Panel, first: Ints, control_group: str | None) -> tuple[Bools, Bools]:
    """(N,) units whose treatment starts in the sample, and units that they are compared with."""
    eligible = _eligible(first, panel.periods.size, control_group)
    if panel.balanced and (panel.weight > 0).all():
        return _whole(first, panel.periods.size, eligible, every=control_group is None)
    seen = panel.observed & (panel.weight > 0)
    after = np.arange(panel.periods.size) >= first[:, None]
    untreated = seen & ~after
    compared = (untreated & eligible[:, None]).any(axis=0) if control_group else True
    dosed: Bools = seen & after & compared
    treated: Bools = np.asarray(dosed.any(axis=1) & untreated.any(axis=1))
    during = dosed[treated].any(axis=0)
    control: Bools = np.asarray((untreated & eligible[:, None] & during).any(axis=1))
    return treated, control


def first_change(panel: Panel, dose: Floats) -> Ints:
    """(N,) column in which the dose first differs from that before; T where it never does."""
    known = np.where(panel.observed, dose, np.nan)
    start = np.argmax(panel.observed, axis=1)
    moved = known != known[np.arange(len(dose)), start][:, None]
    moved &= panel.observed
    found: Ints = np.where(moved.any(axis=1), moved.argmax(axis=1), dose.shape[1])
    return found.astype(np.int64)


def dosed_carriers(first: Ints, dose: Floats) -> tuple[Bools, Bools]:
    """(N,) units whose dose changes, and units that they are compared with.

    Those are the units whose dose changes later or never. Where doses take several paths the
    units are compared with each other, whether or not any of them stays untreated.
    """
    treated: Bools = first < dose.shape[1]
    control: Bools = first > first[treated].min(initial=dose.shape[1])
    # Sums with irrational weights distinguish paths without sorting rows.
    paths = np.unique(dose[treated] @ np.sqrt(np.arange(2.0, dose.shape[1] + 2)))
    return treated, np.ones(first.size, dtype=bool) if paths.size > 2 else control


def _eligible(first: Ints, n_periods: int, control_group: str | None) -> Bools:
    """(N,) units that may serve as controls while they are untreated."""
    never: Bools = first == n_periods
    if control_group == "never_treated" and never.any():
        return never
    if control_group == "last_treated":
        late: Bools = first >= first[first < n_periods].max(initial=0)
        return late
    return np.ones(first.size, dtype=bool)


def _whole(first: Ints, n_periods: int, eligible: Bools, *, every: bool) -> tuple[Bools, Bools]:
    """The same where no cell is missing, from the dates alone.

    ``every``: whether units already treated are compared with as well.
    """
    latest = n_periods if every else first[eligible].max(initial=0)
    treated: Bools = (first > 0) & (first < n_periods) & (first < latest)
    control: Bools = eligible & (first > first[treated].min(initial=n_periods))
    return treated, control


def _count(name: str, codes: Ints, first: Ints, treated: Bools, control: Bools) -> ClusterSupport:
    return ClusterSupport(
        treated=count_codes(codes[treated]),
        control=count_codes(codes[control]),
        alone=_alone(codes[treated], first[treated]),
        kind=name,
    )


def _alone(codes: Ints, first: Ints) -> int:
    """Clusters that hold all treated units of each cohort that they have."""
    if not codes.size:
        return 0
    member = distinct_rows([first, codes])[0]
    cluster, cohort = codes[member], first[member]
    shared = np.bincount(cohort)[cohort] > 1
    return count_codes(cluster) - count_codes(cluster[shared])


def effective_clusters(scores: Floats) -> float:
    """Effective number of clusters behind one row, from its (G,) scores.

    ``3 (sum s^2)^2 / sum s^4``, at most G: see ``bootstrap_t.effective_clusters``.

    Parameters
    ----------
    scores : (G,) sums of the influence of each cluster on one estimate.

    Returns
    -------
    float
        At most G; 0 if all scores are zero.
    """
    fourth = float((scores**4).sum())
    return min(3 * float((scores**2).sum()) ** 2 / fourth if fourth > 0 else 0.0, float(scores.size))
