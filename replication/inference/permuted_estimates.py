"""Estimates under all exchanged assignments without fitting again, where loadings allow it.

Where all units weigh the same, an exchange leaves the size of every cohort alone, and with it the
loadings of an estimate on the units of each schedule. The estimate under an exchange is then a
sum over units of the contribution of each unit's outcomes under the schedule that it gets.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from replication.core.arrays import Floats, Ints
from replication.core.errors import PanelError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.inference.assignment import schedule_codes
from replication.inference.loadings import group_loadings, points_of
from replication.inference.permuted_assignments import Exchanges

# Rounding between a fit and a sum over loadings is below 1e-9; an estimate whose loadings change
# with the exchange is off by more than 1e-3.
SAME = 1e-7
LARGEST = 20_000_000


def linear_draws(
    function: Callable[..., Estimates],
    panel: Panel,
    inference: Inference,
    compared: Exchanges,
    labels: list[str],
) -> Floats | None:
    """(B, K, 2) estimates, with NaN for the statistics; None where one fit per draw is needed.

    One exchange is fitted as well, so that no property of the estimator is assumed.
    """
    kind = schedule_codes(panel)
    count, shape = int(kind.max()) + 1, panel.y.shape
    large = shape[0] * count * len(labels) > LARGEST or count * shape[1] > compared.count
    if large or not panel.balanced or np.ptp(panel.weight) > 0 or panel.covariates is not None:
        return None
    loading = group_loadings(function, panel, inference, labels, kind)
    loading /= np.bincount(kind)[:, None, None]
    # (N, S, K) contributions of each unit under each schedule.
    worth = np.einsum("nt,stk->nsk", panel.y, loading)
    first = next(compared.orders(), None)
    if first is None:
        return None
    units = np.arange(len(worth))
    drawn = np.stack([worth[units, kind[order]].sum(axis=0) for order in compared.orders()])
    if not np.allclose(
        drawn[0],
        refit(function, panel, inference, labels, first),
        rtol=SAME,
        atol=SAME * np.nanmax(np.abs(drawn)),
    ):
        return None
    return np.stack([drawn, np.full_like(drawn, np.nan)], axis=2)


def refit(
    function: Callable[..., Estimates], panel: Panel, inference: Inference, labels: list[str], order: Ints
) -> Floats:
    """(K,) estimates of the panel under one order; NaN if it cannot be estimated."""
    try:
        return points_of(function, panel.reassigned(order), inference, labels)
    except PanelError:
        return np.full(len(labels), np.nan)
