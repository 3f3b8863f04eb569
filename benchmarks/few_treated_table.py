"""Tables of the size simulation: all numbers as CSV, and a Markdown page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

MOST = 0.07
TESTS = {
    "analytic": "default",
    "wild": "wild",
    "permutation, t": "permutation, t",
    "permutation, coefficient": "permutation, coefficient",
    "conley_taber": "Conley-Taber",
    "ferman_pinto": "Ferman-Pinto",
}

HEAD = """# Size of nominal 5% tests with few treated clusters

Share of simulated panels without any effect in which a test of the overall effect rejects at the 5%
level. One, two, or five of 50 or 10 clusters are treated in the second half of eight periods; shocks
are first-order autoregressions with memory 0.5. With *equal clusters* there is one unit per cluster
and Ferman-Pinto is the same as Conley-Taber. With *smallest clusters treated*, clusters have 4 to
200 people, are weighted by size, and the variance of their shocks is 0.1 + 8 / size.

Written by `python -m benchmarks.few_treated`, seed {seed}; in percent. The simulation error of a
share of 5 percent is 0.7 points at 1,000 draws, 1.3 at 300 and 1.5 at 200; draws are in the CSV. A
dash is a refusal (fewer than 20 control clusters), an empty cell was not run. The permutation test
cannot reject at the 5% level with one treated of ten clusters, as there are ten assignments.

"""


def write_tables(table: pd.DataFrame, out: Path, seed: int) -> None:
    """``few_treated.csv`` and ``few_treated.md`` in ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    table.to_csv(out / "few_treated.csv", index=False, float_format="%.4f", lineterminator="\n")
    (out / "few_treated.md").write_text(page(table, seed), encoding="utf-8")


def page(table: pd.DataFrame, seed: int) -> str:
    """The whole page."""
    parts = [HEAD.format(seed=seed)]
    for (design, clusters), rows in table.groupby(["design", "clusters"], sort=False):
        parts += [f"## {clusters} clusters, {design}\n", table_rows(rows)]
    return "\n".join([*parts, verdict(table)])


def table_rows(rows: pd.DataFrame) -> str:
    """The table of one design, in percent."""
    used = [name for name in TESTS if name in set(rows["method"])]
    text = ["| estimator | treated | " + " | ".join(TESTS[name] for name in used) + " |"]
    text.append("| --- | ---: |" + " ---: |" * len(used))
    for (estimator, treated), group in rows.groupby(["estimator", "treated"], sort=False):
        found = group.set_index("method")
        cells = [cell(found.loc[name]) if name in found.index else "" for name in used]
        text.append(f"| {estimator} | {treated} | " + " | ".join(cells) + " |")
    return "\n".join([*text, ""])


def cell(row: pd.Series) -> str:
    """A size in percent; a dash where the method refuses."""
    return "-" if pd.isna(row["size"]) else f"{100 * row['size']:.1f}"


def verdict(table: pd.DataFrame) -> str:
    """Which tests reject in more than 7 percent of the draws."""
    high = table[table["size"] > MOST]
    text = [
        f"* {row['estimator']}, {TESTS[row['method']]}, {row['treated']} of {row['clusters']} "
        f"treated, {row['design']}: {100 * row['size']:.1f}."
        for _, row in high.iterrows()
    ]
    return "\n".join(["Above 7 percent:", "", *(text or ["* none."]), ""])
