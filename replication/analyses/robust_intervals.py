"""Robust intervals of saved event-time paths, for their figure."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.inference.sensitivity import sensitivity_frame


def robust_intervals(context: AnalysisContext, *, panels: Mapping[str, str]) -> pd.DataFrame:
    """``sensitivity_frame`` of each specification; the heading of its panels names it.

    Parameters
    ----------
    panels : heading -> id of a specification with an event-time path.

    """
    parts = []
    for heading, spec_id in panels.items():
        frame = sensitivity_frame(context.estimates(spec_id))
        parts.append(frame.assign(panel=heading + ": " + frame["panel"].str.lower()))
    return pd.concat(parts, ignore_index=True)
