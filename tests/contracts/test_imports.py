"""Imports between the rooms of the package go one way, and no two modules import each other."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Sequence
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from replication.core.simulated_panel import simulated_panel

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


@pytest.mark.parametrize("module", ["run_snakemake", "snakemake_start", "rule_inputs"])
def test_a_run_and_its_rules_open_without_numbers(module: str) -> None:
    """A run with nothing to do takes 0.2 seconds, half of what pandas takes, and any other begins sooner."""
    code = f"import sys, replication.workflow.{module}; print({{'numpy', 'pandas'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


ROLES = ("--unit", "unit", "--time", "time", "--cohort", "cohort", "--outcome", "y", "--cluster", "state")
DRAWS = {"matplotlib", "fontTools", "PIL"}
PAGES = {"jinja2", "markdown_it"}
FITS = {"scipy.stats", "scipy.optimize", "scipy.interpolate", "numpy.f2py", "numpy.testing"}
NEVER = {"matplotlib.pyplot", "matplotlib.style", "statsmodels", "pyfixest", "linearmodels", "openpyxl"}
OTHER_METHODS = {
    "replication.inference.cluster_bootstrap",
    "replication.inference.permutation",
    "replication.inference.few_treated",
    "replication.inference.bias_reduced",
    "replication.estimators.shared.least_squares",
}
STUDIES = {"replication.report.study_config", "replication.analyses", "snakemake"}
UNUSED = {
    ("check", "my.csv", *ROLES): DRAWS | PAGES | FITS | NEVER | STUDIES | OTHER_METHODS | {"docx"},
    ("estimate", "--panel", "my.csv", *ROLES, "--out", "numbers", "--numbers-only"): (
        DRAWS | PAGES | FITS | NEVER | STUDIES | OTHER_METHODS | {"docx"}
    ),
    ("estimate", "--panel", "my.csv", *ROLES, "--out", "all"): (
        PAGES | FITS | NEVER | STUDIES | OTHER_METHODS
    ),
    ("explain",): DRAWS | PAGES | FITS | NEVER | STUDIES | {"docx", "jsonschema"},
    ("explain", "first/spec.yaml"): DRAWS | PAGES | FITS | NEVER | STUDIES | OTHER_METHODS | {"docx"},
    ("compare", "first", "first"): DRAWS | PAGES | FITS | NEVER | STUDIES | OTHER_METHODS | {"docx"},
    ("table", "first"): DRAWS | PAGES | FITS | NEVER | STUDIES | OTHER_METHODS | {"docx", "jsonschema"},
    ("table", "first", "-o", "a.html"): DRAWS | PAGES | FITS | NEVER | STUDIES | OTHER_METHODS | {"docx"},
    ("plot", "first", "-o", "a.png"): PAGES
    | FITS
    | NEVER
    | STUDIES
    | OTHER_METHODS
    | {"docx", "fontTools.subset"},
    ("honest", "first"): DRAWS | PAGES | NEVER | STUDIES | {"docx", "jsonschema", "scipy.stats"},
    ("audit", "--panel", "my.csv", *ROLES, "--out", "audit"): PAGES | NEVER | STUDIES | {"docx"},
}
"""Commands, and what they need not wait for: two thirds of a small estimate is loading libraries."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a panel and a saved result."""
    folder = tmp_path_factory.mktemp("desk")
    simulated_panel(seed=1).to_csv(folder / "my.csv", index=False)
    loaded_by(("estimate", "--panel", "my.csv", *ROLES, "--out", "first", "--numbers-only"), folder)
    return folder


def loaded_by(arguments: Sequence[str], folder: Path) -> set[str]:
    """Modules that a command has loaded when it ends."""
    code = "import sys; from replication.cli import main; code = main(); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", f"{code}; sys.exit(code)", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", UNUSED, ids=lambda arguments: " ".join(arguments[:3]))
def test_a_command_loads_only_what_it_uses(arguments: tuple[str, ...], desk: Path) -> None:
    loaded = loaded_by(arguments, desk)
    assert "replication.workflow" in loaded
    assert sorted(UNUSED[arguments] & loaded) == []
