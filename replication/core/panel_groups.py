"""Clusters, strata, and coordinates of the units of a panel, from the columns that a specification names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from replication.core.columns import numeric
from replication.core.errors import PanelError
from replication.core.identifiers import is_continuous, require_groups
from replication.core.sample_selection import strata_names
from replication.core.spec import Spec

SAME_PLACE = 1e-6
"""Degrees (0.1 meters) by which the coordinates of a unit may differ through rounding."""


def matrix_of(
    values: Floats, place: tuple[Any, Any], shape: tuple[int, int], empty: float = np.nan
) -> Floats:
    """(N, T) values of rows at their unit and period; ``empty`` where there is no row."""
    matrix = np.full(shape, empty)
    matrix[place] = values
    return matrix


def cluster_codes(
    frame: pd.DataFrame, names: Sequence[str], place: tuple[Any, Any], shape: tuple[int, int]
) -> dict[str, Ints]:
    """Codes of each clustering column: (N,) where they are constant within units, otherwise (N, T)."""
    found: dict[str, Ints] = {}
    for name in names:
        absent = int(frame[name].isna().sum())
        if absent:
            raise PanelError(
                f"{absent} of {len(frame)} rows have no cluster in column {name!r}. Fill them in."
            )
        codes = pd.factorize(frame[name], sort=True)[0].astype(float)
        if is_continuous(frame[name]):
            require_groups(codes, shape[0], frame[name], "clusters")
        matrix = matrix_of(codes, place, shape)
        constant = np.nanmin(matrix, axis=1)
        if (np.nanmax(matrix, axis=1) == constant).all():
            found[name] = constant.astype(np.int64)
        else:
            found[name] = np.nan_to_num(matrix).astype(np.int64)
        if int(found[name].max()) == 0:
            if matrix.shape[0] == 1:
                raise PanelError("The panel has only one unit; at least two are needed.")
            raise PanelError(
                f"Column {name!r} has one cluster. Clustered standard errors need at least two; name a "
                "finer column, or leave 'cluster' empty to cluster by unit."
            )
    return found


def cluster_labels(frame: pd.DataFrame, row: Any, clusters: dict[str, Ints]) -> dict[str, Any]:
    """(N,) labels of the clusters of each column that is constant within units."""
    first = np.unique(row, return_index=True)[1]
    return {name: np.asarray(frame[name])[first] for name, codes in clusters.items() if codes.ndim == 1}


def strata_codes(frame: pd.DataFrame, spec: Spec, row: Any, n_units: int) -> dict[str, Ints]:
    """(N,) codes of the strata; a stratum that changes within a unit is refused."""
    found = {}
    alone = [trend.removesuffix("_by_time") for trend in spec.trends if trend.endswith("_by_time")]
    for name in dict.fromkeys([*strata_names(spec), *spec.inference.groups]):
        if frame[name].isna().any():
            absent = int(frame[name].isna().sum())
            raise PanelError(f"{absent} of {len(frame)} rows have no {name!r}. Fill it in.")
        codes, _ = pd.factorize(frame[name], sort=True)
        by_unit = np.zeros(n_units, dtype=np.int64)
        by_unit[row] = codes
        moved = len(np.unique(row[by_unit[row] != codes]))
        if moved:
            raise PanelError(
                f"{moved} units change their {name!r} over time; groups with their own period "
                "effects or trends need one value per unit."
            )
        if name in alone or is_continuous(frame[name]):
            purpose = "groups with period effects or trends of their own"
            require_groups(by_unit, n_units, frame[name], purpose)
        elif name == spec.inference.strata:
            require_groups(by_unit, n_units, frame[name], "groups within which adoption can be permuted")
        found[name] = by_unit
    return found


def unit_coordinates(frame: pd.DataFrame, spec: Spec, row: Any, n_units: int) -> Floats | None:
    """(N, 2) latitude and longitude, in degrees, where the inference needs them."""
    if spec.inference.method != "conley":
        return None
    found = np.zeros((n_units, 2))
    for axis, name in enumerate(spec.inference.coordinates):
        values = numeric(frame, name, missing="refuse", at=(spec.unit, spec.time))
        found[row, axis] = values
        moved = np.abs(found[row, axis] - values) > SAME_PLACE
        if moved.any():
            raise PanelError(
                f"{np.unique(row[moved]).size} units change their {name!r} over time, for example "
                f"{spec.unit} {frame.loc[moved, spec.unit].iloc[0]}. Conley standard errors need "
                "one place per unit: correct the coordinates, or take one period's for all."
            )
    return found
