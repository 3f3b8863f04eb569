r"""A table as a LaTeX document that compiles by itself and can be read into another.

In a paper: ``\usepackage{booktabs,array,standalone}`` (or ``docmute``) and
``\input{tables/<study>/<table>.tex}``; the preamble of the table is then skipped.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

from replication.display.fitted_notes import NOTES
from replication.display.formatting import SIMULATED, one_line, typeset
from replication.report.table_document import Heading, TableDocument, TableRow, folded_head

SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    '"': "''",
    "\N{MINUS SIGN}": r"$-$",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": "``",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "''",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{NOT EQUAL TO}": r"$\neq$",
    "\N{INFINITY}": r"$\infty$",
    "\N{DAGGER}": r"\dag{}",
    "\N{DOUBLE DAGGER}": r"\ddag{}",
    "\N{SECTION SIGN}": r"\S{}",
    "\N{NO-BREAK SPACE}": "~",
    "\N{HORIZONTAL ELLIPSIS}": r"\dots{}",
    "\N{SUPERSCRIPT TWO}": r"$^2$",
    "\N{RIGHTWARDS ARROW}": r"$\to$",
    "\N{GREEK SMALL LETTER ALPHA}": r"$\alpha$",
    "\N{GREEK SMALL LETTER BETA}": r"$\beta$",
    "\N{GREEK SMALL LETTER DELTA}": r"$\delta$",
    "\N{GREEK SMALL LETTER TAU}": r"$\tau$",
}
LAST_PLAIN = 0x17F  # Latin Extended-A: what pdflatex sets with T1 fonts and no further package

# Sizes in millimeters of \small text and of the notes, generous, since the page is cut to them.
LETTER, GAP, LINE, MARGIN = 1.72, 4.3, 3.95, 9
NOTE_LETTER, NOTE_LINE = 1.42, 3.45
NARROWEST, TEXT_COLUMN, TITLE = 120, 62, 12
# Characters from which a column of text is folded; not before its second number, which would
# stand a line too low, where cells have two.
FOLDED, FOLDED_IF_TALL = 34, 70

PREAMBLE = r"""\documentclass[10pt]{article}
\IfFileExists{lmodern.sty}{\usepackage[T1]{fontenc}\usepackage{lmodern}}{}
\usepackage{booktabs,array}
\usepackage[paperwidth=%(width)dmm,paperheight=%(height)dmm,margin=%(margin)dmm]{geometry}
\pagestyle{empty}
\makeatletter
\long\def\@makecaption#1#2{{\centering\bfseries #2\par}\vskip 6pt}
\makeatother
"""
WATERMARK = r"""\usepackage{graphicx,color}
\AddToHook{shipout/background}{\put(.5\paperwidth,-.5\paperheight){\makebox(0,0){%%
  \rotatebox{30}{\resizebox{.8\paperwidth}{!}{\textcolor[gray]{.9}{%s}}}}}}
