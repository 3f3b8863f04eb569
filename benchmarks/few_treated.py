"""Size of nominal 5% tests with few treated clusters: ``python -m benchmarks.few_treated``.

There is no effect in any panel. Of 50 or 10 clusters, one, two or five are treated in the second
half of eight periods; a cluster's shocks are a first-order autoregression with memory 0.5. A draw
records for each method whether it rejects at the 5% level.

* *equal clusters*: one unit per cluster, all of one variance.
* *smallest clusters treated*: clusters of 4 to 200 people, weighted by size; the variance of a
  cluster's shocks is ``0.1 + 8 / size``, and the smallest ones are treated.

Writes ``benchmarks/results/few_treated.{csv,md}``. Each draw has its own seed, so that the
result does not depend on the number of cores.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks.coverage_designs import N_PERIODS, PERIODS, panel_of, persistent
from benchmarks.few_treated_table import write_tables
from replication.core.errors import PanelError
from replication.core.panel import Panel
from replication.core.spec import Inference, Spec
from replication.estimators.estimate_spec import estimate

SEED = 20141120
LEVEL = 0.05
TREATED = (1, 2, 5)
ADOPTION = int(PERIODS[N_PERIODS // 2])
METHODS: Mapping[str, Mapping[str, Any]] = {
    "analytic": {},
    "wild": {"method": "wild", "draws": 199},
    "permutation, t": {"method": "permutation", "statistic": "t"},
    "permutation, coefficient": {"method": "permutation", "statistic": "coefficient"},
    "conley_taber": {"method": "conley_taber"},
    "ferman_pinto": {"method": "ferman_pinto"},
}
EQUAL, SMALLEST = "equal clusters", "smallest clusters treated"


@dataclass(frozen=True, slots=True)
class Case:
    """An estimator and a method on panels of one design; fewer draws where each is slow."""

    estimator: str
    method: str
    design: str
    clusters: int
    treated: int
    draws: int = 1000
    permutations: int = 999

    @property
    def spec(self) -> Spec:
        """The specification."""
        inference = Inference(**{"draws": self.permutations, **METHODS[self.method]})
        return Spec(id="few_treated", outcome="y", estimator=self.estimator, inference=inference)


def cases() -> Iterator[Case]:
    """All cases; with equal clusters ferman_pinto is conley_taber and is left out."""
    equal = ("analytic", "permutation, t", "permutation, coefficient", "conley_taber")
    differing = ("analytic", "permutation, coefficient", "conley_taber", "ferman_pinto")
    for treated in TREATED:
        for method in (*equal, "wild"):
            yield Case("twfe", method, EQUAL, 50, treated)
            yield Case("twfe", method, EQUAL, 10, treated, 500)
        for method in differing:
            yield Case("twfe", method, SMALLEST, 50, treated)
        for method in equal:
            case = Case("callaway_santanna", method, EQUAL, 50, treated)
            slow = method == "permutation, t"
            yield replace(case, draws=200, permutations=99) if slow else case
            if not slow:
                yield replace(case, clusters=10)
        for method in ("analytic", "conley_taber", "ferman_pinto"):
            draws = 1000 if method == "ferman_pinto" else 300
            yield Case("callaway_santanna", method, SMALLEST, 50, treated, draws)


def drawn_panel(case: Case, draw: int) -> Panel:
    """A panel without effect."""
    key = [SEED, case.clusters, case.treated, case.design == EQUAL, draw]
    rng = np.random.default_rng(key)
    shock = persistent(rng, case.clusters)
    cohort = np.zeros(case.clusters, dtype=np.int64)
    cohort[: case.treated] = ADOPTION
    panel = panel_of(shock, cohort, np.arange(case.clusters))
    if case.design == EQUAL:
        return panel
    size = np.sort(np.round(np.exp(rng.uniform(np.log(4), np.log(200), case.clusters))))
    y = shock * np.sqrt(0.1 + 8 / size)[:, None]
    return replace(panel, y=y, weight=np.repeat(size[:, None], N_PERIODS, axis=1), weighted=True)


def rejects(case: Case, draw: int) -> float:
    """Whether the test of the overall effect rejects; missing if it is refused."""
    spec = case.spec
    spec = replace(spec, inference=replace(spec.inference, seed=draw))
    try:
        row = estimate(drawn_panel(case, draw), spec).rows("att").iloc[0]
    except PanelError:
        return np.nan
    p_value = row["p_value"]
    return np.nan if np.isnan(p_value) else float(p_value <= LEVEL * (1 + 1e-9))


def main() -> None:
    """Run all cases and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.few_treated")
    parser.add_argument("--draws", type=int, help="draws of every case")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    chosen = parser.parse_args()
    rows = []
    with ProcessPoolExecutor(chosen.cores, initializer=threadpool_limits, initargs=(1,)) as pool:
        for case in cases():
            tasks = range(chosen.draws or case.draws)
            found = np.array(list(pool.map(partial(rejects, case), tasks, chunksize=25)))
            rows.append(summary(case, found))
            print(" ".join(f"{key}={value}" for key, value in rows[-1].items()), flush=True)
    write_tables(pd.DataFrame(rows), chosen.out, SEED)


def summary(case: Case, found: Any) -> dict[str, Any]:
    """Share of the draws that reject among those with a p-value, and the share without one."""
    given = found[~np.isnan(found)]
    return {
        "design": case.design,
        "estimator": case.estimator,
        "clusters": case.clusters,
        "treated": case.treated,
        "method": case.method,
        "draws": len(found),
        "size": given.mean() if given.size else np.nan,
        "refused": 1 - given.size / len(found),
    }


if __name__ == "__main__":
    main()
