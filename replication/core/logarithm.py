"""The outcome ``log(COLUMN)``: the natural logarithm of a column, taken when a panel is built."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from replication.core.columns import numeric, place_of, removal, require_columns
from replication.core.errors import PanelError
from replication.core.reading import with_numbers
from replication.core.spec import Spec


def logged_column(outcome: str) -> str | None:
    """The column whose logarithm an outcome is; None for an outcome that is a column itself."""
    found = re.fullmatch(r"log\((.+)\)", outcome.strip())
    return found[1].strip() if found else None


def source_column(outcome: str, frame: pd.DataFrame) -> str:
    """The column that an outcome is read from; that of a logarithm that is written otherwise is refused."""
    if outcome in frame.columns:
        return outcome
    other = re.fullmatch(r"(?:ln|LN|Ln|LOG|Log|np\.log)\s*\((.+)\)|log\s+\((.+)\)", outcome.strip())
    if other:
        column = (other[1] or other[2]).strip()
        raise PanelError(
            f"The panel has no column {outcome!r}. Write the natural logarithm of a column as log({column})."
        )
    return logged_column(outcome) or outcome


def with_logarithm(frame: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """The frame with the logarithm in a column of its own; -Inf of zeros, and Inf of negative values."""
    column = source_column(spec.outcome, frame)
    if column == spec.outcome:
        return frame
    require_columns(frame, [column])
    at = [name for name in (spec.unit, spec.time) if name in frame.columns]
    values = numeric(with_numbers(frame[list(dict.fromkeys((*at, column)))], spec.read), column, at=at)
    with np.errstate(divide="ignore"):
        return frame.assign(**{spec.outcome: np.log(np.where(values < 0, np.inf, values))})


def require_logarithm(frame: pd.DataFrame, spec: Spec) -> None:
    """Refuse zeros and negative numbers in the sample of a logarithm, with their count."""
    column = logged_column(spec.outcome)
    values = frame[spec.outcome].to_numpy(dtype=float) if column else np.zeros(0)
    bad, negative = np.isinf(values), np.isposinf(values)
    if not bad.any():
        return
    shown = negative if negative.any() else bad
    place = place_of(frame, shown, (spec.unit, spec.time)).removeprefix(" for")
    counted = f"{int(bad.sum())} of {len(frame)} values of column {column!r} are"
    if negative.any():
        zeros = "zero or " if bad.sum() > negative.sum() else ""
        raise PanelError(
            f"{counted} {zeros}negative, for example{place}; neither a log nor a Poisson model applies. Use "
            f"{column!r} itself as the outcome, or {removal(f'frame[{column!r}] > 0')}."
        )
    raise PanelError(
        f"{counted} zero and have no logarithm, for example{place}. A "
        "Poisson model keeps zeros (`estimator: poisson`, or `estimator: etwfe` with `family: poisson`, "
        "each on the column itself); or leave these rows out in 'sample'."
    )
