"""Small simulated panels with an eligible partition: plain arrays, so that any package can read them."""

from __future__ import annotations

import numpy as np

COHORTS = (0, 3, 4, 6)
N_PERIODS = 6


def eligible_panel(seed: int, n_units: int = 240) -> dict[str, np.ndarray]:
    """One row per unit and period: unit, time, cohort, eligible, x1, x2, y and state (clusters of units).

    Trends differ by group and by eligibility, so that neither difference-in-differences is zero; the
    covariates are related to eligibility, adoption and trends.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_units, 2))
    eligible = (rng.uniform(size=n_units) < 1 / (1 + np.exp(-0.4 * x[:, 0]))).astype(int)
    share = 1 / (1 + np.exp(-0.4 * x[:, 1] - rng.logistic(size=n_units)))
    cohort = np.asarray(COHORTS)[(len(COHORTS) * share).astype(int)]
    time = np.arange(1, N_PERIODS + 1)
    effect = np.where(cohort[:, None] > 0, np.maximum(time - cohort[:, None] + 1, 0) * 0.5, 0.0)
    trend = (0.1 * (cohort == 4) + 0.2 * eligible + 0.3 * x[:, 0])[:, None] * time
    noise = rng.normal(size=(n_units, N_PERIODS)).cumsum(axis=1) * (0.5 + 0.1 * cohort[:, None])
    y = rng.normal(size=(n_units, 1)) + trend + effect * eligible[:, None] + noise
    unit = np.arange(1, n_units + 1)
    wide = {
        "unit": unit,
        "cohort": cohort,
        "eligible": eligible,
        "x1": x[:, 0],
        "x2": x[:, 1],
        "state": unit % 40,
    }
    rows = {name: np.repeat(values, N_PERIODS) for name, values in wide.items()}
    return {**rows, "time": np.tile(time, n_units), "y": y.ravel()}
