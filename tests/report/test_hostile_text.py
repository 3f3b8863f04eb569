"""Labels that LaTeX takes for arguments, texts that a spreadsheet takes for formulas."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replication.report.latex_table import escape, latex
from replication.report.markdown_table import markdown
from replication.report.spreadsheet import quoted, without_formulas
from replication.report.study_report import write_document
from replication.report.table_document import Heading, Section, TableDocument, TableRow

from .test_writers import compile_latex

ARGUMENT = "[a long argument]"
STAR = "* starred"
TORN = "first\n\nsecond\r\n \tthird\N{LINE SEPARATOR}fourth\x0b\x07"
DOCUMENT = TableDocument(
    id="hostile",
    study="made",
    title=TORN,
    headings=((Heading(STAR), Heading(f"{ARGUMENT} {STAR} {ARGUMENT} {STAR}")),),
    sections=(
        Section(
            (
                TableRow(ARGUMENT, (("1", "[0.1, 0.2]"), (TORN,))),
                TableRow(STAR, (("2",), ("",))),
                TableRow("", ((ARGUMENT,), (STAR,))),
            ),
            ARGUMENT,
        ),
        Section((TableRow(f" {ARGUMENT}", (("3",), ("=1+1",))),), TORN),
    ),
    align="cl",
    data=pd.DataFrame({"=a": ["=cmd()"]}),
    stub=ARGUMENT,
    notes=(ARGUMENT, TORN),
    specs=(("(1)", "a_b"),),
)
TAKES_AN_ARGUMENT = re.compile(r"(\\\\|\\(?:top|mid|bottom)rule|\\cmidrule\S*)\s*[\[*]")


def test_no_label_becomes_the_argument_of_what_precedes_it() -> None:
    body = latex(DOCUMENT).partition(r"\begin{tabular}")[2]
    found = [match.group(0) for match in TAKES_AN_ARGUMENT.finditer(body)]
    assert found == [r"\\["], "the space below a row of two lines, which is ours"
    assert "{}[a long argument] & 1" in body
    assert "{}* starred & 2" in body
    assert r"\toprule" + "\n{}[a long argument] &" in body
    # Elsewhere nothing precedes them that reads on, and the bytes of such cells stay as they were.
    assert " & [0.1, 0.2] & " in body


def test_a_blank_line_ends_neither_a_caption_nor_a_row() -> None:
    lines = latex(DOCUMENT).splitlines()
    assert r"\caption{first second third fourth \texttt{U+0007}}" in lines
    body = lines[lines.index(r"\begin{document}") :]
    assert "" not in body
    assert escape("a\tb\nc") == "a b c"
    table = [line for line in markdown(DOCUMENT).splitlines() if line.startswith("|")]
    assert len(table) == 2 + 2 + 4, "two lines of heading, two sections, four rows"
    assert "**first second third fourth \x07**" in markdown(DOCUMENT)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_hostile_labels_compile(tmp_path: Path) -> None:
    (tmp_path / "hostile.tex").write_text(latex(DOCUMENT), encoding="utf-8")
    compile_latex(tmp_path, "hostile")


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "=cmd|' /C calc'!A0",
        "+SUM(1)",
        "-A1",
        "-cmd|' /C calc'!A0",
        "-2+cmd|' /C calc'!A0",
        "+2 +HYPERLINK(A1)",
        "-2 -3",
        "-2 to -A1",
        "+1:1",
        "+2 points|A0",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "-",
        "+",
    ],
)
def test_a_text_that_begins_a_formula_is_quoted(text: str) -> None:
    assert quoted(text) == f"'{text}"
    frame = without_formulas(pd.DataFrame({text: [text, "plain"], "n": [-1, 2]}))
    assert frame.columns.tolist() == [f"'{text}", "n"]
    assert frame.iloc[:, 0].tolist() == [f"'{text}", "plain"]


@pytest.mark.parametrize(
    "value",
    [
        -1,
        -0.5,
        np.float64(-2.5),
        "-0.057",
        "+3",
        "-1e-5",
        "-inf",
        "plain",
        "",
        "a=b",
        "'=1",
        None,
        "(0.03)",
        "+0.152 points a month (0.067)",
        "+2.2 points (14.7%)",
        "+ 3 points",
        "-.5%",
        "-6 to -2",
        "-0.1, 0.2",
        "-0.05***",
        "[-0.1, 0.2]",
        "\N{MINUS SIGN}0.05",
    ],
)
def test_numbers_and_other_texts_are_left_alone(value: object) -> None:
    assert quoted(value) is value


def test_negative_numbers_are_the_same_bytes_whatever_their_column() -> None:
    frame = pd.DataFrame(
        {
            "estimate": [-0.25, np.nan],
            "n": [-3, 4],
            "mixed": [-0.5, "text"],
            "printed": ["-0.5", ""],
            "date": pd.to_datetime(["2010-08-10", None]),
            "kind": pd.Categorical(["a", "b"]),
        }
    )
    assert without_formulas(frame).to_csv() == frame.to_csv()
    twice = pd.DataFrame([[-1.5, "=x"]], columns=["a", "a"])
    assert without_formulas(twice).iloc[0].tolist() == [-1.5, "'=x"]


def test_tables_are_written_without_formulas(tmp_path: Path) -> None:
    write_document(replace(DOCUMENT, title="plain"), tmp_path)
    written = (tmp_path / "hostile.csv").read_text(encoding="utf-8").splitlines()
    assert written[0].startswith("'=a,")
    assert written[1].startswith("'=cmd(),")
