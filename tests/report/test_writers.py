"""LaTeX that compiles, HTML that is well-formed, the same bytes every time."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from replication.report.folders import Folders
from replication.report.html_table import cut_fragment, fragment, table_page
from replication.report.latex_table import escape, latex
from replication.report.markdown_table import markdown
from replication.report.study_config import StudyConfig, parse_study
from replication.report.study_report import write_tables
from replication.report.table_document import Heading, Section, TableDocument, TableRow

NASTY = r"50% of R&D_x #1 {a} ~ ^ \cmd $5 <b> |c| " + "\N{MINUS SIGN}1 \N{EN DASH} é \N{SNOWMAN}"
DOCUMENT = TableDocument(
    id="nasty",
    study="made",
    title=NASTY,
    headings=((Heading(NASTY, 2),), (Heading("a"), Heading(NASTY))),
    sections=(
        Section((TableRow(NASTY, (("1", "(2)"), (NASTY,))),), NASTY),
        Section((TableRow("x", ((), ())),)),
    ),
    align="cl",
    data=pd.DataFrame({"a": [1]}),
    stub=NASTY,
    notes=(NASTY,),
    specs=(("(1)", "a_b"),),
)


def test_every_special_character_is_escaped() -> None:
    assert escape(r"a_b & 5% #1 $x {y} ~ ^ \z") == (
        r"a\_b \& 5\% \#1 \$x \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{}z"
    )
    assert escape("\N{MINUS SIGN}0.057 \N{DAGGER}") == r"$-$0.057 \dag{}"
    assert escape("\N{SNOWMAN}") == r"\texttt{U+2603}"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
@pytest.mark.parametrize("simulated", [False, True])
def test_latex_compiles_by_itself(tmp_path: Path, simulated: bool) -> None:
    (tmp_path / "nasty.tex").write_text(latex(replace(DOCUMENT, simulated=simulated)))
    compile_latex(tmp_path, "nasty")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_all_tables_compile_and_can_be_read_into_a_paper(
    tmp_path: Path, study: StudyConfig, folders: Folders
) -> None:
    names = [path for path in write_tables(study, folders) if path.suffix == ".tex"]
    assert len(names) == len(study.tables)
    inputs = "\n".join(rf"\input{{{path.as_posix()}}}" for path in names)
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs,array,standalone}\n\\begin{document}\n"
        f"{inputs}\n\\end{{document}}\n"
    )
    log = compile_latex(tmp_path, "paper")
    assert "multiply defined" not in log
    for path in names:
        shutil.copy(path, tmp_path)
        log = compile_latex(tmp_path, path.stem)
        assert "(1 page," in log.replace("\n", ""), "the page must hold the whole table"
        assert "Overfull" not in log, f"{path.stem} is wider than its page"


def compile_latex(folder: Path, name: str) -> str:
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-1500:]
    return done.stdout


def test_latex_lines_have_one_cell_a_column() -> None:
    rows = [line for line in latex(DOCUMENT).splitlines() if line.endswith((r"\\", r"\\[2pt]"))]
    plain = [line for line in rows if "multicolumn" not in line]
    assert plain
    assert all(len(re.findall(r"(?<!\\)&", line)) == 2 for line in plain)


def parsed(page: str) -> ET.Element:
    return ET.fromstring(page.replace("<!DOCTYPE html>", "", 1))


def test_html_is_well_formed_and_accessible() -> None:
    page = parsed(table_page(DOCUMENT))
    assert page.attrib["lang"] == "en"
    heads = page.findall(".//thead//th")
    assert [head.attrib["scope"] for head in heads] == ["colgroup", "col", "col", "col"]
    assert page.find(".//tbody/tr/th[@scope='rowgroup']") is not None
    rows = page.findall(".//tbody/tr/th[@scope='row']")
    assert [row.text for row in rows] == [NASTY, "x"]
    caption = page.find(".//caption")
    assert caption is not None
    assert caption.text == NASTY
    widths = {sum(int(cell.attrib.get("colspan", 1)) for cell in row) for row in page.findall(".//tr")}
    assert widths == {3}
    assert cut_fragment(table_page(DOCUMENT)) == fragment(DOCUMENT)


def test_markdown_has_one_cell_a_column() -> None:
    lines = [line for line in markdown(DOCUMENT).splitlines() if line.startswith("| ")]
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 4 for line in lines)
    assert "R&D\\_x" in lines[0]


def test_a_command_can_be_copied_from_every_format() -> None:
    command = "`--set unbalanced=pairwise 'window=[-5,8]'`"
    document = replace(DOCUMENT, details=(f"{command} keeps them in 2004-2012.", "An end --> and --!> more"))
    written = markdown(document)
    assert command in written
    assert written.index("<!--") < written.index(command) < written.index("-->")
    assert written.count("-->") == 1
    assert "--!>" not in written
    assert f"% {command}" in latex(document)
    page = table_page(document)
    assert command in html.unescape(page).replace("<wbr/>", "")
    assert "2004\N{EN DASH}2012" in page
    assert escape("--set a_b") == r"-{}-set a\_b"


def test_simulated_tables_say_so_in_every_format() -> None:
    document = replace(DOCUMENT, simulated=True)
    assert "shipout/background" in latex(document)
    assert 'class="simulated"' in table_page(document)
    assert "> SIMULATED: " in markdown(document)
    assert "SIMULATED" not in latex(DOCUMENT) + table_page(DOCUMENT).partition("</style>")[2]


def author_of(path: Path) -> str:
    with zipfile.ZipFile(path) as parts:
        return parts.read("docProps/core.xml").decode()


def test_files_are_whole_and_the_same_every_time(study: StudyConfig, folders: Folders) -> None:
    paths = write_tables(study, folders)
    assert [path.name for path in paths[:4]] == ["main.tex", "main.html", "main.md", "main.csv"]
    first = {path: path.read_bytes() for path in paths}
    assert {path: path.read_bytes() for path in write_tables(study, folders)} == first
    assert not list(folders.tables.glob(".*")), "no temporary file is left"
    for path in paths:
        assert "replication 0." in (
            author_of(path) if path.suffix == ".docx" else path.read_text(encoding="utf-8")
        )
    for spec in ("plain", "weighted_trends"):
        for ending in ("tex", "html", "md", "csv"):
            words = (folders.tables / f"main.{ending}").read_text(encoding="utf-8")
            assert spec in re.sub(r"\\_(\\allowbreak\{\})?|_<wbr/>|\\_", "_", words)


def test_html_pages_of_the_study_are_well_formed(study: StudyConfig, folders: Folders) -> None:
    for path in write_tables(study, folders):
        if path.suffix == ".html":
            assert parsed(path.read_text(encoding="utf-8")).find(".//table") is not None


def test_only_what_is_asked_for_is_written(description: dict[str, Any], folders: Folders) -> None:
    paths = write_tables(parse_study(description), folders, only=["estimators"])
    assert {path.stem for path in paths} == {"estimators"}
