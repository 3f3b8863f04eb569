"""The panel of castle doctrine laws: 50 states by 2000-2010 (Cheng & Hoekstra 2013).

The data's own ``post`` starts the year after a law takes effect and its ``lag0`` would misdate
the cohorts; both are built here from the typed dates instead. With them all 13 printed
coefficients are reproduced exactly: log of the rate on ``post``, weights ``popwt``, state and either year or
Census region by year effects.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from replication.cleaning import rates
from replication.cleaning.codebook import conform
from replication.cleaning.column_checks import require_columns, require_unique
from replication.cleaning.sample_flow import SampleFlow
from replication.cleaning.timing import NEVER
from replication.core.errors import PanelError
from replication.sources.castle_panel import NAMES
from studies.castle_doctrine.state_year_schema import CASTLE_CONTROLS, CASTLE_RATES, STATE_YEAR

SHIPPED: Final = {ours: theirs for theirs, ours in NAMES.items()}
"""Name in the reader's frame -> name in the authors' data."""


def build_state_year(
    panel: pd.DataFrame, adoption: pd.DataFrame, regions: pd.DataFrame
) -> tuple[pd.DataFrame, SampleFlow]:
    """Panel of state and year, and its flow.

    Parameters
    ----------
    panel : DataFrame
        ``sources.castle.read_castle()``.
    adoption : DataFrame
        ``state_fips``, ``effective_year``, ``share_of_effective_year_in_force``.
    regions : DataFrame
        ``state_fips``, ``state``, ``postal``, ``region``.

    Returns
    -------
    frame : DataFrame
        Sorted by ``state_fips`` and ``year``, described by ``state_year_schema.STATE_YEAR``.
    flow : SampleFlow
        One line: no rule drops a state.

    Raises
    ------
    PanelError
        If a frame lacks columns, a key is repeated, or a law is in a state outside the panel.
    """
    frame = panel.rename(columns=SHIPPED)
    _require(frame, adoption, regions)
    places = regions[["state_fips", "state", "postal", "region"]]
    places = places.rename(columns={"postal": "state_postal"})
    frame = frame.merge(places, how="left", on="state_fips", validate="many_to_one")
    frame = pd.concat([frame, _treatment(frame, adoption)], axis=1)
    logs = {f"log_{name}": rates.positive_log(frame[name]) for name in CASTLE_RATES}
    frame = frame.assign(**logs)[list(STATE_YEAR.columns)]
    frame = conform(frame, STATE_YEAR)
    people = frame.drop_duplicates("state_fips").set_index("state_fips")["popwt"]
    flow = SampleFlow(people, "state_fips", "states")
    flow = flow.record("States in the published data (no District of Columbia)", frame, frame)
    return frame, flow


def share_in_force(year: pd.Series, effective: pd.Series, share: pd.Series) -> pd.Series:
    """0 before the year in which a law takes effect, its share of that year, then 1; never: 0."""
    first = np.where(year == effective, share, 0.0)
    values = np.where(year > effective, 1.0, first)
    return pd.Series(values, index=year.index)


def _treatment(frame: pd.DataFrame, adoption: pd.DataFrame) -> pd.DataFrame:
    laws = adoption.set_index("state_fips")
    effective = frame["state_fips"].map(laws["effective_year"])
    share = frame["state_fips"].map(laws["share_of_effective_year_in_force"])
    cohort = effective.fillna(NEVER).astype("int64")
    # A law in force for the whole of its first year makes that year the first full one.
    later = (share < 1).astype("int64")
    return pd.DataFrame(
        {
            "post": share_in_force(frame["year"], effective, share),
            "cohort": cohort,
            "cohort_first_full_year": (cohort + later).where(cohort != NEVER, NEVER),
        }
    )


def _require(frame: pd.DataFrame, adoption: pd.DataFrame, regions: pd.DataFrame) -> None:
    names = ["state_fips", "year", "popwt", *CASTLE_RATES, *CASTLE_CONTROLS]
    require_columns(frame, names, "The castle doctrine data")
    require_unique(frame, ["state_fips", "year"], "The castle doctrine data")
    dated = ["state_fips", "effective_year", "share_of_effective_year_in_force"]
    require_columns(adoption, dated, "The castle doctrine laws")
    require_unique(adoption, ["state_fips"], "The castle doctrine laws")
    require_columns(regions, ["state_fips", "state", "postal", "region"], "The Census regions")
    stray = sorted(set(adoption["state_fips"]) - set(frame["state_fips"]))
    if stray:
        raise PanelError(
            f"The castle doctrine laws name {len(stray)} states that the data do not have, first "
            f"state code {stray[0]}. Correct the table of adoption."
        )
