"""Hispanic and other victims as two units of a county: the panel of the triple difference."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from replication.cleaning.codebook import conform
from replication.cleaning.rates import positive_log
from replication.cleaning.sample_flow import SampleFlow
from studies.secure_communities_homicides.homicide_schemas import COUNTY_MONTH_ETHNICITY

KINDS: Final = {0: "non_hispanic", 1: "hispanic"}


def by_ethnicity(frame: pd.DataFrame, flow: SampleFlow) -> tuple[pd.DataFrame, SampleFlow]:
    """Two rows for each county and month.

    With county-by-ethnicity and month-by-ethnicity fixed effects, ``share_of_month``
    carries the change common to both groups and ``hispanic_share_of_month`` the triple
    difference: the differential change of the number of Hispanic victims at activation.

    Parameters
    ----------
    frame : DataFrame
        ``homicides.build_county_month(...).frame``.
    flow : SampleFlow
        Its sample flow, which is continued.

    Returns
    -------
    frame : DataFrame
        Described by ``homicide_schemas.COUNTY_MONTH_ETHNICITY``.
    flow : SampleFlow
    """
    both = (frame["hispanic_population"] > 0) & (frame["non_hispanic_population"] > 0)
    without = frame.loc[~both, "fips"].unique()
    kept, flow = flow.keep(
        frame, ~frame["fips"].isin(without), "Hispanic and non-Hispanic residents in every year"
    )
    doubled = pd.concat([_group(kept, code, name) for code, name in KINDS.items()])
    doubled = doubled.reset_index(drop=True)
    flow = flow.record("Two rows per county and month: Hispanic and non-Hispanic victims", kept, doubled)
    return conform(doubled, COUNTY_MONTH_ETHNICITY), flow


def _group(frame: pd.DataFrame, code: int, name: str) -> pd.DataFrame:
    people = frame[f"{name}_population"]
    group = frame.assign(
        unit=10 * frame["fips"] + code,
        hispanic=np.int64(code),
        victims=frame[f"{name}_victims"],
        victims_allocated=frame[f"{name}_victims_allocated"],
        group_population=people,
        log_group_population=positive_log(people),
        hispanic_share_of_month=code * frame["share_of_month"],
    )
    return group[list(COUNTY_MONTH_ETHNICITY.columns)]
