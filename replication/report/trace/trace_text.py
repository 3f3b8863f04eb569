"""A trace as text for the terminal, and as data."""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from replication.report.trace.trace_keys import Key, find
from replication.report.trace.traced_entry import Trace, Traced

WIDTH = 100
LABEL = 16
RAW, ENTERED = "raw file", "hand-entered"
"""Labels of a file of others, and of a table that was entered by hand from a publication."""
BY_HAND = "data_raw/typed/"
MOST_FLOW = 40
MOST_RAW = 12
"""Raw files that are listed one by one; ``--json`` has all."""


def trace_json(trace: Trace) -> str:
    """The cell and all that it refers to, in the shape of ``trace_schema.json``."""
    keys = {"row": trace.row.key, "column": None if trace.column is None else trace.column.key}
    about = {"study": trace.study, "id": trace.name, "kind": trace.kind, **keys}
    found = {**about, "command": trace.command, "cell": trace.cell, "shared": trace.shared}
    return json.dumps(found, indent=2, ensure_ascii=False)


def listing(traced: Traced, name: str, row: str | None = None) -> str:
    """The rows and columns of a table, or the points of a figure, with their keys, and a command.

    ``name`` is the id with that of the study before it, which no other study has.
    """
    if traced.points:
        return "\n".join(["Points:", *_keys(traced.rows), "", *_example(name, traced.rows[:1])])
    chosen = traced.rows if row is None else [find(traced.rows, row, "row")]
    lines = ["Rows:", *_keys(chosen), "Columns:", *_keys(traced.columns)]
    return "\n".join([*lines, "", *_example(name, [*chosen[:1], *traced.columns[:1]])])


def _example(name: str, keys: Sequence[Key]) -> list[str]:
    """A command that works, to be changed."""
    return ["For example:", f"  replication trace {shlex.join([name, *(key.key for key in keys)])}"]


def _keys(keys: Sequence[Key]) -> list[str]:
    width = min(40, max((len(key.key) for key in keys), default=0))
    return [
        f"  {key.key:<{width}}  {', '.join(part for part in (key.heading, key.label) if part)}"
        for key in keys
    ]


def trace_text(trace: Trace) -> str:
    """A paragraph a line of the chain, from the printed number back to the raw files."""
    lines = [text for label, words in _statements(trace) for text in _wrapped(label, words)]
    return "\n".join(lines)


def _wrapped(label: str, words: str) -> list[str]:
    indent, lead = " " * LABEL, f"{label:<{LABEL - 1}} "
    # A command or a path is copied from here: it is never broken.
    if label in ("command", "panel", RAW, ENTERED, ""):
        return [f"{lead}{words}"]
    return textwrap.wrap(words, WIDTH, initial_indent=lead, subsequent_indent=indent)


def _statements(trace: Trace) -> Iterator[tuple[str, str]]:
    cell, shared = trace.cell, trace.shared
    place = [part.label or part.key for part in (trace.row, trace.column) if part is not None]
    heads = [part.heading for part in (trace.row, trace.column) if part is not None and part.heading]
    yield trace.kind, f"{trace.study}/{trace.name}: {', '.join([*heads, *place])}"
    if cell["printed"]:
        yield "printed", " ".join(cell["printed"]) or "(empty)"
    yield "value", f"{digits(cell['value'])} ({cell.get('quantity') or cell['origin']})"
    for key, label in (("std_error", "standard error"), ("interval", "interval")):
        if key in cell:
            yield label, digits(cell[key])
    if "second_engine" in cell:
        second = cell["second_engine"]
        apart = second["difference"]
        words = "below 1e-8" if apart == 0 else digits(apart)
        yield "independent software", f"{digits(second['value'])} (difference {words})"
    if "expected" in cell:
        verdict = "equal" if cell["expected"]["equal"] else "NOT EQUAL"
        file = cell["expected"].get("file", f"figures/{trace.name}.csv")
        yield "expected", f"{digits(cell['expected']['value'])} in expected/{file}: {verdict}"
    if "published" in cell:
        yield from _published(cell)
    if "file" in cell:
        yield from _file(cell, shared)
    if "specification" in cell and cell["specification"] in shared["specifications"]:
        yield from _specification(cell, shared)
    for name in dict.fromkeys([cell["analysis"]] if "analysis" in cell else []):
        analysis = shared["analyses"][name]
        yield "analysis", f"{name}: {analysis['kind']}. {analysis['summary']}"
        yield "options", shortened(analysis["options"])
        yield "code", code(shared["code"][analysis["code"]])
    yield from _panels(cell, shared)
    if trace.command:
        yield "command", trace.command


