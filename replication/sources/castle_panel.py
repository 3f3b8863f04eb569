"""State panel of Cheng and Hoekstra (2013) as shipped by the package causaldata.

50 states by 2000-2010. The package's own ``post`` and its leads and lags are not used, as they
start in the year after the law takes effect and would misdate every cohort. The dates come from
the typed table of adoption (``typed.read_castle_adoption``).
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from replication.core.errors import SourceError

FIPS: Final = (1, 2, *range(4, 7), *range(8, 14), *range(15, 43), *range(44, 52), *range(53, 57))
"""State FIPS codes in order; with the District of Columbia they are in alphabetical order too."""

NAMES: Final = {
    "year": "year",
    "sid": "sid",
    "popwt": "population_weight",
    "homicide": "homicide",
    "robbery": "robbery",
    "assault": "assault",
    "burglary": "burglary",
    "larceny": "larceny",
    "motor": "motor_vehicle_theft",
    "murder": "murder",
    "robbery_gun_r": "gun_robbery_share",
    "jhcitizen_c": "justifiable_homicides_by_citizens",
    "jhpolice_c": "justifiable_homicides_by_police",
    "l_police": "log_police",
    "unemployrt": "unemployment_rate",
    "poverty": "poverty_rate",
    "l_income": "log_income",
    "l_prisoner": "log_prisoners",
    "l_lagprisoner": "log_prisoners_lagged",
    "blackm_15_24": "percent_black_male_15_24",
    "whitem_15_24": "percent_white_male_15_24",
    "blackm_25_44": "percent_black_male_25_44",
    "whitem_25_44": "percent_white_male_25_44",
    "l_exp_subsidy": "log_spending_subsidies",
    "l_exp_pubwelfare": "log_spending_welfare",
}
"""Column of causaldata -> column of this package."""


def read_castle() -> pd.DataFrame:
    """Crime, controls and weights of 50 states in 2000-2010.

    Returns
    -------
    DataFrame
        550 rows sorted by state and year: ``state_fips``, ``year``, ``sid`` (the package's state
        number), ``population_weight``, offenses per 100,000 people (``homicide`` includes
        nonnegligent manslaughter), and the twelve controls, demographic ones in percent.

    Raises
    ------
    SourceError
        If the installed causaldata does not carry the panel as expected.
    """
    from causaldata import castle

    frame: pd.DataFrame = castle.load_pandas().data
    absent = [name for name in NAMES if name not in frame.columns]
    if absent or len(frame) != 550 or frame.duplicated(["sid", "year"]).any():
        raise SourceError(
            f"The castle panel in the installed package causaldata has {len(frame)} rows and lacks "
            f"{', '.join(absent) or 'no column'}; 50 states by 11 years are expected. Install the "
            "version that requirements.lock names."
        )
    whole = {"year": "int64", "sid": "int64"}
    tidy = frame[list(NAMES)].rename(columns=NAMES).astype("float64").astype(whole)
    tidy.insert(0, "state_fips", [FIPS[sid - 1] for sid in tidy["sid"]])
    return tidy.sort_values(["state_fips", "year"], ignore_index=True)
