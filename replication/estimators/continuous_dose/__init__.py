"""Effects by dose of a continuous treatment, Callaway, Goodman-Bacon & Sant'Anna (2024)."""

from replication.estimators.continuous_dose.continuous_dose import continuous_dose

__all__ = ["continuous_dose"]
