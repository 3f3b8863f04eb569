"""Poisson regression with absorbed effects, by iterated weighted least squares.

Newton's method on the Poisson likelihood. Every step is a weighted regression of the working
outcome with the effects projected out exactly, so no tolerance of an inner loop limits the
solution. Correia, Guimaraes & Zylkin (2020), Stata Journal 20(1): 95-115.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats
from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.estimators.shared.absorb import Eliminated
from replication.estimators.shared.estimation_sample import EstimationSample, estimation_sample
from replication.estimators.shared.fixed_effects import Effects
from replication.estimators.shared.least_squares import (
    RegressionDesign,
    RegressionFit,
    cross_moment,
    cross_products,
    independent_regressors,
    one_profile_per_unit,
    residuals,
)

STEP = 1e-9
LIMIT = 60
FALLING = -0.5
VANISHED = 1e-10


def poisson_regression(
    panel: Panel,
    effects: Effects,
    design: Callable[[EstimationSample], RegressionDesign],
    keep: Bools | None = None,
) -> tuple[EstimationSample, RegressionFit]:
    """Sample and fit of a Poisson model; cells that are fitted perfectly are left out.

    Groups of zeros go before the fit. Zeros that trends or covariates separate show during the
    fit, as a mean that falls by a constant factor in every step; they are left out and the rest is
    fitted again, as Stata's ``ppmlhdfe`` does. A treatment that was identified by such cells only
    is then refused by ``independent_regressors``.

    Parameters
    ----------
    design : regressors of a sample.

    Raises
    ------
    PanelError
        For negative outcomes, a treatment that is not identified, or iterations that do not converge.
    """
    _refuse_negative(panel)
    keep = panel.observed if keep is None else keep
    separated = np.zeros(keep.shape, dtype=bool)
    if effects.unit_linear:
        separated |= separated_by_trends(panel.y, keep & panel.observed & (panel.weight > 0))
    while True:
        sample = estimation_sample(panel, effects, keep=keep, separated=separated, drop_zero_groups=True)
        try:
            return sample, poisson_fit(sample, effects, design(sample))
        except Separated as error:
            separated |= sample.on(panel, error.cells)


def _refuse_negative(panel: Panel) -> None:
    negative = panel.observed & (np.nan_to_num(panel.y) < 0)
    if negative.any():
        unit, period = np.argwhere(negative)[0]
        raise PanelError(
            f"{int(negative.sum())} values of {panel.outcome!r} are negative, for example unit "
            f"{panel.units[unit]} in period {panel.written(panel.periods[period])}. A Poisson model "
            "needs counts or other nonnegative outcomes: correct them or use twfe."
        )


def separated_by_trends(y: Floats, used: Bools) -> Bools:
    """(N, T) zeros of units whose one positive cell is their first or last: a linear trend fits them.

    ``b (t - s)`` is zero at the positive period s and goes to minus infinity in all the others.
    Found here because the iteration would find such zeros a few at a time, the farthest first,
    and run out of digits before the last.
    """
    positive = used & (np.nan_to_num(y) > 0)
    last = used.shape[1] - 1 - used[:, ::-1].argmax(axis=1)
    rows = np.arange(len(used))
    at_an_end = positive[rows, used.argmax(axis=1)] | positive[rows, last]
    alone = (positive.sum(axis=1) == 1) & at_an_end
    zeros: Bools = used & ~positive & alone[:, None]
    return zeros


class Separated(Exception):
    """Cells (N, T) whose fitted mean goes to zero; never leaves this module."""

    def __init__(self, cells: Bools) -> None:
        self.cells = cells


@dataclass(frozen=True, slots=True)
class State:
    """State of the iteration: index, mean, last step (N, T), and the regression's parts."""

    eta: Floats
    mu: Floats
    step: Floats
    coefficient: Floats
    x: Floats
    bread: Floats


def poisson_fit(sample: EstimationSample, effects: Effects, design: RegressionDesign) -> RegressionFit:
    """Maximum (quasi-)likelihood of ``E y = exp(offset + effects + x'b)``.

    Converged when the weighted root mean square step of the linear index is below 1e-9; steps
    shrink quadratically, so what is left after it is rounding.

    Raises
    ------
    PanelError
        If a treatment is not identified, or the iteration does not converge.
    Separated
        If zeros are separated, with their cells.
    """
    panel = sample.panel
    weight, y = sample.weight, np.where(sample.used, panel.y, 0.0)
    offset = np.zeros(y.shape) if panel.offset is None else panel.offset
    exposed = np.exp(offset)
    mu = (y + exposed * (weight * y).sum() / (weight * exposed).sum()) / 2
    whole = one_profile_per_unit(design)
    kept = _kept(sample, effects, whole, weight * mu)
    chosen = whole.keep(kept)
    none = np.zeros(0)
    state = State(np.log(mu), mu, none, none, none, none)
    for iteration in range(LIMIT):
        state = _step(sample, effects, chosen, state, (y, offset), damp=iteration > 0)
        falling = sample.used & (y == 0) & (state.step < FALLING) & (state.mu < VANISHED * mu)
        if falling.any():
            raise Separated(falling)
        if np.sqrt(np.average(state.step**2, weights=weight * state.mu)) < STEP:
            break
    else:
        raise PanelError(
            f"The Poisson regression of {panel.outcome!r} did not converge in {LIMIT} steps. Look "
            "for extreme values of the outcome, the offset, or a covariate."
        )
    omitted = tuple(np.array(whole.names)[~kept])
    residual = weight * (y - state.mu)
    return RegressionFit(
        chosen, state.x, state.coefficient, residual, state.bread, omitted, "general", weight * state.mu
    )


def _kept(sample: EstimationSample, effects: Effects, design: RegressionDesign, scale: Floats) -> Bools:
    """Regressors that are identified under the first weights."""
    engine = Eliminated(scale, sample.panel.periods, *effects.codes(sample.panel))
    x = residuals(engine, design)
    return independent_regressors(design, x, cross_products(x, scale), scale)


def _step(
    sample: EstimationSample,
    effects: Effects,
    design: RegressionDesign,
    state: State,
    data: tuple[Floats, Floats],
    *,
    damp: bool,
) -> State:
    """One weighted regression of the working outcome, halved while the likelihood falls.

    The starting values lie outside the model, so the first step is taken whole.
    """
    y, offset = data
    scale = sample.weight * state.mu
    engine = Eliminated(scale, sample.panel.periods, *effects.codes(sample.panel))
    x = residuals(engine, design)
    bread = np.asarray(np.linalg.inv(cross_products(x, scale)), dtype=np.float64)
    working = state.eta - offset + (y - state.mu) / state.mu
    z = engine.residual(working)
    coefficient = bread @ cross_moment(x, design.profile, z * scale)
    step = offset + working - (z - np.tensordot(coefficient, x, 1)) - state.eta
    if damp:
        before = _loss(y, sample.weight, state.eta)
        for _ in range(10):
            if _loss(y, sample.weight, state.eta + step) <= before + 1e-9 * abs(before):
                break
            step = step / 2
    eta = state.eta + step
    return State(eta, np.exp(eta), step, coefficient, x, bread)


def _loss(y: Floats, weight: Floats, eta: Floats) -> float:
    """Minus the log likelihood, less what depends on the outcome alone."""
    with np.errstate(over="ignore"):
        return float((weight * (np.exp(eta) - y * eta)).sum())
