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
    info = context.estimates(spec).info
    if "components" not in info:
        raise SpecError(
            f"The specification {spec!r} has no 2x2 comparisons. Name one with 'estimator: goodman_bacon'."
        )
    return pd.DataFrame(info["components"]).assign(spec_id=spec)
