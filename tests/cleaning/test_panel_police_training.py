"""Officers by month: what the panel says of training follows from the records."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from replication.core.errors import PanelError
from studies.police_training.officer_month import OFFICER_MONTH, build_officer_month


def records() -> pd.DataFrame:
    months = pd.date_range("2011-01-01", periods=72, freq="MS")
    frame = pd.DataFrame(
        [(uid, t, months[t - 1], cohort) for uid, cohort in ((9, 3), (4, 72)) for t in range(1, 73)],
        columns=["uid", "period", "month", "first_trained"],
    )
    counts = np.random.default_rng(1).poisson(0.5, (len(frame), 3))
    frame[["complaints", "sustained", "force"]] = counts.astype("int64")
    return frame


def test_treatment_starts_with_the_month_of_training() -> None:
    source = records()
    frame, flow = build_officer_month(source)
    assert frame.columns.tolist() == list(OFFICER_MONTH.columns)
    assert frame["uid"].tolist() == [4] * 72 + [9] * 72
    assert frame.groupby("uid")["trained"].sum().to_dict() == {4: 1, 9: 70}
    assert frame.groupby("uid")["cohort"].first().to_dict() == {4: 72, 9: 3}
    assert frame["year"].value_counts().to_dict() == dict.fromkeys(range(2011, 2017), 24)
    assert frame[["complaints", "force"]].sum().tolist() == (source[["complaints", "force"]].sum().tolist())
    table = flow.table()
    assert table[["officers_before", "officers_after"]].to_numpy().tolist() == [[2, 2]]


def test_repeated_months_and_broken_counts_are_refused() -> None:
    with pytest.raises(PanelError, match="repeated rows by uid and period, first uid 9, period 1"):
        build_officer_month(pd.concat([records(), records().iloc[[0]]]))
    with pytest.raises(PanelError, match="no column 'force'"):
        build_officer_month(records().drop(columns="force"))
    with pytest.raises(PanelError, match="complaints"):
        build_officer_month(records().assign(complaints=-1))
