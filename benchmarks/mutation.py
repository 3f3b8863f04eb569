"""Mutation testing: ``python -m benchmarks.mutation --each 4 --seed 2``.

Draws changes of one operator, constant or sign (``mutants.py``) in each module of
``mutated_modules.py`` and runs the module's tests with each of them, in a copy of the package in a
temporary folder. A mutant is *killed* if a test fails, *timeout* if the tests take five times as
long as without a change, and has *survived* if they pass.

A draw leaves out the mutants of the earlier draws in ``benchmarks/results/mutation.csv``. With
``--again`` the survivors of all draws are run with the present tests instead; what they were at
first sight stays in the table.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from benchmarks.mutants import Mutant, mutants_of
from benchmarks.mutated_modules import MODULES
from benchmarks.mutation_table import COLUMNS, KEY, marked, write_tables

ROOT = Path(__file__).parents[1]
COPIED = ("replication", "tests", "benchmarks", "studies", "data_raw", "config.yaml", "pyproject.toml")
OWN = ("replication", "benchmarks", "studies", "tests")
# What most tests import, and what takes most of the time of a short run.
HEAVY = ("scipy.stats", "scipy.sparse", "statsmodels.api", "pyfixest", "diff_diff", "hypothesis")
PATIENCE, LEAST_SECONDS = 5.0, 60.0
# Of pytest: tests failed, were interrupted by a failed import, or their conftest cannot be imported.
PASSED, BROKEN = 0, (1, 2, 4)


def main() -> None:
    """Draw and run mutants, or run the survivors again, and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation")
    parser.add_argument("--each", type=int, default=4, help="mutants of every module")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draw, and its name in the table")
    parser.add_argument("--again", action="store_true", help="run the survivors of all draws")
    parser.add_argument("--module", choices=MODULES, action="append", help="this module alone")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    chosen = parser.parse_args()
    table = earlier(chosen.out / "mutation.csv")
    for name in HEAVY:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        for module in chosen.module or MODULES:
            if chosen.again:
                run_again(copy, module, table)
            else:
                table = pd.concat([table, first_sight(copy, module, table, chosen.each, chosen.seed)])
            write_tables(table.reset_index(drop=True), chosen.out)


def earlier(path: Path) -> pd.DataFrame:
    """The table of the draws so far."""
    return pd.read_csv(path, dtype=str) if path.exists() else pd.DataFrame(columns=COLUMNS, dtype=str)


def copied(folder: Path) -> Path:
    """A copy of the package and its tests, so that the tree itself is never changed."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


def first_sight(copy: Path, module: str, table: pd.DataFrame, each: int, seed: int) -> pd.DataFrame:
    """Rows of fresh mutants of one module."""
    known = set(table.loc[table["module"] == module, KEY].itertuples(index=False, name=None))
    mutants = mutants_of((copy / "replication" / module).read_bytes())
    fresh = [mutant for mutant in mutants if mutant.key not in known]
    drawn = random.Random(f"{seed} {module}").sample(fresh, min(each, len(fresh)))
    drawn.sort(key=lambda mutant: mutant.line)
    rows = []
    for mutant, found in zip(drawn, outcomes(copy, module, drawn), strict=True):
        rows.append(dict(zip(COLUMNS, [seed, module, mutant.line, *mutant.key, found, found], strict=True)))
    return pd.DataFrame(rows, columns=COLUMNS).astype(str)


def run_again(copy: Path, module: str, table: pd.DataFrame) -> None:
    """Write into the column ``now`` what the present tests say of the survivors that change something."""
    found = marked(table)
    alive = table[(table["module"] == module) & (found["now"] == "survived") & (found["reason"] == "")]
    by_key = {mutant.key: mutant for mutant in mutants_of((copy / "replication" / module).read_bytes())}
    keys = dict(zip(alive.index, alive[KEY].itertuples(index=False, name=None), strict=True))
    # A line that the package has lost since leaves its row as it was.
    known = {place: by_key[key] for place, key in keys.items() if key in by_key}
    for place, result in zip(known, outcomes(copy, module, list(known.values())), strict=True):
        table.loc[place, "now"] = result


def outcomes(copy: Path, module: str, mutants: Sequence[Mutant]) -> list[str]:
    """What the tests of a module say of each mutant; the copy is restored afterward.

    Raises
    ------
    RuntimeError
        If the tests do not pass without a change.
    """
    if not mutants:
        return []
    path, tests = copy / "replication" / module, MODULES[module]
    original, start = path.read_bytes(), time.perf_counter()
    if run_tests(copy, tests, None) != "survived":
        raise RuntimeError(f"The tests of {module} fail without a change: {' '.join(tests)}.")
    limit = max(LEAST_SECONDS, PATIENCE * (time.perf_counter() - start))
    found = []
    try:
        for mutant in mutants:
            path.write_bytes(mutant.source)
            found.append(run_tests(copy, tests, limit))
            print(f"{found[-1]:9s} {module}:{mutant.line}  {mutant.before}  ->  {mutant.after}", flush=True)
    finally:
        path.write_bytes(original)
    return found


def run_tests(copy: Path, tests: Sequence[str], limit: float | None) -> str:
    """``killed``, ``survived`` or ``timeout``, from a process of its own.

    The process is forked, so that packages that do not change are imported once.
    """
    process = get_context("fork").Process(target=in_copy, args=(copy, tests))
    process.start()
    process.join(limit)
    if process.is_alive():
        process.kill()
        process.join()
        return "timeout"
    if process.exitcode == PASSED:
        return "survived"
    if process.exitcode in BROKEN:
        return "killed"
    raise RuntimeError(f"pytest ended with {process.exitcode} for {' '.join(tests)}.")


def in_copy(copy: Path, tests: Sequence[str]) -> None:
    """Run the tests with the package of the copy and end with the exit code of pytest.

    Compiled files of the package are copied along and none is written: their time stamp, in
    seconds, would not tell two mutants apart.
    """
    for name in [name for name in sys.modules if name.split(".")[0] in OWN]:
        del sys.modules[name]
    os.chdir(copy)
    os.environ["PYTHONPATH"] = str(copy)
    sys.path[:] = [str(copy), *(place for place in sys.path if place not in ("", str(ROOT)))]
    sys.dont_write_bytecode = True
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    with threadpool_limits(1):
        code = pytest.main(["-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests])
    os._exit(int(code))


if __name__ == "__main__":
    main()
