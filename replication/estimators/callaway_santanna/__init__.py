"""Group-time average treatment effects of Callaway & Sant'Anna (2021)."""

from replication.estimators.callaway_santanna.callaway_santanna import callaway_santanna

__all__ = ["callaway_santanna"]
