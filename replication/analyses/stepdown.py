"""Romano-Wolf p-values over the specifications of several outcomes."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.core.panel_builder import build_panel
from replication.estimators.estimate_spec import estimate
from replication.inference.romano_wolf import romano_wolf


def stepdown(
    context: AnalysisContext, *, specs: Sequence[str] = (), families: Sequence[Sequence[str]] = ()
) -> pd.DataFrame:
    """One row per specification with its own and its adjusted p-value.

    Parameters
    ----------
    specs : ids of specifications that differ in the outcome; they are estimated again, since the
        joint draws need their scores. Draws and seed are those of the first.
    families : several such lists, each adjusted by itself; ``family`` counts them from 1.
    """
    lists = [*families, *([specs] if specs else [])]
    found = [_adjusted(context, names).assign(family=number) for number, names in enumerate(lists, 1)]
    return pd.concat(found, ignore_index=True)


def _adjusted(context: AnalysisContext, names: Sequence[str]) -> pd.DataFrame:
    chosen = [context.spec(name) for name in names]
    found = [estimate(build_panel(context.frame(spec.panel), spec), spec) for spec in chosen]
    return romano_wolf(found, chosen[0].inference)
