"""Saturated fits, whose residuals are zero by construction."""

from __future__ import annotations

from replication.core.errors import PanelError


def require_residual(n_obs: int, n_params: int, remedy: str) -> None:
    """Refuse a regression that its parameters fit exactly.

    Parameters
    ----------
    n_params : all parameters, absorbed unit and period effects included.
    remedy : what would leave degrees of freedom, the end of the message.

    """
    if n_obs <= n_params:
        raise PanelError(
            f"{n_obs} observations are left for {n_params} parameters, absorbed effects included, "
            f"so that the fit is exact and no standard error can be given. {remedy}"
        )
