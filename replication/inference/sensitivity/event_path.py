"""The event-time path as sensitivity analysis needs it: without its reference row, checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from replication.core.arrays import Floats, Ints
from replication.core.estimates import Estimates
from replication.inference.sensitivity.arguments import SensitivityError, require_window

IDENTITY = ["spec_id", "study", "estimator", "outcome"]
NEGATIVE = -1e-8
UNCOMMON = {
    "imputation": "leads come from a separate regression on untreated observations, relative to the earliest "
    "periods, and effects are relative to all untreated periods",
    "two_stage": "leads and effects are relative to unit and period fixed effects estimated on all untreated "
    "observations, so no lead is fixed at zero",
    "etwfe": "effects are relative to all untreated periods, and there are no leads ('control_group: "
    "never_treated' adds leads and a reference period)",
    "synthetic_did": "unit and period weights are chosen to make the leads small, so the leads say little "
    "about violations after adoption",
}
"""Estimators whose leads and effects are not measured from one period, with the reason."""


@dataclass(frozen=True, slots=True)
class EventPath:
    """Estimates by event time, the fixed reference left out.

    Attributes
    ----------
    estimate, variance : (K,) and (K, K)
    times : (K,) event times, ascending and, with the reference, evenly spaced.
    reference : event time of the period that the others are measured from.
    spacing : distance between neighboring event times.
    names : spec_id, study, estimator and outcome.
    """

    estimate: Floats
    variance: Floats
    times: Ints
    reference: int
    spacing: int
    names: dict[str, str]

    @property
    def n_pre(self) -> int:
        """Coefficients before the reference; they come first."""
        return int((self.times < self.reference).sum())

    @property
    def steps(self) -> Floats:
        """(K,) distance from the reference in periods of the path."""
        return (self.times - self.reference) / self.spacing

    @property
    def span(self) -> str:
        """Event times used, as ``-5..3``."""
        ends = [*self.times, self.reference]
        return f"{min(ends)}..{max(ends)}"


def event_path(estimates: Estimates, window: tuple[int, int] | None = None) -> EventPath:
    """Read and check the path of ``estimates``.

    Without a ``window``, end coefficients that collect all event times beyond the window of an
    event study (``endpoints: bin``) are left out: a restriction on neighboring periods says
    nothing about them. A ``window`` is taken as it is given.

    Raises
    ------
    SensitivityError
        Without a path; for a window that is no pair of event times in order, a varying base period, effects
        per unit of treatment, a path without one fixed reference, without coefficients on both sides of it,
        with gaps, without standard errors, or with a covariance that is not positive semi-definite.
    """
    require_window(window)
    if not isinstance(estimates, Estimates):
        raise SensitivityError(
            "Sensitivity analysis takes the result of an estimator but got type "
            f"{type(estimates).__name__}. Pass Estimates, such as rp.honest_did(rp.event_study(panel))."
        )
    table, variance = estimates.path()
    spec = str(estimates.table["spec_id"].iloc[0])
    _require_common_scale(estimates, spec)
    if table.empty:
        raise SensitivityError(
            f"The result of {spec!r} has no event-study coefficients. Re-estimate with an estimator that "
            "reports effects by event time, such as event_study or callaway_santanna."
        )
    order = np.argsort(table["event_time"].to_numpy(dtype=float))
    times = table["event_time"].to_numpy(dtype=float)[order].astype(np.int64)
    point = table["estimate"].to_numpy(dtype=float)[order]
    variance = variance[np.ix_(order, order)]
    fixed = times[(np.diag(variance) <= 0) & (point == 0)]
    if window is not None and fixed.size == 1 and not window[0] <= fixed[0] <= window[1]:
        _refuse_window(window, "before" if window[0] > fixed[0] else "after", int(fixed[0]), estimates)
    keep = _chosen(times, estimates, window)
    times, point, variance = times[keep], point[keep], variance[np.ix_(keep, keep)]
    reference = _reference(times, point, np.diag(variance), estimates, spec)
    spacing = _spacing(np.union1d(times, [reference]), reference, spec, estimates, window)
    require_psd(variance, spec)
    free = times != reference
    names = {name: str(table[name].iloc[0]) for name in IDENTITY}
    return EventPath(point[free], variance[np.ix_(free, free)], times[free], reference, spacing, names)


def target_weights(path: EventPath, target: str | int) -> Floats:
    """(K_post,) weights l of the target on the coefficients after the reference.

    ``average`` weighs event times from 0 on equally; an integer names one event time.

    Parameters
    ----------
    path : coefficients before and after adoption.
    target : ``average`` of the effects after adoption, or one event time.

    Returns
    -------
    (K_post,) array
        They sum to one.

    Raises
    ------
    SensitivityError
        If the target is not an event time after the reference period.
    """
    after = path.times[path.n_pre :]
    if target == "average":
        chosen = after >= 0
        if not chosen.any():
            chosen = after > path.reference
        weights: Floats = chosen / chosen.sum()
        return weights
    if not isinstance(target, int | np.integer) or int(target) not in after:
        raise SensitivityError(
            f"The target {target!r} is not an event time after the reference period ({path.reference}). Use "
            f"'average' or one of the event times {', '.join(map(str, after))}."
        )
    one: Floats = (after == int(target)).astype(float)
    return one


def require_psd(variance: Floats, spec: str) -> None:
    """Refuse a covariance that is not symmetric positive semi-definite."""
    scale = float(np.abs(np.diag(variance)).max(initial=0.0))
    if not np.isfinite(variance).all():
        raise SensitivityError(
            f"The covariance of the event-study coefficients of {spec!r} has missing values. Re-estimate "
            "with a covariance of all of them (vcov.csv next to estimates.csv)."
        )
    lowest = float(np.linalg.eigvalsh((variance + variance.T) / 2).min())
    if lowest < NEGATIVE * scale or not np.allclose(variance, variance.T, atol=1e-10 * scale):
        raise SensitivityError(
            f"The covariance of the event-study coefficients of {spec!r} is not positive "
            f"semi-definite (smallest eigenvalue {lowest:.3g}, largest variance {scale:.3g}), so it "
            "yields no interval. This happens with multi-way clusters or with covariances put "
            "together by hand: cluster one way, or set negative eigenvalues to zero first."
        )


def path_table(path: EventPath, rows: list[dict[str, object]]) -> pd.DataFrame:
    """A table of ``rows`` with the names of the specification in front."""
    return pd.DataFrame([{**path.names, **row, "event_times": path.span} for row in rows])


def _require_common_scale(estimates: Estimates, spec: str) -> None:
    if estimates.details.extras.get("events_per_unit_of_treatment"):
        raise SensitivityError(
            f"{spec!r} has effects per unit of treatment, each event time divided by its own amount of "
            "treatment, so violations at different event times cannot be compared. Estimate it again "
            "without 'normalized'."
        )
    if estimates.details.base_period == "varying":
        raise SensitivityError(
            f"{spec!r} was estimated with a varying base period: its coefficients before adoption "
            "compare adjacent periods and those after it compare with the last period before it, "
            "so a linear pre-trend has a kink at zero and violations before and after cannot be "
            "compared. Estimate it again with 'base_period: universal'."
        )


def _chosen(times: Ints, estimates: Estimates, window: tuple[int, int] | None) -> Ints:
    if window is None and estimates.details.endpoints == "bin" and times.size:
        window = (int(times[0]) + 1, int(times[-1]) - 1)
    low, high = window or (-np.inf, np.inf)
    return np.flatnonzero((times >= low) & (times <= high))


def _reference(times: Ints, point: Floats, variance: Floats, estimates: Estimates, spec: str) -> int:
    """The event time that is zero by construction, in the table or left out of it (``dcdh``)."""
    fixed = (variance <= 0) & (point == 0)
    named = estimates.details.base_period
    if not fixed.any() and isinstance(named, int) and named not in times:
        fixed = np.zeros(times.size, dtype=bool)
    elif fixed.sum() == 1:
        named = int(times[fixed][0])
    else:
        estimator = estimates.estimator
        own = UNCOMMON.get(estimator)
        why = f"In {estimator}, {own}" if own else f"This result has {int(fixed.sum())} reference periods"
        raise SensitivityError(
            f"The analysis of {spec!r} needs leads and effects measured relative to one reference period, "
            f"whose row is exactly zero without a standard error. {why}. Use callaway_santanna, sun_abraham, "
            "stacked, dcdh, local_projections, or event_study, with a window that contains the reference "
            "period."
        )
    without = times[(variance <= 0) & ~fixed]
    if without.size:
        raise SensitivityError(
            f"{spec!r} has no standard error at event times {', '.join(map(str, without))}. "
            "Re-estimate, or choose a window without them."
        )
    return named


def _refuse_window(window: tuple[int, int], side: str, reference: int, estimates: Estimates) -> None:
    """Refuse a window that leaves out one side of the reference, where the result has coefficients there."""
    times = estimates.path()[0]["event_time"].to_numpy(dtype=float).astype(np.int64)
    beyond = times[times < reference] if side == "before" else times[times > reference]
    if beyond.size:
        end = (
            f"Start it at {beyond.max()} or earlier"
            if side == "before"
            else f"End it at {beyond.min()} or later"
        )
        raise SensitivityError(
            f"The window {window[0]} to {window[1]} contains no coefficient {side} the reference period "
            f"{reference}. {end} (the result has event times {times.min()} to {times.max()})."
        )


def _spacing(
    times: Ints, reference: int, spec: str, estimates: Estimates, window: tuple[int, int] | None
) -> int:
    sides = [("before", times < reference), ("after", times > reference)]
    for side, chosen in sides:
        if not chosen.any():
            if window is not None:
                _refuse_window(window, side, reference, estimates)
            pooled = window is None and estimates.details.endpoints == "bin"
            why = " once the end coefficients, which pool all event times beyond, are left out"
            own = ", or set the 'window' of this analysis to include them"
            raise SensitivityError(
                f"The result of {spec!r} has no coefficient {side} its reference period {reference}"
                f"{why if pooled else ''}; without periods before and after there is no "
                f"sensitivity to analyze. Re-estimate with a wider window{own if pooled else ''}."
            )
    gaps = np.diff(times)
    if (gaps != gaps[0]).any():
        raise SensitivityError(
            f"The event times of {spec!r} are not evenly spaced ({', '.join(map(str, times))}); "
            "restrictions on neighboring periods need event times without gaps. Choose a window "
            "without them."
        )
    return int(gaps[0])
