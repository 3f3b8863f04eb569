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

With unequal weights the working model stays equal variances:
``B_g = (I - H)_g (I - H)_g' = I + V_g C V_g'`` with ``V_g = [Z_g, W_g Z_g]`` and
``C = [[Q, -I], [-I, 0]]``, ``Q = sum_g Z_g' W_g^2 Z_g``: the identity plus a matrix of rank 2p. Its
root acts on the span of V_g, and what it does there follows from the cross-products
``G = V_g'V_g = E D E'``: on the orthonormal basis ``V_g E D^(-1/2)`` it is
``S = I + D^(1/2) E'C E D^(1/2)``. Effects nested in the clusters are swept out exactly as long as
weights are constant inside them.

The default of R ``clubSandwich::vcovCR`` for ``lm`` with weights (``inverse_var = FALSE``):
Pustejovsky & Tipton (2018), Journal of Business & Economic Statistics 36(4), equation 10 with an
identity working model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.inference.cluster_shares import Adjusted, ClusterShares, Share, spectrum


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


# Relative to the largest: V_g is of lower rank where weights are equal within a cluster, and
# cross-products of what is missing are zero up to 1e-16.
SPANNED = 1e-14
# Eigenvalues of B_g that count as zero, as in clubSandwich.
SINGULAR = 1e-12


@dataclass(frozen=True, slots=True)
class WeightedShares:
    """A regression with unequal weights in orthonormal coordinates.

    Attributes
    ----------
    found : loadings and scores ``Z_g' W_g e_g``; its ``shares`` are not used
    plain : (G, P) ``Z_g' e_g``
    moment : gives for k = 0, 1, 2 and a cluster its coordinates (p,) and the products (p, p)
        ``Z_g' W_g^k Z_g`` on them
    """

    found: ClusterShares
    plain: Floats
    moment: Callable[[int, int], Share]

    @property
    def squares(self) -> Floats:
        """(P, P) Q, summed over the clusters."""
        size = self.found.score.shape[1]
        total = np.zeros((size, size))
        for cluster in range(len(self.found.score)):
            index, moment = self.moment(2, cluster)
            total[np.ix_(index, index)] += moment
        return total

    def moments(self, cluster: int) -> tuple[Ints, Floats]:
        """Coordinates (p,) of a cluster and (3, p, p) cross-products, one for each power."""
        parts = [self.moment(power, cluster) for power in range(3)]
        return parts[0][0], np.stack([part[1] for part in parts])


def weighted_bias_reduced(given: WeightedShares) -> Adjusted:
    """Scores of CR2 and Bell-McCaffrey degrees of freedom for unequal weights.

    With ``u_g = A_g W_g Z_g c`` for the row c, ``alpha_g = Z_g'u_g`` and ``gamma_g = Z_g'W_g u_g``,
    ``p_g'p_h = alpha_g'Q alpha_h - alpha_g'gamma_h - gamma_g'alpha_h`` between clusters.
    """
    found, squares = given.found, given.squares
    (n_clusters, size), n_rows = found.score.shape, len(found.loading)
    score = np.zeros((n_clusters, n_rows))
    alone = np.full(n_rows, -1, dtype=np.int64)
    alpha, gamma = np.zeros((2, n_clusters, n_rows, size))
    within = np.zeros((n_clusters, n_rows))
    for cluster in range(n_clusters):
        index, moment = given.moments(cluster)
        load = found.loading[:, index]
        own = spectrum(np.array([cluster]), index, moment[1], load)
        alone[own.alone] = cluster
        root = Root.of(moment, squares[np.ix_(index, index)])
        right = np.concatenate([given.plain[cluster, index], found.score[cluster, index]])
        score[cluster] = load @ root.scores(right)
        alpha[cluster][:, index], gamma[cluster][:, index] = root.products(load)
        within[cluster] = root.within(load)
    count = np.ones(n_clusters, dtype=np.int64)
    freedom = np.full(n_rows, np.nan)
    for row in range(n_rows):
        a, c = alpha[:, row], gamma[:, row]
        forms = Forms(np.hstack([a, c]), np.hstack([a @ squares - c, -a]), within[:, row], count)
        freedom[row] = degrees(forms)
    score[:, alone >= 0] = 0.0
    return Adjusted(score, freedom, alone)


@dataclass(frozen=True, slots=True)
class Root:
    """The root of the generalized inverse of B_g on the span of V_g.

    Attributes
    ----------
    basis : (2p, q) ``E D^(1/2)``, the products of V_g with the orthonormal basis
    inverse : (2p, q) ``E D^(-1/2)``
    root, kept : (q, q) ``S^(+1/2)``, and the projection on what is not singular in S
    """

    basis: Floats
    inverse: Floats
    root: Floats
    kept: Floats

    @classmethod
    def of(cls, moment: Floats, squares: Floats) -> Root:
        """From the moments (3, p, p) of a cluster and Q (p, p) on its coordinates."""
        plain, share, square = moment
        size = len(share)
        product = np.block([[plain, share], [share, square]])
        # Columns of unit length: Z and WZ differ by the size of the weights.
        length = np.sqrt(np.where(np.diag(product) > 0, np.diag(product), 1.0))
        value, vector = np.linalg.eigh(product / np.outer(length, length))
        spanned = value > SPANNED * value[-1]
        value, vector = value[spanned], vector[:, spanned]
        basis = vector * np.sqrt(value) * length[:, None]
        first, second = basis[:size], basis[size:]
        cross = first.T @ second
        middle = np.eye(value.size) + first.T @ squares @ first - cross - cross.T
        found, direction = np.linalg.eigh(middle)
        live = found > SINGULAR
        direction = direction[:, live]
        root = (direction / np.sqrt(found[live])) @ direction.T
        inverse = vector / np.sqrt(value) / length[:, None]
        return cls(basis, inverse, root, direction @ direction.T)

    @property
    def _second(self) -> Floats:
        return self.basis[len(self.basis) // 2 :]

    def scores(self, right: Floats) -> Floats:
        """(p,) ``Z_g' W_g A_g e_g`` from ``V_g' e_g`` (2p,)."""
        return self._second @ (self.root @ (self.inverse.T @ right))

    def products(self, load: Floats) -> tuple[Floats, Floats]:
        """(R, p) ``Z_g'u_g`` and ``Z_g'W_g u_g`` for rows (R, p)."""
        inner = (load @ self._second) @ self.root @ self.basis.T
        size = load.shape[1]
        return inner[:, :size], inner[:, size:]

    def within(self, load: Floats) -> Floats:
        """(R,) ``u_g'B_g u_g``."""
        inner = load @ self._second
        found: Floats = ((inner @ self.kept) * inner).sum(axis=1)
        return found
