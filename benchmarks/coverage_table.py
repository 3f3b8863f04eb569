"""Tables of the Monte Carlo: all numbers as CSV, and a Markdown page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

LOW, HIGH = 0.93, 0.97
DISTRIBUTIONS = ("default", "t", "bootstrap_t", "wild")
RUN_BEFORE = ("callaway_santanna", "imputation", "two_stage", "etwfe, poisson", "dcdh")
"""Estimators whose rows with the most draws were run when their default was normal."""
DRAWS_BEFORE = 500
WHAT = {"att": "overall effect", "event": "event time 1", "band": "whole path"}

HEAD = """# How often 95% intervals and bands cover

Simulated panels on which each estimator's own assumptions hold: 20 units in each of 50, 20, or 10
clusters, 8 periods, three adoption cohorts, and units never treated; shocks of units and of clusters
that persist; a third of a cluster's units adopt together. Effects differ between cohorts and grow;
they are constant for `twfe` and Poisson, and one path for `event_study`. Rows with unit trends have
random linear trends, those with a covariate a trend along it that adoption depends on.
`synthetic_did` has 50 units of their own, 16 periods, 40 donors, and two cohorts of 5; its path is
counted from adoption on, while its band spans the periods before as well and so covers more.
Tests with one, two, or five treated clusters are in `few_treated.md`.

`roth_santanna` has dates drawn unit by unit, 20 units for each cluster of the others, without shocks of
clusters. In `dcdh, reversals and doses` treatment rises by 1 or 2 and half of the units give it up after two
periods; the overall effect is per unit of treatment. `triple_difference` has trends by cohort and by
eligibility. `continuous_dose` has effects proportional to a dose. Individuals of the repeated cross-sections
are seen once, 160 in a cluster.

Written by `make coverage` (`python -m benchmarks.coverage`), seed {seed}. The simulation error of a
share is {errors} draws.

* *default*: as the estimator gives it. Intervals are t(G-1) where clusters lie above the unit, t with few
  degrees around the jackknife of `synthetic_did`, and normal for `roth_santanna`; bands come from the
  bootstrap-t of the scores. Rows marked † were run when the default of their estimators was normal: their
  intervals under *default* are normal ones, and *t* shows the present default.
* *t*: `inference: {{distribution: t}}`, t(G-1) intervals.
* *bootstrap-t*: `inference: {{distribution: bootstrap_t}}`, intervals from the draws of the bands.
* *normal*: `inference: {{distribution: normal}}`, bands whose draws treat the standard errors as known, as in
  R `did`.
* *wild*: `inference: {{method: wild}}`, 399 draws.
* *error ratio*: mean standard error over the standard deviation of the estimates.

"""


def merged(out: Path, new: pd.DataFrame, order: list[tuple[str, int]]) -> pd.DataFrame:
    """The results in ``out`` with the new ones in their place, in the order of the cases."""
    file, keys = out / "coverage.csv", ["case", "clusters"]
    found = new.set_index(keys)
    if file.is_file():
        old = pd.read_csv(file).set_index(keys)
        found = pd.concat([found, old[~old.index.isin(found.index)]])
    return found.loc[[key for key in order if key in found.index]].reset_index()


def write_tables(table: pd.DataFrame, out: Path, seed: int) -> None:
    """``coverage.csv`` and ``coverage.md`` in ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    table.to_csv(out / "coverage.csv", index=False, float_format="%.4f", lineterminator="\n")
    (out / "coverage.md").write_text(page(table, seed), encoding="utf-8")


def page(table: pd.DataFrame, seed: int) -> str:
    """The whole page."""
    draws = sorted(table["draws"].unique(), reverse=True)
    errors = ", ".join(f"{noise(number):.1f} points at {number}" for number in draws)
    head = HEAD.format(seed=seed, errors=errors)
    parts = [head]
    for n_clusters in sorted(table["clusters"].unique(), reverse=True):
        rows = table[table["clusters"] == n_clusters]
        parts += [f"## {n_clusters} clusters\n", table_rows(rows), verdict(rows)]
    return "\n".join(parts)


def noise(draws: int) -> float:
    """Standard error of a share of 0.95, in percent."""
    return float(100 * (0.95 * 0.05 / draws) ** 0.5)


def table_rows(rows: pd.DataFrame) -> str:
    """The table of one number of clusters, in percent."""
    columns = [
        *(f"{key}_{distribution}" for key in ("att", "event") for distribution in DISTRIBUTIONS),
        "band_default",
        "band_normal",
    ]
    heads = [head(name) for name in columns]
    text = ["| estimator | " + " | ".join(["draws", *heads, "error ratio"]) + " |"]
    text.append("| --- |" + " ---: |" * (len(heads) + 2))
    for _, row in rows.iterrows():
        cells = [percent(row[name]) for name in columns]
        text.append(
            f"| {label(row['case'], row['draws'])} | {row['draws']} | "
            + " | ".join([*cells, f"{row['error_ratio']:.2f}"])
            + " |"
        )
    return "\n".join([*text, ""])


def head(column: str) -> str:
    """Heading of a column."""
    key, distribution = column.split("_", 1)
    return f"{WHAT[key]}, {distribution.replace('_', '-')}"


def label(case: str, draws: int) -> str:
    """The case, marked if its default was another one when it was run."""
    before = draws >= DRAWS_BEFORE and (case in RUN_BEFORE or case.split(",", 1)[0] in RUN_BEFORE)
    return f"{case} †" if before else case


def percent(share: float) -> str:
    """A share in percent; empty where there is none."""
    return "" if pd.isna(share) else f"{100 * share:.1f}"


def verdict(rows: pd.DataFrame) -> str:
    """Cases outside 93 to 97 percent, with the coverage of the corrections."""
    text = []
    for _, row in rows.iterrows():
        for key, what in WHAT.items():
            own = row[f"{key}_default"]
            if LOW <= own <= HIGH or pd.isna(own):
                continue
            better = [
                f"{percent(row[f'{key}_{distribution}'])} with {distribution.replace('_', '-')}"
                for distribution in DISTRIBUTIONS[1:]
                if f"{key}_{distribution}" in row and row[f"{key}_{distribution}"] > own
            ]
            offered = f"; {', '.join(better)}" if better else ""
            text.append(f"* {row['case']}, {what}: {percent(own)}{offered}.")
    if not text:
        return "Every interval and band covers in 93 to 97 percent of the draws.\n"
    return "\n".join(["Outside 93 to 97 percent:", "", *text, ""])
