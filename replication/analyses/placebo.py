"""Coverage and power on the rollout, from few placebo draws (``replication simulate``: many)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.placebo_draws import Placebo, draw_placebos, placebo_subjects
from replication.analyses.placebo_summary import EFFECTS, summarize_placebos


def placebo(
    context: AnalysisContext,
    *,
    specs: Mapping[str, str],
    clusters: Mapping[str, str],
    draws: int,
    seed: int,
    blocks: str = "state",
    effects: Sequence[float] = EFFECTS,
) -> pd.DataFrame:
    """Summary of the draws by ``placebo_summary.summarize_placebos``.

    Parameters
    ----------
    specs : label -> id of a specification of the study.
    clusters : label -> column by which standard errors are clustered, one after the other.
    draws, seed : how many, and from which seed.
    blocks : column across whose values activation dates are permuted.
    effects : sizes at which power is given, in log points.
    """
    chosen = tuple(context.spec(spec_id) for spec_id in specs.values())
    plan = Placebo(chosen, tuple(clusters.values()), blocks, seed)
    frames = {spec.panel: context.frame(spec.panel) for spec in chosen}
    drawn = draw_placebos(plan, placebo_subjects(plan, frames), range(draws))
    labels, columns = ({name: label for label, name in given.items()} for given in (specs, clusters))
    return summarize_placebos(drawn, labels, columns, effects)
