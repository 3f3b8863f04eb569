"""The event times that an audit looks at; apart from its sections, which load matplotlib."""

from __future__ import annotations

NEAR = 12
"""Event times on either side of adoption that figures and sensitivity analysis look at."""
