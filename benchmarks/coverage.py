"""Coverage of 95% intervals and bands by Monte Carlo: ``python -m benchmarks.coverage``.

Every estimator is applied to panels that satisfy its own assumptions (``coverage_designs``), with 50, 20
and 10 clusters. A draw records whether the interval of the overall effect, that of one event time
and the band over the whole path contain the estimand of the estimator (``coverage_aims``). The
pointwise intervals are taken as the estimator gives them, with t(G-1) critical values, from the
bootstrap-t of the scores and, for the two-way regressions, from the wild cluster bootstrap.

Writes ``benchmarks/results/coverage.{csv,md}``. Each draw has its own seed, so the result
does not depend on the number of cores.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from threadpoolctl import threadpool_limits

from benchmarks.coverage_aims import (
    Aim,
    Target,
    by_population,
    by_sample,
    by_variance,
    path_to,
)
from benchmarks.coverage_designs import (
    Design,
    any_path,
    by_unit,
    few_treated,
    same_level,
    same_path,
    staggered,
)
from benchmarks.coverage_further import (
    MEAN_DOSE,
    by_cohort,
    by_dose,
    dosed,
    eligible_half,
    random_timing,
    reversals,
    sampled_once,
)
from benchmarks.coverage_table import merged, write_tables
from replication.core.estimates import Estimates
from replication.core.spec import Inference, Spec
from replication.estimators.estimate_spec import estimate

SEED = 20141120
DRAWS = {50: 1000, 20: 500, 10: 500}
SHOWN = (
    "att_default",
    "att_normal",
    "att_t",
    "att_bootstrap_t",
    "att_wild",
    "event_default",
    "event_normal",
    "event_t",
    "event_bootstrap_t",
    "event_wild",
    "band_default",
    "band_normal",
)


@dataclass(frozen=True, slots=True)
class Case:
    """An estimator, panels that satisfy its assumptions, and its estimand.

    Attributes
    ----------
    name : of the estimator; the part after a comma describes its options.
    options, inference : fields of ``Spec`` and ``Inference``.
    term : row of the overall effect.
    event : further event time that is recorded; None if there is no path.
    path_from : first event time of which the truth is known.
    wild : whether the wild bootstrap is tried as well.
    own_t : whether its t distribution has its own degrees of freedom, not G-1.
    clusters : numbers of clusters; draws : fewer than usual where a draw is slow.

    """

    name: str
    design: Design
    aim: Aim
    options: Mapping[str, Any] = field(default_factory=dict)
    inference: Mapping[str, Any] = field(default_factory=dict)
    term: str = "att"
    event: int | None = 1
    path_from: int = -99
    wild: bool = False
    own_t: bool = False
    clusters: tuple[int, ...] = (50, 20, 10)
    draws: int = 1000

    @property
    def spec(self) -> Spec:
        """The specification."""
        return Spec(
            id="coverage",
            outcome="y",
            estimator=self.name.split(",")[0],
            inference=Inference(**self.inference),
            **self.options,
        )


ANY = staggered(any_path)
TRENDS = {"trends": ("unit_linear",)}
CASES = [
    Case("twfe", staggered(same_level), by_sample, event=None, wild=True),
    Case("twfe, wrongly clustered by unit", by_unit(staggered(same_level)), by_sample, event=None),
    Case("twfe, unit trends", staggered(same_level, trends=True), by_sample, TRENDS, event=None),
    Case("event_study", staggered(same_path), path_to(3, "sample"), {"window": (-3, 3)}, wild=True),
    Case("poisson", staggered(same_level, counts=True), by_sample, event=None),
    Case("callaway_santanna", ANY, by_population),
    Case(
        "callaway_santanna, covariate",
        staggered(any_path, covariate=True),
        by_population,
        {"covariates": ("x",)},
    ),
    Case(
        "callaway_santanna, unit trends",
        staggered(any_path, trends=True),
        by_population,
        TRENDS,
        {"draws": 199},
    ),
    Case("sun_abraham", ANY, by_sample),
    Case("sun_abraham, shares estimated", ANY, by_population, {"shares": "estimated"}),
    Case("imputation", ANY, by_sample),
    Case("imputation, leave one out", ANY, by_sample, {"leave_one_out": True}),
    Case("imputation, unit trends", staggered(any_path, trends=True), by_sample, TRENDS),
    Case("two_stage", ANY, by_population),
    Case("etwfe", ANY, by_sample),
    Case(
        "etwfe, poisson",
        staggered(same_level, counts=True),
        by_sample,
        {"family": "poisson"},
        term="coef:log_ratio",
        event=None,
    ),
    Case("stacked", ANY, path_to(1, "population"), {"window": (-2, 1)}),
    Case("local_projections", ANY, by_variance(1), {"window": (-2, 1)}),
    Case("dcdh", ANY, by_sample, {"window": (-4, 5)}),
    Case(
        "synthetic_did, placebo",
        few_treated,
        by_sample,
        {"donor_errors": "placebo"},
        {"draws": 99},
        path_from=0,
        clusters=(50,),
        draws=500,
    ),
    Case(
        "synthetic_did, jackknife",
        few_treated,
        by_sample,
        {"donor_errors": "jackknife"},
        own_t=True,
        path_from=0,
        clusters=(50,),
        draws=500,
    ),
    Case("ols", staggered(same_level), by_sample, event=None, draws=200),
    Case("roth_santanna", random_timing, by_sample, own_t=True, draws=200),
    Case(
        "roth_santanna, Neyman",
        random_timing,
        by_sample,
        {"design_variance": "neyman"},
        own_t=True,
        draws=200,
    ),
    Case("dcdh, reversals and doses", reversals, by_dose, {"window": (-4, 5), "treatment": "z"}, draws=200),
    Case("triple_difference", eligible_half, by_population, {"eligible": "eligible"}, draws=200),
    Case("continuous_dose", dosed, by_cohort(MEAN_DOSE), {"dose": "dose"}, event=None, draws=200),
    Case(
        "continuous_dose, slope", dosed, by_cohort(1.0), {"dose": "dose"}, term="acrt", event=None, draws=200
    ),
    Case(
        "callaway_santanna, repeated cross-sections",
        sampled_once(ANY),
        by_population,
        {"repeated_cross_sections": True},
        draws=200,
    ),
]


def main() -> None:
    """Run all cases and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage")
    parser.add_argument("--draws", type=int, help="draws at every number of clusters")
    parser.add_argument("--only", nargs="*", default=[""], help="parts of the names of the cases to run")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    chosen = parser.parse_args()
    rows = []
    # One process per core is faster than threads.
    with ProcessPoolExecutor(chosen.cores, initializer=threadpool_limits, initargs=(1,)) as pool:
        for place, case in enumerate(CASES):
            for n_clusters in case.clusters if any(part in case.name for part in chosen.only) else ():
                tasks = range(chosen.draws or min(DRAWS[n_clusters], case.draws))
                draw = partial(one_draw, place, n_clusters)
                found = pd.DataFrame(pool.map(draw, tasks, chunksize=25))
                rows.append(summary(case, n_clusters, found))
                print(" ".join(f"{key}={value}" for key, value in rows[-1].items()), flush=True)
    order = [(case.name, n_clusters) for case in CASES for n_clusters in case.clusters]
    write_tables(merged(chosen.out, pd.DataFrame(rows), order), chosen.out, SEED)


