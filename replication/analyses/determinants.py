"""Determinants of early activation: least squares on the date, and a discrete-time hazard.

Least squares
    ``months_i = a + b'x_i + e_i`` with ``months`` the months from a first month to activation: a
    negative coefficient is an earlier date.
Hazard
    ``log(-log(1 - h_iq)) = a_q + b'x_i`` with ``h_iq`` the chance of being activated in quarter q
    for a unit that has not been, an effect for each quarter: the grouped form of a proportional
    hazard (Prentice & Gloeckler 1978). A positive coefficient is an earlier date.

Both by statsmodels, with clustered standard errors (G/(G-1) times (N-1)/(N-K), K every column, effects
included) and p-values and intervals from t(G-1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.moments import columns_of, weights_from
from replication.core.errors import PanelError, SpecError

MONTHS_A_QUARTER = 3
STEPS = 100
KINDS = ("ols", "hazard")


def determinants(
    context: AnalysisContext,
    *,
    panel: str,
    date: str,
    origin: str,
    regressors: Mapping[str, str],
    models: Mapping[str, Mapping[str, Any]],
    cluster: str,
    unit: str = "fips",
) -> pd.DataFrame:
    """Coefficients of several models on the same units.

    Parameters
    ----------
    panel : name of the cleaned panel.
    date : column of the day of activation.
    origin : month from which months are counted, such as ``2008-10``.
    regressors : column -> label; those with more than two values are standardized.
    models : name -> ``kind`` (ols or hazard), ``effects`` (a column whose values have separate
        effects, optional), ``weights`` (ols only, optional).
    cluster : column of clusters.
    unit : column that identifies a unit.

    Returns
    -------
    DataFrame
        One row per regressor: ``term``, ``label``, ``scale`` (the standard deviation by which it
        was divided; empty for flags) and for each model ``<name>_estimate``, ``<name>_std_error``,
        ``<name>_p_value``, ``<name>_conf_low``, ``<name>_conf_high``; ``units`` and ``clusters``
        of all models; then a row with R squared.
    """
    frame = context.frame(panel).drop_duplicates(unit)
    x = columns_of(frame, list(regressors))
    complete = x.notna().all(axis=1) & frame[date].notna()
    if not complete.any():
        raise PanelError("No unit has all regressors. Leave out the one that is always missing.")
    frame, x = frame[complete], x[complete]
    # Standard deviations of measures; flags keep their unit.
    scale = x.apply(lambda values: float(values.std()) if values.nunique() > 2 else 1.0)
    months = months_since(frame[date], origin)
    table = pd.DataFrame(
        {
            "term": list(regressors),
            "label": list(regressors.values()),
            "scale": scale.where(x.nunique() > 2).to_numpy(),
        }
    )
    below = pd.DataFrame({"term": ["r_squared"], "label": ["R²"]})
    for name, model in models.items():
        effects = None if "effects" not in model else frame[model["effects"]]
        weight = weights_from(frame, model.get("weights"))
        fitted = fit(str(model["kind"]), months, x / scale, effects, weight, frame[cluster])
        table = table.join(fitted["table"].add_prefix(f"{name}_"), on="term")
        below[f"{name}_estimate"] = fitted["r_squared"]
    table = pd.concat([table, below], ignore_index=True)
    return table.assign(units=len(frame), clusters=frame[cluster].nunique())


def months_since(dates: pd.Series, origin: str) -> pd.Series:
    """Calendar months from the month ``origin`` to each date."""
    first = pd.Period(origin, "M")
    months: pd.Series = 12 * (dates.dt.year - first.year) + dates.dt.month - first.month
    return months.astype(float)


def fit(
    kind: str, months: pd.Series, x: pd.DataFrame, effects: pd.Series | None, weight: Any, cluster: pd.Series
) -> dict[str, Any]:
    """One model: a table by regressor, and R squared where there is one."""
    if kind not in KINDS:
        raise SpecError(f"A model is of the kind {kind!r}. Kinds: {', '.join(KINDS)}.")
    extra = [] if effects is None else [dummies(effects)]
    codes = pd.factorize(cluster)[0]
    if kind == "ols":
        design = pd.concat([x, *extra], axis=1).assign(constant=1.0)
        return least_squares(months, design, weight, codes, x.columns.tolist())
    return hazard(months, pd.concat([x, *extra], axis=1), codes, x.columns.tolist())


def dummies(values: pd.Series) -> pd.DataFrame:
    """A dummy for every value but the first."""
    columns = pd.get_dummies(values, drop_first=True, dtype=float)
    return columns.rename(columns=lambda value: f"effect {value}")


def least_squares(
    months: pd.Series, design: pd.DataFrame, weight: Any, codes: Any, names: Sequence[str]
) -> dict[str, Any]:
    """Least squares with clustered standard errors."""
    import statsmodels.api as sm

    result = sm.WLS(months.to_numpy(), design.to_numpy(), weights=weight).fit(
        cov_type="cluster", cov_kwds={"groups": codes, "use_correction": True}, use_t=True
    )
    return {"table": tabulated(result, design, names, codes), "r_squared": float(result.rsquared)}


def hazard(months: pd.Series, design: pd.DataFrame, codes: Any, names: Sequence[str]) -> dict[str, Any]:
    """Complementary log-log hazard of activation by quarter, with clustered standard errors."""
    import statsmodels.api as sm

    rows, quarter, event = at_risk(months)
    clock = pd.get_dummies(pd.Series(quarter), dtype=float)
    # Means go into the effects of the quarters.
    centered = (design - design.mean()).to_numpy()
    stacked = np.column_stack([centered[rows], clock.to_numpy()])
    model = sm.GLM(event, stacked, family=sm.families.Binomial(sm.families.links.CLogLog()))
    # Fisher scoring overshoots here: in the last quarters nearly all remaining units are activated.
    share = clock.to_numpy().T @ event / clock.to_numpy().sum(axis=0)
    start = np.concatenate([np.zeros(design.shape[1]), np.log(-np.log1p(-share))])
    result = model.fit(
        start_params=start,
        method="newton",
        maxiter=STEPS,
        disp=0,
        use_t=True,
        cov_type="cluster",
        cov_kwds={"groups": codes[rows], "use_correction": True},
    )
    if not (result.mle_retvals["converged"] and np.isfinite(result.bse).all()):
        raise PanelError(
            f"The hazard of activation did not converge in {STEPS} steps: some regressor or effect "
            "separates those activated from the others. Leave it out."
        )
    return {"table": tabulated(result, design, names, codes), "r_squared": float("nan")}


def at_risk(months: pd.Series) -> tuple[Any, Any, Any]:
    """Unit, quarter and event of every quarter in which a unit can still be activated.

    Quarters in which none or all of those left are activated are uninformative and are left
    out.
    """
    last = (months.to_numpy() // MONTHS_A_QUARTER).astype(int)
    if last.min() < 0:
        raise SpecError("A unit was activated before 'origin'. Count months from an earlier one.")
    rows = np.repeat(np.arange(last.size), last + 1)
    quarter = np.concatenate([np.arange(end + 1) for end in last])
    event = (quarter == last[rows]).astype(float)
    share = pd.Series(event).groupby(quarter).transform("mean").to_numpy()
    informative = (share > 0) & (share < 1)
    return rows[informative], quarter[informative], event[informative]


def tabulated(result: Any, design: pd.DataFrame, names: Sequence[str], codes: Any) -> pd.DataFrame:
    """Estimates of the named columns with t(G-1)."""
    from scipy import stats

    place = [design.columns.get_loc(name) for name in names]
    estimate, std_error = result.params[place], result.bse[place]
    freedom = int(codes.max())
    width = stats.t.ppf(0.975, freedom) * std_error
    return pd.DataFrame(
        {
            "estimate": estimate,
            "std_error": std_error,
            "p_value": 2 * stats.t.sf(np.abs(estimate / std_error), freedom),
            "conf_low": estimate - width,
            "conf_high": estimate + width,
        },
        index=list(names),
    )
