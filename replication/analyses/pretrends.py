"""Pre-trend tests and sensitivity of saved event-time paths."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.kept_rows import rows_of
from replication.core.estimates import Estimates
from replication.inference.sensitivity import sensitivity_table


def pretrends(context: AnalysisContext, *, groups: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """``sensitivity_table``, with the joint test of the periods before adoption.

    Parameters
    ----------
    groups : heading -> {label: id of a specification with an event-time path}.

    Returns
    -------
    DataFrame
        ``group``, ``label``, ``pretrend_p_value`` and the columns of ``sensitivity_table``.
    """
    listed = [
        (heading, label, spec_id) for heading, lines in groups.items() for label, spec_id in lines.items()
    ]
    rows = rows_of(context, "pretrends", [spec_id for _, _, spec_id in listed], _row)
    table = pd.DataFrame([row for of_path in rows for row in of_path])
    table.insert(0, "label", [label for _, label, _ in listed])
    table.insert(0, "group", [heading for heading, _, _ in listed])
    return table


def _row(estimates: Estimates) -> pd.DataFrame:
    """The sensitivity of one path, with its joint test."""
    table = sensitivity_table([estimates])
    test = estimates.details.find("pretrend.p_value")
    table.insert(0, "pretrend_p_value", pd.Series([test], dtype=float))
    return table
