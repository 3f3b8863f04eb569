"""Model of untreated outcomes, fitted on untreated cells, and its influence on any average.

    Y_it(0) = alpha_i [+ gamma_i t] + beta_{s(i) t} [+ kappa_{r(i)} t] + x_it' delta + eps_it

with weights. An average of effects, sum omega_it (Y_it - Y_it(0)), is linear in the outcomes: its
weight on an untreated cell is minus that cell's weight times the projection of omega on the
columns of the model (Borusyak, Jaravel & Spiess 2024, Theorem 3). Untreated residuals are
orthogonal to unit effects and unit-specific linear trends within every unit, so these drop out of the
scores; the period effects and covariates that are left are a few hundred numbers per row.

``absorb.Eliminated`` solves the fit for any weights and gaps. Here hundreds of averages pass
through it at once, by their sums over units and periods. On a balanced panel with one weight
per unit, units of one cohort and stratum differ by their weight alone, and a few dozen cohort-by-period
rows stand for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.panel import Panel
from replication.estimators.imputation.untreated_cells import SortedCells, sort_cells, without_cells
from replication.estimators.shared.absorb import Eliminated
from replication.estimators.shared.cell_averages import Averages
from replication.estimators.shared.collinear import inverse_of_crossproduct
from replication.estimators.shared.fixed_effects import Effects, read_effects
from replication.inference.cluster import intersection_codes, members_of, sum_by_cluster


@dataclass(frozen=True, slots=True)
class UntreatedProjection:
    """Weights of K averages projected on the model of untreated outcomes.

    Attributes
    ----------
    coefficients : (P, K) period effects and trends of the projection.
    along : (Q, K) sums of the weights times the covariates net of the effects.
    product : (K, K) crossproduct of the projections, weighted.
    """

    coefficients: Floats
    along: Floats
    product: Floats

    def subset(self, kept: Bools) -> UntreatedProjection:
        """Some of the averages."""
        product = self.product[np.ix_(kept, kept)]
        return UntreatedProjection(self.coefficients[:, kept], self.along[:, kept], product)


@dataclass(frozen=True, slots=True)
class UntreatedModel:
    """The fitted model.

    Attributes
    ----------
    cells : the sorted cells; treated ones that cannot be imputed are left out.
    effects : what is absorbed.
    two_way : the model without covariates.
    inner : (Q, N, T) covariates net of it, in all cells.
    bread : (Q, Q) inverse of their weighted crossproduct over untreated cells.
    remainder : (N, T) outcome less fitted Y(0): the effect where treated, else the residual.
    """

    cells: SortedCells
    effects: Effects
    two_way: UntreatedTwoWay
    inner: Floats
    bread: Floats
    remainder: Floats

    @property
    def scaled_residual(self) -> Floats:
        """(N, T) residuals times weights of the untreated cells, zero elsewhere."""
        return self.cells.fit_weight * self.remainder

    def residual(self, z: Floats) -> Floats:
        """(N, T) values less their projection on the model, extrapolated to treated cells."""
        left = self.two_way.residual(z)
        if not len(self.inner):
            return left
        slopes = self.bread @ np.einsum("qnt,nt,nt->q", self.inner, self.cells.fit_weight, left)
        return left - np.tensordot(slopes, self.inner, 1)

    def project(self, averages: Averages) -> UntreatedProjection:
        """Projection of every row's weights on the model."""
        right, product = self.two_way.reduced(averages)
        coefficients = self.two_way.period_effects(right.T).T
        along = np.zeros((len(self.inner), len(averages.rows)))
        for place, x in enumerate(self.inner):
            along[place] = averages.sums(averages.weight * x)
        product += right.T @ coefficients + along.T @ self.bread @ along
        return UntreatedProjection(coefficients, along, product)

    def through(self, projection: UntreatedProjection, scaled: Floats) -> Floats:
        """(N, K) unit sums of ``scaled`` (N, T) times the projection of each row.

        ``scaled`` must be residuals times weights, which are orthogonal to the unit effects.
        """
        out = self.two_way.carry(scaled, projection.coefficients)
        if len(self.inner):
            out += np.einsum("nt,qnt->nq", scaled, self.inner) @ (self.bread @ projection.along)
        return out


def fit_untreated(panel: Panel, trends: Sequence[str], anticipation: int, estimator: str) -> UntreatedModel:
    """Fit the model of Y(0).

    Raises
    ------
    PanelError
        If no cell can be imputed or a covariate is explained by the effects; see also
        ``untreated_cells.sort_cells``.
    SpecError
        If a trend is unknown.
    """
    effects = read_effects(panel, trends)
    cells = sort_cells(panel, anticipation, 2 if effects.unit_linear else 1, estimator)
    panel = cells.panel
    levels, slopes, each = effects.codes(panel)
    alike = _alike(cells, [*levels, *slopes])
    two_way = UntreatedTwoWay(cells.fit_weight, panel.periods, levels, slopes, each, alike)
    cells = without_cells(cells, two_way.undetermined())
    covariates = panel.covariates
    stack = np.zeros((0, *panel.y.shape)) if covariates is None else np.nan_to_num(covariates)
    inner = np.array([two_way.residual(x) for x in stack]).reshape(stack.shape)
    bread = inverse_of_crossproduct(
        inner,
        stack,
        cells.fit_weight,
        panel.covariate_names,
        f"the {effects} and the covariates listed before it in the untreated unit-periods",
    )
    model = UntreatedModel(cells, effects, two_way, inner, bread, np.zeros((0, 0)))
    return UntreatedModel(cells, effects, two_way, inner, bread, model.residual(cells.outcome))


def _alike(cells: SortedCells, strata: list[Ints]) -> Ints | None:
    """(N,) codes of cohort and strata, if the panel is balanced with one weight per unit."""
    panel = cells.panel
    if not panel.balanced or (panel.weight != panel.weight[:, :1]).any():
        return None
    cohort = np.unique(panel.cohort, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return intersection_codes([cohort, *strata])


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
            for units in members_of(codes):
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
            for stratum, units in enumerate(members_of(codes)):
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
