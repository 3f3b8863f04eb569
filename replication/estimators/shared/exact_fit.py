"""Fits without an observation to spare, whose residuals are zero whatever the truth."""

from __future__ import annotations

from replication.core.errors import PanelError


def require_residual(n_obs: int, n_params: int, remedy: str) -> None:
    """Refuse a regression that its parameters fit exactly.

    Parameters
    ----------
    n_params : all parameters, absorbed unit and period effects included.
    remedy : what would leave observations to spare, the end of the message.

    """
    if n_obs <= n_params:
        raise PanelError(
            f"{n_obs} observations are left for {n_params} parameters, absorbed effects included, "
            f"so that the fit is exact and no standard error can be given. {remedy}"
        )
