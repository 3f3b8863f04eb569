"""Calls of other packages for doses, triple differences, sampled people and random timing.

As in ``peers``; the frame has the further columns of ``panels.race_frame``.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from benchmarks.peers import (
    BY_UNIT,
    COLUMNS,
    DRAWS,
    NAMES,
    UNIT,
    Window,
    diff_diff_dcdh,
    moderndid_average,
    moderndid_dcdh,
)


def diff_diff_dcdh_doses(frame: pd.DataFrame, window: Window) -> float:
    """Effects and placebos; its overall effect is per unit of treatment, as here."""
    return diff_diff_dcdh(frame, window, "z", drop_larger_lower=False)


def moderndid_dcdh_doses(frame: pd.DataFrame, window: Window) -> float:
    return moderndid_dcdh(frame, window, "z")


def diff_diff_triple(frame: pd.DataFrame, window: Window) -> float:
    import diff_diff

    model = diff_diff.StaggeredTripleDifference(base_period="universal")
    fit = model.fit(frame, **COLUMNS, eligibility="eligible", aggregate="event_study")
    return float(fit.overall_att)


def moderndid_triple(frame: pd.DataFrame, window: Window) -> float:
    import moderndid

    cells = moderndid.ddd(frame, **NAMES, **UNIT, pname="eligible", control_group="notyettreated")
    moderndid.agg_ddd(cells, type="eventstudy", boot=False, cband=False)
    return float(moderndid.agg_ddd(cells, type="simple", boot=False, cband=False).overall_att)


def diff_diff_dose(frame: pd.DataFrame, window: Window) -> float:
    import diff_diff

    model = diff_diff.ContinuousDiD(control_group="not_yet_treated")
    return float(model.fit(frame, **COLUMNS, dose="dose").overall_att)


def moderndid_dose(frame: pd.DataFrame, window: Window) -> float:
    import moderndid

    fit = moderndid.cont_did(frame, **NAMES, **UNIT, dname="dose", biters=2, random_state=1)
    return float(fit.overall_att)


def diff_diff_people(frame: pd.DataFrame, window: Window) -> float:
    import diff_diff

    model = diff_diff.CallawaySantAnna(
        control_group="not_yet_treated",
        base_period="universal",
        estimation_method="reg",
        panel=False,
        cluster="unit",
        n_bootstrap=DRAWS,
        seed=1,
    )
    columns = {**COLUMNS, "unit": "row"}
    return float(model.fit(frame, **columns, aggregate="event_study").overall_att)


def moderndid_people(frame: pd.DataFrame, window: Window) -> float:
    return moderndid_average(frame, panel=False, clustervars=["unit"])


def pyfixest_by_time(frame: pd.DataFrame, window: Window) -> float:
    import pyfixest

    first = frame["time"].min()
    fit = pyfixest.feols(f"y ~ d + i(time, x, ref={first}) | unit + time", frame, vcov=BY_UNIT)
    return float(fit.coef()["d"])


def numpy_random_timing(frame: pd.DataFrame, window: Window) -> float:
    """Roth & Sant'Anna (2023) as their formulas stand, estimand by estimand; every unit adopts.

    Moments of a cohort are taken once; the simple average and each event time of the window follow.
    """
    wide = frame.pivot(index="unit", columns="time", values="y").to_numpy()
    adopted = frame.groupby("unit")["cohort"].first().to_numpy()
    times = np.sort(frame["time"].unique())
    labels, sizes = np.unique(adopted, return_counts=True)
    own = [wide[adopted == g] for g in labels]
    means = np.stack([y.mean(axis=0) for y in own])
    spreads = [np.cov(y.T) / len(y) for y in own]
    possible = [(g, t) for g, t in itertools.product(labels, times) if labels[-1] > max(g, t)]
    estimands = [[(g, t) for g, t in possible if t >= g]]
    estimands += [[(g, t) for g, t in possible if t - g == e] for e in range(window[0], window[1] + 1)]
    found = [timing_effect(cells, labels, sizes, times, means, spreads) for cells in estimands]
    return found[0][0]


def timing_effect(
    cells: list[tuple[int, int]],
    labels: np.ndarray,
    sizes: np.ndarray,
    times: np.ndarray,
    means: np.ndarray,
    spreads: list[np.ndarray],
) -> tuple[float, float]:
    """Efficient estimate and adjusted variance of one average over cells (cohort, period)."""
    theta, x = np.zeros(means.shape), np.zeros(means.shape)
    total = sum(sizes[labels == g].sum() for g, _ in cells)
    for g, t in cells:
        clean = labels > max(g, t)
        weight = np.where(clean, -sizes / sizes[clean].sum(), labels == g) * sizes[labels == g] / total
        theta[:, times == t] += weight[:, None]
        x[:, times == g - 1] += weight[:, None]

    def covariance(a: np.ndarray, b: np.ndarray) -> float:
        return float(sum(one @ s @ other for one, s, other in zip(a, spreads, b, strict=True)))

    own, shared = covariance(x, x), covariance(x, theta)
    beta = shared / own if own > 0 else 0.0
    used = np.flatnonzero(theta.any(axis=1).cumsum() > 0)
    depth = int((times < labels[used[0]]).sum()) if used.size else 0
    inner = [spreads[g][:depth, :depth] * sizes[g] for g in used]
    slopes = [
        np.linalg.pinv(s) @ spreads[g][:depth] @ theta[g] * sizes[g] for s, g in zip(inner, used, strict=True)
    ]
    taken = sum(slopes) @ np.mean(inner, axis=0) @ sum(slopes) / sizes.sum() if depth else 0.0
    variance = covariance(theta, theta) - 2 * beta * shared + beta**2 * own - taken
    return float((means * (theta - beta * x)).sum()), float(variance)
