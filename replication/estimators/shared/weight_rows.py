"""Decompositions as ``Estimates``: the two-way effect first, then one row per weight."""

from __future__ import annotations

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from replication.core.details import Details
from replication.core.estimates import COLUMNS, Estimates


def with_weights(
    two_way: Estimates,
    estimator: str,
    cohort: Ints,
    time: Ints,
    weight: Floats,
    details: Details,
) -> Estimates:
    """The overall effect of ``two_way`` with its standard error, and (R,) weights, which have none.

    Weights are functions of who is treated when, not of the outcome; they are fixed numbers given
    the design, so their standard error is missing and the covariance leaves them out.
    """
    head = two_way.rows("att")
    first = head.iloc[0]
    rows = pd.DataFrame({"cohort": cohort, "time": time, "estimate": weight}).astype(float)
    rows = rows.assign(
        term="weight",
        event_time=np.nan,
        **{name: first[name] for name in ("spec_id", "study", "outcome")},
        **{name: int(first[name]) for name in ("n_obs", "n_units", "n_clusters")},
    ).reindex(columns=COLUMNS)
    # Empty columns are left out before they are joined: pandas 2 warns of them.
    known = rows.dropna(axis="columns", how="all")
    table = pd.concat([head, known], ignore_index=True).assign(estimator=estimator)
    place = np.flatnonzero(two_way.table["term"] == "att")[:1]
    vcov = two_way.vcov.iloc[place, place]
    return Estimates(table[COLUMNS], vcov, details)
