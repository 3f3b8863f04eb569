"""Published and replicated values, compared at the published decimals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from replication.core.errors import SpecError
from replication.display import formatting
from replication.display.fitted_notes import Fact
from replication.report.report_context import Context, versions_of_results
from replication.report.report_data import Saved, read_source
from replication.report.study_config import Entry
from replication.report.table_document import Heading, Section, TableDocument, TableRow, table_cell
from replication.report.tables import table_notes

OPTIONS = {
    "required": ["rows"],
    "properties": {
        "source": {"$ref": "#/$defs/source"},
        "publication": {
            "type": "string",
            "description": "Short citation, such as 'Cheng and Hoekstra (2013)'.",
        },
        "truncated": {
            "type": "boolean",
            "default": False,
            "description": "Whether the publication truncates decimals instead of rounding them.",
        },
        "rows": {
            "type": "array",
            "minItems": 1,
            "description": "Published values, top to bottom, with the specification shown beside each.",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["label"],
                "properties": {
                    "heading": {"type": "string", "description": "Starts a block of rows."},
                    "label": {"$ref": "#/$defs/label"},
                    "spec": {
                        "type": "string",
                        "description": "Specification of this study; empty if there is none.",
                    },
                    "row": {"$ref": "#/$defs/row"},
                    "ours": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["source", "where"],
                        "properties": {
                            "source": {"$ref": "#/$defs/source"},
                            "where": {"$ref": "#/$defs/where"},
                        },
                        "description": "The row of an analysis that has the estimate of this study.",
                    },
                    "estimate": {
                        "type": "string",
                        "description": "As printed, in quotation marks so that trailing zeros stay.",
                    },
                    "std_error": {"type": "string", "description": "As printed, in quotation marks."},
                    "std_error_column": {
                        "type": "string",
                        "description": "Column of the source that has the printed standard error.",
                    },
                    "reported": {
                        "type": "string",
                        "description": "The published statement, where it is not a number.",
                    },
                    "where": {
                        "$ref": "#/$defs/where",
                        "description": "Which row of the source has the printed values.",
                    },
                    "verbatim": {
                        "type": "boolean",
                        "default": False,
                        "description": "The publication's words, printed in quotation marks.",
                    },
                    "secondary": {
                        "type": "boolean",
                        "default": False,
                        "description": "Not read in the publication's own table.",
                    },
                    "percent": {
                        "type": "boolean",
                        "default": False,
                        "description": "Print this study's estimate in logs as a percentage change too.",
                    },
                    "note": {"type": "string"},
                },
            },
        },
    },
}

HEADS = (
    "Published",
    "This study",
    "Difference in coefficients",
    "Difference in standard errors",
    "Coefficient matches printed digits",
    "Standard error matches printed digits",
)
IN_PARENTHESES = "Standard errors are in parentheses."
IN_BRACKETS = "Percentage changes, 100(exp(b) \N{MINUS SIGN} 1), are in brackets."
NOTES = (
    "Differences are unrounded estimates minus published values; numbers match if they are equal when "
    "rounded{} to the published decimals."
)
OR_CUT = " or truncated"
WITHOUT_NUMBERS = 2
READABLE_DECIMALS = 6
YES_NO = {True: "yes", False: "no"}
SECONDARY = "From a secondary source."


def build(entry: Entry, context: Context) -> TableDocument:
    """One published number per row: published, replicated, and whether each part is equal as printed."""
    rows = [compare(row, entry, context) for row in entry.options["rows"]]
    used = formatting.distinct_words(row["spec_id"] for row in rows)
    publication = entry.options.get("publication", "")
    # Where only words were published there is no difference to show.
    numbers = any(pd.notna(row["printed_digits"]) for row in rows)
    shown = len(HEADS) if numbers else WITHOUT_NUMBERS
    printed, details = _notes(entry, rows, numbers)
    heads = (publication or HEADS[0], *HEADS[1:])[:shown]
    return context.document(
        entry,
        headings=(tuple(Heading(head) for head in heads),),
        sections=tuple(sections(rows, shown)),
        align="c" * shown,
        notes=printed,
        details=details,
        specs=tuple(("", name) for name in used),
        versions=versions_of_results(context.results.get(name) for name in used),
        data=pd.DataFrame(rows).drop(columns="percent"),
    )


def _notes(
    entry: Entry, rows: list[dict[str, Any]], numbers: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Printed notes and details; ``numbers``: whether any number was published."""
    remarks = [f"{row['label']}: {row['note'].rstrip('.')}." for row in rows if row["note"]]
    return table_notes.printed(
        [
            *(Fact(table_notes.CELLS, note) for note in entry.notes),
            Fact(
                table_notes.CELLS,
                f"{tally(rows)} {NOTES.format(OR_CUT if entry.options.get('truncated') else '')}".strip()
                if numbers
                else "",
            ),
            Fact(table_notes.SAMPLE, " ".join(remarks), required=False),
            Fact(table_notes.ERRORS, IN_PARENTHESES),
            Fact(table_notes.ERRORS, IN_BRACKETS if any(pd.notna(row["percent"]) for row in rows) else ""),
            Fact(
                table_notes.SOURCE,
                f"{formatting.DAGGER} {SECONDARY}" if any(row["secondary"] for row in rows) else "",
            ),
        ]
    )


