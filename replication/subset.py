"""Parts of a panel: chosen units or chosen periods, everything carried along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from replication.results import Bools, Floats, Ints, Panel


def keep_units(panel: Panel, keep: Bools, note: str = "") -> Panel:
    """The panel of the units where ``keep`` (N,) is true."""
    return replace(
        panel,
        y=panel.y[keep],
        units=panel.units[keep],
        cohort=panel.cohort[keep],
        weight=panel.weight[keep],
        exposure=_rows(panel.exposure, keep),
        offset=_rows(panel.offset, keep),
        coordinates=_rows(panel.coordinates, keep),
        covariates=None if panel.covariates is None else panel.covariates[:, keep],
        clusters=_recoded({name: codes[keep] for name, codes in panel.clusters.items()}),
        strata=_recoded({name: codes[keep] for name, codes in panel.strata.items()}),
        notes=(*panel.notes, note) if note else panel.notes,
    )


def keep_periods(panel: Panel, keep: Bools, note: str = "") -> Panel:
    """The panel of the periods where ``keep`` (T,) is true.

    Cohorts keep their label, so a unit whose adoption falls after the last kept period counts as
    not treated inside the panel.
    """
    clusters = {
        name: codes if codes.ndim == 1 else codes[:, keep] for name, codes in panel.clusters.items()
    }
    return replace(
        panel,
        y=panel.y[:, keep],
        periods=panel.periods[keep],
        weight=panel.weight[:, keep],
        exposure=None if panel.exposure is None else panel.exposure[:, keep],
        offset=None if panel.offset is None else panel.offset[:, keep],
        covariates=None if panel.covariates is None else panel.covariates[:, :, keep],
        clusters=_recoded(clusters),
        notes=(*panel.notes, note) if note else panel.notes,
    )


def _rows(matrix: Floats | None, keep: Bools) -> Floats | None:
    return None if matrix is None else matrix[keep]


def _recoded(codes: Mapping[str, Ints]) -> dict[str, Ints]:
    """Codes without gaps, so that the largest is the number of groups less one."""
    return {
        name: np.unique(values, return_inverse=True)[1].reshape(values.shape).astype(np.int64)
        for name, values in codes.items()
    }
