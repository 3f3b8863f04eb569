"""Draws side by side: the same bytes on any number of cores, and one thread in a worker process."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from group_time_data import staggered

from replication.core import processes, threads
from replication.core.panel import Panel
from replication.core.spec import Inference
from replication.estimators.callaway_santanna import callaway_santanna, summarize
from replication.estimators.event_study import event_study
from replication.estimators.local_projections import local_projections
from replication.estimators.synthetic_did import synthetic_did
from replication.estimators.triple_difference import triple_difference

CORES = (1, 2, 7)


def test_results_come_in_the_order_of_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores in CORES:
        monkeypatch.setattr(threads, "cores_to_itself", lambda cores=cores: cores)
        found = list(threads.side_by_side(lambda part: part**2, iter(range(50)), threads.SMALL))
        assert found == [part**2 for part in range(50)]


def test_a_fault_of_one_part_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores_to_itself", lambda: 2)
    with pytest.raises(ZeroDivisionError):
        list(threads.side_by_side(lambda part: 1 / part, [2, 1, 0, 3], threads.SMALL))


@pytest.mark.parametrize("cells_in_variance", [0, 10_000])
@pytest.mark.parametrize("distribution", ["auto", "bootstrap_t"])
def test_bytes_do_not_depend_on_the_number_of_cores(
    monkeypatch: pytest.MonkeyPatch, cells_in_variance: int, distribution: str
) -> None:
    """With a covariance of all cells, and without one, where the draws go cohort by cohort."""
    panel = staggered(42)
    inference = Inference(method="multiplier", draws=200, distribution=distribution)
    monkeypatch.setattr(summarize, "LARGEST_VCOV", cells_in_variance)
    monkeypatch.setattr(threads, "SMALL", 0)
    found = []
    for cores in CORES:
        monkeypatch.setattr(threads, "cores_to_itself", lambda cores=cores: cores)
        table = callaway_santanna(panel, inference=inference).table
        found.append(table.select_dtypes("number").to_numpy().tobytes())
    assert len(set(found)) == 1


def test_a_worker_process_uses_one_thread() -> None:
    with ProcessPoolExecutor(1, mp_context=processes.pool_context()) as pool:
        assert pool.submit(processes.cores_to_itself).result() == 1
    assert processes.cores_to_itself() == len(os.sched_getaffinity(0))


def test_a_process_ends_whose_parent_was_gone_before_it_could_ask() -> None:
    """Killed as it forked: the child holds the output of its parent, and who waits for its end waits on."""
    code = """
import os, time
from replication.core.processes import die_with_parent
parent = os.getpid()
if os.fork():
    os._exit(0)
time.sleep(0.5)
die_with_parent(parent)
print("alive", flush=True)
time.sleep(60)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == ""


def test_a_step_uses_at_least_one_core_and_no_more_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert processes.unused_cores() == 1, "outside a run it is not known what else is running"
    monkeypatch.setattr(processes, "cores", lambda: 4)
    for unused, expected in ((-3, 1), (3, 3), (9, 4)):
        monkeypatch.setattr(processes, "_unused", lambda _, unused=unused: unused)
        assert processes.unused_cores() == expected


def covariate_panel() -> Panel:
    return staggered(43, covariates=1)


def eligible() -> Panel:
    panel = staggered(44, covariates=1, n_units=160, adoption=(0, 3, 5))
    return replace(panel, strata={"eligible": np.arange(panel.cohort.size) // 2 % 2})


@pytest.mark.parametrize(
    ("estimator", "panel", "options"),
    [
        (callaway_santanna, covariate_panel, {}),
        (event_study, covariate_panel, {}),
        (local_projections, covariate_panel, {}),
        (triple_difference, eligible, {"eligible": "eligible"}),
        (synthetic_did, covariate_panel, {"donor_errors": "jackknife"}),
    ],
)
def test_cells_and_horizons_side_by_side_give_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch, estimator: Any, panel: Any, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(threads, "SMALL", 0)
    drawn, found = panel(), []
    for cores in CORES:
        monkeypatch.setattr(threads, "cores_to_itself", lambda cores=cores: cores)
        table = estimator(drawn, **options).table
        found.append(table.select_dtypes("number").to_numpy().tobytes())
    assert len(set(found)) == 1
