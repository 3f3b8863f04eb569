"""Estimates of a simulated study beside the true effect and the estimand of the method."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from studies.secure_communities_simulated.analyses.simulated_truth import (
    overall_truth,
    panel_and_effect,
    without_noise,
)


def known_truth(context: AnalysisContext, *, groups: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Overall effects.

    Parameters
    ----------
    groups : heading -> {label: id of a specification whose outcome is a log rate}.

    Returns
    -------
    DataFrame
        ``group``, ``label``, ``spec_id``, ``truth`` (sum of effects over the treated cells of
        its sample, divided by the sum of the treatment), ``without_noise`` (what the estimator
        gives for the true effects alone;
        it differs from the truth where the method has distorting weights or takes a treated month as
        its reference), ``estimate``, ``std_error``, ``conf_low``, ``conf_high``, ``covers``
        (whether the interval contains the true effect: yes or no).
    """
    rows = []
    for heading, lines in groups.items():
        for label, spec_id in lines.items():
            spec = context.spec(spec_id)
            panel, effect = panel_and_effect(context, spec)
            truth = overall_truth(panel, effect)
            row = context.estimates(spec_id).rows("att").iloc[0]
            inside = row["conf_low"] <= truth <= row["conf_high"]
            rows.append(
                {
                    "group": heading,
                    "label": label,
                    "spec_id": spec_id,
                    "truth": truth,
                    "without_noise": without_noise(panel, effect, spec).att[0],
                    **{name: row[name] for name in ("estimate", "std_error", "conf_low", "conf_high")},
                    "covers": "yes" if inside else "no",
                }
            )
    return pd.DataFrame(rows)
