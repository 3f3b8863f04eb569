"""Roth & Sant'Anna (2023) written out, cell by cell, as their R package staggered does it.

Nothing of the package under test is used: cohorts, weights and covariances are made anew, with
loops over cells. Event times average over the cohorts that have them.
"""

from __future__ import annotations

import numpy as np

NEVER = 10**6


def written_out(
    y: np.ndarray, cohort: np.ndarray, periods: np.ndarray, row: tuple, beta: object, control: str
) -> dict[str, float]:
    """Estimate, both standard errors, and X with its standard error, of one row."""
    adoption = np.where(cohort == 0, NEVER, cohort)
    labels = sorted(set(adoption.tolist()))
    size = {g: int((adoption == g).sum()) for g in labels}
    mean = {g: y[adoption == g].mean(axis=0) for g in labels}
    cov = {g: np.atleast_2d(np.cov(y[adoption == g].T)) for g in labels}
    theta, x = _weights(labels, size, periods, row, control)
    estimate0 = sum(theta[g] @ mean[g] for g in labels)
    difference = sum(x[g] @ mean[g] for g in labels)

    def covariance(a: dict, b: dict) -> float:
        return sum(a[g] @ cov[g] @ b[g] / size[g] for g in labels)

    own = covariance(x, x)
    if beta == "efficient":
        beta = covariance(x, theta) / own if own > 0 else 0.0
    neyman = covariance(theta, theta) + beta**2 * own - 2 * beta * covariance(x, theta)
    taken = _adjustment(labels, size, cov, theta, periods)
    return {
        "estimate": estimate0 - beta * difference,
        "neyman": np.sqrt(max(neyman, 0.0)),
        "adjusted": np.sqrt(neyman - taken) if neyman > taken else np.sqrt(max(neyman, 0.0)),
        "difference": difference,
        "difference_error": np.sqrt(own),
    }


def _cell(g: int, t: int, labels: list, size: dict, control: str, last: int) -> dict | None:
    """Weights of the cohorts in the comparison of cohort g in period t; None if there is none."""
    clean = [c for c in labels if c > max(g, t)]
    if control == "last_treated":
        clean = [c for c in clean if c == labels[-1]]
    if control == "never_treated":
        clean = [c for c in clean if c > last]
    if not clean:
        return None
    total = sum(size[c] for c in clean)
    return {c: -size[c] / total for c in clean} | {g: 1.0}


def _weights(labels: list, size: dict, periods: np.ndarray, row: tuple, control: str) -> tuple:
    last = int(periods[-1])
    inside = [g for g in labels if g <= last]
    found = {
        (g, int(t)): compared
        for g in inside
        for t in periods
        if (compared := _cell(g, int(t), labels, size, control, last)) is not None
    }
    treated = [(g, t) for g, t in found if t >= g]
    term, event = row
    if term == "att":
        share = {cell: float(size[cell[0]]) for cell in treated}
    elif term == "group":
        length = {g: sum(1 for h, _ in treated if h == g) for g in inside}
        share = {(g, t): size[g] / length[g] for g, t in treated}
    elif term == "calendar":
        mass = {t: sum(size[g] for g, s in treated if s == t) for _, t in treated}
        share = {(g, t): size[g] / mass[t] for g, t in treated}
    else:
        share = {(g, t): float(size[g]) for g, t in found if t - g == event}
    total = sum(share.values())
    theta = {g: np.zeros(periods.size) for g in labels}
    x = {g: np.zeros(periods.size) for g in labels}
    for (g, t), weight in share.items():
        before = np.flatnonzero(periods < g)
        for c, value in found[g, t].items():
            theta[c][np.flatnonzero(periods == t)[0]] += weight / total * value
            if before.size:
                x[c][before[-1]] += weight / total * value
    return theta, x


def _adjustment(labels: list, size: dict, cov: dict, theta: dict, periods: np.ndarray) -> float:
    """R ``compute_se_Thetahat_beta``: g_min is the first cohort that has a weight in this estimand.

    If g_min is treated from the first period on, there is nothing to adjust with. The other rows have
    M in common, the periods before the first cohort that adopts later, as R's ``return_full_vcv``
    takes one matrix for all.
    """
    if next(g for g in labels if theta[g].any()) <= periods[0]:
        return 0.0
    used = [g for g in labels if g > periods[0]]
    depth = int((periods < used[0]).sum())
    inner = [cov[g][:depth, :depth] for g in used]
    slope = sum(
        np.linalg.pinv(m, rcond=1.4901161e-08) @ cov[g][:depth] @ theta[g]
        for m, g in zip(inner, used, strict=True)
    )
    return float(slope @ (sum(inner) / len(inner)) @ slope / sum(size.values()))
