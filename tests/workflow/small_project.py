"""Projects with two small studies of ready panels, run by the real Snakefile in a folder of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from template_panel import template_panel

ROOT = Path(__file__).parents[2]
STUDIES = ("first", "second")
STUDY = """
id: {id}
title: The {id} study
panels:
  panel: {{file: panel.csv, keys: [district, year]}}
outcomes: {{log_rate: {{label: Log rate, unit: points}}}}
"""
EVENTS = """
id: {id}_events
study: {id}
panel: panel
outcome: log_rate
estimator: event_study
unit: district
time: year
cohort: adopted
window: [-3, 2]
"""
GRID = """
id: {id}_grid
study: {id}
panel: panel
outcome: log_rate
estimator: twfe
unit: district
time: year
cohort: adopted
vary:
  trends: [none, unit_linear]
  weights: [null, population]
"""
TABLES = """
- id: effects
  title: Effects
  kind: regression
  columns: [{id}_events, {id}_grid__none__none]
- id: others
  title: Other effects
  kind: regression
  columns: [{id}_grid__unit_linear__population]
"""
SUMMARY = """# {{{{ title }}}}

The law changed the rate by {{{{ pct(effect("{id}_events")) }}}}.
"""
ANALYSES = """
- id: placebo
  kind: placebo
  draws: 4
  seed: 7
  blocks: province
  clusters: {{province: province}}
  specs: {{Events: {id}_events}}
"""
FIGURES = """
- id: path
  title: Path
  kind: event_study
  panels: [{{series: [{id}_events]}}]
"""


def make_project(root: Path, studies: Sequence[str] = STUDIES) -> Path:
    """Small studies, the Snakefile and the switches below ``root``; there are no raw data."""
    root.mkdir(parents=True, exist_ok=True)
    for name in ("Snakefile", "config.yaml", "environment.yaml"):
        shutil.copy(ROOT / name, root / name)
    (root / "data_raw").mkdir()
    shutil.copy(ROOT / "data_raw" / "sources.yaml", root / "data_raw")
    for study in studies:
        folder = root / "studies" / study
        (folder / "specs").mkdir(parents=True)
        for name, text in (
            ("study.yaml", STUDY),
            ("tables.yaml", TABLES),
            ("figures.yaml", FIGURES),
            ("analyses.yaml", ANALYSES),
            ("summary.md.j2", SUMMARY),
            ("specs/events.yaml", EVENTS),
            ("specs/grid.yaml", GRID),
        ):
            (folder / name).write_text(text.format(id=study), encoding="utf-8")
        template_panel().to_csv(folder / "panel.csv", index=False)
    return root


def environment(root: Path, extra: Mapping[str, str] = {}) -> dict[str, str]:
    """Of a process that works in the project with this checkout's package."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("REPLICATION_", "PYTEST_"))
    }
    paths = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    python = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH", "")]))
    return {**kept, "PATH": paths, "PYTHONPATH": python, "REPLICATION_ROOT": str(root), **extra}


def command(*arguments: str) -> list[str]:
    """A command of the package."""
    return [sys.executable, "-m", "replication", *arguments]


def run(
    root: Path,
    arguments: Sequence[str] = ("run", "--cores", "2"),
    *,
    extra: Mapping[str, str] = {},
    user: int | None = None,
    program: Sequence[str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command of the package in the project, or another program."""
    return subprocess.run(
        list(program or command(*arguments)),
        cwd=root,
        env=environment(root, extra),
        text=True,
        capture_output=True,
        check=False,
        timeout=300,
        user=user,
    )


def steps(output: str) -> list[str]:
    """The steps that a run printed, as ``study step``, in alphabetical order."""
    lines = [line.split() for line in output.splitlines() if line.startswith((*STUDIES, "all studies"))]
    return sorted(" ".join(words[:2]) for words in lines if "did" not in words[:3])
