"""CR2: the variance that is unbiased under a working model, with Satterthwaite degrees of freedom.

The residuals of cluster g are multiplied by ``A_g = B_g^(+1/2)``, the symmetric root of the
generalized inverse of ``B_g = (I - H)_g (I - H)_g'``, which makes the variance unbiased where
observations are independent with one variance. The t distribution of a row ``a'beta`` has the
degrees of freedom of Bell & McCaffrey,

    df = (sum_g p_g'p_g)^2 / sum_gh (p_g'p_h)^2,    p_g = (I - H)_g' A_g W_g U_g M a,

twice the squared mean of the variance over its variance under the working model.

Bell & McCaffrey (2002), Survey Methodology 28(2): 169-181; Pustejovsky & Tipton (2018), Journal of
Business & Economic Statistics 36(4): 672-683, whose Theorem 2 lets effects nested in the clusters
be swept out first: with equal weights A_g is then that of the regression with all dummies.
Reproduces R ``clubSandwich::coef_test(fit, vcov = "CR2", cluster, test = "Satterthwaite")``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.inference.cluster_shares import Adjusted, ClusterShares


def bias_reduced(found: ClusterShares) -> Adjusted:
    """Scores of CR2 and Bell-McCaffrey degrees of freedom, for equal weights.

    With W = I, ``B_g = I - Z_g Z_g'``, so that the adjusted score of a cluster is
    ``(I - K_g)^(+1/2)`` times its score; ``p_g'p_h = -b_g'b_h`` between clusters, with
    ``b_g = (I - K_g)^(+1/2) K_g L'a``, and ``a'L K_g L'a`` (less directions that the cluster alone
    identifies) within one.
    """
    (n_clusters, size), n_rows = found.score.shape, len(found.loading)
    score = np.zeros((n_clusters, n_rows))
    alone = np.full(n_rows, -1, dtype=np.int64)
    between = np.zeros((int(found.kind.max()) + 1, n_rows, size))
    within = np.zeros((len(between), n_rows))
    for part in found.spectra():
        alone[part.alone] = part.clusters[0]
        root = np.sqrt(1 - part.value)
        score[part.clusters] += (part.coordinates(found.score) / root) @ part.load.T
        kind = found.kind[part.clusters[0]]
        between[kind][:, part.index] += part.back(part.load * part.value / root)
        within[kind] += part.load**2 @ part.value
    count = np.bincount(found.kind)
    freedom = np.array(
        [degrees(Forms(-between[:, row], between[:, row], within[:, row], count)) for row in range(n_rows)]
    )
    score[:, alone >= 0] = 0.0
    return Adjusted(score, freedom, alone)


@dataclass(frozen=True, slots=True)
class Forms:
    """Products of the p_g of one row, S kinds of clusters.

    Attributes
    ----------
    left, right : (S, P) with ``left_g'right_h = p_g'p_h`` for two different clusters
    within : (S,) ``p_g'p_g``
    count : (S,) clusters of each kind

    """

    left: Floats
    right: Floats
    within: Floats
    count: Ints


def degrees(forms: Forms) -> float:
    """Squared trace over squared norm of the G x G matrix of products; NaN for a fixed row.

    The norm comes from P x P cross-products where there are more kinds than coordinates.
    """
    trace = float(forms.count @ forms.within)
    if trace <= 0:
        return float("nan")
    own = (forms.left * forms.right).sum(axis=1)
    if len(forms.left) <= forms.left.shape[1]:
        product = forms.left @ forms.right.T
        norm = float(forms.count @ product**2 @ forms.count)
    else:
        lefts = forms.left.T @ (forms.left * forms.count[:, None])
        rights = forms.right.T @ (forms.right * forms.count[:, None])
        norm = float((lefts * rights).sum())
    norm += float(forms.count @ (forms.within**2 - own**2))
    return trace**2 / norm
