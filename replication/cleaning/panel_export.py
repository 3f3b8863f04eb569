"""A cleaned panel for other software: Stata, R, CSV or parquet, with the labels of its codebook."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from replication.cleaning.estimation_frame import EstimationFrame
from replication.core.errors import PanelError, SpecError
from replication.core.files import replacing, write_csv, write_parquet
from replication.core.wording import extension_words

ENDINGS: Final = ("dta", "csv", "rds", "parquet")
LONGEST_NAME: Final = 32
"""Characters that Stata takes in the name of a variable."""
LONGEST_LABEL: Final = 80
LARGEST_LONG: Final = 2_147_483_620
"""Largest whole number of Stata's type long; larger ones are stored as double."""
RESERVED: Final = frozenset(
    (
        *("_all", "_b", "_coef", "_cons", "_n", "_N", "_pi", "_pred", "_rc", "_skip", "byte", "double"),
        *("float", "if", "in", "int", "long", "strL", "using", "with"),
    )
)
LONGEST_TEXT: Final = 2045
"""Bytes of a text of fixed length in Stata; longer ones are stored as strL."""


def stata_names(names: list[str]) -> dict[str, str]:
    """Names of columns as Stata takes them: letters, digits and _, at most 32 characters, each once.

    Parameters
    ----------
    names : unique names.

    Returns
    -------
    dict
        Name in the panel -> name in Stata; the same where it is allowed. A name that is cut or changed into
        one that is taken ends in _2, _3, ...
    """
    found: dict[str, str] = {}
    allowed = {name for name in names if _plain(name) == name}
    taken = set(allowed)
    for name in names:
        short = _plain(name)
        number = 2
        while name not in allowed and short in taken:
            tail = f"_{number}"
            short, number = _plain(name)[: LONGEST_NAME - len(tail)] + tail, number + 1
        taken.add(short)
        found[name] = short
    return found


def _plain(name: str) -> str:
    text = re.sub(r"[^A-Za-z0-9_]", "_", name)
    text = (
        f"_{text}"
        if not text or text[0].isdigit() or text in RESERVED or re.match(r"str\d+$", text)
        else text
    )
    return text[:LONGEST_NAME]


def export_panel(panel: pd.DataFrame | EstimationFrame, labels: Mapping[str, str], place: Path) -> list[Path]:
    """Write a panel in the format of the ending of ``place``, and its variables beside it.

    In Stata, periods that were read as quarters or months have the format %tq or %tm, and units whose
    names are text are numbers with value labels, as ``xtset`` needs.

    Parameters
    ----------
    panel : DataFrame or EstimationFrame
    labels : what each column is, from the codebook.
    place : ends in .dta, .csv, .rds or .parquet.

    Returns
    -------
    list of Path
        The panel, and ``<name>_<format>_variables.csv``: name in the panel, name in the file, label.

    Raises
    ------
    SpecError
        For any other ending.
    """
    kind = place.suffix.removeprefix(".")
    if kind not in ENDINGS:
        raise SpecError(
            f"Panels are exported as {', '.join(ENDINGS[:-1])}, or {ENDINGS[-1]}, and {place} "
            f"{extension_words(place)}. Use one of these endings."
        )
    ready = panel if isinstance(panel, EstimationFrame) else EstimationFrame(panel)
    frame = ready.frame
    names = stata_names([str(name) for name in frame.columns]) if kind == "dta" else {}
    writers: dict[str, Callable[[], None]] = {
        "csv": lambda: write_csv(place, frame),
        "parquet": lambda: write_parquet(place, frame),
        "dta": lambda: write_stata(place, ready, names, labels),
        "rds": lambda: write_rds(place, frame),
    }
    writers[kind]()
    rows = [
        {"name": name, "exported": names.get(name, name), "label": labels.get(name, "")}
        for name in map(str, frame.columns)
    ]
    beside = place.with_name(f"{place.stem}_{kind}_variables.csv")
    write_csv(beside, pd.DataFrame(rows))
    return [place, beside]


def write_stata(
    place: Path, ready: EstimationFrame, names: Mapping[str, str], labels: Mapping[str, str]
) -> None:
    """Write a Stata file (version 118) atomically, with variable labels cut to 80 characters."""
    typed = pd.DataFrame({names[str(name)]: stata_values(values) for name, values in ready.frame.items()})
    if ready.unit and typed[names[ready.unit]].dtype == object:
        typed[names[ready.unit]] = typed[names[ready.unit]].astype("category")
    dates = {names[name]: "tq" if ready.kind == "quarter" else "tm" for name in ready.dated}
    labeled = {names[name]: label[:LONGEST_LABEL] for name, label in labels.items() if name in names}
    long = [
        name
        for name, values in typed.items()
        if values.dtype == object and max(len(text.encode()) for text in values) > LONGEST_TEXT
    ]
    with replacing(place) as temporary:
        typed.to_stata(
            temporary,
            write_index=False,
            variable_labels=labeled,
            version=118,
            convert_strl=long,
            convert_dates=dates or None,  # type: ignore[arg-type]  # the stubs of pandas take no name of a column
        )


def stata_values(values: pd.Series[Any]) -> pd.Series[Any]:
    """A column as Stata holds it: true as 1, text without missing values, large numbers as double.

    Raises
    ------
    PanelError
        For infinite values, which Stata has not.
    """
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.astype("float64") if values.isna().any() else values.astype("int8")
    if pd.api.types.is_datetime64_any_dtype(values):
        return values
    if pd.api.types.is_numeric_dtype(values):
        plain = values.to_numpy(dtype=float, na_value=np.nan) if values.isna().any() else values.to_numpy()
        infinite = int(np.isinf(plain).sum()) if plain.dtype.kind == "f" else 0
        if infinite:
            raise PanelError(
                f"{infinite} values of column {values.name!r} are infinite, which Stata has not. Export to "
                "csv, rds or parquet, or leave these cells empty when the panel is cleaned."
            )
        large = plain.dtype.kind in "iu" and plain.size and np.abs(plain).max() > LARGEST_LONG
        return pd.Series(plain.astype(float) if large else plain, index=values.index)
    return values.astype(object).where(values.notna(), "").astype(str).astype(object)


def write_rds(place: Path, frame: pd.DataFrame) -> None:
    """Write a data frame of R atomically; R has no 64-bit integers, so whole numbers are doubles there."""
    import pyreadr

    plain = pd.DataFrame({str(name): r_values(values) for name, values in frame.items()})
    with replacing(place) as temporary:
        pyreadr.write_rds(str(temporary), plain)


def r_values(values: pd.Series[Any]) -> pd.Series[Any]:
    """A column as R holds it."""
    if pd.api.types.is_bool_dtype(values.dtype) and not values.isna().any():
        return values.astype(bool)
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(values.dt.strftime("%Y-%m-%d"), dtype=object)
    if pd.api.types.is_numeric_dtype(values):
        return values.astype("float64")
    return values.astype(object)
