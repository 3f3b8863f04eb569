"""Tables of the mutation tests: all mutants as CSV, and a Markdown page of shares and survivors."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from replication.core.files import write_csv, write_text

KEY = ["code", "place", "before", "after"]
EQUIVALENT = Path(__file__).parent / "equivalent_mutants.csv"
COLUMNS = ["draw", "module", "line", *KEY, "first", "now"]

HEAD = """# Mutation tests of estimators, inference, and cleaning rules

A mutant is the package with one comparison, arithmetic or logical operator, constant, or sign changed
in a line of one module, drawn at random. It is killed if a test of a short list for that module
fails or takes five times as long. A draw leaves out the mutants of earlier draws. *At first sight*
is the share with the tests as they were when the draw was made; *now* is the share after survivors
were read and tests written for their kinds. Mutants that no input distinguishes are listed below
with the reason of `equivalent_mutants.csv`; both shares, of all mutants and of the others, are
printed. Annotations, decorators, error messages, and the `strict` of `zip` are not mutated.

Written by `python -m benchmarks.mutation --each 4 --seed DRAW` and, for *now*, `--again`. All mutants
are in `mutation.csv`. Draw 1 was made with seven mutants per module by an earlier version of the same
program. Draw 2 was made while tests for the survivors of draw 1 were written; draw 3 followed the tests
for both, and its share at first sight is the one to read. Draw 4 is of the five modules that changed
most afterward, with five mutants each. The tests of a mutant are the few files of `mutated_modules.py`,
so another test of the package may notice a survivor.

"""


def write_tables(table: pd.DataFrame, out: Path) -> None:
    """``mutation.csv`` and ``mutation.md`` in ``out``, each moved into place when complete."""
    write_csv(out / "mutation.csv", table)
    write_text(out / "mutation.md", page(table))


def page(table: pd.DataFrame) -> str:
    """The whole page."""
    found = marked(table)
    last = found[found["draw"] == found["draw"].iloc[-1]]
    parts = [HEAD + shares(found, "draw")]
    parts += [f"## Modules in draw {last['draw'].iloc[0]}\n", shares(last, "module")]
    alive = found[(found["now"] == "survived") & (found["reason"] == "")]
    parts += ["## Mutants that survive now\n", mutants(alive, "draw")]
    parts += ["## Mutants that change nothing\n", mutants(found[found["reason"] != ""], "reason")]
    return "\n".join(parts)


def marked(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the reason why a mutant changes nothing, or an empty text."""
    known = pd.read_csv(EQUIVALENT, dtype=str)
    return table.merge(known, how="left", on=["module", *KEY]).fillna({"reason": ""})


def shares(found: pd.DataFrame, by: str) -> str:
    """Shares killed at first sight and now, of all mutants and of those that change something."""
    text = [
        f"| {by} | mutants | change nothing | killed at first sight, % | of those that change something, % "
        "| now, % | of those that change something, % |",
        "| --- |" + " ---: |" * 6,
    ]
    for name, rows in found.groupby(by, sort=False):
        real = rows[rows["reason"] == ""]
        cells = [killed(group, column) for column in ("first", "now") for group in (rows, real)]
        text.append(f"| {name} | {len(rows)} | {len(rows) - len(real)} | {' | '.join(cells)} |")
    return "\n".join([*text, ""])


def killed(rows: pd.DataFrame, column: str) -> str:
    """The share of mutants that did not survive, in percent; a dash where there are none."""
    return f"{100 * (rows[column] != 'survived').mean():.1f}" if len(rows) else "-"


def mutants(rows: pd.DataFrame, last: str) -> str:
    """One row per mutant."""
    text = [f"| module | code | before | after | {last} |", "| --- | --- | --- | --- | --- |"]
    for row in rows.to_dict("records"):
        cells = [f"`{row[name]}`".replace("|", "\\|") for name in ("module", "code", "before", "after")]
        text.append(f"| {' | '.join(cells)} | {row[last]} |")
    return "\n".join([*text, ""])
