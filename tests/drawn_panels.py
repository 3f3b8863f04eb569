"""Small made-up staggered panels, and the same data as the tidy frame that other packages read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from replication.core.panel import Panel

FIRST_YEAR = 2001


def draw_panel(
    seed: int,
    *,
    n_units: int = 48,
    n_periods: int = 8,
    adoption: tuple[int, ...] = (0, 2003, 2004, 2006, 2007),
    weighted: bool = False,
    n_clusters: int | None = None,
    missing: float = 0.0,
    dose: bool = False,
    stratum: bool = False,
) -> Panel:
    """Random walks with effects that grow with exposure; ``adoption`` 0 is never."""
    rng = np.random.default_rng(seed)
    periods = np.arange(FIRST_YEAR, FIRST_YEAR + n_periods)
    cohort = np.concatenate([adoption, rng.choice(adoption, n_units - len(adoption))])
    exposed = np.where(cohort == 0, 0, np.maximum(periods - cohort[:, None] + 1, 0).T).T
    noise = 0.5 * rng.normal(size=(n_units, n_periods)).cumsum(axis=1)
    y = rng.normal(size=(n_units, 1)) + rng.normal(size=n_periods) + noise + 0.3 * exposed**0.7
    if missing:
        y[rng.random(y.shape) < missing] = np.nan
    weight = rng.uniform(0.5, 2.0, n_units) if weighted else np.ones(n_units)
    codes = np.arange(n_units)
    if n_clusters is not None:
        codes = np.concatenate([np.arange(n_clusters), rng.integers(0, n_clusters, n_units)])
        codes = codes[:n_units]
    share = rng.uniform(0.1, 1.0, n_units)[:, None]
    return Panel(
        y=y,
        units=np.arange(n_units),
        periods=periods,
        cohort=cohort.astype(np.int64),
        weight=np.repeat(weight[:, None], n_periods, axis=1),
        clusters={"cluster": codes.astype(np.int64)},
        exposure=np.where(exposed == 1, share, exposed > 0).astype(float) if dose else None,
        strata={"region": rng.integers(0, 3, n_units)} if stratum else {},
        coordinates=np.column_stack([rng.uniform(30, 45, n_units), rng.uniform(-110, -80, n_units)]),
        weighted=weighted,
        outcome="y",
    )


def every_second_year(panel: Panel) -> Panel:
    """The same panel with two years from one period to the next."""
    return replace(
        panel,
        periods=2001 + 2 * (panel.periods - 2001),
        cohort=np.where(panel.cohort > 0, 2001 + 2 * (panel.cohort - 2001), 0),
    )


def as_frame(panel: Panel) -> pd.DataFrame:
    """One row per unit and period: unit, time, y, d, cohort, w, cluster; y empty if unobserved."""
    n_units, n_periods = panel.y.shape
    return pd.DataFrame(
        {
            "unit": np.repeat(panel.units, n_periods),
            "time": np.tile(panel.periods, n_units),
            "y": panel.y.ravel(),
            "d": panel.dose.ravel(),
            "cohort": np.repeat(panel.cohort, n_periods),
            "w": panel.weight.ravel(),
            "cluster": np.repeat(next(iter(panel.clusters.values())), n_periods),
        }
    )
