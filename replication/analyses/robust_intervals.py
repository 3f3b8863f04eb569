"""Robust intervals of saved event-time paths, for their figure."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.kept_rows import rows_of
from replication.core.estimates import Estimates
from replication.inference.sensitivity import breakdown_value, sensitivity_frame


def robust_intervals(context: AnalysisContext, *, panels: Mapping[str, str]) -> pd.DataFrame:
    """``sensitivity_frame`` of each specification with the ``breakdown`` value of each restriction.

    Parameters
    ----------
    panels : heading of the panels -> id of a specification with an event-time path.
    """
    found = rows_of(context, "robust_intervals", panels.values(), _intervals)
    frames = [pd.DataFrame(rows) for rows in found]
    parts = [
        frame.assign(panel=heading + ": " + frame["panel"])
        for heading, frame in zip(panels, frames, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def _intervals(estimates: Estimates) -> pd.DataFrame:
    """The intervals of one path, with the breakdown value of each restriction."""
    frame = sensitivity_frame(estimates)
    names = frame["panel"].str.lower()
    values = {name: breakdown_value(estimates, method=name.replace(" ", "_")) for name in names.unique()}
    return frame.assign(panel=names, breakdown=names.map(values))
