"""Cross-products of regressors and period effects within clusters, unit effects eliminated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.estimators.shared.absorb import Eliminated
from replication.inference.cluster import distinct_rows, members_of


class PeriodBlocks(Eliminated):
    """The absorbed effects other than unit effects and unit-specific linear trends, cluster by cluster.

    The P unknowns are period effects of strata and trends of strata. Their normal equations are
    singular (a constant is a unit effect); ``roots`` are coordinates of what is identified.
    """

    @property
    def roots(self) -> list[tuple[Ints, Floats]]:
        """Unknowns (p,) of each connected group, and (p, d) R with R R' their inverse."""
        found = []
        for index, inverse in self._solvers:
            scale = np.where(self._scale[index] > 0, self._scale[index], 1.0)
            value, vector = np.linalg.eigh(inverse * np.outer(scale, scale))
            # Eigenvalues of scaled equations are at most their number: inverses are zero or more
            # than half of its reciprocal.
            kept = value > 0.5 / max(index.size, 1)
            root = vector[:, kept] * np.sqrt(value[kept]) / scale[:, None]
            found.append((index, root))
        return found

    def unknowns(self, rows: Ints) -> Ints:
        """Unknowns that enter in some units."""
        return np.unique(np.concatenate([p for kind in self._alike(rows) for p in self._places(rows[kind])]))

    def normal(self, rows: Ints, unknowns: Ints) -> Floats:
        """(p, p) normal equations of some units in ascending unknowns, unit effects eliminated."""
        matrix = np.zeros((unknowns.size, unknowns.size))
        for kind in self._alike(rows):
            inner = self._normal(rows[kind])
            places = [np.searchsorted(unknowns, place) for place in self._places(rows[kind])]
            for left, a in zip(self._bases, places, strict=True):
                for right, b in zip(self._bases, places, strict=True):
                    matrix[np.ix_(a, b)] += left.T @ inner @ right
        return matrix

    def products(self, rows: Ints, scaled: Floats, unknowns: Ints) -> Floats:
        """(K, p) products of regressors (K, n, T) of some units, weights included."""
        found = np.zeros((len(scaled), unknowns.size))
        for kind in self._alike(rows):
            total = scaled[:, kind].sum(axis=1)
            for basis, place in zip(self._bases, self._places(rows[kind]), strict=True):
                found[:, np.searchsorted(unknowns, place)] += total @ basis
        return found

    def leverage(self) -> Floats:
        """(N,) leverage of each unit in the period effects: trace of its part of the hat matrix."""
        size = int(self._starts[-1])
        inverse = np.zeros((size, size))
        for index, solved in self._solvers:
            inverse[np.ix_(index, index)] = solved
        found = np.zeros(len(self._weight))
        for rows in self._alike(np.arange(found.size)):
            basis = np.concatenate([b.T for b in self._bases])
            place = np.concatenate(self._places(rows))
            found[rows] = self._traces(rows, basis.T @ inverse[np.ix_(place, place)] @ basis)
        return found

    def _traces(self, rows: Ints, inverse: Floats) -> Floats:
        """(n,) traces of each unit's normal equations times ``inverse`` (T, T)."""
        weight = self._weight[rows]
        found: Floats = weight @ np.diag(inverse)
        found = found - ((weight @ inverse) * self._share[rows]).sum(axis=1)
        if self._trend is not None:
            scaled = weight * self._trend[rows]
            found = found - ((scaled @ inverse) * self._trend_share[rows]).sum(axis=1)
        return found

    def _alike(self, rows: Ints) -> Iterator[Ints]:
        """Positions in ``rows`` of the units that share all their strata."""
        member = distinct_rows([codes[rows] for codes in self._codes])[1]
        yield from members_of(member)

    def _places(self, rows: Ints) -> list[Ints]:
        """Unknowns of units that share all their strata, one array per set of effects."""
        places = []
        for start, codes, basis in zip(self._starts[:-1], self._codes, self._bases, strict=True):
            width = basis.shape[1]
            first = int(start) + int(codes[rows[0]]) * width
            places.append(np.arange(first, first + width))
        return places
