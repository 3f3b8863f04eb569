"""Unit, period and trend effects fitted on untreated cells, and averages projected on them.

``absorb.Eliminated`` solves the fit for any weights and gaps. Here hundreds of averages pass
through it at once, by their sums over units and periods. On a balanced panel with one weight
per unit, units of one cohort and stratum differ by their weight alone, and a few dozen cohort-by-period
rows stand for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.estimators.shared.absorb import Eliminated
from replication.estimators.shared.cell_averages import Averages, group_members
from replication.inference.cluster import sum_by_cluster

UNDETERMINED = 1e-6


class UntreatedTwoWay(Eliminated):
    """The model without covariates.

    Parameters
    ----------
    weight, periods, levels, slopes, each : as in ``Eliminated``
    alike : (N,) codes of units that agree in their strata and in their weights up to scale, or
        None. The equations are then summed over few kinds of units instead of over units.

    """

    def __init__(
        self,
        weight: Floats,
        periods: Ints,
        levels: Sequence[Ints],
        slopes: Sequence[Ints],
        each: bool,
        alike: Ints | None = None,
    ) -> None:
        self._alike = alike
        self._kinds: UntreatedTwoWay | None = None
        if alike is not None:
            first = np.unique(alike, return_index=True)[1]
            merged = sum_by_cluster(weight, alike)
            self._kinds = UntreatedTwoWay(
                merged, periods, [c[first] for c in levels], [c[first] for c in slopes], each
            )
        super().__init__(weight, periods, levels, slopes, each)

    def _solve_components(self) -> list[tuple[Ints, Floats]]:
        return super()._solve_components() if self._kinds is None else self._kinds._solvers

    def reduced(self, averages: Averages) -> tuple[Floats, Floats]:
        """Right-hand sides of the rows' projection after unit effects and trends are eliminated.

        Returns
        -------
        (P, K) for the period equations, and the (K, K) crossproduct that the elimination takes.

        """
        if self._kinds is not None and self._alike is not None:
            return self._kinds.reduced(averages.merged(self._alike))
        field, total = averages.weight, self._weight.sum(axis=1)
        level = averages.by_unit(field)
        product = level.T @ (level / np.where(total > 0, total, np.inf)[:, None])
        trend = None
        if self._trend is not None:
            trend = averages.by_unit(field * self._trend)
            square = np.einsum("nt,nt,nt->n", self._weight, self._trend, self._trend)
            product += trend.T @ (trend / np.where(square > 1e-14 * total, square, np.inf)[:, None])
        parts = []
        for codes, basis in zip(self._codes, self._bases, strict=True):
            for units in group_members(codes):
                right = averages.by_period(field, units)
                right -= self._share[units].T @ level[units]
                if trend is not None:
                    right -= self._trend_share[units].T @ trend[units]
                parts.append(basis.T @ right)
        return np.concatenate(parts), product

    def carry(self, scaled: Floats, coefficients: Floats) -> Floats:
        """(N, K) sums over periods of ``scaled`` (N, T) times the period and trend parts."""
        out = np.zeros((len(scaled), coefficients.shape[1]))
        for start, codes, basis in zip(self._starts[:-1], self._codes, self._bases, strict=True):
            seen = scaled @ basis
            width = basis.shape[1]
            for stratum, units in enumerate(group_members(codes)):
                first = start + stratum * width
                out[units] += seen[units] @ coefficients[first : first + width]
        return out

    def undetermined(self) -> Bools:
        """(N, T) cells whose Y(0) the untreated cells leave open.

        A random member of the model's span is reproduced where, and (with probability one) only
        where, the prediction of a cell is determined.
        """
        draws = np.random.default_rng(0).standard_normal(int(self._starts[-1]))
        member = np.broadcast_to(self._expand(draws), self._weight.shape)
        missed: Bools = np.abs(self.residual(member)) > UNDETERMINED * np.abs(member).max()
        return missed
