"""Conley-Taber, Ferman-Pinto and randomization inference written out, by loops and dummies."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.optimize import minimize_scalar

from replication.core.panel import NEVER, Panel


def dummies(panel: Panel, trends: tuple[str, ...]) -> np.ndarray:
    """(N T, P) indicators of units and of periods (by stratum), lines, and covariates."""
    n, t = panel.y.shape
    unit, time = np.repeat(np.arange(n), t), np.tile(np.arange(t), n)
    columns = [unit[:, None] == np.arange(n)]
    stratum = np.zeros(n, dtype=int)
    for trend in trends:
        if trend.endswith("_by_time"):
            stratum = panel.strata[trend.removesuffix("_by_time")]
    cell = stratum[unit] * t + time
    columns.append(cell[:, None] == np.unique(cell))
    if "unit_linear" in trends:
        columns.append((unit[:, None] == np.arange(n)) * time[:, None])
    if panel.covariates is not None:
        columns.append(panel.covariates.reshape(len(panel.covariates), -1).T)
    return np.column_stack(columns).astype(float)


def loadings_of_twfe(panel: Panel, trends: tuple[str, ...] = ()) -> np.ndarray:
    """(N, T) weights w with ``beta = sum w y``: the residual treatment over its square."""
    seen = panel.observed.ravel()
    root = np.sqrt(panel.weight.ravel()[seen])
    x = dummies(panel, trends)[seen] * root[:, None]
    d = panel.dose.ravel()[seen] * root
    left = d - x @ np.linalg.lstsq(x, d, rcond=None)[0]
    found = np.zeros(panel.y.size)
    found[seen] = left * root / (left @ left)
    return found.reshape(panel.y.shape)


def residual_paths(panel: Panel, controls: list[int], trends: tuple[str, ...] = ()) -> np.ndarray:
    """(D, T) mean residuals of clusters in a regression on the units of the controls alone."""
    kept = panel.keep_units(np.isin(panel.cluster, controls))
    own = panel.cluster[np.isin(panel.cluster, controls)]
    seen = kept.observed.ravel()
    root = np.sqrt(kept.weight.ravel()[seen])
    x, y = dummies(kept, trends)[seen], kept.y.ravel()[seen]
    error = np.full(kept.y.size, np.nan)
    error[seen] = y - x @ np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0]
    error = error.reshape(kept.y.shape)
    return np.stack(
        [
            np.nansum((error * kept.weight)[own == c], axis=0)
            / np.where(kept.observed, kept.weight, 0)[own == c].sum(axis=0)
            for c in controls
        ]
    )


def placebo_values(
    panel: Panel, loading: np.ndarray, trends: tuple[str, ...] = (), *, sizes: bool = False
) -> np.ndarray:
    """All D^C placebo values of one estimate with unit-period ``loading``."""
    codes, treated, controls = panel.cluster, [], []
    for c in range(panel.n_clusters):
        dose = panel.dose[codes == c]
        (treated if np.ptp(dose, axis=1).any() else controls).append(c)
    paths = residual_paths(panel, controls, trends)
    seen = np.where(panel.observed, panel.weight, 0)
    mass = np.array([seen[codes == c].sum() / panel.y.shape[1] for c in range(panel.n_clusters)])
    table = []
    for c in treated:
        values = paths @ loading[codes == c].sum(axis=0)
        if sizes:
            shape = variance_shape(values, mass[controls])
            values = values * np.sqrt(shape(mass[c]) / shape(mass[controls]))
        table.append(values)
    share = mass[controls] / mass[controls].sum()
    in_sum = sum(loading[codes == c].sum(axis=0) for c in treated)
    of_controls = sum(s**2 * (path @ in_sum) ** 2 for s, path in zip(share, paths, strict=True))
    of_treated = sum(np.mean(values**2) for values in table)
    factor = np.sqrt((1 + of_controls / of_treated) / (1 - (share**2).sum()))
    return factor * np.array([sum(one) for one in itertools.product(*table)])


def variance_shape(values: np.ndarray, size: np.ndarray):
    """``a + b/M`` up to a factor by normal likelihood, the factor concentrated out."""
    middle = np.mean(1 / size)

    def loss(share: float) -> float:
        relative = 1 - share + share / size / middle
        return float(np.log(np.mean(values**2 / relative)) + np.mean(np.log(relative)))

    grid = np.linspace(0, 1, 2001)
    best = grid[np.argmin([loss(share) for share in grid])]
    around = (max(best - 1e-3, 0), min(best + 1e-3, 1))
    inner = minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": 1e-13}).x
    share = min((inner, *around), key=loss)
    return lambda m: 1 - share + share / m / middle


def p_value(estimate: float, draws: np.ndarray) -> float:
    """Share of values at least as large, the estimate counted among them."""
    return (1 + (np.abs(draws) >= abs(estimate) * (1 - 1e-9)).sum()) / (1 + draws.size)


def interval(estimate: float, draws: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Ends of the set that the test does not reject, by trying every value at which it moves."""
    candidates = np.sort(np.abs(draws))
    kept = [r for r in candidates if p_value(r * (1 - 1e-7), draws) > 1 - level + 1e-12]
    return estimate - max(kept), estimate + max(kept)


def loadings_of_group_time(panel: Panel) -> np.ndarray:
    """Of the simple average of Callaway & Sant'Anna, never-treated controls, no covariates."""
    loading = np.zeros(panel.y.shape)
    cohorts = [g for g in np.unique(panel.cohort) if g != NEVER]
    never = panel.cohort == NEVER
    cells = [(g, t) for g in cohorts for t in panel.periods if t >= g]
    total = sum((panel.cohort == g).sum() for g, _ in cells)
    for g, t in cells:
        own = panel.cohort == g
        for column, sign in ((panel.periods == t, 1), (panel.periods == g - 1, -1)):
            loading[np.ix_(own, column)] += sign / total
            loading[np.ix_(never, column)] -= sign * own.sum() / never.sum() / total
    return loading
