"""Coverage, power and detectable effects from placebo draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from replication.core.arrays import Floats
from replication.core.errors import PanelError

POWER: Final = 0.8
FINEST: Final = 0.0005
LARGEST: Final = 0.5
EFFECTS: Final = tuple(round(0.005 * step, 4) for step in range(21))
"""Sizes of effect (log points) at which power is given."""


def summarize_placebos(
    draws: pd.DataFrame,
    labels: Mapping[str, str],
    clusters: Mapping[str, str],
    effects: Sequence[float] = EFFECTS,
) -> pd.DataFrame:
    """One row per specification, clustering and size of effect.

    Parameters
    ----------
    draws : from ``placebo_draws.draw_placebos``.
    labels : id of a specification -> label.
    clusters : column that standard errors are clustered by -> label.
    effects : sizes in log points; power is the mean of that of a rise and that of a fall.

    Returns
    -------
    DataFrame
        ``label``, ``spec_id``, ``cluster``, ``clustered_by`` (its label), ``draws`` (estimated),
        ``mean_estimate``, ``sd_estimate``, ``mean_std_error``, ``coverage`` (share of intervals
        that hold the effect), ``coverage_error`` (Monte Carlo), ``smallest_detectable`` (smallest effect
        that the test as it is used finds in 80% of draws; empty if it is above 0.5),
        ``detectable_by_error`` (by the reported standard errors), ``not_estimated``, ``effect``, ``power``.

    Raises
    ------
    PanelError
        If fewer than two draws of a specification could be estimated.
    """
    rows = []
    for (spec_id, cluster), part in draws.groupby(["spec_id", "cluster"], sort=False):
        usable = part.dropna(subset="estimate")
        if len(usable) < 2:
            raise PanelError(
                f"{spec_id}, clustered by {cluster}: {len(usable)} of {len(part)} placebo draws "
                "could be estimated, and a spread needs two. Draw more, or use a specification "
                "that keeps comparison units whatever the rollout."
            )
        line = {
            "label": labels[str(spec_id)],
            "spec_id": spec_id,
            "cluster": cluster,
            "clustered_by": clusters[str(cluster)],
            **_moments(usable),
            "not_estimated": len(part) - len(usable),
        }
        powers = power_of(usable, np.asarray(effects, dtype=float))
        rows += [
            {**line, "effect": size, "power": power} for size, power in zip(effects, powers, strict=True)
        ]
    return pd.DataFrame(rows)


def power_of(draws: pd.DataFrame, effects: Floats) -> Floats:
    """(E,) share of draws in which an effect of each size is significant.

    Parameters
    ----------
    draws : ``estimate``, ``std_error`` and ``critical`` of the placebo draws.
    effects : (E,) sizes, in units of the outcome.

    Returns
    -------
    (E,) array
        Mean over both signs of the effect.
    """
    estimate, std_error, critical = (
        draws[name].to_numpy()[:, None] for name in ("estimate", "std_error", "critical")
    )
    found = [np.abs(estimate + sign * effects) > critical * std_error for sign in (1, -1)]
    shares: Floats = np.mean(found, axis=(0, 1))
    return shares


def smallest_detectable(draws: pd.DataFrame) -> float:
    """Smallest effect from which on power is at least 80%; NaN if that is above 0.5."""
    sizes = np.arange(0, LARGEST + FINEST, FINEST)
    below = np.flatnonzero(power_of(draws, sizes) < POWER)
    if below.size == 0:
        return 0.0
    last = int(below[-1]) + 1
    return float(sizes[last]) if last < sizes.size else np.nan


def _moments(draws: pd.DataFrame) -> dict[str, float]:
    estimate, std_error = draws["estimate"].to_numpy(), draws["std_error"].to_numpy()
    critical = draws["critical"].to_numpy()
    covered = np.abs(estimate) <= critical * std_error
    coverage = float(covered.mean())
    return {
        "draws": len(draws),
        "mean_estimate": float(estimate.mean()),
        "sd_estimate": float(estimate.std(ddof=1)),
        "mean_std_error": float(std_error.mean()),
        "coverage": coverage,
        "coverage_error": float(np.sqrt(coverage * (1 - coverage) / len(draws))),
        "detectable": smallest_detectable(draws),
        "detectable_by_error": float(((critical + stats.norm.ppf(POWER)) * std_error).mean()),
    }
