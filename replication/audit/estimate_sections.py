"""Estimates of the audit: estimators, event-study paths, sensitivity, inference, specification curve."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from replication.audit.design_sections import AuditSection, p_text
from replication.core.details import JointTest
from replication.core.errors import InputError
from replication.core.estimates import Estimates
from replication.core.panel import NEVER, Panel
from replication.core.spec import Inference
from replication.display.event_plot import event_figure, event_frame, figure_note
from replication.display.formatting import fixed, probability, sentence
from replication.display.result_text import is_large_loss
from replication.estimators.registry import ENTRIES
from replication.inference.methods import OwnMethods, apply_method
from replication.inference.sensitivity import breakdown_value, pretest_power

COMPARED = (
    "twfe",
    "callaway_santanna",
    "sun_abraham",
    "imputation",
    "two_stage",
    "etwfe",
    "stacked",
    "local_projections",
    "dcdh",
)
ROBUST = COMPARED[1:]
ALL_CELLS = ("simple", "cells_by_size", "cells_by_weight")
"""Averages over all treated cells; the stack, local projections and others cover shorter windows."""
PATHS = ("callaway_santanna", "imputation")
DRAWS = 499
NEAR = 12
"""Event times on either side of adoption that figures and sensitivity analysis look at."""
FRAGILE = 0.5
"""Breakdown value of relative magnitudes below which a warning is given."""
RESTRICTIONS = {
    "relative_magnitudes": "relative magnitudes (Mbar, multiple of the largest pre-trend change)",
    "smoothness": "smoothness (M, units of the outcome per period)",
}
SENSITIVITY = (
    "The breakdown value is the largest violation at which the interval of the average effect excludes zero. "
    "Under relative magnitudes, 1 means a violation as large as the largest change before adoption.",
    f"Paths are examined up to {NEAR} periods before and after adoption. `replication honest` reports the "
    f"same value for a result of `replication estimate` with `--set window=[-{NEAR},{NEAR}]`; on longer "
    "paths it differs.",
)
MOST_CLUSTERS = 60
"""Clusters up to which each is left out in turn."""

Fits = dict[str, Estimates]


def every_estimator(panel: Panel) -> tuple[AuditSection, Fits]:
    """All estimators side by side, and the results for the sections below."""
    fits, rows = Fits(), []
    for name in COMPARED:
        try:
            # The result carries its estimator's name: a refusal further down names the right one.
            fits[name] = ENTRIES[name].function(replace(panel, spec_id=name))
            estimate, std_error, low, high = main_row(fits[name])
            rows.append((ENTRIES[name].label, estimate, std_error, low, high, ""))
        except InputError as refusal:
            rows.append((ENTRIES[name].label, np.nan, np.nan, np.nan, np.nan, str(refusal)))
    columns = ["estimator", "estimate", "std. error", "conf. low", "conf. high", "reason not estimated"]
    table = pd.DataFrame(rows, columns=columns).round(4)
    if (table[columns[-1]] == "").all():
        table = table.drop(columns=columns[-1])
    robust = [
        main_row(fits[name])[0] for name in ROBUST if name in fits and fits[name].details.average in ALL_CELLS
    ]
    main = fits.get("callaway_santanna")
    words = []
    warnings = [sentence(note) for note in main.details.notes if is_large_loss(note)] if main else []
    if robust:
        words.append(
            f"The {len(robust)} estimators that allow effects to differ over cohorts and time and average "
            f"all treated cells give {fixed(min(robust))} to {fixed(max(robust))}; the others average other "
            "event times."
        )
    if "twfe" in fits and robust and outside(main_row(fits["twfe"]), robust):
        warnings.append(
            f"TWFE gives {fixed(main_row(fits['twfe'])[0])}, outside the range of the robust estimators "
            f"that average all treated cells ({fixed(min(robust))} to {fixed(max(robust))})."
        )
    return AuditSection("All estimators side by side", tuple(words), tuple(warnings), table), fits


def outside(row: tuple[float, float, float, float], others: Sequence[float]) -> bool:
    """Whether an estimate is below or above all others by more than a tenth of its standard error."""
    least = 0.1 * row[1]
    return not min(others) - least <= row[0] <= max(others) + least


def main_row(fit: Estimates) -> tuple[float, float, float, float]:
    """Estimate, standard error and interval of the overall effect, or of the treatment coefficient."""
    row = fit.table.iloc[0]
    return tuple(float(row[name]) for name in ("estimate", "std_error", "conf_low", "conf_high"))  # type: ignore[return-value]


def event_paths(fits: Fits) -> AuditSection:
    """Event-study paths, their pre-trend tests, and the power of these."""
    shown = {name: fits[name] for name in PATHS if name in fits}
    if not shown:
        return AuditSection("Event study", ("No estimator gives a path by event time here.",))
    words, warnings = [], []
    for name, fit in shown.items():
        test = fit.details.pretrend or JointTest(reason="no periods before")
        p_value = test.p_value
        if p_value is None:
            words.append(f"{ENTRIES[name].label}: no pre-trend test, {test.reason}.")
            continue
        words.append(f"{ENTRIES[name].label}: joint test of the periods before adoption, {p_text(p_value)}.")
        if p_value < 0.05:
            warnings.append(
                f"The pre-trend test of {ENTRIES[name].label} rejects at the 5% level ({p_text(p_value)})."
            )
    first = next(iter(shown.values()))
    words += power_words(first)
    frames = [
        event_frame(fit, ENTRIES[name].label).query("@low <= event_time <= @high")
        for name, fit in shown.items()
        for low, high in [near(fit)]
    ]
    figure = event_figure(
        frames, "Event study", figure_note(list(shown.values())), y_label=f"Effect on {first.outcome}"
    )
    return AuditSection(
        "Event study, pre-trends and their power", tuple(words), tuple(warnings), figure=figure
    )


def power_words(fit: Estimates) -> list[str]:
    """Power of a pre-trend test of this path (Roth 2022)."""
    try:
        row = pretest_power(fit, power=(0.8,), window=near(fit)).iloc[0]
    except InputError:
        return []
    slope, bias = float(row["slope"]), float(row["trend"])
    return [
        f"A linear violation of {fixed(slope)} per period would be detected with 80% power; it would bias "
        "the "
        f"average effect by {fixed(bias)}. A test that does not reject is weak evidence for parallel trends."
    ]


def near(fit: Estimates) -> tuple[int, int]:
    """The event times around adoption that the path has, at most ``NEAR`` on either side."""
    times = fit.path()[0]["event_time"]
    return max(int(times.min()), -NEAR), min(int(times.max()), NEAR)


def honest_bounds(fits: Fits) -> AuditSection:
    """Sensitivity of the overall effect to violations of parallel trends (Rambachan & Roth 2023)."""
    rows, words = [], []
    for name in (name for name in PATHS if name in fits):
        label, window = ENTRIES[name].label, near(fits[name])
        try:
            found = {
                method: breakdown_value(fits[name], method=method, window=window) for method in RESTRICTIONS
            }
        except InputError:
            words.append(f"Not available for {label}: its leads have no common reference period.")
            continue
        times = f"0 to {window[1]}"
        rows += [(label, times, RESTRICTIONS[method], value) for method, value in found.items()]
    columns = ["estimator", "average of event times", "restriction", "breakdown value"]
    table = pd.DataFrame(rows, columns=columns).round(4) if rows else None
    if rows:
        words += SENSITIVITY
    least = min((value for *_, name, value in rows if name.startswith("relative")), default=np.inf)
    warnings = []
    if least < FRAGILE:
        warnings.append(
            f"The interval of the average effect includes zero once violations of parallel trends may be "
            f"{fixed(least, 2)} times as large as the largest change before adoption."
        )
    return AuditSection("Sensitivity to violations of parallel trends", tuple(words), tuple(warnings), table)


def other_inference(panel: Panel) -> AuditSection:
    """The two-way estimate by the usual test, the wild cluster bootstrap, and randomization inference."""
    rows, values = [], []
    for method in ("analytic", "wild", "permutation"):
        inference = Inference(method=method, draws=DRAWS)
        try:
            fit = apply_method(ENTRIES["twfe"].function, panel, inference, own=OwnMethods(two_way=True))
            values.append(float(fit.table["p_value"].iloc[0]))
            rows.append((method, probability(values[-1])))
        except InputError as refusal:
            rows.append((f"{method}: {refusal}", ""))
    table = pd.DataFrame(rows, columns=["inference on TWFE", "p-value"])
    warnings = []
    if len({value < 0.05 for value in values}) > 1:
        warnings.append(
            "Whether the TWFE estimate is significant at the 5% level depends on the method of inference."
        )
    words = (f"The wild cluster bootstrap and randomization inference use {DRAWS} draws.",)
    return AuditSection("Inference by other methods", words, tuple(warnings), table)


def leave_one_out(panel: Panel) -> AuditSection:
    """The imputation estimate without each cohort, and without each cluster where there are few."""
    rows = []
    for label, keep in left_out(panel):
        try:
            estimate, std_error, *_ = main_row(ENTRIES["imputation"].function(panel.keep_units(keep)))
            rows.append((label, estimate, std_error))
        except InputError:
            continue
    if not rows:
        return AuditSection("Leave one out", ("No cohort or cluster can be left out.",))
    table = pd.DataFrame(rows, columns=["left out", "estimate", "std. error"]).round(4)
    low, high = table["estimate"].min(), table["estimate"].max()
    lowest, highest = (
        rows[int(place)][0] for place in (table["estimate"].argmin(), table["estimate"].argmax())
    )
    words = (
        f"Leaving out one cohort or cluster at a time, the imputation estimate ranges from {fixed(low)} "
        f"(without {lowest}) to {fixed(high)} (without {highest}).",
    )
    warnings = ("The sign of the estimate depends on a single cohort or cluster.",) if low < 0 < high else ()
    return AuditSection("Leave one out", words, warnings, table)


def left_out(panel: Panel) -> Iterator[tuple[str, np.ndarray]]:
    """Names, and units that are kept, of each sample without a part."""
    for cohort in np.unique(panel.cohort):
        name = "the never-treated" if cohort == NEVER else f"cohort {panel.written(cohort)}"
        yield name, panel.cohort != cohort
    dimension, codes = next(iter(panel.clusters.items()))
    if codes.ndim == 1 and codes.max() < MOST_CLUSTERS and codes.max() + 1 < codes.size:
        for code in range(int(codes.max()) + 1):
            # A panel has codes of its clusters, not their labels; a unit names one.
            yield f"the {dimension} of {panel.units[codes == code][0]}", codes != code


def specification_curve(panel: Panel) -> AuditSection:
    """Estimates over choices of estimator, trends and weights."""
    weightings = {"weighted" if panel.weighted else "unweighted": panel}
    if panel.weighted:
        weightings["unweighted"] = replace(panel, weight=np.ones_like(panel.weight), weighted=False)
    trends = {"no trends": (), "unit trends": ("unit_linear",)}
    rows = []
    for name, (weighting, given), (label, kept) in itertools.product(
        ("twfe", "imputation"), weightings.items(), trends.items()
    ):
        run: Callable[..., Estimates] = ENTRIES[name].function
        try:
            rows.append((ENTRIES[name].label, weighting, label, *main_row(run(given, trends=kept))))
        except InputError:
            continue
    columns = ["estimator", "weights", "trends", "estimate", "std. error", "conf. low", "conf. high"]
    table = pd.DataFrame(rows, columns=columns).sort_values("estimate", ignore_index=True).round(4)
    if table.empty:
        return AuditSection("Specification curve", ("No choice gives an estimate.",))
    clear = int(((table["conf. low"] > 0) | (table["conf. high"] < 0)).sum())
    words = (
        f"Over {len(table)} combinations of estimator, weights and unit-specific linear trends, the estimate "
        f"ranges from {fixed(table['estimate'].min())} to {fixed(table['estimate'].max())}; {clear} of the "
        "intervals "
        "exclude zero.",
    )
    apart = table["estimate"].min() < 0 < table["estimate"].max()
    warnings = ("The sign of the estimate depends on the specification.",) if apart else ()
    return AuditSection("Specification curve", words, warnings, table)
