"""A kind of table, of figure and of analysis is added by one file: nothing else in the package names it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
ANALYSIS = '''"""The largest value of a column."""

import pandas as pd


def largest(context, *, panel: str, column: str) -> pd.DataFrame:
    """The largest value.

    Parameters
    ----------
    panel : name of the cleaned panel.
    column : column whose largest value is taken.
    """
    return pd.DataFrame({"column": [column], "largest": [context.frame(panel)[column].max()]})
'''
TABLE = '''"""One number."""

import pandas as pd

from replication.report.report_data import read_source
from replication.report.table_document import Section, TableDocument, TableRow, spanning_heads, table_cell

OPTIONS = {"required": ["source"], "properties": {"source": {"$ref": "#/$defs/source"}}}


def build(entry, context):
    frame = read_source(context.folders, entry.options["source"])
    rows = tuple(TableRow(name, (table_cell(str(value)),)) for name, value in frame.itertuples(index=False))
    return TableDocument(
        id=entry.id, study=context.study.id, title=entry.title, headings=(spanning_heads(["Largest"]),),
        sections=(Section(rows),), align="r", data=frame, simulated=context.study.simulated,
    )
'''
FIGURE = '''"""One bar."""

from replication.display.canvas import sheet
from replication.report.figures.figure_files import Drawing
from replication.report.report_data import read_source

OPTIONS = {"required": ["source"], "properties": {"source": {"$ref": "#/$defs/source"}}}


def collect(entry, context):
    return read_source(context.folders, entry.options["source"])


def draw(frame, entry, context):
    page = sheet(entry.title, "One bar.", height=2.0)
    page.axes[0].bar(frame["column"], frame["largest"])
    return Drawing(page.figure, "A bar.", "One bar.")
'''
FILES = {
    "replication/analyses/largest.py": ANALYSIS,
    "replication/report/tables/single_table.py": TABLE,
    "replication/report/figures/bar_figure.py": FIGURE,
}
ENTRIES = {
    "analyses.yaml": "- {id: top, kind: largest, panel: district_year, column: log_rate}\n",
    "tables.yaml": "- {id: top_SIMULATED, title: Top, kind: single, source: analyses/top.csv}\n",
    "figures.yaml": "- {id: bar_SIMULATED, title: Bar, kind: bar, source: analyses/top.csv}\n",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with three files more, and a study that uses what they add."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "replication", root / "replication", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "studies" / "_template", root / "studies" / "my_study")
    shutil.copy(ROOT / "config.yaml", root)
    (root / "Snakefile").touch()
    for name, text in FILES.items():
        assert not (root / name).exists()
        (root / name).write_text(text, encoding="utf-8")
    for name, text in ENTRIES.items():
        (root / "studies" / "my_study" / name).write_text(text, encoding="utf-8")
    return root


def run(project: Path, name: str) -> subprocess.CompletedProcess[str]:
    places = {"PYTHONPATH": str(project), "REPLICATION_ROOT": str(project)}
    command = [sys.executable, "-m", "replication", "step", name, "my_study"]
    return subprocess.run(
        command, cwd=project, env=os.environ | places, capture_output=True, text=True, check=False
    )


def test_one_file_adds_a_kind(project: Path) -> None:
    for name in ("clean", "estimate", "analyze", "check", "tables", "figures"):
        done = run(project, name)
        assert done.returncode == 0, done.stderr
    top = pd.read_csv(project / "studies/my_study/panel.csv")["log_rate"].max()
    for name in (
        "tables/my_study/analyses/top",
        "tables/my_study/top_SIMULATED",
        "figures/my_study/bar_SIMULATED",
    ):
        assert pd.read_csv(project / f"{name}.csv")["largest"].tolist() == [top]
    assert str(top) in (project / "tables/my_study/top_SIMULATED.md").read_text(encoding="utf-8")
    assert (project / "figures/my_study/bar_SIMULATED.pdf").stat().st_size > 0


@pytest.mark.parametrize(
    ("file", "old", "new", "output"),
    [
        (
            "analyses.yaml",
            "column:",
            "colum:",
            "analysis 'top': unknown key 'colum' (did you mean 'column'?)",
        ),
        (
            "tables.yaml",
            "source:",
            "sorce:",
            "table 'top_SIMULATED': unknown key 'sorce' (did you mean 'source'?)",
        ),
        ("figures.yaml", "kind: bar", "kind: baar", "'kind' is 'baar' (did you mean 'bar'?)"),
    ],
)
def test_its_options_are_checked_like_those_of_any_other(
    project: Path, file: str, old: str, new: str, output: str
) -> None:
    place = project / "studies" / "my_study" / file
    text = place.read_text(encoding="utf-8")
    place.write_text(text.replace(old, new), encoding="utf-8")
    done = run(project, "clean")
    place.write_text(text, encoding="utf-8")
    assert done.returncode == 2
    assert output in done.stderr
    assert f"studies/my_study/{file}" in done.stderr
