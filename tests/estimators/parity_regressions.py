"""Regressions of the drawn panels beside pyfixest, some with every dummy written out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyfixest
from parity_panels import Case, cut, on_every_year, rows
from two_way_data import EXACT

from replication.core.estimates import Estimates
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.estimators.etwfe import etwfe
from replication.estimators.event_study import event_study
from replication.estimators.local_projections import local_projections
from replication.estimators.poisson import poisson
from replication.estimators.stacked import stacked
from replication.estimators.sun_abraham import sun_abraham
from replication.estimators.twfe import twfe

ANALYTIC = Inference(draws=9)
# Peers without G/(G-1) where clusters hold several units.
PLAIN = Inference(draws=9, small_sample="none")
KEYS = {"event": "event_time", "group": "cohort", "calendar": "time"}


@dataclass
class Found:
    """Pairs (ours, theirs) of points and of standard errors, by name."""

    points: dict[object, tuple[float, float]] = field(default_factory=dict)
    std_errors: dict[object, tuple[float, float]] = field(default_factory=dict)

    def add(self, name, ours, theirs, *, std_errors: bool = True) -> None:
        self.points[name] = (ours[0], theirs[0])
        if std_errors:
            self.std_errors[name] = (ours[1], theirs[1])


def values(estimates: Estimates) -> dict[tuple, tuple[float, float]]:
    """(estimate, std_error) by term and label; label None for averages."""
    found = {}
    for row in estimates.table.to_dict("records"):
        term = row["term"]
        label = row[KEYS[term]] if term in KEYS else None
        label = None if label is None or np.isnan(label) else int(label)
        name = (term, label)
        if term == "att_gt":
            name = (term, int(row["cohort"]), int(row["time"]))
        found[name] = (row["estimate"], row["std_error"])
    return found


def feols(formula: str, frame: pd.DataFrame, weights: str = "w") -> pyfixest.Feols:
    return pyfixest.feols(
        formula,
        frame,
        weights=weights,
        vcov={"CRV1": "cluster"},
        demeaner=EXACT,
        fixef_rm="singleton",
    )


def twfe_pyfixest(case: Case) -> Found:
    theirs = feols("y ~ d | unit + time", rows(case.panel))
    found = Found()
    found.add("att", twfe(case.panel).att, (theirs.coef()["d"], theirs.se()["d"]))
    return found


def event_study_pyfixest(case: Case) -> Found:
    frame = rows(case.panel)
    frame["e"] = np.where(frame["cohort"] == 0, -1, frame["time"] - frame["cohort"]).clip(-3, 2)
    theirs = feols("y ~ i(e, ref=-1) | unit + time", frame)
    names = {int(float(str(name).split("::")[-1])): name for name in theirs.coef().index}
    found = Found()
    for (term, label), pair in values(event_study(case.panel, window=(-3, 2))).items():
        if term == "event" and label not in {None, -1}:
            name = names[label]
            found.add(label, pair, (theirs.coef()[name], theirs.se()[name]))
    return found


def poisson_pyfixest(case: Case) -> Found:
    panel = case.counts
    theirs = pyfixest.fepois(
        "y ~ d | unit + time",
        rows(panel),
        vcov={"CRV1": "cluster"},
        weights="w",
        demeaner=EXACT,
        iwls_tol=1e-13,
        iwls_maxiter=100,
        separation_check=["fe"],
        fixef_rm="singleton",
    )
    found = Found()
    found.add("att", poisson(panel).att, (theirs.coef()["d"], theirs.se()["d"]))
    return found


@dataclass
class Dummies:
    """A regression with one dummy per cohort and period, by pyfixest.

    ``missed`` holds the mass of reference cells, which count as zeros in an average over event
    time, and ``lost`` the cohorts without any observation in their reference period.
    """

    fit: pyfixest.Feols
    cells: np.ndarray
    mass: np.ndarray
    missed: dict[int, float]
    lost: list[int]

    def average(self, chosen: np.ndarray, reference: float = 0.0) -> tuple[float, float]:
        share = np.where(chosen & ~np.isin(self.cells[:, 0], self.lost), self.mass, 0.0)
        share = share / (share.sum() + reference)
        point = self.fit.coef().reindex([f"d{g}x{t}" for g, t in self.cells]).fillna(0.0)
        place = {name: k for k, name in enumerate(self.fit._coefnames)}
        there = [k for k, (g, t) in enumerate(self.cells) if f"d{g}x{t}" in place]
        used = [place[f"d{g}x{t}"] for g, t in self.cells[there]]
        variance = share[there] @ self.fit._vcov[np.ix_(used, used)] @ share[there]
        return float(share @ point), float(np.sqrt(variance))


def regression_on_dummies(panel: Panel, leads: bool) -> Dummies:
    """Every treated cell has a dummy; with ``leads`` every cell but the last before adoption."""
    frame = rows(cut(panel))
    cells, mass, missed, lost, columns = [], [], {}, [], {}
    for g in sorted(set(frame["cohort"]) - {0}):
        own = frame[frame["cohort"] == g]
        base = cut(panel).periods[cut(panel).periods < g].max()
        if leads:
            at_base = own[own["time"] == base]["w"].sum()
            missed[base - g] = missed.get(base - g, 0.0) + at_base
            lost += [] if at_base else [g]
        for t, weight in own.groupby("time")["w"].sum().items():
            if t >= g or (leads and t != base):
                cells.append((g, t))
                mass.append(weight)
                columns[f"d{g}x{t}"] = ((frame["cohort"] == g) & (frame["time"] == t)) * 1.0
    frame = pd.concat([frame, pd.DataFrame(columns)], axis=1)
    fit = feols(f"y ~ {' + '.join(columns)} | unit + time", frame)
    return Dummies(fit, np.array(cells), np.array(mass), missed, lost)


def sun_abraham_pyfixest(case: Case) -> Found:
    group = "never_treated" if case.never else "not_yet_treated"
    ours = values(sun_abraham(case.panel, control_group=group, inference=ANALYTIC))
    dummies = regression_on_dummies(case.panel, leads=True)
    event = dummies.cells[:, 1] - dummies.cells[:, 0]
    found = Found()
    found.add("att", ours["att", None], dummies.average(event >= 0))
    for e in np.unique(event[~np.isin(dummies.cells[:, 0], dummies.lost)]):
        expected = dummies.average(event == e, dummies.missed.get(e, 0.0))
        found.add(int(e), ours["event", int(e)], expected)
    return found


def etwfe_pyfixest(case: Case) -> Found:
    found = Found()
    for leads in (False, True):
        group = "never_treated" if leads else "not_yet_treated"
        if leads and not case.never:
            continue
        ours = values(etwfe(case.panel, control_group=group, inference=ANALYTIC))
        dummies = regression_on_dummies(case.panel, leads)
        g, t = dummies.cells.T
        found.add((group, "att"), ours["att", None], dummies.average(t >= g))
        for term, labels in (("group", g), ("calendar", t), ("event", t - g)):
            for label in np.unique(labels[t >= g]):
                expected = dummies.average((labels == label) & (t >= g))
                found.add((group, term, int(label)), ours[term, int(label)], expected)
    return found


def local_projections_pyfixest(case: Case) -> Found:
    """Each horizon as a regression of the long difference on adoption and period effects."""
    ours = values(local_projections(case.panel, window=(-2, 1), inference=ANALYTIC))
    frame = on_every_year(case.panel)
    known = frame.set_index(["unit", "time"])["y"]
    adopts = frame["cohort"].where(frame["cohort"] > 0, np.inf)
    frame["entry"] = (adopts == frame["time"]) * 1.0
    found = Found()
    for h in (-2, 0, 1):
        ahead, before = (
            known.reindex(pd.MultiIndex.from_arrays([frame["unit"], frame["time"] + k])).to_numpy()
            for k in (h, -1)
        )
        part = frame.assign(change=ahead - before)
        part = part[(part["entry"] == 1) | (adopts > part["time"] + max(h, 0))]
        part = part.dropna(subset=["change"])
        # Adopters without a clean control in their period are fitted by its effect: left out.
        part = part[part.groupby("time")["entry"].transform("min") == 0]
        fit = feols("change ~ entry | time", part)
        found.add(h, ours["event", h], (fit.coef()["entry"], fit.se()["entry"]))
    return found


def stacked_pyfixest(case: Case) -> Found:
    """The stack row by row with the weights of its definition, event times -1 to 1."""
    frame = rows(case.panel)
    frame["adopts"] = frame["cohort"].where(frame["cohort"] > 0, np.inf)
    parts = []
    for a in sorted(set(frame["cohort"]) - {0}):
        near = frame[frame["time"].between(a - 1, a + 1)]
        part = near[(near["adopts"] == a) | (near["adopts"] > a + 1)]
        part = part.assign(a=a, treat=(part["adopts"] == a) * 1, e=part["time"] - a)
        if len(part.groupby(["treat", "e"])) == 6:
            parts.append(part)
    stack = pd.concat(parts, ignore_index=True)
    share = stack.groupby(["a", "treat", "e"])["w"].transform("sum")
    share = share / stack.groupby(["treat", "e"])["w"].transform("sum")
    mass = stack[stack["treat"] == 1].groupby(["a", "e"])["w"].sum()
    mass = mass / mass.groupby("e").transform("sum")
    target = mass.reindex(pd.MultiIndex.from_frame(stack[["a", "e"]])).to_numpy()
    stack["q"] = np.where(stack["treat"] == 1, 1.0, target / share) * stack["w"]
    stack["t0"] = (stack["e"] == 0) * stack["treat"] * 1.0
    stack["t1"] = (stack["e"] == 1) * stack["treat"] * 1.0
    fit = feols("y ~ t0 + t1 | treat + e", stack, weights="q")
    ours = values(stacked(case.panel, window=(-1, 1), inference=ANALYTIC))
    found = Found()
    for e in (0, 1):
        found.add(e, ours["event", e], (fit.coef()[f"t{e}"], fit.se()[f"t{e}"]))
    found.add("att", ours["att", None], (fit.coef().mean(), np.sqrt(fit._vcov.sum()) / 2))
    return found
