"""A small simulated panel for examples and exercises."""

from __future__ import annotations

import numpy as np
import pandas as pd


def simulated_panel(seed: int = 1, *, n_units: int = 60, n_periods: int = 10) -> pd.DataFrame:
    """Simulate a small staggered panel for examples and exercises (SIMULATED data).

    Units adopt in period 4, 6, 8 or never; the effect is 0.3 in the period of adoption and grows by
    0.2 per period.

    Parameters
    ----------
    seed : int
        Seed of the random draws (``numpy.random.default_rng``).
    n_units, n_periods : int

    Returns
    -------
    DataFrame
        ``unit``, ``time``, ``cohort`` (0: never), ``state`` (a cluster of units), ``size`` (a weight)
        and ``y``.

    Examples
    --------
    >>> import replication as rp
    >>> rp.simulated_panel(seed=1).shape
    (600, 6)
    """
    rng = np.random.default_rng(seed)
    time = np.tile(np.arange(1, n_periods + 1), n_units)
    unit = np.repeat(np.arange(1, n_units + 1), n_periods)
    cohort = np.resize([0, 4, 6, 8], n_units)[unit - 1]
    effect = np.where((cohort > 0) & (time >= cohort), 0.3 + 0.2 * (time - cohort), 0.0)
    noise = rng.normal(scale=0.3, size=time.size)
    y = rng.normal(size=n_units)[unit - 1] + 0.1 * time + effect + noise
    size = rng.uniform(1, 3, n_units)[unit - 1].round(2)
    columns = {"unit": unit, "time": time, "cohort": cohort, "state": (unit - 1) // 3, "size": size, "y": y}
    return pd.DataFrame(columns)
