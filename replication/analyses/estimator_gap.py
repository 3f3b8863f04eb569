"""Exact decomposition of the difference between a two-way and a robust estimate.

Write beta for the two-way estimate and tau_it for the imputed effect of a treated cell, Y_it less
the Y_it(0) fitted on untreated cells. The two-way weights on untreated cells lie in the span of
unit and period effects, to which the residuals of those cells are orthogonal. So, exactly,

    beta = sum W_it tau_it   and   beta - sum omega_it tau_it = sum (W_it - omega_it) tau_it

over treated cells, with W the two-way weights (de Chaisemartin & D'Haultfoeuille 2020, Theorem 1;
see ``twfe_weights``) and omega those of the robust average: all treated cells alike, times the
unit weights. The two estimates use the same effects and differ only in their weights; the
table shows at which lengths of exposure. Units that are treated throughout have no
untreated past and enter beta only; they are a part by themselves. On a balanced panel the
comparisons behind beta follow by kind (``goodman_bacon``): those with units that are already treated
are biased when effects change over time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from replication.core.arrays import Bools, Floats
from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.estimators.goodman_bacon import KINDS, by_kind, components
from replication.estimators.imputation.untreated_fit import fit_untreated
from replication.estimators.shared.cohort_comparisons import comparison_panel
from replication.estimators.shared.estimation_sample import EstimationSample, estimation_sample
from replication.estimators.shared.fixed_effects import Effects
from replication.estimators.shared.least_squares import RegressionFit
from replication.estimators.twfe import fit_twfe

COLUMNS = ["part", "event_time", "estimate", "twfe_weight", "robust_weight", "contribution", "description"]
DESCRIPTIONS = {
    "earlier_vs_later": "Goodman-Bacon: earlier vs. later adopters (not yet treated)",
    "later_vs_earlier": "Goodman-Bacon: later vs. earlier adopters (already treated)",
    "treated_vs_never": "Goodman-Bacon: adopters vs. controls not treated in the sample",
    "treated_vs_always": "Goodman-Bacon: adopters vs. always-treated controls",
}


def decomposition(panel: Panel) -> pd.DataFrame:
    """Parts of the difference between two-way effects and the imputation estimate.

    Parameters
    ----------
    panel : N units by T periods, binary treatment, no covariates; gaps and weights allowed.

    Returns
    -------
    DataFrame
        One row per part. ``twfe`` and ``robust`` are the two estimates; ``contribution`` of
        ``weighting`` and ``always_treated`` adds up to that of ``difference``, and that of the
        ``exposure`` rows, one an event time, to that of ``weighting``. ``negative_weights`` has
        the sum of the negative weights and what they contribute to ``twfe``. In the rows of
        kinds, on balanced panels, ``twfe_weight`` times ``estimate`` adds up to ``twfe``.

    Raises
    ------
    PanelError
        If the treatment is not binary, there are covariates, or nothing can be imputed.

    """
    if panel.covariates is not None:
        raise PanelError(
            "The decomposition is of two-way effects without covariates; remove them to see how "
            "the weights alone make estimates differ."
        )
    usable = comparison_panel(panel, "decomposition")
    effect, robust_weight, kept = imputed(usable)
    sample, fit, beta = _two_way(usable.keep_units(kept))
    weight = fit.x[0][fit.design.profile] * sample.weight * fit.bread[0, 0]
    weight = np.where(sample.panel.treated, weight, 0.0)
    whole, robust = _two_way(panel)[2], float((robust_weight * effect).sum())
    rows = [
        *_parts(whole, beta, robust),
        _negative(weight, effect),
        *_by_exposure(sample.panel, effect, weight, robust_weight),
        *_kinds(panel),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _parts(whole: float, beta: float, robust: float) -> list[dict[str, Any]]:
    """The two estimates, their difference and its two parts; ``beta`` is without always-treated controls."""
    return [
        {"part": "twfe", "estimate": whole, "description": "TWFE"},
        {
            "part": "robust",
            "estimate": robust,
            "description": "Borusyak-Jaravel-Spiess, with the weights of observations in the regression",
        },
        {
            "part": "difference",
            "contribution": whole - robust,
            "description": "TWFE minus Borusyak-Jaravel-Spiess",
        },
        {"part": "weighting", "contribution": beta - robust, "description": "Due to different weights"},
        {
            "part": "always_treated",
            "contribution": whole - beta,
            "description": "Due to always-treated controls (TWFE only)",
        },
    ]


def _negative(weight: Floats, effect: Floats) -> dict[str, Any]:
    """The sum of the negative two-way weights, and what they contribute."""
    negative = np.minimum(weight, 0.0)
    return {
        "part": "negative_weights",
        "twfe_weight": float(negative.sum()),
        "contribution": float((negative * effect).sum()),
        "description": "Observations with negative TWFE weights",
    }


def imputed(panel: Panel) -> tuple[Floats, Floats, Bools]:
    """Effects of treated cells (zero elsewhere), their robust weights, and the units kept."""
    model = fit_untreated(panel, (), 0, "decomposition")
    kept = np.isin(panel.units, model.cells.panel.units)
    weight = model.cells.effect_weight
    lost = int((panel.keep_units(kept).observed & panel.keep_units(kept).treated).sum())
    if lost > int(model.cells.effect.sum()):
        raise PanelError(
            f"{lost - int(model.cells.effect.sum())} treated cells cannot be imputed, because no "
            "unit is untreated in their period, and two-way effects use them. End the sample "
            "before every unit is treated."
        )
    return np.where(model.cells.effect, model.remainder, 0.0), weight / weight.sum(), kept


def _two_way(panel: Panel) -> tuple[EstimationSample, RegressionFit, float]:
    sample = estimation_sample(panel, Effects())
    fit = fit_twfe(sample, Effects())
    return sample, fit, float(fit.coefficient[0])


def _by_exposure(panel: Panel, effect: Floats, weight: Floats, robust: Floats) -> list[dict[str, Any]]:
    """Weights and contributions by periods since adoption; the effect is the robust mean."""
    rows, columns = np.nonzero(robust > 0)
    since = panel.periods[columns] - panel.cohort[rows]
    cells = pd.DataFrame(
        {
            "event_time": since,
            "effect": effect[rows, columns],
            "twfe_weight": weight[rows, columns],
            "robust_weight": robust[rows, columns],
        }
    )
    cells["contribution"] = (cells["twfe_weight"] - cells["robust_weight"]) * cells["effect"]
    cells["estimate"] = cells["robust_weight"] * cells["effect"]
    sums = cells.groupby("event_time").sum()
    sums["estimate"] /= sums["robust_weight"]
    kept = sums.drop(columns="effect").reset_index()
    described = [f"Event time {time:g}" for time in kept["event_time"]]
    return kept.assign(part="exposure", description=described).to_dict("records")  # type: ignore[return-value]


def _kinds(panel: Panel) -> list[dict[str, Any]]:
    """Comparisons by kind; none for panels that have no such decomposition."""
    constant = (panel.weight == panel.weight[:, :1]).all()
    if not (panel.balanced and constant):
        return []
    totals = by_kind(components(panel))
    return [
        {
            "part": kind,
            "estimate": totals[kind]["estimate"],
            "twfe_weight": totals[kind]["weight"],
            "description": DESCRIPTIONS[kind],
        }
        for kind in KINDS
        if kind in totals
    ]
