"""Covariates interacted with periods: ``x_by_time`` among ``covariates``, as ``i(time, x)`` of fixest."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from replication.core.arrays import Floats
from replication.core.columns import numeric
from replication.core.errors import PanelError
from replication.core.limits import shortened
from replication.core.spec import Spec

SUFFIX = "_by_time"
LARGEST = 2**27
"""Numbers in the interactions of one covariate (one gigabyte of them)."""


def source_column(name: str, columns: Iterable[str]) -> str:
    """The column behind an entry of ``covariates``: its own name, or that before ``_by_time``."""
    return name if name in columns else name.removesuffix(SUFFIX)


def covariate_columns(spec: Spec, frame: pd.DataFrame) -> list[str]:
    """Columns that the covariates are made of, each once."""
    return list(dict.fromkeys(source_column(name, frame.columns) for name in spec.covariates))


def covariate_stack(
    frame: pd.DataFrame, spec: Spec, place: tuple[np.ndarray, np.ndarray], labels: np.ndarray, n_units: int
) -> tuple[Floats | None, tuple[str, ...]]:
    """(K, N, T) covariates and their names; an interaction is one covariate a period, ``x_by_time:2005``.

    A covariate that is constant within unit leaves out the first period: unit effects span the sum over all.
    Cells of other periods are 0, missing cells are missing.

    Parameters
    ----------
    place : unit and column of each row.
    labels : (T,) of the periods.

    Raises
    ------
    PanelError
        If the interactions are too many to hold.
    """
    shape, found, names = (n_units, labels.size), [], []
    for name in spec.covariates:
        column = source_column(name, frame.columns)
        matrix = np.full(shape, np.nan)
        matrix[place] = numeric(frame, column, covariate=True)
        if column == name:
            found.append(matrix[None])
            names.append(name)
            continue
        if matrix.size * labels.size > LARGEST:
            raise PanelError(
                f"The interactions {shortened(name)} are {labels.size} covariates of {matrix.size:,} cells, "
                "more than fit. Use longer periods, or 'trends' with the quantiles of the covariate by time."
            )
        fixed = bool((np.nanmax(matrix, axis=1) == np.nanmin(matrix, axis=1)).all())
        each = np.arange(int(fixed), labels.size)
        there = np.where(np.isnan(matrix), np.nan, 0.0)
        stack = np.repeat(there[None], each.size, axis=0)
        stack[np.arange(each.size), :, each] = matrix[:, each].T
        found.append(stack)
        names += [f"{name}:{label}" for label in labels[each]]
    return (np.concatenate(found) if found else None), tuple(names)
