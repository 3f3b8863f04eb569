"""Small simulated panels whose treatment rises, falls and has a dose, as tidy frames."""

from __future__ import annotations

import numpy as np
import pandas as pd

BINARY, DISCRETE = (0.0, 1.0), (0.0, 1.0, 2.0, 3.0)


def draw_doses(
    seed: int,
    *,
    n_units: int = 60,
    n_periods: int = 8,
    levels: tuple[float, ...] = DISCRETE,
    stay: float = 0.35,
    missing: float = 0.0,
    gaps: float = 0.0,
    n_clusters: int | None = None,
) -> pd.DataFrame:
    """One row per unit and period: unit, time, d, y, x1, x2, w, cluster.

    Parameters
    ----------
    levels : doses; a unit keeps its own with probability 0.85 from one period to the next, and a
        share ``stay`` of units throughout.
    missing : share of outcomes left empty; gaps : share of rows left out, the first of a unit never.

    """
    rng = np.random.default_rng(seed)
    shape = (n_units, n_periods)
    drawn = rng.choice(levels[:2], size=(n_units, 1)) + np.zeros(shape)
    moves = (rng.random(shape) < 0.15) & (rng.random((n_units, 1)) > stay)
    for t in range(1, n_periods):
        drawn[:, t] = np.where(moves[:, t], rng.choice(levels, n_units), drawn[:, t - 1])
    x = rng.normal(size=(2, *shape)).cumsum(axis=2)
    y = (
        rng.normal(size=(n_units, 1))
        + rng.normal(size=n_periods)
        + 0.4 * rng.normal(size=shape).cumsum(axis=1)
    )
    y += 0.5 * drawn + 0.2 * drawn.cumsum(axis=1) + 0.7 * x[0] - 0.4 * x[1]
    y[rng.random(shape) < missing] = np.nan
    kept = rng.random(shape) >= gaps
    kept[:, 0] = True
    clusters = np.arange(n_units) if n_clusters is None else rng.integers(0, n_clusters, n_units)
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(n_units), n_periods),
            "time": np.tile(np.arange(2001, 2001 + n_periods), n_units),
            "d": drawn.ravel(),
            "y": y.ravel(),
            "x1": x[0].ravel(),
            "x2": x[1].ravel(),
            "w": np.repeat(rng.uniform(0.5, 2.0, n_units).round(3), n_periods),
            "cluster": np.repeat(clusters, n_periods),
        }
    )
    return frame[kept.ravel()].reset_index(drop=True)


CASES: dict[int, tuple[dict, dict]] = {
    **{seed: ({"levels": BINARY}, {}) for seed in range(3)},
    **{seed: ({}, {}) for seed in range(3, 6)},
    6: ({}, {"normalized": True}),
    7: ({"levels": BINARY}, {"normalized": True}),
    8: ({}, {"weights": "w"}),
    9: ({"levels": BINARY}, {"weights": "w", "normalized": True}),
    10: ({"n_clusters": 12}, {"cluster": "cluster"}),
    11: ({"levels": BINARY, "n_clusters": 15}, {"cluster": "cluster"}),
    12: ({}, {"switchers": "in"}),
    13: ({}, {"switchers": "out"}),
    14: ({"missing": 0.06}, {}),
    15: ({"levels": BINARY, "missing": 0.06}, {"weights": "w"}),
    16: ({"gaps": 0.06}, {}),
    17: ({"levels": BINARY, "gaps": 0.06}, {}),
    18: ({"n_units": 25}, {}),
    19: ({"n_units": 200, "n_periods": 12}, {"normalized": True}),
    20: ({}, {"covariates": ["x1", "x2"]}),
    21: ({"levels": BINARY}, {"covariates": ["x1", "x2"]}),
    22: ({}, {"covariates": ["x1", "x2"], "weights": "w"}),
}
"""Seed -> how the panel is drawn, and the keys of its specification."""
EFFECTS, PLACEBOS = 4, 2
"""Lengths of the effects and placebos that are compared."""
