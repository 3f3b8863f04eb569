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
    parts = []
    for heading, spec_id in panels.items():
        frame = pd.DataFrame(rows_of(context, "robust_intervals", spec_id, _intervals))
        parts.append(frame.assign(panel=heading + ": " + frame["panel"]))
    return pd.concat(parts, ignore_index=True)


def _intervals(estimates: Estimates) -> pd.DataFrame:
    """The intervals of one path, with the breakdown value of each restriction."""
    frame = sensitivity_frame(estimates)
    names = frame["panel"].str.lower()
    values = {name: breakdown_value(estimates, method=name.replace(" ", "_")) for name in names.unique()}
    return frame.assign(panel=names, breakdown=names.map(values))
