"""Panels of the group-time tests: mpdta, made-up ones, and frames for other packages."""

from __future__ import annotations

from collections.abc import Sequence

import moderndid
import numpy as np
import pandas as pd

from replication.core.estimates import Estimates
from replication.core.panel import Panel

NEVER_OR = (0, 3, 4, 6, 7)
KEYS = {"att": "cohort", "event": "event_time", "group": "cohort", "calendar": "time"}


def mpdta(*, covariate: bool = False, weight: np.ndarray | None = None, by_state: bool = False) -> Panel:
    """500 counties in 2003-2007 (teen employment), the example of R did; ships with moderndid."""
    frame = moderndid.load_mpdta().to_pandas().sort_values(["countyreal", "year"])

    def matrix(name: str) -> np.ndarray:
        return frame[name].to_numpy().reshape(-1, 5)

    county = matrix("countyreal")[:, 0]
    state = np.unique(county // 1000, return_inverse=True)[1]
    y = matrix("lemp")
    return Panel(
        y=y,
        units=county,
        periods=np.arange(2003, 2008),
        cohort=matrix("first.treat")[:, 0].astype(np.int64),
        weight=np.ones_like(y) if weight is None else weight,
        clusters={"state": state} if by_state else {"county": np.arange(county.size)},
        covariates=matrix("lpop")[None] if covariate else None,
        covariate_names=("lpop",) if covariate else (),
        weighted=weight is not None,
        outcome="lemp",
    )


def staggered(
    seed: int,
    *,
    n_units: int = 80,
    periods: Sequence[int] = range(1, 9),
    adoption: Sequence[int] = NEVER_OR,
    one_alone: bool = False,
    weights: str = "none",
    covariates: int = 0,
    missing: float = 0.0,
    clusters: int | None = None,
) -> Panel:
    """Random walks; effect 1 from adoption. ``weights`` none, constant or varying.

    With ``one_alone`` the last cohort has a single unit.
    """
    rng = np.random.default_rng(seed)
    labels = np.asarray(periods)
    shape = (n_units, labels.size)
    if one_alone:
        cohort = np.append(adoption[-1], rng.choice(adoption[:-1], n_units - 1))
    else:
        sure = np.repeat(adoption, 4)
        cohort = np.append(sure, rng.choice(adoption, n_units - sure.size))
    x = rng.normal(size=(covariates, n_units, 1)) + 0.1 * rng.normal(size=(covariates, *shape))
    treated = (cohort[:, None] > 0) & (labels >= cohort[:, None])
    noise = 0.5 * rng.normal(size=shape).cumsum(axis=1)
    y = rng.normal(size=(n_units, 1)) + rng.normal(size=labels.size) + noise + x.sum(0) + treated
    weight = np.ones(shape)
    if weights != "none":
        weight = weight * rng.uniform(0.5, 2.0, (n_units, 1))
    if weights == "varying":
        weight = weight * rng.uniform(0.8, 1.2, shape)
    y[rng.random(shape) < missing] = np.nan
    codes = np.arange(n_units)
    if clusters:
        codes = np.append(np.arange(clusters), rng.integers(0, clusters, n_units - clusters))
    return Panel(
        y=y,
        units=np.arange(1, n_units + 1),
        periods=labels,
        cohort=cohort.astype(np.int64),
        weight=weight,
        clusters={"cluster": codes},
        covariates=x if covariates else None,
        covariate_names=tuple(f"x{k}" for k in range(covariates)),
        weighted=weights != "none",
        outcome="y",
    )


def tidy(panel: Panel) -> pd.DataFrame:
    """One row per observed unit and period."""
    n_units, n_periods = panel.y.shape
    frame = pd.DataFrame(
        {
            "unit": np.repeat(panel.units, n_periods),
            "time": np.tile(panel.periods, n_units),
            "y": panel.y.ravel(),
            "g": np.repeat(panel.cohort, n_periods),
            "w": panel.weight.ravel(),
            "cluster": np.repeat(panel.cluster, n_periods),
        }
    )
    for position, name in enumerate(panel.covariate_names):
        frame[name] = panel.covariates[position].ravel()
    return frame[frame["y"].notna()]


def value(estimates: Estimates, term: str, key: float | None = None) -> tuple[float, float]:
    """(estimate, std_error) of a row; without key the average of the term."""
    rows = estimates.rows(term)
    column = rows[KEYS[term]]
    row = rows[column.isna() if key is None else column == key].iloc[0]
    return float(row["estimate"]), float(row["std_error"])


def cell(estimates: Estimates, cohort: int, time: int) -> tuple[float, float]:
    """(estimate, std_error) of a group-time cell."""
    rows = estimates.rows("att_gt")
    row = rows[(rows["cohort"] == cohort) & (rows["time"] == time)].iloc[0]
    return float(row["estimate"]), float(row["std_error"])
