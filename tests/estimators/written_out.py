"""The estimators on untreated cells written out with dense dummies, and panels to try them on.

Slow and obvious on purpose: every dummy is a column, every weight of every outcome a number.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import group_time_data
import numpy as np
import pandas as pd
from drawn_panels import as_frame, draw_panel

from replication.core.panel import Panel

ADOPTIONS = (
    (0, 2003, 2004, 2006, 2007),
    (0, 2002, 2005, 2008),  # a cohort treated in the second period, one in the last
    (2003, 2004, 2005, 2006, 2020),  # comparison adopts after the panel only
    (0, 2004),
)


def random_panel(seed: int, **changes) -> Panel:
    """Small panel whose shape changes with the seed: cohorts, gaps, one cohort of one unit."""
    options = {
        "adoption": ADOPTIONS[seed % 4],
        "missing": 0.1 if seed % 3 == 1 else 0.0,
        "n_clusters": 12 if seed % 5 == 4 else None,
        "stratum": True,
        "n_units": 40,
    } | changes
    panel = draw_panel(seed, **options)
    if seed % 2:
        lone = panel.cohort.copy()
        lone[-1] = 2005
        panel = replace(panel, cohort=lone)
    return panel


def with_covariates(panel: Panel, seed: int = 0, names: tuple[str, ...] = ("x1", "x2")) -> Panel:
    """The panel with time-varying covariates that matter."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(len(names), *panel.y.shape)) + 0.3 * np.nan_to_num(panel.y)
    y = panel.y + np.tensordot(np.arange(1, len(names) + 1), x, 1)
    return replace(panel, y=y, covariates=x, covariate_names=names)


def with_varying_weights(panel: Panel, seed: int = 0) -> Panel:
    """The panel with weights that change over time."""
    weight = np.random.default_rng(seed).uniform(0.5, 2.0, panel.y.shape)
    return replace(panel, weight=weight, weighted=True)


def mpdta(**changes) -> Panel:
    """County teen employment 2003-2007, as shipped by moderndid."""
    return replace(group_time_data.mpdta(), **changes)


