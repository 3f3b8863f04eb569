"""Shares of clusters in a regression, from which small-sample corrections of its variance follow.

A weighted regression on the full design U (regressors and every absorbed effect that is not
nested in the clusters, effects nested in them swept out) has ``M = (U'WU)^-1 = L L'``. In the
coordinates of ``Z = U L`` the cross-products sum to the identity, and those of cluster g,

    K_g = L' U_g' W_g U_g L    (p x p, symmetric, eigenvalues in [0, 1]),

are its share of the information in every direction. The hat matrix of the cluster is
``H_gg = Z_g Z_g' W_g``; as ``Z_g' f(Z_g Z_g') = f(Z_g' Z_g) Z_g'`` for any power series f, the
adjustments ``(I - H_gg)^-1`` and ``(I - H_gg)^-1/2`` need K_g only, never a matrix of observations
by observations. An eigenvalue of one is a direction that the cluster alone identifies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.inference.cluster import members_of

# A direction that a cluster alone identifies has an eigenvalue of one up to rounding (1e-14); other
# clusters that hold a billionth of the information still identify it.
ALONE = 1e-10
# Part of a row, relative to its length, in such a direction that is more than rounding: the
# vectors of an eigenvalue are exact to about 1e-15 over the gap to the next one.
TOUCHED = 1e-6

Share = tuple[Ints, Floats]
"""Coordinates (p,) and the share (p, p) on them, or (p,) where it is diagonal."""


@dataclass(frozen=True, slots=True)
class ClusterShares:
    """A fitted regression in orthonormal coordinates: R rows, G clusters, P coordinates.

    Attributes
    ----------
    loading : (R, P) rows of the result, ``L'a`` for the row ``a'beta``
    score : (G, P) ``L' U_g' W_g e_g``
    kind : (G,) clusters of one kind have the same shares, coordinates included
    shares : blocks of K_g of a cluster; coordinates of different blocks are orthogonal in it
    """

    loading: Floats
    score: Floats
    kind: Ints
    shares: Callable[[int], Sequence[Share]]

    def spectra(self) -> Iterator[Spectrum]:
        """Eigenvalues of every block, one decomposition for all clusters of a kind."""
        for clusters in members_of(self.kind):
            for index, share in self.shares(int(clusters[0])):
                yield spectrum(clusters, index, share, self.loading[:, index])


@dataclass(frozen=True, slots=True)
class Spectrum:
    """One block of the clusters of a kind: V diag(value) V' = K, without eigenvalues of one.

    Attributes
    ----------
    clusters : clusters that have it
    index : (p,) coordinates
    value : (q,) eigenvalues below one
    vector : (p, q); None for the identity, of a block that is diagonal
    load : (R, q) rows in the directions of the eigenvectors
    alone : (R,) bool, rows that need a direction which the cluster alone identifies
    """

    clusters: Ints
    index: Ints
    value: Floats
    vector: Floats | None
    load: Floats
    alone: Bools

    def coordinates(self, score: Floats) -> Floats:
        """(n, q) scores (G, P) of the clusters in the directions of the eigenvectors."""
        own = score[np.ix_(self.clusters, self.index)]
        return own if self.vector is None else own @ self.vector

    def back(self, values: Floats) -> Floats:
        """(R, p) rows on the coordinates from rows (R, q) in the directions."""
        return values if self.vector is None else values @ self.vector.T


def spectrum(clusters: Ints, index: Ints, share: Floats, loading: Floats) -> Spectrum:
    """Decompose one block; ``loading`` (R, p) holds the rows on its coordinates."""
    if share.ndim == 1:
        return diagonal(clusters, index, share, loading)
    value, vector = np.linalg.eigh(share)
    free = 1 - value > ALONE
    load = loading @ vector
    length = np.sqrt((loading**2).sum(axis=1))
    alone = (np.abs(load[:, ~free]) > TOUCHED * length[:, None]).any(axis=1)
    return Spectrum(clusters, index, np.maximum(value[free], 0.0), vector[:, free], load[:, free], alone)


def diagonal(clusters: Ints, index: Ints, share: Floats, loading: Floats) -> Spectrum:
    """A diagonal block, whose directions are the coordinates themselves."""
    free = 1 - share > ALONE
    length = np.sqrt((loading**2).sum(axis=1, keepdims=True))
    alone: Bools = np.asarray((np.abs(loading[:, ~free]) > TOUCHED * length).any(axis=1))
    return Spectrum(clusters, index[free], share[free], None, loading[:, free], alone)


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Corrected scores: the variance of the R rows is ``score' score``.

    Attributes
    ----------
    score : (G, R)
    freedom : (R,) degrees of freedom of the t distribution of each row
    alone : (R,) a cluster without which the row is not identified, -1 if there is none
    """

    score: Floats
    freedom: Floats
    alone: Ints
