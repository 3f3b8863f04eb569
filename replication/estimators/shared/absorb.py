"""Projecting effects out of matrices of units by periods, exactly.

Two engines give the same residuals. ``closed_form.ClosedForm`` serves balanced panels with one
weight per unit. ``Eliminated`` serves any weights, gaps and crossed effects: unit effects (and
unit-specific linear trends) are eliminated row by row (Frisch-Waugh-Lovell), and what is left is a
dense system in the period effects, as many unknowns as periods times strata, solved once per connected
group of strata.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from replication.core.arrays import Floats, Ints
from replication.core.errors import PanelError
from replication.inference.cluster import distinct_rows, members_of, sum_by_cluster

CUTOFF = 1e-11
REFINED = 1e-13
LARGEST = 6000


class Eliminated:
    """Any nonnegative weights, gaps, and several sets of strata.

    Parameters
    ----------
    weight : (N, T), zero for cells outside the sample
    periods : (T,) labels
    levels, slopes : (N,) codes of each set of period effects, of each set of stratum trends
    each : whether every unit has a trend of its own

    Raises
    ------
    PanelError
        If crossed strata leave more than 6,000 connected unknowns.
    """

    def __init__(
        self, weight: Floats, periods: Ints, levels: Sequence[Ints], slopes: Sequence[Ints], each: bool
    ) -> None:
        self._weight = weight
        total = weight.sum(axis=1, keepdims=True)
        self._share = weight / np.where(total > 0, total, 1.0)
        time = (periods - periods.mean()) / max(float(np.ptp(periods)), 1.0)
        self._trend = time - (self._share @ time)[:, None] if each else None
        if self._trend is not None:
            scaled = weight * self._trend
            square = np.einsum("nt,nt->n", scaled, self._trend)
            # A unit seen once has no trend: its square is zero up to rounding.
            square = np.where(square > 1e-14 * total[:, 0], square, np.inf)
            self._trend_share = scaled / square[:, None]
        self._codes = [*levels, *slopes]
        self._bases = [np.eye(periods.size)] * len(levels) + [time[:, None]] * len(slopes)
        sizes = [(int(c.max()) + 1) * b.shape[1] for c, b in zip(self._codes, self._bases, strict=True)]
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        squares = [_sum_rows(weight, c) @ b**2 for c, b in zip(self._codes, self._bases, strict=True)]
        self._scale = np.sqrt(np.concatenate([square.ravel() for square in squares]))
        self._solvers = self._solve_components()

    def residual(self, z: Floats) -> Floats:
        """(N, T) residuals of ``z``, refined until the normal equations hold to rounding."""
        z = self._within(z)
        right = self._right(self._weight * z)
        enough = REFINED * np.abs(right).max()
        for _ in range(3):
            z = self._within(z - self._expand(self.period_effects(right)))
            right = self._right(self._weight * z)
            if np.abs(right).max() <= enough:
                break
        return z

    def sums(self, scaled: Floats, groups: Ints) -> Floats:
        """(G, P) sums of ``scaled`` (N, T) by group of units and period effect or trend."""
        n_groups = int(groups.max()) + 1
        parts = []
        for codes, basis in zip(self._codes, self._bases, strict=True):
            size = int(codes.max()) + 1
            place = (groups * size + codes, np.arange(codes.size))
            shape = (n_groups * size, codes.size)
            picked = sparse.csr_matrix((np.ones(codes.size), place), shape=shape)
            total: Floats = np.asarray(picked @ scaled)
            parts.append((total if basis.shape[1] > 1 else total @ basis).reshape(n_groups, -1))
        return np.concatenate(parts, axis=1)

    def period_effects(self, right: Floats) -> Floats:
        """Effects (..., P) of right-hand sides (..., P), unit effects eliminated."""
        effect = np.zeros(right.shape)
        for index, inverse in self._solvers:
            effect[..., index] = right[..., index] @ inverse
        return effect

    def _within(self, z: Floats) -> Floats:
        """Residual on unit effects and unit-specific linear trends."""
        out: Floats = z - np.einsum("nt,nt->n", self._share, z)[:, None]
        if self._trend is not None:
            out -= np.einsum("nt,nt->n", self._trend_share, out)[:, None] * self._trend
        return out

    def _right(self, scaled: Floats) -> Floats:
        parts = []
        for codes, basis in zip(self._codes, self._bases, strict=True):
            sums = _sum_rows(scaled, codes)
            parts.append((sums if basis.shape[1] > 1 else sums @ basis).ravel())
        return np.concatenate(parts)

    def _expand(self, effect: Floats) -> Floats:
        total: Floats | float = 0.0
        for place, (codes, basis) in enumerate(zip(self._codes, self._bases, strict=True)):
            part = effect[self._starts[place] : self._starts[place + 1]].reshape(-1, basis.shape[1])
            values = part if basis.shape[1] > 1 else part @ basis.T
            total = total + (values if len(values) == 1 else values[codes])
        return np.asarray(total)

    def _solve_components(self) -> list[tuple[Ints, Floats]]:
        """Generalized inverse of the normal equations of each connected group of strata."""
        from scipy.sparse.csgraph import connected_components

        groups, blocks = self._blocks()
        labels = connected_components(groups, directed=False)[1]
        offset = np.cumsum([0, *(int(codes.max()) + 1 for codes in self._codes)])
        solvers = []
        for label in range(int(labels.max()) + 1):
            members = np.flatnonzero(labels == label)
            columns = [self._columns(offset, member) for member in members.tolist()]
            index = np.concatenate(columns)
            if index.size > LARGEST:
                raise PanelError(
                    f"The crossed strata leave {index.size} connected period effects, more than "
                    f"the {LARGEST} that are solved at once. Use fewer or nested strata."
                )
            place = dict(zip(members.tolist(), columns, strict=True))
            matrix = np.zeros((index.size, index.size))
            where = np.full(int(self._starts[-1]), -1)
            where[index] = np.arange(index.size)
            for (a, b), block in blocks.items():
                if a in place:
                    matrix[np.ix_(where[place[a]], where[place[b]])] = block
            solvers.append((index, generalized_inverse(matrix, self._scale[index])))
        return solvers

    def _columns(self, offset: Ints, member: int) -> Ints:
        """Unknowns of one stratum."""
        which = int(np.searchsorted(offset, member, side="right")) - 1
        width = self._bases[which].shape[1]
        start = self._starts[which] + (member - offset[which]) * width
        return np.arange(start, start + width)

    def _blocks(self) -> tuple[sparse.coo_matrix, dict[tuple[int, int], Floats]]:
        """Blocks of the normal equations for each pair of strata that share units."""
        blocks: dict[tuple[int, int], Floats] = {}
        offset = np.cumsum([0, *(int(codes.max()) + 1 for codes in self._codes)])
        for k, (first, left) in enumerate(zip(self._codes, self._bases, strict=True)):
            for m, (second, right) in enumerate(zip(self._codes, self._bases, strict=True)):
                if m < k:
                    continue
                member = distinct_rows([first, second])[1]
                for rows in members_of(member):
                    a, b = first[rows[0]], second[rows[0]]
                    block = left.T @ self._normal(rows) @ right
                    blocks[int(offset[k] + a), int(offset[m] + b)] = block
                    blocks[int(offset[m] + b), int(offset[k] + a)] = block.T
        ends = np.array(list(blocks))
        shape = (int(offset[-1]),) * 2
        graph = sparse.coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=shape)
        return graph, blocks

    def _normal(self, rows: Ints) -> Floats:
        """(T, T) normal equations of period effects over some units, unit effects eliminated."""
        weight = self._weight[rows]
        normal: Floats = np.diag(weight.sum(axis=0)) - weight.T @ self._share[rows]
        if self._trend is not None:
            scaled = weight * self._trend[rows]
            normal -= scaled.T @ self._trend_share[rows]
        return normal


def _sum_rows(z: Floats, codes: Ints) -> Floats:
    """(S, T) sums of rows by group."""
    groups = int(codes.max()) + 1
    if groups == 1:
        total: Floats = z.sum(axis=0, keepdims=True)
        return total
    return sum_by_cluster(z, codes)


def generalized_inverse(matrix: Floats, scale: Floats) -> Floats:
    """Generalized inverse of a positive semi-definite matrix.

    ``scale`` holds the norms of the columns before the unit effects were eliminated, so that
    what the unit effects span entirely is zero next to one, up to rounding.
    """
    scale = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    inverse = np.where(values > CUTOFF, 1 / np.where(values > CUTOFF, values, 1.0), 0.0)
    vectors = vectors / scale[:, None]
    return (vectors * inverse) @ vectors.T
