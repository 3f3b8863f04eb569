"""The contents of panels and covariance matrices, in few enough characters to be committed.

A panel is verified by digests of its columns in blocks of rows, as raw data of others may not be committed: a
digest names the column and the rows that changed and reveals no value. A covariance matrix is verified by two
numbers, as the matrices of a study run to megabytes.
"""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from replication.core.arrays import Floats
from replication.core.errors import InputError
from replication.core.temporary_files import visible_paths

BLOCKS: Final = 8
BITS: Final = 30
"""Binary digits of a number that enter a digest, nine decimal ones: the last digits vary by machine."""
NOISE: Final = 1e-12
"""A number below it counts as zero in a digest: it may be the rounding error of a sum that is zero."""
ASYMMETRY: Final = 1e-12
"""Rounding errors of a covariance relative to the two standard errors; at most 8e-15 were seen."""
CONTENT: Final = 1e-6
"""Tolerance of the two numbers of a matrix, for each of its rows: that of the estimates, as both are in
units of a relative change of a variance."""
FALLEN: Final = 1e-12
"""A variance below this share of the largest is that of a value normalized to zero, and not compared."""
PANEL_COLUMNS: Final = ["panel", "rows", "column", "type", "digests"]
MATRIX_COLUMNS: Final = ["spec_id", "rows", "log_variances", "correlations"]


def panel_contents(folder: Path) -> pd.DataFrame:
    """A row for each column of each panel in ``data_clean/<study>``, with digests of its blocks of rows."""
    lines = []
    for path in visible_paths(folder.glob("*.parquet"), folder):
        frame = read_panel(path)
        for name in frame.columns:
            digests = " ".join(column_digest(part) for part in blocks(frame[name]))
            lines.append((path.stem, len(frame), str(name), kind_of(frame[name]), digests))
    return pd.DataFrame(lines, columns=PANEL_COLUMNS)


def read_panel(path: Path) -> pd.DataFrame:
    """A panel from its file; refused if it cannot be read."""
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} cannot be read ({reason}). Run the pipeline again.") from None


def blocks(column: pd.Series) -> list[pd.Series]:
    """A column in ``BLOCKS`` parts of nearly equal length, in the order of its rows."""
    edges = block_edges(len(column))
    return [column.iloc[start:end] for start, end in pairwise(edges)]


def block_edges(rows: int) -> list[int]:
    """The first row of each block, and the number of rows."""
    return [rows * place // BLOCKS for place in range(BLOCKS + 1)]


def kind_of(column: pd.Series) -> str:
    """The kind of a column, by the same word in every version of pandas."""
    kinds = {"f": "number", "i": "whole number", "u": "whole number", "b": "true or false", "M": "date"}
    return kinds.get(getattr(column.dtype, "kind", "O"), "text")


def column_digest(column: pd.Series) -> str:
    """Eight characters that change with the values of a column, but not with the last digits of numbers."""
    kind = kind_of(column)
    if kind == "number":
        data = rounded(column.to_numpy(dtype=float)).tobytes()
    elif kind == "date":
        data = column.to_numpy(dtype="datetime64[ns]").astype("<i8").tobytes()
    elif kind == "text":
        data = "\n".join(map(str, column.astype(object).where(column.notna(), "\0"))).encode()
    else:
        data = column.to_numpy().astype("<i8").tobytes()
    return hashlib.sha256(data).hexdigest()[:8]


def rounded(values: Floats) -> np.ndarray:
    """Mantissas of ``BITS`` binary digits and exponents: exact arithmetic, the same on every machine."""
    mantissa, exponent = np.frexp(np.where(np.abs(values) < NOISE, 0.0, values))
    missing = ~np.isfinite(values)
    whole = np.rint(np.ldexp(np.where(missing, 0.0, mantissa), BITS)).astype("<i8")
    return np.column_stack([whole, np.where(missing, 9_999, exponent)]).astype("<i8")


def matrix_contents(folder: Path) -> pd.DataFrame:
    """A row for each covariance matrix in ``tables/<study>``."""
    paths = visible_paths(folder.glob("specs/*/vcov.csv"), folder)
    lines = [(path.parent.name, *summary(read_matrix(path)[1])) for path in paths]
    return pd.DataFrame(lines, columns=MATRIX_COLUMNS)


def read_matrix(path: Path) -> tuple[list[str], Floats]:
    """The names of the rows of a covariance matrix, and its values.

    Raises
    ------
    InputError
        If the file is no square matrix of numbers with the same names at its head and its side.
    """
    try:
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        cells = [line.rsplit(",", len(lines)) for line in lines]
        values = np.array([[float(cell or "nan") for cell in row[1:]] for row in cells])
        names = [row[0] for row in cells]
        if head != ",".join(["row", *names]):
            raise ValueError("its columns and rows have different names")
        return names, values.reshape(len(names), len(names))
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} is no covariance matrix ({error})") from None


