"""Two periods, two groups, repeated cross-sections: outcome regression, weighting, and doubly robust.

Sant'Anna & Zhao (2020), Journal of Econometrics 219(1), section 2.2.2; the R functions
``DRDID::reg_did_rc``, ``std_ipw_did_rc`` and ``drdid_rc`` (the locally efficient one). All estimates are
sums of weighted means M(w, v) = sum w v / sum w. With t and c treated and comparison rows, 0 and 1 the
periods, m_c1 the regression of the comparison rows of period 1, and so on, the doubly robust one is

    M(w_t1, y - m_c1) - M(w_t0, y - m_c0) - M(w_c1, y - m_c1) + M(w_c0, y - m_c0)
    + M(w_t, m_t1 - m_c1) - M(w_t1, m_t1 - m_c1) - M(w_t, m_t0 - m_c0) + M(w_t0, m_t0 - m_c0).

The influence adds to each mean's own the derivatives with respect to the regressions and the logit. R's
``drdid_rc`` adds those of the comparison regression of the earlier period where they are subtracted here and
in moderndid 0.4, so that its standard errors differ; a test holds them against numerical derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from replication.core.arrays import Bools, Floats
from replication.estimators.callaway_santanna.doubly_robust import (
    CellProblem,
    Comparison,
    comparison_weight,
    inverse,
    propensity,
)


@dataclass(frozen=True, slots=True)
class Sections:
    """Rows of a 2x2 comparison: outcome, weight (n,), covariates with ones (n, k), treated, later period."""

    y: Floats
    x: Floats
    weight: Floats
    treated: Bools
    later: Bools

    def of(self, treated: bool, later: bool) -> Floats:
        """(n,) weights of one of the four cells."""
        inside: Bools = (self.treated == treated) & (self.later == later)
        return self.weight * inside


class Total:
    """A sum of weighted means with its influence: each mean's own first, derivatives later."""

    def __init__(self, data: Sections) -> None:
        self._x = data.x
        self.estimate = 0.0
        self.scores: Floats = np.zeros(data.y.size)

    def add(self, sign: float, weight: Floats, values: Floats) -> None:
        """Add ``sign`` M(weight, values)."""
        share = weight / weight.sum()
        mean = float(share @ values)
        self.estimate += sign * mean
        self.scores += sign * share * (values - mean)

    def slope(self, weight: Floats) -> Floats:
        """(k,) M(weight, x)."""
        found: Floats = (weight @ self._x) / weight.sum()
        return found

    def tilt(self, weight: Floats, values: Floats) -> Floats:
        """(k,) derivative of M(weight, values) where weights are odds of a logit in x."""
        share = weight / weight.sum()
        found: Floats = (share * (values - share @ values)) @ self._x
        return found


def regression(data: Sections, weight: Floats, who: str) -> tuple[Floats, Floats]:
    """Fitted values (n,) of the rows with ``weight``, and the influence (n, k) on the coefficients."""
    weighted = data.x * weight[:, None]
    bread = inverse(weighted.T @ data.x, f"the covariates of the {who} are collinear")
    fitted = data.x @ (bread @ (weighted.T @ data.y))
    return fitted, (weighted * (data.y - fitted)[:, None]) @ bread


def section_means(data: Sections) -> tuple[float, Floats]:
    """Without covariates: the four means."""
    total = Total(data)
    for treated, later in ((True, True), (True, False), (False, True), (False, False)):
        total.add(1.0 if treated == later else -1.0, data.of(treated, later), data.y)
    return total.estimate, total.scores


def section_regression(data: Sections) -> tuple[float, Floats]:
    """Changes of the treated less those that the comparison rows' regressions predict for them."""
    total, treated = Total(data), data.weight * data.treated
    for later, sign in ((True, 1.0), (False, -1.0)):
        total.add(sign, data.of(True, later), data.y)
        fitted, influence = regression(data, data.of(False, later), "comparison rows of a period")
        total.add(-sign, treated, fitted)
        total.scores -= sign * influence @ total.slope(treated)
    return total.estimate, total.scores


def section_weighting(data: Sections) -> tuple[float, Floats]:
    """Changes of the treated less those of comparison rows weighted to resemble them."""
    total, (odds, logit) = Total(data), section_odds(data)
    for later, sign in ((True, 1.0), (False, -1.0)):
        other = odds * (data.later == later)
        total.add(sign, data.of(True, later), data.y)
        total.add(-sign, other, data.y)
        total.scores -= sign * logit @ total.tilt(other, data.y)
    return total.estimate, total.scores


def section_doubly_robust(data: Sections) -> tuple[float, Floats]:
    """The locally efficient doubly robust estimator; see the formula of the module."""
    total, (odds, logit) = Total(data), section_odds(data)
    treated = data.weight * data.treated
    for later, sign in ((True, 1.0), (False, -1.0)):
        own, other = data.of(True, later), odds * (data.later == later)
        control, control_part = regression(data, data.of(False, later), "comparison rows of a period")
        fitted, fitted_part = regression(data, own, "treated rows of a period")
        total.add(sign, own, data.y - control)
        total.add(-sign, other, data.y - control)
        total.add(sign, treated, fitted - control)
        total.add(-sign, own, fitted - control)
        total.scores -= sign * logit @ total.tilt(other, data.y - control)
        total.scores += sign * control_part @ (total.slope(other) - total.slope(treated))
        total.scores += sign * fitted_part @ (total.slope(treated) - total.slope(own))
    return total.estimate, total.scores


def section_odds(data: Sections) -> tuple[Floats, Floats]:
    """(n,) weights of comparison rows, zero for others, and the influence (n, k) on the logit."""
    rows = Comparison(data.y[:, None], data.treated, data.x, data.weight)
    share, bread = propensity(rows)
    odds = comparison_weight(rows, share)
    if not (odds[data.later].any() and odds[~data.later].any()):
        raise CellProblem("every comparison row of a period is trimmed")
    return odds, (data.x * (data.weight * (data.treated - share))[:, None]) @ bread


SECTION_ADJUSTMENTS: dict[str, Callable[[Sections], tuple[float, Floats]]] = {
    "outcome_regression": section_regression,
    "ipw": section_weighting,
    "doubly_robust": section_doubly_robust,
}
