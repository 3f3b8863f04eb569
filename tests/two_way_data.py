"""Panels of the two-way tests, and the same data as the frame that other packages read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from pyfixest.demeaners import MapDemeaner

from replication.core.panel import Panel

EXACT = MapDemeaner(fixef_tol=1e-13, fixef_maxiter=100_000)
FIRST = 1990
CASTLE = {  # state number of causaldata: effective year and share of it in force
    1: (2006, 0.580822),
    2: (2006, 0.29589),
    3: (2006, 0.684932),
    10: (2005, 0.246575),
    11: (2006, 0.5),
    15: (2006, 0.5),
    17: (2006, 0.6),
    18: (2006, 0.468493),
    19: (2006, 0.375342),
    23: (2006, 0.246575),
    25: (2006, 0.5),
    26: (2007, 0.339726),
    27: (2009, 0.676712),
    35: (2007, 0.413699),
    36: (2008, 0.306849),
    37: (2006, 0.161644),
    41: (2006, 0.558904),
    42: (2006, 0.5),
    43: (2007, 0.608219),
    44: (2007, 0.328767),
    49: (2008, 0.838356),
}
RIGHT_TO_CARRY = {  # state FIPS: first year in force (Stock & Watson), 0 after 1996
    2: 1995,
    4: 1995,
    5: 1996,
    12: 1988,
    13: 1990,
    16: 1991,
    18: 1977,
    22: 1992,
    23: 1982,
    28: 1991,
    30: 1992,
    32: 1996,
    33: 1977,
    37: 1996,
    38: 1986,
    40: 1996,
    41: 1991,
    42: 1990,
    46: 1986,
    47: 1995,
    49: 1987,
    50: 1977,
    51: 1996,
    53: 1977,
    54: 1990,
    56: 1995,
}


def two_way_panel(
    seed: int,
    *,
    n_units: int = 45,
    n_periods: int = 9,
    missing: float = 0.0,
    singletons: int = 0,
    weights: str = "none",
    cluster: str = "unit",
    covariates: int = 0,
    share: bool = False,
    counts: bool = False,
) -> Panel:
    """Staggered adoption with never-treated units, nested strata, and several clusterings.

    ``weights`` is none, unit or varying; ``cluster`` is unit, state, period, unit_period or
    state_period; ``state`` lies in ``region``, ``kind`` crosses both; the first ``singletons``
    units are seen once.
    """
    rng = np.random.default_rng(seed)
    shape = (n_units, n_periods)
    state = np.arange(n_units) % 12
    adoption = np.array([0, 0, 3, 4, 6, n_periods + 2])
    cohort = adoption[rng.permutation(n_units) % adoption.size]
    exposed = np.arange(n_periods) - np.where(cohort == 0, 10**6, cohort)[:, None]
    y = rng.normal(size=(n_units, 1)) + rng.normal(size=(12, n_periods))[state] / 2
    y = y + rng.normal(size=shape).cumsum(axis=1) / 2 + 0.2 * np.clip(exposed + 1, 0, 4)
    if counts:
        y = rng.poisson(np.exp(y / 2 + 1)).astype(float)
    if missing:
        y[rng.random(shape) < missing] = np.nan
    if singletons:
        y[:singletons, 1:] = np.nan
        y[:singletons, 0] = 1.0
    weight = np.ones(shape)
    if weights != "none":
        weight = rng.uniform(0.2, 3, (n_units, 1)) * np.ones(shape)
    if weights == "varying":
        weight = weight * rng.uniform(0.5, 1.5, shape)
    codes = {
        "unit": np.arange(n_units),
        "state": state,
        "period": np.tile(np.arange(n_periods), (n_units, 1)),
    }
    exposure = np.clip((exposed + 1) * rng.uniform(0.3, 1, (n_units, 1)), 0, 1)
    return Panel(
        y=y,
        units=np.arange(n_units),
        periods=np.arange(FIRST, FIRST + n_periods),
        cohort=np.where(cohort == 0, 0, FIRST + cohort),
        weight=weight,
        clusters={name: codes[name] for name in cluster.split("_")},
        exposure=exposure if share else None,
        covariates=rng.normal(size=(covariates, *shape)).cumsum(axis=2) if covariates else None,
        covariate_names=tuple(f"x{k}" for k in range(covariates)),
        strata={"state": state, "region": state % 3, "kind": rng.integers(0, 4, n_units)},
        offset=rng.normal(size=shape) / 5 if counts else None,
        weighted=weights != "none",
        outcome="y",
    )


def frame_of(panel: Panel) -> pd.DataFrame:
    """One row per observed cell; ``e`` is the event time, -1 for units never treated."""
    row, column = np.nonzero(panel.observed)
    time = panel.periods[column]
    frame = pd.DataFrame(
        {
            "unit": row,
            "period": time,
            "t": (time - FIRST).astype(float),
            "y": panel.y[row, column],
            "d": panel.dose[row, column],
            "w": panel.weight[row, column],
            "e": np.where(panel.cohort[row] == 0, -1, time - panel.cohort[row]),
            "o": 0.0 if panel.offset is None else panel.offset[row, column],
        }
    )
    for name, codes in panel.strata.items():
        frame[name] = codes[row]
    for k, name in enumerate(panel.covariate_names):
        frame[name] = panel.covariates[k][row, column]
    return frame


def formula_of(panel: Panel, trends: tuple[str, ...], left: str = "y ~ d") -> str:
    """Formula of pyfixest: trends as regressors, period effects of strata as effects."""
    regressors = [left, *panel.covariate_names]
    effects = ["unit"]
    for trend in trends:
        if trend.endswith("_linear"):
            regressors.append(f"i({trend.removesuffix('_linear')}, t)")
        else:
            effects.append(f"{trend.removesuffix('_by_time')}^period")
    effects += [] if len(effects) > 1 else ["period"]
    return f"{' + '.join(regressors)} | {' + '.join(effects)}"


def cluster_of(panel: Panel) -> dict[str, str]:
    """Clusters as pyfixest names them."""
    return {"CRV1": "+".join(panel.clusters)}


def permuted(panel: Panel, order: np.ndarray) -> Panel:
    """The same panel with its units in another order."""
    return replace(
        panel,
        y=panel.y[order],
        units=panel.units[order],
        cohort=panel.cohort[order],
        weight=panel.weight[order],
        clusters={name: codes[order] for name, codes in panel.clusters.items()},
        strata={name: codes[order] for name, codes in panel.strata.items()},
        exposure=None if panel.exposure is None else panel.exposure[order],
        offset=None if panel.offset is None else panel.offset[order],
        covariates=None if panel.covariates is None else panel.covariates[:, order],
    )
