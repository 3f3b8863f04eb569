"""Small simulated panels with a dose: plain arrays, so that any package can read them."""

from __future__ import annotations

import numpy as np

COHORTS = ((0, 3, 4, 6), (0, 2), (0, 3, 5))
N_PERIODS = 6


def dosed_panel(seed: int, n_units: int = 200) -> dict[str, np.ndarray]:
    """Unit, time, cohort, dose, y and state, one row per unit and period; effects are quadratic in dose."""
    rng = np.random.default_rng(seed)
    cohort = rng.choice(COHORTS[seed % len(COHORTS)], n_units)
    dose = np.where(cohort > 0, rng.gamma(2.0, 0.5, n_units) + 0.1, 0.0)
    time = np.arange(1, (2 if seed % len(COHORTS) == 1 else N_PERIODS) + 1)
    exposed = np.where(cohort[:, None] > 0, np.maximum(time - cohort[:, None] + 1, 0), 0)
    effect = (dose - 0.2 * dose**2)[:, None] * np.sqrt(exposed)
    noise = rng.normal(size=(n_units, time.size)).cumsum(axis=1) * (0.5 + 0.2 * dose)[:, None]
    y = rng.normal(size=(n_units, 1)) + 0.1 * time + effect + noise
    unit = np.arange(1, n_units + 1)
    wide = {"unit": unit, "cohort": cohort, "dose": dose, "state": unit % 40}
    rows = {name: np.repeat(values, time.size) for name, values in wide.items()}
    return {**rows, "time": np.tile(time, n_units), "y": y.ravel()}
