"""Estimators side by side: one specification per row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from replication.display import formatting
from replication.display.fitted_notes import Fact
from replication.report import facts
from replication.report.report_context import Context, versions_of_results
from replication.report.study_config import Entry
from replication.report.table_document import Heading, Section, TableDocument, TableRow, table_cell
from replication.report.tables import table_notes, table_statistics
from replication.report.tables.note_places import Shown, named_specs

OPTIONS = {
    "required": ["rows"],
    "shared": ["digits", "row"],
    "properties": {
        "stub": {
            "type": "string",
            "default": "Estimator",
            "description": "Head of the first column, such as Subgroup.",
        },
        "columns": {
            "type": "array",
            "minItems": 1,
            "description": "Columns shown; the simultaneous band only if it differs from the interval.",
            "items": {
                "enum": [
                    "estimate",
                    "std_error",
                    "interval",
                    "band",
                    "p_value",
                    "n_obs",
                    "n_units",
                    "n_clusters",
                    "mean",
                    "control_group",
                    "truth",
                ]
            },
        },
        "rows": {
            "type": "array",
            "minItems": 1,
            "description": "Specification ids, {spec, label, row}, or {heading, rows}.",
            "items": {
                "type": ["string", "object"],
                "additionalProperties": False,
                "properties": {
                    "spec": {"type": "string"},
                    "label": {"$ref": "#/$defs/label"},
                    "row": {"$ref": "#/$defs/row"},
                    "truth": {"type": "number"},
                    "heading": {"type": "string"},
                    "rows": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/reference"}},
                },
            },
        },
    },
}

DEFAULT = ("estimate", "std_error", "interval", "band", "n_obs", "n_units", "n_clusters")
LABELS = {
    **table_statistics.LABELS,
    "estimate": "Estimate",
    "std_error": "Std. error",
    "interval": "CI",
    "band": "uniform confidence band",
}
ALWAYS_TREATED = "always-treated controls"
"""Words by which an entry's own note replaces that of the results."""
LEVELLED = ("interval", "band")
SAME_BAND = 1e-9


def build(entry: Entry, context: Context) -> TableDocument:
    """One estimator (or specification) a row, with its interval and, where it differs, its band."""
    blocks = read_blocks(entry, context)
    lines = [line for _, block in blocks for line in block]
    columns = shown_columns(entry, lines)
    results = [line["saved"] for line in lines]
    level = formatting.listed(formatting.distinct_words(facts.level(saved) for saved in results))
    heads = [
        f"{level} {LABELS[name]}" if name in LEVELLED else context.study.labels.get(name, LABELS[name])
        for name in columns
    ]
    shown = [Shown(heading, line["label"], line["saved"]) for heading, block in blocks for line in block]
    printed, details = _notes(entry, shown, lines, columns, context)
    return context.document(
        entry,
        headings=(tuple(Heading(head) for head in heads),),
        sections=tuple(
            Section(tuple(_row(line, columns, entry, context) for line in block), heading)
            for heading, block in blocks
        ),
        align="".join("l" if name == "control_group" else "r" for name in columns),
        stub=entry.options.get("stub", "Estimator"),
        notes=printed,
        details=details,
        specs=tuple((f"{name}:", spec_id) for name, spec_id in named_specs(shown)),
        versions=versions_of_results(results),
        data=pd.DataFrame([_data(line, heading, context) for heading, block in blocks for line in block]),
    )


