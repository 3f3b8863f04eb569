"""Event-time paths of a simulated study beside the true path, one row per point."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from studies.secure_communities_simulated.analyses.simulated_truth import panel_and_effect, truth_at

TRUE_PATH = "True effect"


def known_paths(context: AnalysisContext, *, panels: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Paths by panel and series.

    Parameters
    ----------
    panels : heading -> {label: id of a specification with event times}. The true path is that of
        the first specification's sample.

    Returns
    -------
    DataFrame
        ``panel``, ``series`` (a label, or ``True effect``), ``event_time``, ``estimate``,
        ``conf_low``, ``conf_high`` (the truth has an interval of no width).
    """
    parts = []
    for heading, lines in panels.items():
        for place, (label, spec_id) in enumerate(lines.items()):
            rows, _ = context.estimates(spec_id).path()
            if place == 0:
                parts.append(_true(context, spec_id, rows).assign(panel=heading))
            parts.append(rows.assign(panel=heading, series=label))
    names = ["panel", "series", "event_time", "estimate", "conf_low", "conf_high"]
    return pd.concat(parts, ignore_index=True)[names]


def _true(context: AnalysisContext, spec_id: str, rows: pd.DataFrame) -> pd.DataFrame:
    panel, effect = panel_and_effect(context, context.spec(spec_id))
    path = pd.DataFrame({"event_time": sorted(rows["event_time"].unique())})
    path["estimate"] = [truth_at(panel, effect, time) for time in path["event_time"]]
    return path.assign(series=TRUE_PATH, conf_low=path["estimate"], conf_high=path["estimate"])