def compare(row: Mapping[str, Any], entry: Entry, context: Context) -> dict[str, Any]:
    """A row as numbers: published, replicated, and whether they agree."""
    printed = printed_values(row, entry, context)
    saved = context.results.get(row["spec"]) if row.get("spec") else None
    ours = estimated(row, saved, context)
    truncated = bool(entry.options.get("truncated"))
    estimate = np.nan if ours is None else float(ours["estimate"])
    std_error = np.nan if ours is None else float(ours["std_error"])
    return {
        "heading": row.get("heading", ""),
        "label": row["label"],
        "published": printed["estimate"] or quoted(row),
        "published_std_error": printed["std_error"],
        "estimate": estimate,
        "std_error": std_error,
        "difference": _less(estimate, printed["estimate"]),
        "std_error_difference": _less(std_error, printed["std_error"]),
        "printed_digits": decimals(printed["estimate"]) if printed["estimate"] else np.nan,
        "coefficient_equal": _equal(estimate, printed["estimate"], truncated),
        "std_error_equal": _equal(std_error, printed["std_error"], truncated),
        "secondary": bool(row.get("secondary", False)),
        "note": row.get("note", ""),
        "percent": 100 * np.expm1(estimate) if row.get("percent") else np.nan,
        "spec_id": "" if saved is None else saved.spec_id,
    }


def estimated(row: Mapping[str, Any], saved: Saved | None, context: Context) -> Mapping[str, Any] | None:
    """The row of a result or an analysis beside the published value; None if there is none."""
    if saved is not None:
        return saved.row(row.get("row", "att"))
    if "ours" not in row:
        return None
    source, where = row["ours"]["source"], row["ours"]["where"]
    frame = read_source(context.folders, source, ["estimate", "std_error"], where=where)
    return dict(one_row(frame, source, row["label"]))


def quoted(row: Mapping[str, Any]) -> str:
    """A published statement, in quotation marks where the words are the publication's."""
    words = str(row.get("reported", ""))
    return (
        f"\N{LEFT DOUBLE QUOTATION MARK}{words}\N{RIGHT DOUBLE QUOTATION MARK}"
        if row.get("verbatim")
        else words
    )


def one_row(frame: pd.DataFrame, source: str, label: str) -> dict[str, Any]:
    """The only row of a selection."""
    if len(frame) != 1:
        raise SpecError(f"{len(frame)} rows of {source} match the row {label!r}. Make its 'where' name one.")
    return {str(name): value for name, value in frame.iloc[0].items()}


