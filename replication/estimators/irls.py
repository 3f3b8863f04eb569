"""Poisson regression with absorbed effects, by iterated weighted least squares.

Newton's method on the Poisson likelihood. Every step is a weighted regression of the working
outcome with the effects projected out exactly, so no tolerance of an inner loop limits the
solution. Correia, Guimaraes & Zylkin (2020), Stata Journal 20(1): 95-115.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replication.errors import PanelError
from replication.estimators.absorb import Eliminated
from replication.estimators.effects import Effects
from replication.estimators.estimation_sample import Sample, estimation_sample
from replication.estimators.regression import (
    Design,
    Fit,
    cross_moment,
    cross_products,
    expanded,
    independent,
)
from replication.results import Bools, Floats, Panel

STEP = 1e-9
LIMIT = 60
FALLING = -0.5


def poisson_sample(panel: Panel, effects: Effects, keep: Bools | None = None) -> Sample:
    """Sample of a Poisson model: without groups of zeros that their effects fit perfectly."""
    negative = panel.observed & (np.nan_to_num(panel.y) < 0)
    if negative.any():
        unit, period = np.argwhere(negative)[0]
        raise PanelError(
            f"{int(negative.sum())} values of {panel.outcome!r} are negative, for example unit "
            f"{panel.units[unit]} in period {panel.periods[period]}. A Poisson model needs counts "
            "or other outcomes of zero or more: correct them or use twfe."
        )
    return estimation_sample(panel, effects, keep=keep, separated=True)


@dataclass(frozen=True, slots=True)
class State:
    """Where the iteration stands: index, mean, last step (N, T), and the regression's parts."""

    eta: Floats
    mu: Floats
    step: Floats
    coefficient: Floats
    x: Floats
    bread: Floats


def poisson_fit(sample: Sample, effects: Effects, design: Design) -> Fit:
    """Maximum (quasi-)likelihood of ``E y = exp(offset + effects + x'b)``.

    Converged when the weighted root mean square step of the linear index is below 1e-9; steps
    shrink quadratically, so what is left after it is rounding.

    Raises
    ------
    PanelError
        If a treatment is not identified, or the likelihood has no maximum (separation).

    """
    panel = sample.panel
    weight, y = sample.weight, np.where(sample.used, panel.y, 0.0)
    offset = np.zeros(y.shape) if panel.offset is None else panel.offset
    exposed = np.exp(offset)
    mu = (y + exposed * (weight * y).sum() / (weight * exposed).sum()) / 2
    whole = expanded(design)
    kept = _kept(sample, effects, whole, weight * mu)
    chosen = whole.keep(kept)
    none = np.zeros(0)
    state = State(np.log(mu), mu, none, none, none, none)
    for iteration in range(LIMIT):
        state = _step(sample, effects, chosen, state, (y, offset), damp=iteration > 0)
        if np.sqrt(np.average(state.step**2, weights=weight * state.mu)) < STEP:
            break
    _refuse_separation(sample, state)
    omitted = tuple(np.array(whole.names)[~kept])
    error = weight * (y - state.mu)
    return Fit(chosen, state.x, state.coefficient, error, state.bread, omitted, "general")


def _engine(sample: Sample, effects: Effects, scale: Floats) -> Eliminated:
    panel = sample.panel
    levels, slopes = effects.level_codes(panel), effects.slope_codes(panel)
    return Eliminated(scale, panel.periods, levels, slopes, effects.unit_linear)


def _kept(sample: Sample, effects: Effects, design: Design, scale: Floats) -> Bools:
    """Regressors that are identified under the first weights."""
    engine = _engine(sample, effects, scale)
    x = np.stack([engine.residual(column) for column in design.x])
    return independent(design, x, cross_products(x, scale), scale)


def _step(
    sample: Sample,
    effects: Effects,
    design: Design,
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
    engine = _engine(sample, effects, scale)
    x = np.stack([engine.residual(column) for column in design.x])
    bread = np.linalg.inv(cross_products(x, scale))
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


def _refuse_separation(sample: Sample, state: State) -> None:
    """Refuse cells whose mean still falls by a constant factor: they drive it to zero."""
    falling = sample.used & (state.step < FALLING)
    if falling.any():
        unit, period = np.argwhere(falling)[0]
        panel = sample.panel
        raise PanelError(
            f"The Poisson likelihood has no maximum: {int(falling.sum())} unit-periods with the "
            "outcome zero are separated from the rest by the regressors, and a coefficient runs "
            f"to infinity (for example unit {panel.units[unit]} in period "
            f"{panel.periods[period]}). Leave these cells out, take a shorter event window, or "
            "use fewer trends or covariates."
        )
