"""The 2x2 comparisons of saved Goodman-Bacon decompositions, for their scatter plot."""

from __future__ import annotations

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.core.errors import SpecError


def comparisons(context: AnalysisContext, *, spec: str) -> pd.DataFrame:
    """``kind``, ``treated``, ``comparison``, ``estimate`` and ``weight``, one row per comparison.

    Parameters
    ----------
    spec : id of a Goodman-Bacon specification of the study.
    """
    found = context.estimates(spec).details.comparisons
    if not found:
        raise SpecError(
            f"The specification {spec!r} has no 2x2 comparisons. Name one with 'estimator: goodman_bacon'."
        )
    return pd.DataFrame(found).assign(spec_id=spec)
