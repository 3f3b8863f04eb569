"""Group-time effects on outcomes net of unit-specific pre-treatment linear trends.

Model
    Y_it(0) = alpha_i + beta_i t + lambda_t + eps_it: trends may differ between units, the rest is
    common. East, Hines, Luck, Mansour & Velasquez (2023), Journal of Labor Economics 41(4),
    remove pre-treatment linear trends and then use the group-time estimator.
Estimand
    For a cell (g, t) with base b, the group-time effect on Y_it - betahat_i t, where betahat_i is
    the least-squares slope of unit i over the periods before g less anticipation.
Which periods
    The trend of a treated unit can only use its periods before adoption. A comparison unit's trend
    uses the *same* periods, cohort by cohort, although more are untreated: the slope also picks
    up the trend of lambda_t over the fitted periods, and only trends over the same periods make
    that part cancel. (Trends fitted over all untreated periods of each unit are biased
    whenever lambda_t is not itself linear.)
Inference
    Clusters are drawn with replacement and the whole procedure is redone, including the trends
    and the cohort sizes; it is linear in the unit columns, so a draw only changes the weights. As the trends
    are functions of a unit's own outcomes the influence function carries their uncertainty too;
    its standard error is reported as a check.
Caveat
    The trend is extrapolated: its estimation error grows with the distance from the pre-treatment periods,
    and an effect that builds up before adoption tilts the trend and biases every later cell.
    Pre-treatment cells are residuals around the trend and carry no information on linear pre-trends.
"""

from __future__ import annotations

import numpy as np

from replication.core.arrays import Floats
from replication.core.details import Dropped
from replication.core.dropped_units import units_dropped
from replication.core.errors import PanelError
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign

FEWEST = 2


def without_short_cohorts(design: ComparisonDesign) -> ComparisonDesign:
    """The design without the cohorts that have too few periods before adoption for a trend."""
    periods = design.panel.periods
    count = np.searchsorted(periods, design.adoption - design.anticipation)
    short = np.isfinite(design.adoption) & (count < FEWEST)
    if not short.any():
        return design
    cohorts = ", ".join(design.panel.written(cohort) for cohort in np.unique(design.adoption[short]))
    short_of = f"fewer than {FEWEST} periods before adoption, too few for a linear trend"
    why = f"their cohorts ({cohorts}) have {short_of}"
    note = units_dropped(design.panel.units[short], short.size, why)
    if not (np.isfinite(design.adoption) & ~short).any():
        raise PanelError(f"No treated unit is left: {note}. Start the panel earlier, or remove 'trends'.")
    return design.keep(~short).with_note(
        note,
        Dropped("units_too_few_periods_for_trend", int(short.sum()), "units"),
    )


def slope_weights(design: ComparisonDesign) -> Floats:
    """(H, T) weights that turn outcomes into least-squares slopes before each cohort's adoption."""
    periods = design.panel.periods.astype(float)
    weights = np.zeros((design.cohorts.size, periods.size))
    for level, cohort in enumerate(design.cohorts):
        before = periods + design.anticipation < cohort
        centered = periods[before] - periods[before].mean()
        weights[level, before] = centered / (centered @ centered)
    return weights
