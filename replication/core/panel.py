"""The panel that every estimator takes: units by periods, adoption, weights, clusters."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replication.core.arrays import Bools, Floats, Ints
from replication.core.errors import PanelError
from replication.core.numbering import PLAIN, YEARS, Numbering

NEVER = 0


@dataclass(frozen=True, slots=True)
class Panel:
    """Outcomes and adoption of N units over T periods.

    Attributes
    ----------
    y : (N, T) float
        Outcome; NaN where the unit is not observed.
    units, periods : (N,) labels and (T,) int
        Periods ascend; they need not be consecutive. They are the labels of the data except where
        ``numbering`` says otherwise (months of YYYYMM; periods of zero and below).
    cohort : (N,) int
        First treated period, numbered as ``periods``; 0 for units never treated.
    weight : (N, T) float
        Non-negative weights, constant over time unless the data say otherwise. Ones if unweighted.
    exposure : (N, T) float or None
        Treatment intensity (such as the share of the period in force); None means binary from
        the cohort.
    doses : (N, T) float or None
        The treatment column of all rows of the sample, with or without an outcome; NaN where there
        is no row. None without a treatment column.
    clusters : mapping of name to (N,) or (N, T) int codes
        One entry per clustering dimension.
    cluster_labels : mapping of name to (N,) labels
        Labels in the data of the clusters that contain whole units; empty where only codes are known.
    covariates : (K, N, T) float
    strata : mapping of name to (N,) int codes
        Groups with their own period effects (``region_by_time`` uses ``strata["region"]``).
    unit_values : mapping of name to (N,) float
        Columns of one number per unit, such as the dose of ``continuous_dose``.
    offset : (N, T) float or None
        Added to the linear index of a Poisson model.
    coordinates : (N, 2) float or None
        Latitude and longitude in degrees, for spatial standard errors.
    weighted : bool
        Whether the weights came from a column (printed everywhere: it changes the estimand).
    notes : tuple of str
        What was dropped or derived when the panel was built, with counts.
    numbering : Numbering
        From the numbers in ``periods`` and ``cohort`` to their labels in the data.

    Examples
    --------
    >>> import replication as rp
    >>> panel = rp.Panel.from_frame(rp.simulated_panel(seed=1), outcome="y")
    >>> panel.y.shape, panel.balanced
    ((60, 10), True)
    """

    y: Floats
    units: NDArray[Any]
    periods: Ints
    cohort: Ints
    weight: Floats
    clusters: Mapping[str, Ints]
    cluster_labels: Mapping[str, NDArray[Any]] = field(default_factory=dict, kw_only=True)
    exposure: Floats | None = None
    doses: Floats | None = None
    covariates: Floats | None = None
    covariate_names: tuple[str, ...] = ()
    strata: Mapping[str, Ints] = field(default_factory=dict)
    unit_values: Mapping[str, Floats] = field(default_factory=dict)
    offset: Floats | None = None
    coordinates: Floats | None = None
    weighted: bool = False
    outcome: str = "outcome"
    spec_id: str = ""
    study: str = ""
    notes: tuple[str, ...] = ()
    numbering: Numbering = PLAIN

    def label(self, number: Any) -> Any:
        """Return the label in the data of a period or cohort, or of an array of them."""
        return self.numbering.label(number)

    def written(self, number: Any) -> str:
        """Write a period or cohort in the usual notation, such as 2006Q3; for messages and pages."""
        return self.numbering.written(number)

    @property
    def period(self) -> str:
        """What a period is: ``year``, ``quarter``, or ``month``; empty where its labels do not say."""
        if self.numbering.form is not None:
            return self.numbering.form.part
        first, last = self.label(self.periods[[0, -1]])
        return "year" if YEARS[0] <= first <= last <= YEARS[1] else ""

    @classmethod
    def from_frame(cls, frame: Any, *, outcome: str, **columns: Any) -> Panel:
        """Read a tidy data frame (or a panel file) as a panel.

        Parameters
        ----------
        frame : DataFrame, or path of a .csv, .csv.gz, .xlsx, .parquet, or .dta file
            One row per unit and period.
        outcome : str
            Column of the outcome.
        **columns
            ``unit``, ``time``, ``cohort``, ``cluster``, ``weights``, ``covariates``, and ``treatment``,
            ``trends``, ``offset``, or ``sample`` of a specification.

        Raises
        ------
        InputError
            For columns and values that cannot be used; see ``build_panel``.
        """
        # The builder makes panels, so it is looked up when one is asked for.
        built: Panel = importlib.import_module("replication.api").read_panel(
            frame, outcome=outcome, **columns
        )
        return built

    @property
    def observed(self) -> Bools:
        """(N, T) cells with an outcome."""
        return ~np.isnan(self.y)

    @property
    def balanced(self) -> bool:
        """Whether every unit is observed in every period."""
        return bool(self.observed.all())

    @property
    def first(self) -> Ints:
        """(N,) column of the first treated period; T if not treated inside the panel."""
        column = np.searchsorted(self.periods, self.cohort)
        return np.where(self.cohort == NEVER, self.periods.size, column).astype(np.int64)

    @property
    def treated(self) -> Bools:
        """(N, T) cells at or after adoption."""
        return np.arange(self.periods.size) >= self.first[:, None]

    @property
    def dose(self) -> Floats:
        """(N, T) treatment: the exposure where there is one, else 0 or 1 from the cohort."""
        return self.treated.astype(float) if self.exposure is None else self.exposure

    @property
    def unit_weight(self) -> Floats:
        """(N,) weights of estimators that need one weight per unit; refuses varying weights."""
        if (self.weight == self.weight[:, :1]).all():
            return self.weight[:, 0]
        low, high = self.weight.min(axis=1), self.weight.max(axis=1)
        varying = int((high > low * (1 + 1e-12)).sum())
        if varying:
            raise PanelError(
                f"The weights of {varying} of {low.size} units change over time, and this "
                "estimator takes one weight per unit. Name a column that is constant within unit, "
                "such as the population of a base year."
            )
        return self.weight[:, 0]

    @property
    def whole_clusters(self) -> Ints | None:
        """(N,) codes of the only clustering, if it contains whole units; else None."""
        found = list(self.clusters.values())
        return found[0] if len(found) == 1 and found[0].ndim == 1 else None

    def cell_clusters(self, used: Bools) -> list[Ints]:
        """Return (M,) clusters of the used cells, one vector for each clustering."""
        return [
            np.broadcast_to(codes[:, None] if codes.ndim == 1 else codes, used.shape)[used]
            for codes in self.clusters.values()
        ]

    @property
    def cluster(self) -> Ints:
        """(N,) codes 0 .. G-1 of the only clustering dimension; refuses any other clustering."""
        if len(self.clusters) != 1:
            raise PanelError(
                f"This estimator clusters one way; {len(self.clusters)} dimensions were named "
                f"({', '.join(self.clusters)}). Name one, or use twfe, event_study, or poisson."
            )
        name, codes = next(iter(self.clusters.items()))
        if codes.ndim != 1:
            raise PanelError(
                f"The cluster {name!r} varies over time within units, and this estimator needs clusters of "
                "whole units. Name a column that is constant within each unit, such as the unit or its state."
            )
        return codes

    @property
    def n_clusters(self) -> int:
        """Clusters of the smallest clustering dimension."""
        return min(int(codes.max()) + 1 for codes in self.clusters.values())

    def reassigned(self, order: Ints) -> Panel:
        """Return the panel in which unit i has the treatment of unit ``order[i]``."""
        return replace(
            self,
            cohort=self.cohort[order],
            exposure=_rows(self.exposure, order),
            doses=_rows(self.doses, order),
        )

    def keep_units(self, keep: Bools, note: str = "") -> Panel:
        """Return the panel of the units where ``keep`` (N,) is true; ``note`` joins the notes."""
        return replace(
            self,
            y=self.y[keep],
            units=self.units[keep],
            cohort=self.cohort[keep],
            weight=self.weight[keep],
            exposure=_rows(self.exposure, keep),
            unit_values={name: values[keep] for name, values in self.unit_values.items()},
            doses=_rows(self.doses, keep),
            offset=_rows(self.offset, keep),
            coordinates=_rows(self.coordinates, keep),
            covariates=None if self.covariates is None else self.covariates[:, keep],
            clusters=_recoded({name: codes[keep] for name, codes in self.clusters.items()}),
            cluster_labels={name: labels[keep] for name, labels in self.cluster_labels.items()},
            strata=_recoded({name: codes[keep] for name, codes in self.strata.items()}),
            notes=(*self.notes, note) if note else self.notes,
        )

    def keep_periods(self, keep: Bools, note: str = "") -> Panel:
        """Return the panel of the periods where ``keep`` (T,) is true; ``note`` joins the notes.

        Cohorts keep their label, so a unit whose adoption falls after the last kept period counts as
        not treated inside the panel.
        """
        clusters = {
            name: codes if codes.ndim == 1 else codes[:, keep] for name, codes in self.clusters.items()
        }
        return replace(
            self,
            y=self.y[:, keep],
            periods=self.periods[keep],
            weight=self.weight[:, keep],
            exposure=None if self.exposure is None else self.exposure[:, keep],
            doses=None if self.doses is None else self.doses[:, keep],
            offset=None if self.offset is None else self.offset[:, keep],
            covariates=None if self.covariates is None else self.covariates[:, :, keep],
            clusters=_recoded(clusters),
            notes=(*self.notes, note) if note else self.notes,
        )


def _rows(matrix: Floats | None, keep: Bools | Ints) -> Floats | None:
    return None if matrix is None else matrix[keep]


def _recoded(codes: Mapping[str, Ints]) -> dict[str, Ints]:
    """Codes without gaps, so that the largest is the number of groups less one."""
    return {
        name: np.unique(values, return_inverse=True)[1].reshape(values.shape).astype(np.int64)
        for name, values in codes.items()
    }
