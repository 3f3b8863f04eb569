"""Imports between the rooms of the package go one way, and no two modules import each other."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = [
    *("core", "sources", "cleaning", "inference", "estimators", "checks", "analyses", "display", "report"),
    *("audit", "workflow", "api", "commands", "cli", "__main__"),
]
"""From the ground up: a room may import what stands before it."""
PATHS = sorted(ROOT.glob("replication/**/*.py"))
# Results draw themselves and ``Panel.from_frame`` is the front door: those imports stand inside functions.


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {module_of(path) for path in PATHS}


def imported(path: Path) -> Iterator[str]:
    """Modules of the package that a module imports as it is loaded."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "replication":
            below = {f"{node.module}.{alias.name}" for alias in node.names} & NAMES
            yield from below or {str(node.module)}


def test_rooms_import_only_what_stands_before_them() -> None:
    wrong = []
    for path in PATHS:
        room = module_of(path).split(".")[1:2]
        for name in imported(path):
            other = name.split(".")[1:2]
            if room and other and ROOMS.index(other[0]) > ROOMS.index(room[0]):
                wrong.append((module_of(path), name))
    assert len(PATHS) > 300
    assert wrong == []


def test_no_modules_import_one_another() -> None:
    graph = {module_of(path): set(imported(path)) - {module_of(path)} for path in PATHS}
    assert sum(map(len, graph.values())) > 1000
    assert len(list(TopologicalSorter(graph).static_order())) >= len(PATHS)


def test_the_command_line_opens_without_what_only_some_commands_use() -> None:
    """Every step of a run starts a command, and a person waits for its help."""
    code = "import sys, replication.cli; print({'yaml', 'numpy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
