"""Which function makes which kind of analysis."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.core.errors import SpecError, nearest

KINDS: tuple[str, ...] = (
    "balance",
    "cohort_means",
    "collected",
    "combinations",
    "compare_sources",
    "comparisons",
    "coverage_by_state",
    "decomposition",
    "detectable",
    "determinants",
    "identification",
    "known_paths",
    "known_truth",
    "leave_out",
    "missing_agency_bounds",
    "permuted",
    "placebo",
    "pretrends",
    "robust_intervals",
    "rollout_by_role",
    "stepdown",
    "summary_statistics",
    "timing_balance",
    "transcription_agreement",
)
"""Kinds of analysis; each has a module of its name with a function of its name."""


def analyse(entry: Mapping[str, Any], context: AnalysisContext) -> pd.DataFrame:
    """The frame that one entry of a study's ``analyses`` asks for.

    Parameters
    ----------
    entry : mapping
        ``id`` (the file's name), ``kind``, and the options of that kind.
    """
    kind = str(entry["kind"])
    if kind not in KINDS:
        raise SpecError(
            f"The analysis {entry['id']!r} is of the kind {kind!r}{nearest(kind, KINDS)}, which is "
            f"not known. Kinds: {', '.join(KINDS)}."
        )
    module = importlib.import_module(f"replication.analyses.{kind}")
    options = {key: value for key, value in entry.items() if key not in ("id", "kind")}
    try:
        found: pd.DataFrame = getattr(module, kind)(context, **options)
    except TypeError as error:
        if "argument" not in str(error):
            raise
        raise SpecError(f"The analysis {entry['id']!r} ({kind}): {error}.") from None
    return found
