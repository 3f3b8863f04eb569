"""Pre-trend tests and sensitivity of saved event-time paths."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
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
    results = [context.estimates(spec_id) for _, _, spec_id in listed]
    table = sensitivity_table(results)
    tests = [found.details.find("pretrend.p_value") for found in results]
    table.insert(0, "pretrend_p_value", pd.Series(tests, dtype=float))
    table.insert(0, "label", [label for _, label, _ in listed])
    table.insert(0, "group", [heading for heading, _, _ in listed])
    return table