def summary(matrix: Floats) -> tuple[int, str, str]:
    """Rows, the sum of the logarithms of the variances, and a weighted sum of the correlations.

    The weights are fractions of multiples of the golden section, so that no two entries may change places.
    """
    variances = np.diag(matrix)
    known = variances > FALLEN * np.nanmax(variances, initial=0.0)
    errors = np.sqrt(variances[known])
    correlations = matrix[np.ix_(known, known)] / np.outer(errors, errors)
    weights = np.modf(np.arange(1, correlations.size + 1) * 0.6180339887498949)[0]
    total = float(np.nansum(correlations.ravel() * weights))
    return len(matrix), f"{2 * np.log(errors).sum():.12g}", f"{total:.12g}"


def asymmetry(names: list[str], matrix: Floats) -> str:
    """The first covariance that differs from its mirror image, in words; empty if none does."""
    errors = np.sqrt(np.abs(np.diag(matrix)))
    off = np.abs(matrix - matrix.T) > ASYMMETRY * np.outer(errors, errors)
    if not off.any():
        return ""
    row, column = np.argwhere(off)[0]
    pair = f"row {names[row]}, column {names[column]}"
    return f"{pair}: {matrix[row, column]:.15g}, but {matrix[column, row]:.15g} in its mirror image"


def panel_difference(expected: pd.DataFrame, found: pd.DataFrame) -> str:
    """Where a panel differs from what is committed; both frames are of this panel alone."""
    left, right = (frame.set_index("column") for frame in (expected, found))
    if list(left.index) != list(right.index):
        changed = sorted(set(left.index) ^ set(right.index)) or ["their order"]
        return f"columns differ: {', '.join(changed)}"
    rows = [int(frame["rows"].iloc[0]) for frame in (left, right)]
    if rows[0] != rows[1]:
        return f"{rows[1]} rows where {rows[0]} are expected"
    places = []
    for name in left.index:
        one, other = left.loc[name, "digests"].split(), right.loc[name, "digests"].split()
        off = [at for at, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]]
        if off or left.loc[name, "type"] != right.loc[name, "type"]:
            edges = block_edges(rows[0])
            where = f" (rows {edges[off[0]] + 1} to {edges[off[0] + 1]})" if off else " (type)"
            places.append(f"{name}{where}")
    more = f" and {len(places) - 4} more" if len(places) > 4 else ""
    return f"values differ in {', '.join(places[:4])}{more}" if places else ""


def matrix_difference(committed: pd.DataFrame, computed: pd.DataFrame) -> str:
    """What of a covariance matrix is not as committed; both frames have its one line."""
    expected, found = committed.iloc[0], computed.iloc[0]
    if int(expected["rows"]) != int(found["rows"]):
        return f"{found['rows']} rows where {expected['rows']} are expected"
    for name, words in (("log_variances", "the variances"), ("correlations", "the correlations")):
        if not abs(float(expected[name]) - float(found[name])) <= CONTENT * int(expected["rows"]):
            return f"{words} differ ({name} {found[name]}, expected {expected[name]})"
    return ""
