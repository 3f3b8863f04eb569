"""``replication simulate``: many placebo rollouts, in parallel, resumed if interrupted.

Draws are made in chunks, each written to a file of its own when it is complete. A draw depends
only on the seed and its number, and results are always read back from the chunks: neither
the number of processes nor an interruption changes the results.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow.parquet import read_schema

from replication.analyses.placebo_draws import SHIFTS, Placebo, Subject, draw_placebos, placebo_subjects
from replication.analyses.placebo_summary import summarize_placebos
from replication.core.code_digest import code_digest
from replication.core.errors import SpecError, nearest
from replication.core.files import write_csv, write_text
from replication.core.fingerprints import file_digest, fingerprint
from replication.core.processes import die_with_parent, pool_context
from replication.core.spec import Spec
from replication.core.temporary_files import remove_temporary_files
from replication.workflow.estimate_step import require_part
from replication.workflow.project import StudyFolder
from replication.workflow.study_specs import study_specs

CHUNK = 10
PLAN = "plan.json"
CHUNKS = "chunks"
CLUSTERS = {"county": "fips", "state": "state"}
Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """The requested simulation.

    Attributes
    ----------
    labels : id of a specification -> label
    panels : name of a cleaned panel -> its file
    """

    study: StudyFolder
    placebo: Placebo
    labels: Mapping[str, str]
    panels: Mapping[str, Path]
    draws: int
    out: Path

    @property
    def chunks(self) -> list[tuple[Path, range]]:
        """Files of the chunks and the numbers of their draws."""
        starts = range(0, self.draws, CHUNK)
        chunks = [range(start, min(start + CHUNK, self.draws)) for start in starts]
        return [(self.out / CHUNKS / f"draws_{one[0]:06d}-{one[-1]:06d}.csv", one) for one in chunks]


def make_order(
    study: StudyFolder,
    root: Path,
    out: Path,
    draws: int,
    *,
    seed: int | None = None,
    specs: Sequence[str] = (),
    clusters: Sequence[str] = (),
) -> Order:
    """The order with defaults from the study filled in.

    Parameters
    ----------
    specs, clusters, seed : in place of those of the study's first analysis of kind ``placebo``; a
        study without one gives those of its table with most different estimators, clustered by
        county and by state as far as its panels have these columns.

    Raises
    ------
    SpecError
        For unknown specifications, a missing panel or column, or fewer than two draws.
    """
    if draws < 2:
        raise SpecError(f"{draws} placebo draws were asked for; a spread needs at least two.")
    entries = [one for one in study.config.get("analyses", []) if one["kind"] == "placebo"]
    entry: Mapping[str, Any] = entries[0] if entries else {}
    known = {spec.id: spec for spec in study_specs(study)}
    usual = _reversed(entry.get("specs", {}))
    labels = {name: usual.get(name, name) for name in specs}
    labels = labels or usual or _table_labels_of(study, known)
    unknown = [name for name in labels if name not in known]
    if unknown:
        raise SpecError(
            f"{study.id} has no specification {unknown[0]!r}{nearest(unknown[0], known)}. Name "
            "some of its own with --specs."
        )
    chosen = tuple(known[name] for name in labels)
    files = _panel_files(study, root, chosen)
    blocks = str(entry.get("blocks", "state"))
    by = tuple(clusters) or tuple(entry.get("clusters", {}).values())
    by = _require_columns(study, files, blocks, by)
    seed = int(entry.get("seed", 20081027) if seed is None else seed)
    return Order(study, Placebo(chosen, by, blocks, seed), labels, files, draws, out)


def simulate(order: Order, processes: int, say: Say = print) -> pd.DataFrame:
    """Draw the missing draws and summarize all.

    Returns
    -------
    DataFrame
        From ``placebo_summary.summarize``.

    Raises
    ------
    SpecError
        If the folder holds draws of another plan.
    """
    require_same_plan(order)
    remove_temporary_files([order.out, order.out / CHUNKS])
    missing = [chunk for chunk in order.chunks if not chunk[0].is_file()]
    done = order.draws - sum(len(numbers) for _, numbers in missing)
    say(f"{done} of {order.draws} placebo draws are saved; {order.draws - done} remain")
    start = time.perf_counter()
    for count in run_chunks(order, missing, processes):
        done += count
        say(f"{done} of {order.draws} draws ({time.perf_counter() - start:.0f} s)")
    drawn = pd.concat([pd.read_csv(path) for path, _ in order.chunks], ignore_index=True)
    known = {**order.study.config.get("labels", {}), **_reversed(CLUSTERS)}
    clusters = {name: known.get(name, name) for name in order.placebo.clusters}
    return summarize_placebos(drawn, order.labels, clusters)


def draw_part(order: Order, part: int, parts: int, processes: int) -> None:
    """Draw the missing draws of one of several parts, which may be drawn on different machines.

    ``simulate`` then finds all draws there and summarizes them.

    Raises
    ------
    SpecError
        If there is no such part, or the folder holds draws of another plan.
    """
    require_part(part, parts)
    require_same_plan(order)
    own = order.chunks[part - 1 :: parts]
    missing = [chunk for chunk in own if not chunk[0].is_file()]
    drawn = sum(run_chunks(order, missing, processes))
    print(f"{drawn} placebo draws made in part {part} of {parts}")


def run_chunks(order: Order, missing: Sequence[tuple[Path, range]], processes: int) -> Iterator[int]:
    """Make the missing chunks; yields the number of draws of each as it is written."""
    if processes < 2 or len(missing) < 2:
        ready = prepare(order) if missing else []
        for path, numbers in missing:
            write_csv(path, draw_placebos(order.placebo, ready, numbers))
            yield len(numbers)
        return
    workers = min(processes, len(missing))
    with ProcessPoolExecutor(
        workers, mp_context=pool_context(), initializer=_start_worker, initargs=(order,)
    ) as pool:
        waiting = [pool.submit(_work, path, numbers) for path, numbers in missing]
        try:
            for finished in as_completed(waiting):
                yield finished.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def prepare(order: Order) -> list[Subject]:
    """The panels of every specification and clustering."""
    frames = {name: pd.read_parquet(path) for name, path in order.panels.items()}
    return placebo_subjects(order.placebo, frames)


def require_same_plan(order: Order) -> None:
    """Record the plan in ``plan.json``, or refuse a folder that holds other draws."""
    place = order.out / PLAN
    plan = plan_of(order)
    if not place.is_file():
        write_text(place, json.dumps(plan, indent=1, sort_keys=True) + "\n")
        return
    known: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    changed = [key for key, value in plan.items() if known.get(key) != value]
    if changed:
        raise SpecError(
            f"{order.out} contains placebo draws of another plan (its {', '.join(changed)} differ). "
            "Draws of two plans cannot be mixed: choose another folder, or empty this one."
        )


def plan_of(order: Order) -> dict[str, Any]:
    """All inputs of a draw except the number of draws."""
    placebo = order.placebo
    return {
        "study": order.study.id,
        "specifications": [spec.id for spec in placebo.specs],
        "resolved specifications": fingerprint(*(spec.resolved() for spec in placebo.specs)),
        "clusters": list(placebo.clusters),
        "blocks": placebo.blocks,
        "seed": placebo.seed,
        "panels": {name: file_digest(path) for name, path in sorted(order.panels.items())},
        "code": code_digest("replication.analyses.placebo_draws"),
    }


def _reversed(pairs: Mapping[str, str]) -> dict[str, str]:
    return {name: label for label, name in pairs.items()}


def _table_labels_of(study: StudyFolder, known: Mapping[str, Spec]) -> dict[str, str]:
    """Those of the table with most different estimators, as far as they can be drawn."""
    tables = [one for one in study.config.get("tables", []) if one["kind"] == "estimators"]
    found = [dict(_table_labels(table["rows"], "")) for table in tables]
    found = [
        {name: label for name, label in rows.items() if known[name].estimator in SHIFTS} for rows in found
    ]
    if not any(found):
        raise SpecError(
            f"{study.id} has neither an analysis of the kind 'placebo' nor a table of estimators "
            "that could be drawn. Name specifications with --specs."
        )
    return max(found, key=lambda rows: len({known[name].estimator for name in rows}))


def _table_labels(rows: Sequence[Any], heading: str) -> Iterator[tuple[str, str]]:
    for row in rows:
        if isinstance(row, str):
            yield row, row
        elif "rows" in row:
            yield from _table_labels(row["rows"], f"{row.get('heading', '')}: ")
        else:
            yield row["spec"], heading + row.get("label", row["spec"])


def _require_columns(
    study: StudyFolder, files: Mapping[str, Path], blocks: str, clusters: Sequence[str]
) -> tuple[str, ...]:
    """The clusters, the usual ones as far as they are there if none is named."""
    for panel, path in files.items():
        columns = [str(name) for name in read_schema(path).names]
        if blocks not in columns:
            raise SpecError(
                f"{study.id} cannot be simulated: its panel {panel!r} has no column {blocks!r}, "
                "across whose values a placebo rollout permutes dates. A study can be simulated "
                "where its panels have that column, or where an analysis of the kind 'placebo' in "
                "its study.yaml names another one as 'blocks'."
            )
        clusters = clusters or [name for name in CLUSTERS.values() if name in columns]
        absent = [name for name in clusters if name not in columns]
        if absent:
            raise SpecError(
                f"{study.id}: its panel {panel!r} has no column {absent[0]!r} to cluster by"
                f"{nearest(absent[0], columns)}. Name some of its columns with --clusters: "
                f"{', '.join(columns)}."
            )
    return tuple(clusters) or (blocks,)


def _panel_files(study: StudyFolder, root: Path, specs: Sequence[Spec]) -> dict[str, Path]:
    files = {spec.panel: root / "data_clean" / study.id / f"{spec.panel}.parquet" for spec in specs}
    absent = [str(path) for path in files.values() if not path.is_file()]
    if absent:
        raise SpecError(
            f"{absent[0]} does not exist. Clean the study first: `replication step clean "
            f"{study.id}`, or `replication run` for everything."
        )
    return files


_WORKER: dict[str, Any] = {}


def _start_worker(order: Order) -> None:
    die_with_parent()
    _WORKER["order"], _WORKER["ready"] = order, prepare(order)


def _work(path: Path, numbers: range) -> int:
    order: Order = _WORKER["order"]
    write_csv(path, draw_placebos(order.placebo, _WORKER["ready"], numbers))
    return len(numbers)
