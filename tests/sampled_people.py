"""Small simulated repeated cross-sections: plain arrays, so that any package can read them."""

from __future__ import annotations

import numpy as np

COHORTS = (0, 3, 4, 6)
N_PERIODS = 6


def sampled_people(seed: int, n_rows: int = 900) -> dict[str, np.ndarray]:
    """One row a person: unit, time, cohort, state (40), x1, x2, y; covariates differ by cohort and period."""
    rng = np.random.default_rng(seed)
    state = rng.integers(0, 40, n_rows)
    cohort = np.asarray(COHORTS)[state % len(COHORTS)]
    time = rng.integers(1, N_PERIODS + 1, n_rows)
    x = rng.normal(size=(n_rows, 2)) + 0.15 * (cohort > 0)[:, None]
    effect = np.where((cohort > 0) & (time >= cohort), 0.5 + 0.2 * (time - cohort), 0.0)
    y = 0.3 * state / 40 + 0.1 * time + (0.5 + 0.1 * time) * x[:, 0] + x[:, 1] + effect
    y = y + rng.normal(size=n_rows)
    unit = np.arange(1, n_rows + 1)
    return {
        "unit": unit,
        "time": time,
        "cohort": cohort,
        "state": state,
        "x1": x[:, 0],
        "x2": x[:, 1],
        "y": y,
    }
