"""The panel of shall-issue laws: 50 states and the District of Columbia, 1977-1999 (Ayres and Donohue)."""

from __future__ import annotations

import pandas as pd

from replication.cleaning import rates
from replication.cleaning.codebook import conform
from replication.cleaning.column_checks import require_columns, require_unique
from replication.cleaning.sample_flow import SampleFlow
from replication.cleaning.timing import NEVER
from replication.core.errors import PanelError
from replication.sources.guns import NAMES
from studies.shall_issue.state_laws_schema import OFFENSES, SHALL_ISSUE_YEAR


def build_state_laws(panel: pd.DataFrame, regions: pd.DataFrame) -> tuple[pd.DataFrame, SampleFlow]:
    """Panel of state and year, and its flow.

    Parameters
    ----------
    panel : ``sources.guns.read_guns()``.
    regions : ``state_fips``, ``state``, ``postal`` and ``region`` of the 50 states and
        the District of Columbia.

    Returns
    -------
    frame : sorted by ``state_fips`` and ``year``, described by ``SHALL_ISSUE_YEAR``. The cohort is the first
        year with the law; it is the first year of the panel where the law is older.
    flow : one row, because no rule drops a state.

    Raises
    ------
    PanelError
        If columns are absent, a state and year stands twice, a state has no code, or a law is repealed.
    """
    require_columns(panel, list(NAMES.values()), "The panel of shall-issue laws")
    require_unique(panel, ["state", "year"], "The panel of shall-issue laws")
    places = regions[["state_fips", "state", "postal", "region"]].rename(columns={"postal": "state_postal"})
    frame = panel.merge(places, how="left", on="state", validate="many_to_one")
    _require_codes(frame)
    frame = frame.sort_values(["state_fips", "year"], ignore_index=True)
    frame["cohort"] = _cohort(frame)
    frame = frame.assign(**{f"log_{name}": rates.positive_log(frame[f"rate_{name}"]) for name in OFFENSES})
    frame = conform(frame[list(SHALL_ISSUE_YEAR.columns)], SHALL_ISSUE_YEAR)
    people = frame.groupby("state_fips")["population"].mean()
    flow = SampleFlow(people, "state_fips", "states")
    return frame, flow.record("States in the published data, with the District of Columbia", frame, frame)


def _cohort(frame: pd.DataFrame) -> pd.Series[int]:
    """First year in which the law is in force, 0 for never; laws of this panel are not repealed."""
    fell = frame.groupby("state_fips")["law"].diff() < 0
    if fell.any():
        first = frame[fell].iloc[0]
        raise PanelError(
            f"The law of {int(fell.sum())} states ends, first in {first['state']} in {first['year']}. "
            "Adoption is dated by the first year with the law; correct the column 'law'."
        )
    first_year = frame[frame["law"] == 1].groupby("state_fips")["year"].min()
    return frame["state_fips"].map(first_year).fillna(NEVER).astype("int64")


def _require_codes(frame: pd.DataFrame) -> None:
    absent = frame.loc[frame["state_fips"].isna(), "state"].unique()
    if len(absent):
        raise PanelError(
            f"{len(absent)} states of the panel of shall-issue laws are not in the table of Census regions, "
            f"first {absent[0]!r}. Correct the name."
        )
