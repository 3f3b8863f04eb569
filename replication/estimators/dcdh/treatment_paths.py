"""From doses to switches: baseline treatment, date and direction of the first change, and its size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from replication.core.arrays import Bools, Floats, Ints
from replication.core.errors import PanelError
from replication.core.panel import NEVER, Panel
from replication.estimators.shared.cohort_comparisons import Grid, comparison_panel, on_calendar, used_units

SAME_DOSE = 1e-9
"""Doses closer than this share of the largest one are equal: such differences are rounding."""


@dataclass(frozen=True, slots=True)
class TreatmentPaths:
    """Treatment of N units over the L columns of the calendar, relative to their first one.

    Attributes
    ----------
    group : (N,) code of the treatment in the unit's first period; comparisons stay within it.
    direction : (N,) 1 or -1 as treatment rises or falls first; 0 if it never changes, or on an
        unknown date.
    first_dose : (N,) code of the treatment in the period of the first change.
    change : (N, L) distance from the baseline treatment, positive in the direction of the first change.
    """

    group: Ints
    direction: Ints
    first_dose: Ints
    change: Floats

    def of(self, keep: Bools) -> TreatmentPaths:
        """The paths of the units where ``keep`` (N,) is true."""
        return TreatmentPaths(
            self.group[keep], self.direction[keep], self.first_dose[keep], self.change[keep]
        )


def switching_panel(panel: Panel, bins: int | None) -> tuple[Panel, Grid, TreatmentPaths]:
    """The panel dated by first changes of treatment, on its calendar, with the paths.

    Parameters
    ----------
    panel : with a treatment column, or binary from its cohorts.
    bins : number of quantile bins of the baseline treatment whose units are compared with each other;
        None compares units with equal baseline treatment only.

    Raises
    ------
    PanelError
        If treatment changes in no unit, or only in units whose baseline treatment no other unit shares.
    """
    if panel.exposure is None:
        panel = comparison_panel(panel, "dcdh")
        panel = used_units(panel, np.ones(len(panel.units), dtype=bool), "comparison")
        grid = on_calendar(panel)
        return panel, grid, absorbing_paths(grid)
    calendar = on_calendar(panel)
    column = (panel.periods - calendar.start) // calendar.step
    dose = np.full(calendar.y.shape, np.nan)
    dose[:, column] = known_doses(panel)
    paths, onset, crossed = dosed_paths(dose, bins)
    panel = dated(panel, calendar, onset, crossed[:, column], paths)
    compared = comparable(paths, onset)
    if not compared.any():
        raise no_stable_controls(paths, onset, bins)
    panel = used_units(panel, compared, "group with equal baseline treatment in which it changes")
    return panel, on_calendar(panel), paths.of(compared)


def known_doses(panel: Panel) -> Floats:
    """(N, T) treatment, missing where it is unknown."""
    if panel.doses is not None:
        return panel.doses
    assert panel.exposure is not None
    return np.where(panel.observed, panel.exposure, np.nan)


def absorbing_paths(grid: Grid) -> TreatmentPaths:
    """TreatmentPaths of a binary treatment that all units start without and keep."""
    n_units = len(grid.onset)
    zero = np.zeros(n_units, dtype=np.int64)
    after = np.arange(grid.length) >= grid.onset[:, None]
    return TreatmentPaths(zero, np.ones(n_units, dtype=np.int64), zero, after.astype(float))


def dosed_paths(dose: Floats, bins: int | None) -> tuple[TreatmentPaths, Ints, Bools]:
    """TreatmentPaths, (N,) columns of the first change (L if none), and (N, L) cells beyond a crossing.

    Parameters
    ----------
    dose : (N, L), missing where it is unknown. A dose is carried forward over gaps, and a change
        after a gap has no date. A cell is beyond a crossing once treatment has been both above and
        below its first value, since an effect of a rise then mixes with that of a fall.
    """
    n_units, length = dose.shape
    unit = np.arange(n_units)
    level = np.round(dose / (SAME_DOSE * max(float(np.nanmax(np.abs(dose))), 1e-300)))
    known = ~np.isnan(dose)
    start = known.argmax(axis=1)
    move = np.where(known, level - level[unit, start][:, None], 0.0)
    onset = np.where((move != 0).any(axis=1), (move != 0).argmax(axis=1), length)
    at = np.minimum(onset, length - 1)
    sign = np.where(onset < length, np.sign(move[unit, at]), 0.0)
    certain = known[unit, np.maximum(onset - 1, 0)]
    last = np.maximum.accumulate(np.where(known, np.arange(length), start[:, None]), axis=1)
    change = np.where(np.arange(length) >= onset[:, None], dose[unit[:, None], last], 0.0)
    change -= np.where(np.arange(length) >= onset[:, None], dose[unit, start][:, None], 0.0)
    above, below = (np.logical_or.accumulate(side, axis=1) for side in (move > 0, move < 0))
    paths = TreatmentPaths(
        group=baseline_groups(level[unit, start], bins),
        direction=np.where(certain, sign, 0).astype(np.int64),
        first_dose=np.unique(level[unit, at], return_inverse=True)[1].reshape(-1).astype(np.int64),
        change=sign[:, None] * change,
    )
    return paths, onset.astype(np.int64), above & below


def baseline_groups(first: Floats, bins: int | None) -> Ints:
    """(N,) codes of equal baseline treatments, or of their quantile bins."""
    if bins is None:
        return np.unique(first, return_inverse=True)[1].reshape(-1).astype(np.int64)
    edges = np.unique(np.quantile(first, np.arange(1, bins) / bins))
    return np.searchsorted(edges, first, side="right").astype(np.int64)


def comparable(paths: TreatmentPaths, onset: Ints) -> Bools:
    """(N,) units of groups in which one unit switches before another one."""
    latest = np.zeros(int(paths.group.max()) + 1, dtype=np.int64)
    np.maximum.at(latest, paths.group, onset)
    switches = (paths.direction != 0) & (onset < latest[paths.group])
    return np.isin(paths.group, paths.group[switches])


def dated(panel: Panel, calendar: Grid, onset: Ints, crossed: Bools, paths: TreatmentPaths) -> Panel:
    """The panel with cohorts from first changes, without cells beyond a crossing, and notes."""
    switched = onset < calendar.length
    late, mixed = switched & (paths.direction == 0), crossed & panel.observed
    notes = list(panel.notes)
    if late.any():
        notes.append(
            f"the treatment of {int(late.sum())} units changes after a gap, for example "
            f"unit {panel.units[late][0]}, so the date of the change is unknown: they have no effect of "
            "their own and serve as controls before the gap"
        )
    if mixed.any():
        units = mixed.any(axis=1)
        notes.append(
            f"{int(mixed.sum())} unit-periods of {int(units.sum())} units, for example "
            f"unit {panel.units[units][0]}, were left out because treatment has been above and below its "
            "first value by then"
        )
    cohort = np.where(switched, calendar.start + calendar.step * onset, NEVER).astype(np.int64)
    y = np.where(crossed, np.nan, panel.y)
    return replace(panel, y=y, cohort=cohort, exposure=None, doses=None, notes=tuple(notes))


def no_stable_controls(paths: TreatmentPaths, onset: Ints, bins: int | None) -> PanelError:
    """The refusal of a panel in which no change of treatment has a control."""
    changed = int((onset < paths.change.shape[1]).sum())
    if not changed:
        return PanelError(
            f"The treatment is constant within all {onset.size} units, so no effect can be estimated. Check "
            "the column named in 'treatment' and the years in 'sample'."
        )
    groups = int(paths.group.max()) + 1
    what = f"{bins} bins" if bins else f"{groups} different values"
    return PanelError(
        f"The treatment of {changed} of {onset.size} units changes, and none of them has a stable "
        f"control: a unit with the same treatment in its first period ({what} there) whose own "
        "treatment changes later or never. For a continuous treatment set 'baseline_bins' to compare "
        "units with similar baseline treatment; otherwise start the sample earlier or add units."
    )