def printed_values(row: Mapping[str, Any], entry: Entry, context: Context) -> dict[str, str]:
    """Coefficient and standard error as printed: typed in the row, or found in the source."""
    if "where" not in row:
        return {name: str(row.get(name, "")) for name in ("estimate", "std_error")}
    if "source" not in entry.options:
        raise SpecError(
            f"the row {row['label']!r} has 'where' but the table has no 'source'. "
            "Name the file of published values in 'source'."
        )
    needed = ["estimate", *([row["std_error_column"]] if "std_error_column" in row else [])]
    frame = read_source(context.folders, entry.options["source"], needed, where=row["where"], text=True)
    found = one_row(frame, entry.options["source"], row["label"])
    columns = {"estimate": "estimate", "std_error": row.get("std_error_column", "std_error")}
    values = {name: str(found.get(column, "")) for name, column in columns.items()}
    return {name: value.replace(formatting.MINUS, "-") for name, value in values.items()}


def decimals(printed: str) -> int:
    """Decimals of a number as printed."""
    return len(printed.partition(".")[2])


def agrees(value: float, printed: str, truncated: bool = False) -> bool:
    """Whether a value rounds to the printed number, or begins with it where decimals may be cut off."""
    places = decimals(printed)
    if float(f"{value:.{places}f}") == float(printed):
        return True
    whole, _, digits = f"{value:.{places + 6}f}".partition(".")
    return truncated and float(f"{whole}.{digits[:places]}") == float(printed)


def tally(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many numbers match the published digits, coefficients and standard errors apart."""
    parts, complete = [], True
    for name, words in (("coefficient", "coefficients"), ("std_error", "standard errors")):
        verdicts = [row[f"{name}_equal"] for row in rows if row[f"{name}_equal"] is not None]
        if verdicts:
            parts.append((sum(verdicts), len(verdicts), words))
            complete &= all(verdicts)
    if not parts:
        return ""
    if complete and len({count for count, *_ in parts}) == 1:
        count = f"All {parts[0][0]} {formatting.listed(words for *_, words in parts)}"
    else:
        count = formatting.listed(f"{count} of {total} {words}" for count, total, words in parts)
    return f"{count} match the published values to the digits printed."


def sections(rows: list[dict[str, Any]], shown: int = len(HEADS)) -> list[Section]:
    """The rows, a new block at each heading; the first ``shown`` cells of each."""
    blocks: list[tuple[str, list[TableRow]]] = []
    for row in rows:
        if row["heading"] or not blocks:
            blocks.append((row["heading"], []))
        line = _printed(row)
        blocks[-1][1].append(TableRow(line.label, line.cells[:shown]))
    return [Section(tuple(lines), heading) for heading, lines in blocks]


def _printed(row: dict[str, Any]) -> TableRow:
    digits = decimals(row["published"]) if pd.notna(row["printed_digits"]) else 3
    std_error = row["published_std_error"]
    std_error_digits = decimals(std_error) if std_error else digits
    number = pd.notna(row["printed_digits"])
    published = row["published"].replace("-", formatting.MINUS) if number else row["published"]
    return TableRow(
        row["label"] + (f" {formatting.DAGGER}" if row["secondary"] else ""),
        (
            table_cell(published, f"({std_error})" if std_error else ""),
            table_cell(
                formatting.fixed(row["estimate"], digits),
                f"({formatting.fixed(row['std_error'], std_error_digits)})"
                if pd.notna(row["std_error"])
                else "",
                f"[{formatting.fixed(row['percent'], 1)}%]" if pd.notna(row["percent"]) else "",
            ),
            table_cell(difference(row["difference"], digits + 1)),
            table_cell(difference(row["std_error_difference"], std_error_digits + 1)),
            table_cell(YES_NO.get(row["coefficient_equal"], "")),
            table_cell(YES_NO.get(row["std_error_equal"], "")),
        ),
    )


def difference(value: float, digits: int) -> str:
    """A difference with ``digits`` decimals; where zeros would fill the cell, as a power of ten."""
    if pd.isna(value) or digits <= READABLE_DECIMALS:
        return formatting.fixed(value, digits)
    return f"{round(value, digits):.0e}".replace("-", formatting.MINUS) if round(value, digits) else "0"


def _equal(value: float, printed: str, truncated: bool) -> bool | None:
    return agrees(value, printed, truncated) if printed and pd.notna(value) else None


def _less(value: float, printed: str) -> float:
    return value - float(printed) if printed else np.nan
