"""Effects by dose of a continuous treatment, Callaway, Goodman-Bacon & Sant'Anna (2024).

Estimand
    ATT(d) = E[Y_t(d) - Y_t(0) | D = d] and ACRT(d) = d ATT(d) / dd, averaged over cohorts by size and over
    the treated periods of each cohort equally; ``att`` = E[ATT(D) | D > 0], ``acrt`` = E[ACRT(D) | D > 0].
Assumptions
    Parallel trends of each dose group and the untreated. ATT(d) compares each dose with none. That ACRT(d)
    is a causal response, and not the selection of units into doses as well, needs *strong* parallel trends:
    the mean effect of dose d would have been the same for units of other doses.
Equations
    Theorem 3.1 and section 4 (two periods); appendix C (staggered adoption). Formulas are in ``dose_curves``.
Reproduces
    Python ``moderndid.cont_did(aggregation="dose", dose_est_method="parametric")`` and R ``contdid``; their
    standard errors are those of a multiplier bootstrap of the influence that is summed here.

NBER Working Paper 32117.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from replication.core.arrays import Bools, Floats
from replication.core.details import Details
from replication.core.errors import PanelError, SpecError
from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import ANALYTIC, Inference
from replication.estimators.callaway_santanna.comparison_sample import ComparisonDesign, group_time_design
from replication.estimators.callaway_santanna.diagnostics import mean_pre
from replication.estimators.continuous_dose.dose_curves import Spline, averaged, cohort_curve
from replication.estimators.registry import registered
from replication.estimators.shared.cohort_comparisons import weighted_mean
from replication.inference.assemble import PointEstimates, from_scores
from replication.inference.cluster import influence_factor
from replication.inference.row_table import EstimateRow

METHODS = ("analytic", "multiplier", "conley")
POINTS = 20
"""Doses at which the curves are evaluated by default."""


@registered(
    "Continuous dose (Callaway-Goodman-Bacon-Sant'Anna)", takes=("weights",), methods=METHODS, needs=("dose",)
)
def continuous_dose(
    panel: Panel,
    *,
    dose: str | None = None,
    degree: int = 3,
    knots: int = 0,
    doses: Sequence[float] | None = None,
    control_group: str = "not_yet_treated",
    anticipation: int = 0,
    inference: Inference = ANALYTIC,
) -> Estimates:
    """Estimate level effects and slopes by dose, and their averages over the doses of the treated.

    Parameters
    ----------
    panel : Panel
        N units over T periods without gaps in the outcome; units with gaps are dropped with a note.
    dose : str
        Name of the dose, one number per unit, in ``panel.unit_values``.
    degree, knots : int
        Degree of the B-spline, and number of its interior knots, at quantiles of the treated doses.
    doses : sequence of float, optional
        Where the curves are evaluated; by default 20 evenly spaced doses over the range common to
        all cohorts.
    control_group, anticipation
        As in ``callaway_santanna``.
    inference : method, variance, level, and draws of standard errors, intervals, and tests.

    Returns
    -------
    Estimates
        Terms ``att`` and ``acrt``, and ``att_d:DOSE`` and ``acrt_d:DOSE`` for every dose, with uniform bands
        over each curve; in units of the outcome, slopes per unit of dose.

    Raises
    ------
    PanelError, SpecError
        If ``dose`` is missing, nothing can be compared, or no cohort has enough doses for the spline.

    Examples
    --------
    >>> import replication as rp
    >>> frame = rp.simulated_panel(seed=1)
    >>> frame["dose"] = (frame["cohort"] > 0) * (1 + frame["unit"] % 20 / 20)
    >>> panel = rp.read_panel(frame, outcome="y", dose="dose")
    >>> print(round(rp.continuous_dose(panel).att[0], 3))
    0.672
    """
    if dose is None or dose not in panel.unit_values:
        raise SpecError(
            f"continuous_dose needs 'dose', a column with the dose of each unit"
            f"{'' if dose is None else f'; this panel has no {dose!r}'}. Set "
            "`--set dose=COLUMN` (in YAML `dose: COLUMN`; in Python, read the panel with it: "
            "`rp.read_panel(..., dose='COLUMN')`)."
        )
    design = group_time_design(panel, control_group=control_group, anticipation=anticipation)
    values = design.panel.unit_values[dose]
    treated: Bools = np.isfinite(design.adoption)
    inner = np.quantile(values[treated], np.linspace(0, 1, knots + 2)[1:-1])
    require_knots(inner, degree, dose)
    spline = Spline(degree, inner, grid_of(design, values, doses, degree, knots))
    curves = [cohort_curve(design, level, values, spline) for level in range(design.cohorts.size)]
    without = [str(label) for label, curve in zip(labels(design), curves, strict=True) if not curve.fitted]
    if len(without) == len(curves):
        raise no_curve(degree, knots)
    estimate, scores = averaged(curves, design)
    scores *= np.sqrt(influence_factor(design.panel, inference.small_sample))
    names = [f"{value:.6g}" for value in spline.grid]
    rows = [
        EstimateRow(term)
        for term in ("att", "acrt", *(f"{kind}:{at}" for kind in ("att_d", "acrt_d") for at in names))
    ]
    details = details_of(design, spline, without, beyond(design, values, spline.grid))
    details = replace(details, control_group=design.comparison).with_extras({"dose": dose})
    points = PointEstimates(design.panel, "continuous_dose", rows, estimate, inference, details=details)
    return from_scores(points, scores)


def no_curve(degree: int, knots: int) -> PanelError:
    """The refusal of doses that are too few for the spline in every cohort."""
    return PanelError(
        f"No cohort has enough doses for a spline of degree {degree} with {knots} interior knots: each needs "
        f"{degree + knots + 1} or more distinct doses that are spread out. Lower 'degree' or 'knots'."
    )


def labels(design: ComparisonDesign) -> list[int]:
    """Labels of the cohorts in the data."""
    found: list[int] = np.asarray(design.panel.label(design.cohorts)).tolist()
    return found


def grid_of(
    design: ComparisonDesign, values: Floats, doses: Sequence[float] | None, degree: int, knots: int
) -> Floats:
    """(J,) doses at which the curves are evaluated."""
    inside = [values[design.level == level] for level in range(design.cohorts.size)]
    able = [part for part in inside if np.unique(part).size > degree + knots]
    if not able:
        raise no_curve(degree, knots)
    low, high = max(part.min() for part in able), min(part.max() for part in able)
    treated = np.concatenate(inside)
    if doses is None:
        if not low < high:
            raise PanelError(
                "The dose ranges of the cohorts do not overlap, so a curve averaged over cohorts would "
                f"extrapolate: doses run from {treated.min():g} to {treated.max():g}. Name 'doses' to do so, "
                "or estimate the cohorts separately ('sample')."
            )
        return np.linspace(low, high, POINTS)
    grid = np.unique(np.asarray(doses, dtype=float))
    if grid[0] < treated.min() or grid[-1] > treated.max():
        raise SpecError(
            f"'doses' runs from {grid[0]:g} to {grid[-1]:g}, and treated units have doses from "
            f"{treated.min():g} to {treated.max():g}. A spline beyond the data is a guess: stay inside."
        )
    return grid


def require_knots(inner: Floats, degree: int, dose: str) -> None:
    """Refuse more knots at one dose than a spline with a slope can have."""
    counts = np.unique(inner, return_counts=True)[1]
    if counts.size and counts.max() > degree - 1:
        raise PanelError(
            f"Ties among the doses in {dose!r} put {counts.max()} knots at one dose, where a spline of "
            f"degree {degree} would have no slope. Lower 'knots', or raise 'degree'."
        )


def beyond(design: ComparisonDesign, values: Floats, grid: Floats) -> list[str]:
    """Cohorts whose doses do not reach all of the grid."""
    reach = [values[design.level == level] for level in range(design.cohorts.size)]
    short = [grid[0] < part.min() or grid[-1] > part.max() for part in reach]
    return [str(label) for label, less in zip(labels(design), short, strict=True) if less]


def details_of(design: ComparisonDesign, spline: Spline, without: list[str], short: list[str]) -> Details:
    """What the table does not hold; ``without`` are cohorts without a curve, ``short`` extrapolated ones."""
    panel, notes = design.panel, [*design.notes]
    if without:
        notes.append(
            f"cohorts {', '.join(without)} have too few distinct doses for the spline: they are in the "
            "overall effect, but in no curve and not in the overall slope"
        )
    short = [label for label in short if label not in without]
    if short:
        notes.append(
            f"the curves of cohorts {', '.join(short)} are extrapolated: their doses do not span 'doses', "
            f"{spline.grid[0]:g} to {spline.grid[-1]:g}"
        )
    return Details(
        anticipation=design.anticipation,
        average="cohorts_by_size",
        dropped=design.dropped,
        mean_outcome=weighted_mean(panel),
        mean_pre=mean_pre(design),
        extras={"degree": spline.degree, "knots": ", ".join(f"{knot:g}" for knot in spline.knots)},
    ).noted(notes)
