"""Decomposition of the difference between the two-way and the robust estimate of a specification."""

from __future__ import annotations

import pandas as pd

from replication.analyses import estimator_gap as parts
from replication.analyses.analysis_context import AnalysisContext
from replication.core.panel_builder import build_panel


def decomposition(context: AnalysisContext, *, spec: str) -> pd.DataFrame:
    """The parts of ``replication.analyses.estimator_gap`` for the panel of a specification.

    Parameters
    ----------
    spec : id of a two-way specification of the study.
    """
    chosen = context.spec(spec)
    table = parts.decomposition(build_panel(context.frame(chosen.panel), chosen))
    return table.assign(spec_id=spec, outcome=chosen.outcome)
