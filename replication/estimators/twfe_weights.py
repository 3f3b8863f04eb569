"""Weights of two-way fixed effects on the effect of each treated cell.

Estimand
    beta_TWFE = sum over treated cells of W_it * Delta_it, sum W_it = 1, under parallel trends,
    with Delta_it the effect of the treatment in the cell per unit of dose and
    ``W_it = w_it D_it e_it / sum w D e``, e the residual of the treatment D on unit and period
    effects (de Chaisemartin & D'Haultfoeuille 2020, Theorem 1). Weights can be negative.
Robustness
    With s_it = w_it D_it / sum w D and omega_it = W_it / s_it, the smallest standard deviation of
    effects over the treated cells at which
    their mean could be zero: ``sigma_fe = |beta| / sd_s(omega)`` (Corollary 1, first part);
    all of them could be of the other sign than beta:
    ``sigma_fe_opposite = |beta| / sqrt(T_k + S_k^2 / (1 - P_k))`` (second part), with P, S, T
    the sums of s, s omega and s omega^2 over the cells from the k-th largest omega on, and k the
    first with omega_(k) < -S_k / (1 - P_k). It is empty if no weight is negative.
Reproduces
    Stata and R ``twowayfeweights y i t d, type(feTR)``. That command counts the negative cells
    over all treated cells, as ``share_negative`` does here; the sum of the negative weights, which
    says how much they matter, is ``sum_negative``.

American Economic Review 110(9): 2964-2996.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from replication.core.arrays import Bools, Floats, Ints
from replication.core.details import Details
from replication.core.estimates import COLUMNS, Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.registry import registered
from replication.estimators.shared.estimation_sample import estimation_sample
from replication.estimators.shared.fixed_effects import Effects
from replication.estimators.shared.regression_results import regression_estimates
from replication.estimators.twfe import fit_twfe
from replication.inference.cluster import sum_by_cluster
from replication.inference.methods import FIXED_ROWS
from replication.inference.row_table import EstimateRow

SMALLEST = 1e-12


@registered("Weights of two-way fixed effects", cohorts=False, methods=FIXED_ROWS)
def twfe_weights(panel: Panel, *, inference: Inference = ANALYTIC) -> Estimates:
    """Compute the weight of every treated cohort and period, and what the weights imply.

    Parameters
    ----------
    panel : N units by T periods; a binary treatment or a dose, weights, and gaps allowed.
    inference : method, variance, level, and draws of standard errors, intervals, and tests.

    Returns
    -------
    Estimates
        ``att`` is the two-way estimate with its standard error; a ``weight`` row for every cohort and
        period with treated cells is the sum of its cells' weights. ``details.extras`` has
        ``share_negative``, ``negative_cells``, ``treated_cells``, ``sum_negative``,
        ``cohort_periods``, ``negative_cohort_periods``, ``sigma_fe``, and ``sigma_fe_opposite``.

    Raises
    ------
    PanelError
        If unit and period effects leave no variation in the treatment.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y")
    >>> rp.twfe_weights(panel).table[["term", "estimate"]].head(3)
         term  estimate
    0     att  0.425136
    1  weight  0.138211
    2  weight  0.138211
    """
    sample = estimation_sample(panel, Effects())
    fit = fit_twfe(sample, Effects())
    two_way = regression_estimates(
        sample, Effects(), fit, "twfe_weights", [EstimateRow("att")], np.eye(1), inference
    )
    dose = sample.panel.dose
    mass = sample.weight * dose
    weight = mass * fit.x[0][fit.design.profile]
    # Residuals that are zero but for rounding carry no sign.
    weight[np.abs(weight) < SMALLEST * np.abs(weight).max()] = 0.0
    weight /= weight.sum()
    treated = mass > 0
    cohort, time, total = by_cohort_and_period(sample.panel, weight, treated)
    extras = {
        **summary(weight[treated]),
        "cohort_periods": int(total.size),
        "negative_cohort_periods": int((total < 0).sum()),
        **thresholds(two_way.att[0], mass[treated] / mass.sum(), weight[treated]),
    }
    return with_weights(two_way, "twfe_weights", cohort, time, total, two_way.details.with_extras(extras))


def by_cohort_and_period(panel: Panel, weight: Floats, treated: Bools) -> tuple[Ints, Ints, Floats]:
    """Cohort, period and summed weight of each cohort and period with treated cells."""
    cohorts, code = np.unique(panel.cohort, return_inverse=True)
    total = sum_by_cluster(weight, code)
    row, column = np.nonzero(sum_by_cluster(treated.astype(float), code))
    return cohorts[row], panel.periods[column], total[row, column]


def summary(weight: Floats) -> dict[str, float]:
    """How many weights of treated cells are negative, and what they sum to."""
    negative = weight < 0
    return {
        "share_negative": float(negative.mean()),
        "negative_cells": int(negative.sum()),
        "treated_cells": int(weight.size),
        "sum_negative": float(weight[negative].sum()),
    }


def thresholds(beta: float, share: Floats, weight: Floats) -> dict[str, float | None]:
    """``sigma_fe``, and ``sigma_fe_opposite`` from the (M,) shares and weights of treated cells."""
    omega = weight / share
    spread = float(share @ (omega - 1) ** 2)
    first = abs(beta) / np.sqrt(spread) if spread > SMALLEST else None
    return {
        "sigma_fe": None if first is None else float(first),
        "sigma_fe_opposite": opposite_sign(beta, share, omega),
    }


def opposite_sign(beta: float, share: Floats, omega: Floats) -> float | None:
    """Second threshold of Corollary 1; None if no weight is negative."""
    if not (omega < 0).any():
        return None
    order = np.argsort(-omega, kind="stable")
    share, omega = share[order], omega[order]
    tail = np.cumsum((share, share * omega, share * omega**2), axis=1)
    p, s, t = tail[:, -1:] - tail + (share, share * omega, share * omega**2)
    left = np.maximum(1 - p, SMALLEST)
    reached = np.flatnonzero((omega < 0) & (omega < -s / left))
    k = int(reached[0])
    return float(abs(beta) / np.sqrt(t[k] + s[k] ** 2 / left[k]))


def with_weights(
    two_way: Estimates, estimator: str, cohort: Ints, time: Ints, weight: Floats, details: Details
) -> Estimates:
    """The overall effect of ``two_way`` with its standard error, and (R,) weights, which have none.

    Weights are functions of who is treated when, not of the outcome; they are fixed numbers given
    the design, so their standard error is missing and the covariance leaves them out.
    """
    head = two_way.rows("att")
    first = head.iloc[0]
    rows = pd.DataFrame({"cohort": cohort, "time": time, "estimate": weight}).astype(float)
    rows = rows.assign(
        term="weight",
        event_time=np.nan,
        **{name: first[name] for name in ("spec_id", "study", "outcome")},
        **{name: int(first[name]) for name in ("n_obs", "n_units", "n_clusters")},
    ).reindex(columns=COLUMNS)
    # Empty columns are left out before they are joined: pandas 2 warns of them.
    known = rows.dropna(axis="columns", how="all")
    table = pd.concat([head, known], ignore_index=True).assign(estimator=estimator)
    place = np.flatnonzero(two_way.table["term"] == "att")[:1]
    vcov = two_way.vcov.iloc[place, place]
    return Estimates(table[COLUMNS], vcov, details)
