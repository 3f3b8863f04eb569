"""The graph of the rules in ``docs/workflow.md``; ``python -m replication.workflow.rule_graph`` writes it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from replication.core.errors import InputError
from replication.core.files import write_text
from replication.workflow.project import find_root

PAGE = "docs/workflow.md"
START, END = "<!-- graph:start -->", "<!-- graph:end -->"
TARGET = "all"
"""The rule that requests all outputs, which would appear below every other one."""


def rule_graph(root: Path) -> str:
    """The rules and what each of them waits for, as a Mermaid flowchart.

    Raises
    ------
    InputError
        If Snakemake cannot read the project.
    """
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "mermaid-js"]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if found.returncode:
        raise InputError(f"Snakemake gives no graph of {root}: {found.stderr.strip()}")
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", found.stdout))
    arrows = {
        f"    {names[first]} --> {names[second]}"
        for first, second in re.findall(r"(id\d+) --> (id\d+)", found.stdout)
        if names[second] != TARGET
    }
    # Snakemake's order differs from run to run.
    return "\n".join(["```mermaid", "flowchart TB", *sorted(arrows), "```"])


def write_graph(root: Path, page: Path) -> None:
    """Put the graph between its markers."""
    text = page.read_text(encoding="utf-8")
    if START not in text or END not in text:
        raise InputError(f"{page} has lost its markers {START} and {END}. Put them back.")
    head, _, rest = text.partition(START)
    write_text(page, f"{head}{START}\n{rule_graph(root)}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    write_graph(find_root(), find_root() / PAGE)
