"""Influence of single clusters on a regression: leverage, partial leverage, effective number.

With z the regressor of the overall effect after everything else is taken out of it (so that the
estimate is ``z'Wy / z'Wz``), cluster g has

    leverage          L_g  = tr(H_gg), its share in determining the fitted parameters;
    partial leverage  l_g  = z_g'W_g z_g / z'Wz, its share in determining the effect;
    effective number  G*   = 1 / sum_g l_g^2 = G / (1 + cv(l)^2).

Effects of the units are swept out first and not counted in L_g. G* is that of Carter, Schnepel &
Steigerwald (2017) for errors that are independent and of one variance within clusters (rho = 0),
which MacKinnon, Nielsen & Webb call G*(0); with unit effects every common cluster error drops out
of z_g'u_g, so that no other rho changes it.

MacKinnon, Nielsen & Webb (2023), Journal of Applied Econometrics 38(5): 671-694; Carter, Schnepel &
Steigerwald (2017), Review of Economics and Statistics 99(4): 698-709.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.details import ClusterInfluence, ClusterWeight
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.cluster import sum_by_cluster

FEW_EFFECTIVE = 15
"""Results with fewer effective clusters carry a note.

With the tails of t(G* - 1), a t-value that is compared with the 5% points of a t distribution with
many degrees of freedom rejects a true null hypothesis in more than 7% of samples from here on.
"""
LISTED = 60
"""So many clusters are listed one by one in the details."""


def effective_number(partial: Floats) -> float:
    """G* from nonnegative parts (G,) of the effect; they need not sum to one."""
    total = float(partial.sum())
    return total**2 / float(partial @ partial) if total > 0 else float("nan")


def cluster_influence(
    panel: Panel, partial: Floats, leverage: Floats | None = None
) -> ClusterInfluence | None:
    """How much single clusters weigh in a regression, for the clustering with the fewest clusters.

    Parameters
    ----------
    partial : (N,) ``sum_t w z^2`` of the overall effect by unit, or (N, T) by cell.
    leverage : (N,) leverage of each unit, where it was found.

    Returns
    -------
    ClusterInfluence or None
        Each maximum has a unit of its cluster (a panel keeps no labels of clusters); clusters are
        listed where there are at most ``LISTED``. None if nothing of the effect is left, and where
        units change their cluster and ``partial`` is by unit.
    """
    name, codes = min(panel.clusters.items(), key=lambda item: int(item[1].max()))
    shares = _partial(partial, codes)
    if shares is None or not shares.sum() > 0:
        return None
    shares = shares / shares.sum()
    most = int(np.argmax(shares))
    found = ClusterInfluence(
        name, int(shares.size), effective_number(shares), float(shares[most]), _unit_of(panel, codes, most)
    )
    settled = None
    if leverage is not None and codes.ndim == 1:
        settled = _summed(leverage, codes)
        found = _with_leverage(found, settled, panel, codes)
    if shares.size <= LISTED and codes.ndim == 1:
        found = replace(found, by_cluster=_listed(shares, settled, panel, codes))
    return found


def few_effective(influence: ClusterInfluence | None, inference: Inference, *, corrects: bool) -> list[str]:
    """The note on a result with few effective clusters; none if there are enough.

    ``corrects``: whether CV2 and CV3 give standard errors: they require units nested in the clusters of a
    single clustering, and more than one cluster on either side.
    """
    if influence is None or influence.effective >= FEW_EFFECTIVE:
        return []
    usual = corrects and inference.method == "analytic" and inference.variance == "cv1"
    advice = "; compare 'inference.variance: cv3' or 'cv2'" if usual else ""
    return [
        f"the effective number of clusters is {influence.effective:.1f} of {influence.clusters} "
        "(Carter, Schnepel, and Steigerwald 2017); the largest cluster accounts for "
        f"{100 * influence.partial_leverage_max:.0f}% of the identifying variation{advice}"
    ]


def _partial(partial: Floats, codes: Ints) -> Floats | None:
    """(G,) sums over clusters of units, or of cells."""
    if codes.ndim == 1:
        return _summed(partial if partial.ndim == 1 else partial.sum(axis=1), codes)
    return _summed(partial.ravel(), codes.ravel()) if partial.ndim == 2 else None


def _summed(values: Floats, codes: Ints) -> Floats:
    return sum_by_cluster(values[:, None], codes)[:, 0]


def _unit_of(panel: Panel, codes: Ints, cluster: int) -> str:
    """A unit of a cluster, as a label for it."""
    member = codes == cluster if codes.ndim == 1 else (codes == cluster).any(axis=1)
    return str(panel.units[int(np.argmax(member))])


def _with_leverage(found: ClusterInfluence, settled: Floats, panel: Panel, codes: Ints) -> ClusterInfluence:
    place = int(np.argmax(settled))
    return replace(
        found,
        leverage_max=float(settled[place]),
        leverage_max_cluster_of=_unit_of(panel, codes, place),
        leverage_mean=float(settled.mean()),
    )


def _listed(shares: Floats, settled: Floats | None, panel: Panel, codes: Ints) -> tuple[ClusterWeight, ...]:
    return tuple(
        ClusterWeight(
            _unit_of(panel, codes, cluster), share, None if settled is None else float(settled[cluster])
        )
        for cluster, share in enumerate(shares.tolist())
    )