def _published(cell: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    about = cell["published"]
    where = ", ".join(about[key] for key in ("publication", "place") if key in about)
    read = (
        "not read in a table of the publication itself"
        if about.get("secondary")
        else "read in the publication"
    )
    entered = "" if "source" in about else "; entered in the table's description"
    yield "published", f"{where or 'publication not named'} ({read}{entered})"
    if "note" in about:
        yield "note", about["note"]


def _file(cell: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    about = shared["files"][cell["file"]]
    line = f", line {cell['line']}" if "line" in cell else ""
    yield "file", f"{cell['file']}{line}"
    yield "", f"SHA-256 {about['sha256'] or 'unknown: the file is not here'}, made by {about['made_by']}"


def _specification(cell: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    spec = shared["specifications"][cell["specification"]]
    sample = spec["sample"]
    yield "specification", f"{cell['specification']}, row {cell.get('row', 'att')} ({spec['file']})"
    yield "estimator", spec["estimator"]
    yield "outcome", ", ".join(part for part in (spec["outcome"]["label"], spec["outcome"]["unit"]) if part)
    yield "equation", spec["equation"]
    yield "", spec["latex"]
    counts = (
        f"{sample['observations']:,} observations, {sample['units']:,} units, {sample['clusters']:,} clusters"
    )
    yield "sample", counts + (f" (clustered by {sample['clustered_by']})" if sample["clustered_by"] else "")
    if sample["rules"]:
        yield "sample rules", shortened(sample["rules"])
    for note in sample["dropped"]:
        yield "noted", note
    yield "code", code(shared["code"][spec["code"]])


def _panels(cell: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Panels of the specification, or of the analysis; their recipes and raw files."""
    spec = shared["specifications"].get(cell.get("specification", ""))
    analysis = shared["analyses"].get(cell.get("analysis", ""))
    names = [spec["panel"]] if spec else analysis["panels"] if analysis else []
    for name in names:
        panel = shared["panels"][name]
        yield "panel", panel["file"]
        yield "", f"SHA-256 {panel['sha256'] or 'unknown: the file is not here'}"
    recipes = [shared["panels"][name]["recipe"] for name in names] or list(shared["recipes"])
    for name in dict.fromkeys(recipes):
        recipe = shared["recipes"][name]
        yield "cleaned by", f"{recipe['file']} ({recipe['command']})"
        for row in recipe["flow"][:MOST_FLOW]:
            yield "", flow_line(row)
    yield from _raw(
        [one for name in dict.fromkeys(recipes) for one in shared["recipes"][name]["raw"]], shared
    )


def _raw(names: Sequence[str], shared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The first raw files, each with its source."""
    cited = ""
    every = list(dict.fromkeys(names))
    for name in every[:MOST_RAW]:
        about = shared["raw"][name]
        blob = f"git blob {about['git_blob']}" if "git_blob" in about else ""
        proof = f"SHA-256 {about['sha256']}" if about["sha256"] else blob
        yield ENTERED if about["file"].startswith(BY_HAND) else RAW, about["file"]
        if proof:
            yield "", proof
        yield "  source", "the same" if about["citation"] == cited else about["citation"]
        cited = about["citation"]
    if len(every) > MOST_RAW:
        yield "", f"and {len(every) - MOST_RAW} more files, which --json lists"


def flow_line(row: Mapping[str, Any]) -> str:
    """One rule of the sample flow with the counts before and after it."""
    words = ": ".join(str(value) for value in row.values() if isinstance(value, str))
    if set(row) == {"rule", "rows"}:
        # A panel that needs no cleaning: repeated rows are in it, and estimates reduce them as they say.
        return f"- {words.removeprefix('rows of ')}: {row['rows']:,} rows, as in the file"
    counts = []
    for key, value in row.items():
        name, _, when = key.rpartition("_")
        if when == "before" and f"{name}_after" in row:
            noun = "residents" if name == "people" else name.replace("_", " ")
            counts.append(f"{noun}: {value:,} before, {row[f'{name}_after']:,} after")
        elif when != "after" and key != "step" and isinstance(value, int | float):
            counts.append(f"{key.replace('_', ' ')}: {value:,}")
    return f"- {words} ({'; '.join(counts)})"


def code(about: Mapping[str, Any]) -> str:
    """Module, digest and version."""
    return f"{about['module']}, digest {about['digest']}, {about['package']}"


def shortened(value: Any) -> str:
    """Plain data on at most three lines."""
    return textwrap.shorten(json.dumps(value, ensure_ascii=False), 3 * WIDTH, placeholder=" ...")


def digits(value: Any) -> str:
    """A number with all its digits."""
    if isinstance(value, list):
        return f"[{', '.join(map(digits, value))}]"
    return f"{value:.15g}" if isinstance(value, float) else "none" if value is None else str(value)
