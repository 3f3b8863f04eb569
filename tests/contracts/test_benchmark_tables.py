"""Chosen benchmarks replace their own rows of the committed tables, and no others."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmarks import coverage_table, race_table

KEYS = ["race", "panel", "who"]


def raced(*rows: tuple) -> pd.DataFrame:
    names = [*KEYS, "seconds", "ratio", "same", "failed", "measured"]
    return pd.DataFrame(rows, columns=names)


def test_a_race_replaces_times_and_failures_but_keeps_whole_processes() -> None:
    old = raced(
        ("event study", "annual", "replication", 2.0, None, None, None, "2026-01-01"),
        ("event study", "annual", "pyfixest", 4.0, 2.0, "yes", None, "2026-01-01"),
        ("imputation", "annual", "replication", None, None, None, "no memory", "2026-01-01"),
        ("of yore", "annual", "replication", 9.0, None, None, None, "2026-01-01"),
    ).assign(whole=[7.0, 8.0, None, None])
    new = raced(
        ("imputation", "annual", "replication", 1.0, None, None, None, "2026-02-01"),
        ("two-way fixed effects", "monthly", "replication", 3.0, None, None, None, "2026-02-01"),
        ("event study", "annual", "pyfixest", None, None, None, "not done after 5 s", "2026-02-01"),
    )
    found = race_table.merged(old, new).set_index(KEYS)
    assert [key[0] for key in found.index] == [
        "two-way fixed effects",
        "event study",
        "event study",
        "imputation",
    ]
    assert found.loc[("event study", "annual", "replication"), "seconds"] == 2
    slower = found.loc[("event study", "annual", "pyfixest")]
    assert pd.isna(slower["seconds"])
    assert pd.isna(slower["ratio"])
    assert (slower["failed"], slower["whole"], slower["measured"]) == ("not done after 5 s", 8, "2026-02-01")
    better = found.loc[("imputation", "annual", "replication")]
    assert better["seconds"] == 1
    assert pd.isna(better["failed"])


def test_whole_processes_join_the_times_of_their_contender() -> None:
    old = raced(("event study", "annual", "replication", 2.0, None, None, None, "2026-01-01"))
    new = pd.DataFrame([("event study", "annual", "replication", 5.0, 6.0)], columns=[*KEYS, "whole", "cold"])
    found = race_table.merged(old, new).iloc[0]
    assert (found["seconds"], found["whole"], found["cold"]) == (2, 5, 6)
    peer = found.to_dict() | {"who": "pyfixest", "whole": 15.0, "cold": 9.0}
    assert "| no peer | 5 |  |  |  |  |  | 6 |" in race_table.processes(pd.DataFrame([found]))
    both = race_table.processes(pd.DataFrame([found.to_dict(), peer]))
    assert "| event study | annual | pyfixest | 5 | 15 | 3.0 |  |  |  | 6 | 9 | 1.5 |" in both


def test_coverage_of_chosen_cases_keeps_the_others(tmp_path: Path) -> None:
    names = ["case", "clusters", "att_default"]
    pd.DataFrame([("a", 50, 0.9), ("b", 50, 0.8), ("gone", 50, 0.1)], columns=names).to_csv(
        tmp_path / "coverage.csv", index=False
    )
    new = pd.DataFrame([("b", 50, 0.95), ("c", 20, 0.94)], columns=names)
    found = coverage_table.merged(tmp_path, new, [("a", 50), ("b", 50), ("b", 20), ("c", 20)])
    assert found.to_numpy().tolist() == [["a", 50, 0.9], ["b", 50, 0.95], ["c", 20, 0.94]]
