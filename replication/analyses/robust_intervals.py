"""Robust intervals of saved event-time paths, for their figure."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.inference.sensitivity import breakdown_value, sensitivity_frame


def robust_intervals(context: AnalysisContext, *, panels: Mapping[str, str]) -> pd.DataFrame:
    """``sensitivity_frame`` of each specification with the ``breakdown`` value of each restriction.

    Parameters
    ----------
    panels : heading of the panels -> id of a specification with an event-time path.
    """
    parts = []
    for heading, spec_id in panels.items():
        estimates = context.estimates(spec_id)
        frame = sensitivity_frame(estimates)
        names = frame["panel"].str.lower()
        values = {name: breakdown_value(estimates, method=name.replace(" ", "_")) for name in names.unique()}
        parts.append(frame.assign(panel=heading + ": " + names, breakdown=names.map(values)))
    return pd.concat(parts, ignore_index=True)