"""


def escape(text: str) -> str:
    """Text as it is printed, with every character that LaTeX reads as a command written out.

    Two hyphens, as before an option, stay two: LaTeX would print a dash.
    """
    return "-{}-".join(
        "".join(SPECIAL.get(letter, letter if _is_plain(letter) else _named(letter)) for letter in part)
        for part in one_line(typeset(text)).split("--")
    )


def opening(cell: str) -> str:
    r"""The first cell of a row, or a line of a stack, as what precedes it must not read it.

    ``\\`` takes ``*`` and ``[`` that follow for its own star and argument, also in the next line,
    and the rules of booktabs take ``[``.
    """
    return f"{{}}{cell}" if cell.lstrip().startswith(("[", "*")) else cell


def latex(document: TableDocument) -> str:
    """The whole document."""
    width, height = page_size(document)
    preamble = PREAMBLE % {"width": width, "height": height, "margin": MARGIN}
    if document.simulated:
        preamble += WATERMARK % SIMULATED
    return "\n".join(
        [
            f"% {document.study}/{document.id}.",
            *(f"% {line}" for line in document.record()),
            r"% In a paper: \usepackage{booktabs,array,standalone} and \input this file.",
            preamble.rstrip(),
            r"\begin{document}",
            *_float(document),
            r"\end{document}",
            "",
        ]
    )


def latex_fragment(document: TableDocument) -> str:
    """The table alone, to be read into a document that loads ``booktabs`` and ``array``."""
    return "\n".join([*_float(document), ""])


def page_size(document: TableDocument) -> tuple[int, int]:
    """Width and height in millimeters of a page that holds the table and its notes."""
    wraps = wrapping(document)
    widths = [LETTER * letters for letters in document.column_widths()]
    columns = [TEXT_COLUMN if wrap else mm for mm, wrap in zip(widths, wraps, strict=True)]
    width = max(sum(columns) + GAP * len(columns), NARROWEST)
    lines = 2.0 + sum(
        max(row.height, *(_lines(texts, wrap) for texts, wrap in zip(_texts(row), wraps, strict=True)))
        + (0.2 if row.height > 1 else 0)
        for row in document.rows
    )
    lines += sum(max(len(folded_head(head.text)) for head in heads) for heads in document.headings)
    lines += sum(0.6 + bool(section.heading) for section in document.sections)
    below = sum(math.ceil(NOTE_LETTER * len(f"{NOTES} {note}") / width) for note in document.notes)
    height = TITLE + LINE * lines + NOTE_LINE * below + 2 * MARGIN
    return math.ceil(width + 2 * MARGIN), math.ceil(height)


def wrapping(document: TableDocument) -> list[bool]:
    """Which columns, the first included, contain text that is folded into paragraphs."""
    tall = any(row.height > 1 for row in document.rows)
    limits = [FOLDED_IF_TALL if tall else FOLDED, *([FOLDED] * len(document.align))]
    return [
        kind == "l" and letters > limit
        for kind, letters, limit in zip(["l", *document.align], document.column_widths(), limits, strict=True)
    ]


def _texts(row: TableRow) -> list[tuple[str, ...]]:
    return [(row.label,), *row.cells]


def _lines(texts: Sequence[str], wrap: bool) -> int:
    if not wrap:
        return len(texts)
    return sum(math.ceil(LETTER * len(text) / TEXT_COLUMN) for text in texts)


def _float(document: TableDocument) -> list[str]:
    columns = 1 + len(document.align)
    lines = [
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{escape(document.title)}}}",
        rf"\label{{tab:{f'{document.study}:' if document.study else ''}{document.id}}}",
        r"\small",
        rf"\begin{{tabular}}{{{_columns(document)}}}",
        r"\toprule",
        *_head(document),
    ]
    for section in document.sections:
        lines.append(r"\midrule")
        if section.heading:
            text = rf"\textit{{{escape(section.heading)}}}"
            lines.append(rf"\multicolumn{{{columns}}}{{l}}{{{text}}} \\")
        lines += [line for row in section.rows for line in _row(row)]
    lines += [r"\bottomrule", r"\end{tabular}", *_foot(document), r"\end{table}"]
    return lines


def _columns(document: TableDocument) -> str:
    kinds = ["l", *document.align]
    paragraph = rf">{{\raggedright\arraybackslash}}p{{{TEXT_COLUMN}mm}}"
    wraps = wrapping(document)
    return "".join(paragraph if wrap else kind for kind, wrap in zip(kinds, wraps, strict=True))


def _head(document: TableDocument) -> list[str]:
    lines = []
    for level, headings in enumerate(document.headings):
        last = level == len(document.headings) - 1
        stub = escape(document.stub) if last else ""
        place, cells = 0, [stub]
        for head in headings:
            cells.append(_heading(head, document.align[place]))
            place += head.span
        lines.append(opening(" & ".join(cells)) + r" \\")
        if not last:
            lines += _rules(headings)
    return lines


def _heading(head: Heading, align: str) -> str:
    if head.span == 1 and not head.text:
        return ""
    kind = "c" if head.span > 1 else align
    lines = [head.text] if head.span > 1 else folded_head(head.text)
    text = r"\\".join(opening(escape(line)) for line in lines)
    text = rf"\shortstack[{kind}]{{{text}}}" if len(lines) > 1 else text
    return rf"\multicolumn{{{head.span}}}{{{kind}}}{{{text}}}"


def _rules(headings: Sequence[Heading]) -> list[str]:
    rules, start = [], 2
    for head in headings:
        end = start + head.span - 1
        if head.text and head.span > 1:
            rules.append(rf"\cmidrule(lr){{{start}-{end}}}")
        start = end + 1
    return ["".join(rules)] if rules else []


def _row(row: TableRow) -> list[str]:
    lines = []
    for level in range(row.height):
        cells = [escape(cell[level]) if level < len(cell) else "" for cell in row.cells]
        label = opening(escape(row.label)) if level == 0 else ""
        lines.append(" & ".join([label, *cells]) + r" \\")
    if row.height > 1:
        lines[-1] += "[2pt]"
    return lines


def _foot(document: TableDocument) -> list[str]:
    notes = [escape(note).replace(r"\_", r"\_\allowbreak{}") for note in document.notes]
    return [
        r"\par\smallskip",
        r"\begin{minipage}{\linewidth}\footnotesize\raggedright",
        *(rf"\emph{{{NOTES}}} {note}\par" for note in notes),
        r"\end{minipage}",
    ]


def _is_plain(letter: str) -> bool:
    return ord(letter) <= LAST_PLAIN and unicodedata.category(letter) != "Cc"


def _named(letter: str) -> str:
    """A character outside the font, by its number: visible, and the document still compiles."""
    return rf"\texttt{{U+{ord(letter):04X}}}"
