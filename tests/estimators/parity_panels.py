"""32 drawn staggered panels: eight features crossed in a fraction of their 256 combinations.

The first five features are crossed completely; each of the other three is a parity of some of
the first, so that every pair of features occurs in all four combinations. The panels are small
enough for the slowest package, and every one has a seed of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd
from drawn_panels import as_frame

from replication.core.panel import Panel

N_UNITS = 40
N_CLUSTERS = 11
SEEDS = range(101, 133)
FEATURES = ("missing", "weighted", "clustered", "never", "skipped", "alone", "second", "apart")


@dataclass(frozen=True)
class Case:
    """A drawn panel by its features.

    ``missing``: 4% of cells without an outcome. ``weighted``: unit weights. ``clustered``:
    clusters above the unit. ``never``: never-treated units. ``skipped``: the panel lacks 2007.
    ``alone``: a cohort of one unit. ``second``: a cohort treated in the second period.
    ``apart``: long gaps between cohorts.
    """

    seed: int
    missing: bool
    weighted: bool
    clustered: bool
    never: bool
    skipped: bool

    @property
    def alone(self) -> bool:
        return self.missing ^ self.weighted ^ self.clustered

    @property
    def second(self) -> bool:
        return self.missing ^ self.weighted ^ self.never

    @property
    def apart(self) -> bool:
        return self.weighted ^ self.clustered ^ self.never ^ self.skipped

    def __str__(self) -> str:
        return "-".join([str(self.seed), *(name for name in FEATURES if getattr(self, name))])

    @property
    def adoption(self) -> list[int]:
        """Adoption years that several units share; 0 is never."""
        years = [2002] if self.second else []
        years += [2004, 2009] if self.apart else [2003, 2004, 2006, 2008]
        return [0, *years] if self.never else years

    @property
    def panel(self) -> Panel:
        """Random walks with effects that grow with exposure."""
        rng = np.random.default_rng(self.seed)
        periods = np.array([t for t in range(2001, 2010) if t != 2007 or not self.skipped])
        sure = np.repeat(self.adoption, [10 if year == 0 else 5 for year in self.adoption])
        cohort = np.append(sure, rng.choice(self.adoption, N_UNITS - sure.size))
        if self.alone:
            cohort[-1] = 2005
        shape = (N_UNITS, periods.size)
        exposed = np.maximum(periods - cohort[:, None] + 1, 0) * (cohort != 0)[:, None]
        noise = 0.5 * rng.normal(size=shape).cumsum(axis=1)
        y = rng.normal(size=(N_UNITS, 1)) + rng.normal(size=periods.size) + noise
        y = y + 0.3 * exposed**0.7
        if self.missing:
            y[rng.random(shape) < 0.04] = np.nan
        weight = rng.uniform(0.5, 2.0, N_UNITS) if self.weighted else np.ones(N_UNITS)
        codes = np.arange(N_UNITS)
        if self.clustered:
            codes = np.append(np.arange(N_CLUSTERS), rng.integers(0, N_CLUSTERS, N_UNITS))[:N_UNITS]
        return Panel(
            y=y,
            units=np.arange(N_UNITS),
            periods=periods,
            cohort=cohort.astype(np.int64),
            weight=np.repeat(weight[:, None], periods.size, axis=1),
            clusters={"cluster": codes.astype(np.int64)},
            weighted=self.weighted,
            outcome="y",
        )

    @property
    def counts(self) -> Panel:
        """The same panel with counts for outcomes."""
        panel = self.panel
        rng = np.random.default_rng([self.seed, 1])
        mean = np.exp(1.0 + 0.4 * np.nan_to_num(panel.y))
        return replace(panel, y=np.where(panel.observed, rng.poisson(mean) + 0.0, np.nan))


def drawn() -> Iterator[Case]:
    for seed, features in zip(SEEDS, product([False, True], repeat=5), strict=True):
        yield Case(seed, *features)


CASES = list(drawn())


def rows(panel: Panel) -> pd.DataFrame:
    """One row per observed cell: unit, time, y, d, cohort, w, cluster."""
    return as_frame(panel).dropna(subset=["y"]).reset_index(drop=True)


def on_every_year(panel: Panel) -> pd.DataFrame:
    """One row per unit and year of the calendar; y is empty in the years that the panel lacks."""
    years = np.arange(panel.periods[0], panel.periods[-1] + 1)
    y = np.full((len(panel.units), years.size), np.nan)
    y[:, panel.periods - years[0]] = panel.y
    weight = np.repeat(panel.weight[:, :1], years.size, axis=1)
    return as_frame(replace(panel, y=y, periods=years, weight=weight)).astype({"d": int})


def whole(panel: Panel) -> Panel:
    """The units observed in every period: what ``sample: {balanced: true}`` keeps."""
    return panel.keep_units(panel.observed.all(axis=1))


def cut(panel: Panel) -> Panel:
    """Where nobody is never treated: the periods before the last cohort, which is then never."""
    if (panel.cohort == 0).any():
        return panel
    last = panel.cohort.max()
    kept = panel.keep_periods(panel.periods < last)
    return replace(kept, cohort=np.where(kept.cohort == last, 0, kept.cohort))


def clustered_by_unit(panel: Panel) -> Panel:
    """The panel for the packages that have no clusters above the unit."""
    return replace(panel, clusters={"unit": np.arange(len(panel.units))})


def first_stage_is_whole(case: Case) -> bool:
    """Every unit and period keeps two untreated cells."""
    panel = case.panel
    untreated = panel.observed & ~panel.treated
    return bool((untreated.sum(axis=1) >= 2).all() and (untreated.sum(axis=0) >= 2).all())


def cohorts_have_reference(case: Case) -> bool:
    """Every cohort of ``cut`` has an outcome in the year before its adoption."""
    panel = cut(case.panel)
    known = rows(panel)
    known = set(zip(known["cohort"], known["time"], strict=True))
    return all((g, g - 1) in known for g in set(panel.cohort) - {0})


def cohorts_are_tied(case: Case) -> bool:
    """Every cohort of ``cut`` has an outcome in the last period of the panel before adoption."""
    panel = cut(case.panel)
    return all(
        panel.observed[panel.cohort == g][:, panel.periods < g][:, -1].any() for g in set(panel.cohort) - {0}
    )