def _notes(
    entry: Entry, shown: list[Shown], lines: list[dict[str, Any]], columns: list[str], context: Context
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Printed notes and details; what a column or the entry's own notes state is left out."""
    own = " ".join(entry.notes)
    averaged = [one for one, line in zip(shown, lines, strict=True) if line["found"]["term"] == "att"]
    design = table_notes.design_notes(shown, context, averaged)
    if "control_group" in columns:
        design = [fact for fact in design if not fact.text.startswith("Control group")]
    sample = table_notes.sample_notes(shown, context)
    if ALWAYS_TREATED in own:
        sample = [fact for fact in sample if ALWAYS_TREATED not in fact.text]
    return table_notes.printed(
        [
            *(Fact(table_notes.CELLS, note) for note in entry.notes),
            *sample,
            *([] if "eighted by" in own else [table_notes.weighting_note(shown, context)]),
            *design,
            table_notes.weights_note(shown, context),
            table_notes.inference_note(shown, context, beside=True),
            table_notes.other_errors(shown, context),
            Fact(table_notes.ERRORS, table_notes.STARS_NOTE if context.stars else ""),
        ]
    )


def read_blocks(entry: Entry, context: Context) -> list[tuple[str, list[dict[str, Any]]]]:
    """(heading, rows) of the table; neighboring rows without heading share a block."""
    blocks: list[tuple[str, list[dict[str, Any]]]] = []
    for item in entry.options["rows"]:
        if isinstance(item, Mapping) and "rows" in item:
            inner = [_line(one, entry, context) for one in item["rows"]]
            blocks.append((item.get("heading", ""), inner))
        elif blocks and not blocks[-1][0]:
            blocks[-1][1].append(_line(item, entry, context))
        else:
            blocks.append(("", [_line(item, entry, context)]))
    return blocks


def shown_columns(entry: Entry, lines: list[dict[str, Any]]) -> list[str]:
    """The columns asked for; by default the band only if it differs from the interval."""
    if "columns" in entry.options:
        return list(entry.options["columns"])
    found = [line["found"] for line in lines]
    wider = any(abs(row["band_high"] - row["conf_high"]) > SAME_BAND for row in found)
    names = [name for name in DEFAULT if name != "band" or wider]
    truth = any(line["truth"] is not None for line in lines)
    return [*names[:1], "truth", *names[1:]] if truth else names


def _line(item: Any, entry: Entry, context: Context) -> dict[str, Any]:
    values = {"spec": item} if isinstance(item, str) else dict(item)
    saved = context.results.get(values["spec"])
    found = saved.row(values.get("row", entry.options.get("row", "att")))
    label = values.get("label") or saved.spec.get("title")
    label = label or facts.estimator(saved, context.study)
    truth = values.get("truth", context.study.truth)
    return {"saved": saved, "found": found, "label": label, "truth": truth}


def _row(line: dict[str, Any], columns: list[str], entry: Entry, context: Context) -> TableRow:
    digits = entry.options.get("digits", 3)
    found, saved = line["found"], line["saved"]
    mark = formatting.stars(found["p_value"]) if context.stars else ""
    cells = {
        "estimate": formatting.fixed(found["estimate"], digits) + mark,
        "std_error": formatting.fixed(found["std_error"], digits),
        "interval": formatting.interval(found["conf_low"], found["conf_high"], digits),
        "band": formatting.interval(found["band_low"], found["band_high"], digits),
        "p_value": formatting.probability(found["p_value"]),
        "mean": formatting.adaptive(saved.details.mean_outcome),
        "control_group": facts.control_group(saved, context.study),
        "truth": formatting.fixed(line["truth"], digits),
        **{name: formatting.integer(found[name]) for name in ("n_obs", "n_units", "n_clusters")},
    }
    if not facts.clusters(saved, context.study):
        cells["n_clusters"] = ""
    return TableRow(line["label"], tuple(table_cell(cells[name]) for name in columns))


def _data(line: dict[str, Any], heading: str, context: Context) -> dict[str, Any]:
    saved = line["saved"]
    about = {
        "mean_outcome": saved.details.mean_outcome,
        "control_group": facts.control_group(saved, context.study),
        "weights": saved.spec.get("weights") or "",
    }
    truth = {} if line["truth"] is None else {"truth": float(line["truth"])}
    return {"heading": heading, "label": line["label"], **line["found"], **about, **truth}
