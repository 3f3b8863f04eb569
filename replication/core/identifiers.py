"""Labels of units, clusters and strata that would silently merge or split.

Read from a CSV file as numbers, '01' and '1' are one unit; 'Ohio' and 'Ohio ' are two; whole
numbers beyond 2^53 that pass through floating point are rounded to one another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from replication.core.arrays import Floats
from replication.core.columns import EXACT
from replication.core.errors import PanelError
from replication.core.reading import plain_label, proposal

NEARLY_ALL: Final = 0.75
"""Groups more numerous than this share of the units are refused; pairs are half as many as units."""


def require_unlike(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse labels that differ only in spaces, character encoding, or type, and names only in case."""
    for column in dict.fromkeys(columns):
        values = frame[column]
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
            _require_exact(values, column)
            continue
        labels = pd.Series(values.dropna().unique(), dtype=object)
        plain = labels.map(plain_label)
        twins = plain.duplicated(keep=False)
        if twins.any():
            first = labels[plain == plain[twins].iloc[0]].tolist()[:2]
            count = int(plain.duplicated().sum())
            pairs = "1 pair of values," if count == 1 else f"{count} pairs of values,"
            raise PanelError(
                f"Column {column!r} contains {pairs} such as {first[0]!r} and {first[1]!r}, that "
                f"{'differs' if count == 1 else 'differ'} only in spaces, character encoding, or type (text "
                "or number). Give each unit or group one spelling; "
                f"{proposal({'read.strip_blanks': True})} removes the spaces."
            )
        if plain.str.casefold().duplicated().any() and (pair := same_but_case(labels)):
            spaces = " and spaces" if any(plain_label(name) != name for name in pair) else ""
            raise PanelError(
                f"Column {column!r} contains {pair[0]!r} and {pair[1]!r}, which differ in capital "
                f"letters{spaces} only and count as two. Give each unit or group one spelling in the file."
            )


def same_but_case(labels: Iterable[Any]) -> tuple[str, str] | None:
    """The first two names that differ in capital letters only, whatever their blanks.

    Names of two letters or more: a single letter, or a code with digits, may well depend on case.
    """
    names = [label for label in labels if isinstance(label, str) and _is_name(label)]
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(plain_label(name).casefold(), name)
        if plain_label(first) != plain_label(name):
            return first, name
    return None


def _is_name(label: str) -> bool:
    """Whether a label has two letters or more, and no digit."""
    return sum(map(str.isalpha, label)) > 1 and not any(map(str.isdigit, label))


def _require_exact(values: pd.Series[Any], column: str) -> None:
    if not pd.api.types.is_float_dtype(values):
        return
    large = values.abs() >= EXACT
    if large.any():
        raise PanelError(
            f"{int(large.sum())} of {len(values)} values of column {column!r} are stored as floating-point "
            f"numbers of 2^53 or more, for example {values[large].iloc[0]:.0f}, where neighboring whole "
            "numbers cannot be distinguished. Store the column as text or as integers."
        )


def require_groups(codes: Any, units: int, values: pd.Series[Any], purpose: str) -> None:
    """Refuse a column with nearly as many groups as there are units, as a continuous one has.

    Parameters
    ----------
    codes : group of each unit or row.
    purpose : what its groups are, such as ``clusters``.
    """
    groups = np.unique(codes).size
    if groups > NEARLY_ALL * units:
        raise PanelError(
            f"Column {values.name!r} takes {groups} values for {units} units, for example {values.iloc[0]}, "
            f"so it does not define {purpose}. Name a column that groups units, such as a state or region, "
            "or form intervals of a continuous one."
        )


def is_continuous(values: pd.Series[Any]) -> bool:
    """Whether a column holds numbers that are not whole."""
    if not pd.api.types.is_float_dtype(values):
        return False
    found: Floats = values.dropna().to_numpy(dtype=float)
    return bool((found != np.round(found)).any())


def text_where_zeros_lead(
    path: Path, frame: pd.DataFrame, columns: Sequence[str], **options: Any
) -> pd.DataFrame:
    """The frame of a CSV file with those id columns as text whose leading zeros were lost.

    Parameters
    ----------
    **options
        What ``pandas.read_csv`` was given as well.

    Raises
    ------
    PanelError
        If labels that differ in the file became equal as numbers in another way, as 1 and 1.0.
    """
    numeric = [
        name
        for name in dict.fromkeys(columns)
        if name in frame.columns and pd.api.types.is_numeric_dtype(frame[name])
    ]
    if not numeric:
        return frame
    raw = pd.read_csv(path, usecols=numeric, dtype=str, **options)
    if not raw.index.equals(frame.index):
        return frame
    for name in numeric:
        text = raw[name].str.strip()
        if text.str.match(r"^0\d").any():
            frame = frame.assign(**{name: text})
        elif text.nunique() > frame[name].nunique():
            _refuse_merged(text, frame[name], name)
    return frame


def _refuse_merged(text: pd.Series[Any], number: pd.Series[Any], name: str) -> None:
    pairs = pd.DataFrame({"text": text, "number": number}).drop_duplicates()
    twins = pairs[pairs["number"].duplicated(keep=False)].sort_values("number")
    first, second = twins["text"].iloc[:2]
    raise PanelError(
        f"Column {name!r} has {first!r} and {second!r}, which are one number and two labels. "
        "Write each unit or group in one way."
    )


def require_single_names(names: Sequence[Any], where: str) -> None:
    """Refuse a repeated column name; blank ones do not count."""
    counts = Counter(str(name) for name in names if str(name).strip())
    for name, count in counts.most_common(1):
        if count > 1:
            raise PanelError(
                f"{where} has {count} columns named {name!r}, so it is unclear which one you mean. Rename or "
                "remove all but one."
            )