def one_draw(place: int, n_clusters: int, draw: int) -> dict[str, float]:
    """Whether each interval of one simulated panel contains the estimand."""
    case = CASES[place]
    panel, truth = case.design(np.random.default_rng([SEED, place, n_clusters, draw]), n_clusters)
    target = case.aim(truth)
    spec = with_inference(case.spec, seed=draw)
    found = estimate(panel, spec)
    record = pointwise(found, case, target, n_clusters)
    if case.event is not None:
        record["band_default"] = band_covers(found, target, case.path_from)
        normal = with_inference(spec, distribution="normal")
        record["band_normal"] = band_covers(estimate(panel, normal), target, case.path_from)
    others = {"wild": {"method": "wild", "draws": 399}} if case.wild else {}
    if found.overall is not None:
        others["bootstrap_t"] = {"distribution": "bootstrap_t"}
    for name, changes in others.items():
        again = estimate(panel, with_inference(spec, **changes))
        cover = pointwise(again, case, target, n_clusters)
        record |= {
            f"{key}_{name}": cover[f"{key}_default"] for key in ("att", "event") if f"{key}_default" in cover
        }
    return record


def with_inference(spec: Spec, **changes: Any) -> Spec:
    """The specification with other inference."""
    return replace(spec, inference=replace(spec.inference, **changes))


def pointwise(found: Estimates, case: Case, target: Target, n_clusters: int) -> dict[str, float]:
    """Error and coverage of the overall effect and of one event time, by critical value."""
    rows = {"att": found.rows(case.term).iloc[0]}
    if case.event is not None:
        path = found.rows("event")
        rows["event"] = path[path["event_time"] == case.event].iloc[0]
    record: dict[str, float] = {}
    for key, row in rows.items():
        value = target["att" if key == "att" else case.event]
        error = row["estimate"] - value
        record[f"{key}_error"], record[f"{key}_std_error"] = error, row["std_error"]
        record[f"{key}_default"] = float(row["conf_low"] <= value <= row["conf_high"])
        for distribution, critical in critical_values(case, n_clusters).items():
            record[f"{key}_{distribution}"] = float(abs(error) <= critical * row["std_error"])
    return record


def critical_values(case: Case, n_clusters: int) -> dict[str, float]:
    """Critical values of 95% intervals."""
    found = {"normal": float(stats.norm.ppf(0.975))}
    return found if case.own_t else {**found, "t": float(stats.t.ppf(0.975, n_clusters - 1))}


def band_covers(found: Estimates, target: Target, path_from: int) -> float:
    """Whether the band contains the whole path, zero before adoption."""
    path = found.path()[0]
    path = path[path["std_error"].notna() & (path["event_time"] >= path_from)]
    aim = np.array([target.get(int(e), 0.0) for e in path["event_time"]])
    return float(((path["band_low"] <= aim) & (aim <= path["band_high"])).all())


def summary(case: Case, n_clusters: int, found: pd.DataFrame) -> dict[str, Any]:
    """Shares of the draws that are covered; bias and error ratio of the overall effect."""
    row: dict[str, Any] = {"case": case.name, "clusters": n_clusters, "draws": len(found)}
    spread = found["att_error"].std()
    row["bias"] = found["att_error"].mean() / spread
    row["error_ratio"] = found["att_std_error"].mean() / spread
    for name in SHOWN:
        row[name] = found[name].mean() if name in found else np.nan
    return row


if __name__ == "__main__":
    main()
