"""Totals, rates and logs of the offense counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from replication.cleaning.column_checks import require_columns
from replication.core.errors import PanelError
from replication.sources import OFFENSES

TOTALS: Final[dict[str, tuple[str, ...]]] = {
    "index": OFFENSES,
    "violent": OFFENSES[:4],
    "violent_no_rape": ("murder", "robbery", "aggravated_assault"),
    "property": OFFENSES[4:],
}
"""Sums that are reported beside the seven offenses. Arson is in none of them: few agencies
report it."""
OUTCOMES: Final = (*OFFENSES, *TOTALS)
PER: Final = 100_000


def totals(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns ``index``, ``violent``, ``violent_no_rape``, ``property``; missing if a part is.

    Raises
    ------
    PanelError
        If a count is negative.
    """
    require_columns(frame, OFFENSES, "The county offenses")
    negative = frame[list(OFFENSES)].lt(0)
    if negative.any(axis=None):
        name = negative.columns[negative.any().to_numpy()][0]
        raise PanelError(
            f"{int(negative.to_numpy().sum())} offense counts are negative, first in column "
            f"{name!r}. Counts of offenses known cannot be negative: read the raw file again."
        )
    sums = {name: frame[list(parts)].sum(axis=1, skipna=False) for name, parts in TOTALS.items()}
    return pd.DataFrame(sums, index=frame.index)


def rates(frame: pd.DataFrame, names: Sequence[str], people: str) -> pd.DataFrame:
    """Columns ``rate_<name>`` = 100,000 x count / people, missing where no one is counted."""
    counted = frame[people].where(frame[people] > 0)
    return pd.DataFrame({f"rate_{name}": PER * frame[name] / counted for name in names})


def log_rates(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Columns ``log_rate_<name>``: natural log of ``rate_<name>``, missing where it is zero."""
    return pd.DataFrame({f"log_rate_{name}": positive_log(frame[f"rate_{name}"]) for name in names})


def positive_log(values: pd.Series) -> pd.Series:
    """Natural log, missing where the value is zero or missing."""
    positive = values.where(values > 0).astype(float)
    return pd.Series(np.log(positive.to_numpy()), index=values.index)
