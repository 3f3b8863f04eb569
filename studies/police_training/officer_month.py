"""The panel of procedural-justice training: 7,785 Chicago officers by 2011-2016, by month.

The published panel is balanced already and every officer in it was trained, so no rule drops one.
Officers were assigned to training days independently of their record, which the study takes as
random.
"""

from __future__ import annotations

from typing import Final

import pandas as pd
import pandera.pandas as pa

from replication.cleaning.codebook import column, conform, schema
from replication.cleaning.column_checks import require_columns, require_unique
from replication.cleaning.sample_flow import SampleFlow

SOURCE: Final = "Wood, Tyler & Papachristos (2020), in the R package staggered"
OUTCOMES: Final = {
    "complaints": "Complaints against the officer",
    "sustained": "Complaints that were sustained",
    "force": "Uses of force by the officer",
}
MONTHS: Final = 72


def _officer_month() -> pa.DataFrameSchema:
    inf = float("inf")
    columns = {
        "uid": column("int64", "Officer", "number", SOURCE, bounds=(1, inf)),
        "period": column("int64", "Month, counted from January 2011", "month", SOURCE, bounds=(1, MONTHS)),
        "year": column("int64", "Calendar year", "year", SOURCE, bounds=(2011, 2016)),
        "month": column("datetime64[ns]", "First day of the month", "date", SOURCE),
        "cohort": column(
            "int64",
            "Month of the training the officer was assigned to",
            "month",
            SOURCE,
            bounds=(1, MONTHS),
        ),
        "trained": column(
            "int64", "Whether the month of training has begun", "0 or 1", SOURCE, allowed=(0, 1)
        ),
        **{
            name: column("int64", label, "number a month", SOURCE, bounds=(0, inf))
            for name, label in OUTCOMES.items()
        },
    }
    return schema("officer_month", columns, ["uid", "period"])


OFFICER_MONTH: Final = _officer_month()
"""Officers by month."""


def build_officer_month(training: pd.DataFrame) -> tuple[pd.DataFrame, SampleFlow]:
    """Panel of officers by month, and its flow.

    Parameters
    ----------
    training : DataFrame
        ``sources.police_training.read_police_training()``.

    Returns
    -------
    frame : DataFrame
        Sorted by ``uid`` and ``period``, described by ``OFFICER_MONTH``.
    flow : SampleFlow
        One line: no rule drops an officer.

    Raises
    ------
    PanelError
        If the frame lacks a column, repeats a month, or breaks the codebook.
    """
    what = "The officers' records"
    require_columns(training, ["uid", "period", "month", "first_trained", *OUTCOMES], what)
    require_unique(training, ["uid", "period"], what)
    frame = training.rename(columns={"first_trained": "cohort"}).assign(
        year=training["month"].dt.year.astype("int64"),
        trained=(training["period"] >= training["first_trained"]).astype("int64"),
    )
    frame = conform(frame[list(OFFICER_MONTH.columns)], OFFICER_MONTH)
    officers = pd.Series(1, index=frame["uid"].unique())
    flow = SampleFlow(officers, "uid", "officers")
    rule = "Officers of the published panel, all trained and observed in every month"
    return frame, flow.record(rule, frame, frame)
