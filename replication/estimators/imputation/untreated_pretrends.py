"""Pre-trend coefficients from untreated cells only, as in ``did_imputation, pretrends()``.

The untreated outcomes are regressed on the effects of the model and a dummy for each lead (event
time before adoption) that is shown; the reference is every earlier untreated period of the
adopters, and the units never treated. No treated cell enters, so the test is independent of the
effects if the regression errors are (Borusyak, Jaravel & Spiess 2024, Proposition 4 and section 4.4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.estimators.imputation.untreated_fit import UntreatedModel, UntreatedProjection
from replication.estimators.shared.cell_averages import Averages, lead_averages, leads_of
from replication.estimators.shared.estimation_sample import estimation_sample
from replication.estimators.shared.fixed_effects import absorbed_parameters
from replication.inference.cluster import small_sample_factor

DEPENDENT = 1e-9


@dataclass(frozen=True, slots=True)
class Leads:
    """Coefficients of the leads that are identified.

    Attributes
    ----------
    event_time : (L,) leads, ascending.
    estimate : (L,) coefficients; inverse : (L, L) bread of their scores.
    omitted : event times that the reference needs or that are not identified.
    averages, projection : the cells of each lead, and these projected on the model.
    """

    event_time: Ints
    estimate: Floats
    inverse: Floats
    omitted: Ints
    averages: Averages
    projection: UntreatedProjection

    def scores(self, model: UntreatedModel) -> Floats:
        """(N, L) unit scores with the small-sample correction in them."""
        if not self.estimate.size:
            return np.zeros((len(model.remainder), 0))
        residual = model.remainder - model.residual(self.averages.spread(self.estimate))
        scaled = model.cells.fit_weight * residual
        scores = self.averages.by_unit(scaled) - model.through(self.projection, scaled)
        corrected: Floats = scores @ self.inverse * np.sqrt(_correction(model, self.estimate.size))
        return corrected


def lead_coefficients(model: UntreatedModel, window: tuple[int, int] | None) -> Leads:
    """Regress untreated outcomes on leads; without a window, on all that are identified."""
    candidates = leads_of(model.cells, window)
    averages = lead_averages(model.cells, candidates)
    projection = model.project(averages)
    product = np.diag(averages.total) - projection.product
    kept = _independent(product)
    averages, projection = averages.subset(kept), projection.subset(kept)
    inverse = np.asarray(np.linalg.inv(product[np.ix_(kept, kept)]), dtype=np.float64)
    estimate = inverse @ averages.sums(model.scaled_residual)
    return Leads(candidates[kept], estimate, inverse, candidates[~kept], averages, projection)


def _correction(model: UntreatedModel, n_leads: int) -> float:
    """The convention of fixest and reghdfe, on the untreated cells less singletons.

    Zero, so no standard error is printed, where the fit of these cells is exact.
    """
    sample = estimation_sample(model.cells.panel, model.effects, keep=model.cells.fit)
    n_params = absorbed_parameters(sample.panel, model.effects, sample.used)
    n_params += n_leads + len(model.inner)
    n_obs = int(sample.used.sum())
    return small_sample_factor(sample.panel.n_clusters, n_obs, n_params) if n_obs > n_params else 0.0


def _independent(product: Floats) -> Bools:
    """Leads, the nearest first, that the effects and the nearer leads do not span."""
    scale = np.sqrt(np.maximum(np.diag(product), 1e-300))
    left = (product / np.outer(scale, scale))[::-1, ::-1].copy()
    size = len(left)
    kept = np.zeros(size, dtype=bool)
    for place in range(size):
        if left[place, place] <= DEPENDENT:
            continue
        kept[place] = True
        left -= np.outer(left[:, place], left[place]) / left[place, place]
    return kept[::-1]
