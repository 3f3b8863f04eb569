"""Templates of summaries: Jinja text in which numbers are fetched and printed by functions.

======================  ====================================================================================
function                what it gives
======================  ====================================================================================
effect(spec, row)       an estimate with its interval; ``effects({name: spec})`` several by name
line(file, **where)     the row of a file with these values as an estimate
cell(file, column, **)  one cell of the row of a file; ``nth(file, column, place)`` by the place of the row
rows(file, **where)     rows of a file, to loop over; ``largest=`` or ``smallest=`` a column sorts them
estimates(*patterns)    a frame of all overall effects whose specification id fits
about(spec, key)        a column of the overall effect (``n_units``) or a key of the specification
value(number, source)   a number that the template makes from others, and where it is from
pct(x)                  prints a log effect, or that of a specification id, in percent with its interval
interval, points        print the interval alone, in percent; an effect in its own unit
p, count, fixed, share  print a p-value, a whole number, a number with decimals, a share in percent
log_pct, words, years   print a log difference in percent; text; first and last year of a specification
day(value)              prints a date in words: ``October 27, 2008``
quote(label)            prints what the study's table ``published`` has under a label
moved, changed, verb,   words that follow the signs and intervals of effects (``summary.phrases``)
excludes, labeled,
spread
many, listed, sentence  ``3 states``; ``a, b and c``; a capital at the start and a full stop at the end
label(name), title      how the study prints a name; its title
======================  ====================================================================================

Everything that prints a number puts the footnote of its source behind it and enters it in the ledger.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateSyntaxError, UndefinedError

from replication.core.errors import InputError, SpecError, nearest
from replication.core.files import write_csv, write_text
from replication.display import formatting
from replication.report.folders import Folders
from replication.report.study_config import StudyConfig
from replication.report.summary import phrases
from replication.report.summary.numbers import Numbers, Value
from replication.report.table_document import MADE_WITH

FETCHED = ("effect", "effects", "line", "cell", "nth", "rows", "estimates", "about")
PRINTED = ("interval", "points", "p", "count", "fixed", "share", "words", "day", "years", "quote")
WORDED = ("moved", "changed", "verb", "excludes", "labeled", "spread", "many")
OWN_LINE = ("#", "|", "- ", "[^")
UNKNOWN = re.compile(r"^'(\w+)' is undefined$")


def functions(numbers: Numbers) -> Mapping[str, Any]:
    """What a template may name."""
    return {
        **{name: getattr(numbers, name) for name in (*FETCHED, *PRINTED)},
        **{name: getattr(phrases, name) for name in WORDED},
        "value": Value,
        "pct": numbers.percent,
        "log_pct": numbers.log_percent,
        "listed": formatting.listed,
        "sentence": formatting.sentence,
        "label": numbers.study.label,
        "title": numbers.study.heading(numbers.study.title),
    }


def rendered(template: Path, numbers: Numbers) -> str:
    """The text of a template, every paragraph on one line.

    Raises
    ------
    SpecError
        If the template is not valid, names what is not there, or asks for a number that is gone: one
        paragraph with the template's file and line.
    """
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    offered = functions(numbers)
    try:
        text = environment.get_template(template.name).render(offered)
    except TemplateSyntaxError as error:
        message = str(error.message).rstrip(".")
        raise SpecError(f"{template}, line {error.lineno}: {message}. Correct the template.") from None
    except InputError as error:
        raise type(error)(f"{template}, line {_line(error, template)}: {error}") from None
    except Exception as error:
        raise SpecError(f"{template}, line {_line(error, template)}: {_explained(error, offered)}") from None
    return printed(unwrapped(text))


def printed(text: str) -> str:
    """The text as it is printed; what stands in backticks stays as it is."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else formatting.typeset(part) for part in parts)


def unwrapped(text: str) -> str:
    """Paragraphs and list items on one line each; headings, rows of tables and items keep their own lines."""
    blocks = []
    for block in re.split(r"\n[ \t]*(?:\n[ \t]*)+", text.strip("\n")):
        lines: list[str] = []
        for line in block.split("\n"):
            words = re.sub(r"[ \t]+", " ", line).strip(" ")
            if words and (not lines or words.startswith(OWN_LINE)):
                lines.append(words)
            elif words:
                lines[-1] += f" {words}"
        blocks.append("\n".join(lines))
    return "\n\n".join(block for block in blocks if block)


def _line(error: BaseException, template: Path) -> int | str:
    """The line of the template in which an error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == template and frame.lineno]
    return lines[-1] if lines else "unknown"


def _explained(error: Exception, offered: Mapping[str, Any]) -> str:
    """What went wrong, with the nearest name where one is not known."""
    message = " ".join(str(error).split())
    unknown = UNKNOWN.match(message)
    if isinstance(error, UndefinedError) and unknown:
        return (
            f"{unknown[1]!r} is not defined{nearest(unknown[1], offered)}. Correct the name, or set it "
            f"above. The functions are {', '.join(sorted(offered))}."
        )
    return f"{message} ({type(error).__name__}). Correct the template."


LEDGER = "summary_numbers.csv"
MARK = re.compile(r"\[\^(\d+)\]")


def write_summary(template: Path, study: StudyConfig, folders: Folders, path: Path) -> int:
    """Write the summary and ``tables/<study>/summary_numbers.csv``; returns how many numbers.

    Parameters
    ----------
    template : Path
        ``summary.md.j2`` of the study's folder; ``summary.template`` says what it may call.

    Raises
    ------
    SpecError
        If the template is faulty, or a specification, file or row that it names is gone.
    """
    numbers = Numbers(study, folders)
    try:
        write_text(path, compose(template, numbers))
    except InputError as error:
        raise type(error)(f"{study.id}, summary: {error}") from None
    write_csv(folders.tables / LEDGER, pd.DataFrame(numbers.ledger))
    return len(numbers.ledger)


def compose(template: Path, numbers: Numbers) -> str:
    """The text of the template, and a footnote for every source."""
    body = in_order(rendered(template, numbers), numbers)
    notes = [f"[^{number}]: {source}" for source, number in numbers.sources.items()]
    return "\n".join([body, "", *notes, "", f"Made with {MADE_WITH}.", ""])


def in_order(body: str, numbers: Numbers) -> str:
    """The text with footnotes numbered as they appear; those that appear nowhere are dropped.

    The ledger is put into the order of the footnotes, whatever order the template fetched its numbers in.
    """
    found = dict.fromkeys(int(number) for number in MARK.findall(body))
    order = {old: new for new, old in enumerate(found, 1)}
    known = {number: source for source, number in numbers.sources.items()}
    numbers.sources = {known[old]: new for old, new in order.items()}
    kept = [line for line in numbers.ledger if line["footnote"] in order]
    lines = [{**line, "footnote": order[line["footnote"]]} for line in kept]
    numbers.ledger = sorted(lines, key=lambda line: line["footnote"])
    return MARK.sub(lambda match: f"[^{order[int(match[1])]}]", body)