def diff_diff_fit(model, panel: Panel, path: str = "event_study"):
    """The fit of a class of diff-diff, and its event path; cohorts beyond the panel are never treated."""
    frame = as_frame(panel).dropna(subset=["y"])
    frame["cohort"] = frame["cohort"].where(frame["cohort"] <= panel.periods[-1], 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = model.fit(frame, outcome="y", unit="unit", time="time", first_treat="cohort")
        return peer, peer.aggregate(path).to_dataframe()


def clusters_above(panel: Panel) -> str | None:
    """The cluster column where clusters are not the units, as diff-diff takes it."""
    return None if np.unique(panel.cluster).size == len(panel.units) else "cluster"


def mpdta_population() -> np.ndarray:
    """(500, 5) log population of the counties of ``mpdta``."""
    import moderndid

    frame = moderndid.load_mpdta().to_pandas().sort_values(["countyreal", "year"])
    return frame["lpop"].to_numpy().reshape(-1, 5)


def castle(weighted: bool = False) -> Panel:
    """Log homicide of 50 states 2000-2010, cohorts from causaldata's own ``post``."""
    import causaldata

    frame = causaldata.castle.load_pandas().data.sort_values(["sid", "year"])
    first = frame[frame["post"] == 1].groupby("sid")["year"].min()
    states = frame["sid"].unique()
    weight = frame["popwt"].to_numpy(dtype=float) if weighted else np.ones(len(frame))
    return Panel(
        y=np.log(frame["homicide"].to_numpy(dtype=float)).reshape(-1, 11),
        units=states,
        periods=np.arange(2000, 2011),
        cohort=pd.Series(states).map(first).fillna(0).to_numpy().astype(np.int64),
        weight=weight.reshape(-1, 11),
        clusters={"sid": np.arange(50)},
        weighted=weighted,
        outcome="l_homicide",
    )


class Dense:
    """The model of untreated outcomes with one column per dummy.

    ``tau`` are outcomes less predictions, and ``weights(omega)`` the weights on every outcome of
    an average with weights ``omega`` on treated cells.
    """

    def __init__(self, panel: Panel, trends: tuple[str, ...] = (), anticipation: int = 0) -> None:
        n_units, n_periods = panel.y.shape
        ever = (panel.cohort != 0)[:, None]
        self.event = np.where(ever, panel.periods - panel.cohort[:, None], -10_000)
        used = panel.observed & (panel.weight > 0)
        self.fit = (used & (self.event < -anticipation)).ravel()
        self.treated = (used & (self.event >= -anticipation)).ravel()
        self.weight = np.where(used, panel.weight, 0.0).ravel()
        self.design = self._design(panel, trends, n_units, n_periods)
        self.y = np.where(panel.observed, panel.y, 0.0).ravel()
        left = self.design[self.fit] * np.sqrt(self.weight[self.fit])[:, None]
        right = self.y[self.fit] * np.sqrt(self.weight[self.fit])
        self.coefficients = np.linalg.lstsq(left, right, rcond=1e-11)[0]
        self.tau = self.y - self.design @ self.coefficients
        self.inverse = np.linalg.pinv(left.T @ left, rcond=1e-11, hermitian=True)
        row_space = np.linalg.pinv(left, rcond=1e-11) @ left
        error = np.abs(self.design @ row_space - self.design).max(axis=1)
        self.determined = error < 1e-7
        self.effect = self.treated & self.determined

    def _design(self, panel, trends, n_units, n_periods):
        unit = np.repeat(np.arange(n_units), n_periods)
        time = np.tile(np.arange(n_periods), n_units)
        time_trend = (panel.periods - panel.periods.mean())[time] / 5
        columns = [np.eye(n_units)[unit]]
        levels = [t.removesuffix("_by_time") for t in trends if t.endswith("_by_time")]
        for name in levels:
            code = panel.strata[name][unit] * n_periods + time
            columns.append(np.eye(code.max() + 1)[code])
        if not levels:
            columns.append(np.eye(n_periods)[time])
        for trend in trends:
            if trend == "unit_linear":
                columns.append(np.eye(n_units)[unit] * time_trend[:, None])
            elif trend.endswith("_linear"):
                code = panel.strata[trend.removesuffix("_linear")][unit]
                columns.append(np.eye(code.max() + 1)[code] * time_trend[:, None])
        if panel.covariates is not None:
            columns.append(np.nan_to_num(panel.covariates.reshape(len(panel.covariates), -1).T))
        return np.hstack(columns)

    def weights(self, omega):
        """(N T,) weight of every outcome, for weights ``omega`` on any cells."""
        moved = self.inverse @ (self.design.T @ omega)
        return omega - np.where(self.fit, self.weight, 0.0) * (self.design @ moved)

    def average(self, mask):
        """(N T,) normalized weights of the treated cells in ``mask``."""
        omega = self.weight * (self.effect & mask)
        return omega / omega.sum()

    def masks(self, panel: Panel) -> dict:
        """Cells of every kind of row, by (term, label)."""
        event, cohort = self.event.ravel(), np.repeat(panel.cohort, panel.periods.size)
        time = np.tile(panel.periods, len(panel.units))
        after = self.effect & (event >= 0)
        masks = {("att", None): after}
        masks |= {("event", h): self.effect & (event == h) for h in np.unique(event[self.effect])}
        masks |= {("group", g): after & (cohort == g) for g in np.unique(cohort[after])}
        masks |= {("calendar", t): after & (time == t) for t in np.unique(time[after])}
        return masks


def labeled(result) -> dict:
    """(estimate, std_error) of every row by (term, label); label None for means and att."""
    key = {"event": "event_time", "group": "cohort", "calendar": "time"}
    found = {}
    for row in result.table.to_dict("records"):
        label = row[key[row["term"]]] if row["term"] in key else None
        label = None if label is None or np.isnan(label) else int(label)
        name = row["term"] if label is not None or row["term"] not in key else row["term"] + "_mean"
        found[name, label] = (row["estimate"], row["std_error"])
    return found


def conservative(dense: Dense, panel, omega, groups: str, leave_one_out: bool = False) -> float:
    """Standard error of Theorem 3 by loops over groups and clusters."""
    v = dense.weights(omega)
    cluster = np.repeat(panel.cluster, panel.periods.size)
    cohort = np.repeat(panel.cohort, panel.periods.size)
    keys = {
        "cohort_event": cohort * 100_000 + dense.event.ravel(),
        "cohort": cohort,
        "none": np.zeros_like(cohort),
    }[groups]
    residual = np.where(dense.fit, dense.tau, 0.0)
    for group in np.unique(keys[omega > 0]):
        inside = (keys == group) & (omega > 0)
        members = np.unique(cluster[inside])
        a = {c: v[inside & (cluster == c)].sum() for c in members}
        b = {c: (v * dense.tau)[inside & (cluster == c)].sum() for c in members}
        for c in members:
            others = [d for d in members if d != c] if leave_one_out and len(members) > 1 else members
            mean = sum(a[d] * b[d] for d in others) / sum(a[d] ** 2 for d in others)
            cells = inside & (cluster == c)
            residual[cells] = dense.tau[cells] - mean
    sums = np.bincount(cluster, v * residual)
    return float(np.sqrt((sums**2).sum()))
