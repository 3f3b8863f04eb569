"""The draws of saved permutation tests, for their histogram."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.core.errors import SpecError

MEASURES = {"statistic": "statistics", "estimate": "estimates"}


def permuted(context: AnalysisContext, *, specs: Sequence[str], measure: str = "statistic") -> pd.DataFrame:
    """``panel`` (title of the specification), ``kind`` (``actual`` or ``draw``) and ``estimate``.

    Parameters
    ----------
    specs : ids of specifications with ``method: permutation``
    measure : ``statistic`` (studentized, which the p-value uses) or ``estimate``
    """
    if measure not in MEASURES:
        raise SpecError(f"There is no measure {measure!r}. Use {' or '.join(MEASURES)}.")
    frames = []
    for name in specs:
        record = context.permutation(name)
        values = [getattr(record, measure), *getattr(record, MEASURES[measure])]
        kinds = ["actual", *["draw"] * (len(values) - 1)]
        title = context.spec(name).title or name
        frame = pd.DataFrame({"panel": title, "kind": kinds, "estimate": values})
        frames.append(frame.assign(spec_id=name))
    return pd.concat(frames, ignore_index=True)
