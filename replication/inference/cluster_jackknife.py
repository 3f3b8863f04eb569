"""CV3: the variance over leaving out one cluster at a time, without refitting.

Without cluster g the estimate is ``beta - (U'WU - U_g'W_g U_g)^-1 U_g'W_g e_g``, exactly and for
any weights. In the coordinates of ``cluster_shares`` that is ``(I - K_g)^-1`` times the score.

MacKinnon, Nielsen & Webb (2023), Journal of Applied Econometrics 38(5): 671-694, equation 12, and
The Stata Journal 23(4): 942-982 (``summclust``); Bell & McCaffrey (2002), Survey Methodology
28(2).
"""

from __future__ import annotations

import numpy as np

from replication.inference.cluster_shares import Adjusted, ClusterShares


def jackknife(found: ClusterShares) -> Adjusted:
    """Scores of CV3 and t(G-1).

    ``CV3 = (G-1)/G sum_g (beta_(g) - beta)(beta_(g) - beta)'``, centered at the estimate from all
    clusters, as in ``summclust``. CR3 of R ``clubSandwich`` is the same sum without (G-1)/G.

    Notes
    -----
    A row that is not identified without some cluster has no jackknife variance: its scores are
    zero and ``alone`` names the cluster.

    """
    n_clusters, n_rows = len(found.score), len(found.loading)
    score = np.zeros((n_clusters, n_rows))
    alone = np.full(n_rows, -1, dtype=np.int64)
    for part in found.spectra():
        alone[part.alone] = part.clusters[0]
        taken = part.coordinates(found.score) / (1 - part.value)
        score[part.clusters] += taken @ part.load.T
    score *= np.sqrt((n_clusters - 1) / n_clusters)
    score[:, alone >= 0] = 0.0
    return Adjusted(score, np.full(n_rows, n_clusters - 1.0), alone)
