"""Estimation of specifications on one panel file, for ``replication estimate``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from replication.core import saved_results
from replication.core.column_roles import named_columns
from replication.core.errors import SpecError, nearest
from replication.core.estimates import Estimates
from replication.core.files import parse_yaml, write_csv
from replication.core.frames import read_frame, reading_notes
from replication.core.panel_builder import build_panel
from replication.core.result_files import FILES
from replication.core.sample_selection import identifier_columns
from replication.core.spec import Spec, load_specs, parse_spec
from replication.core.spec_grid import expand, read_spec_file
from replication.core.spec_schema import schema
from replication.core.temporary_files import remove_temporary_files
from replication.estimators.estimate_spec import estimate
from replication.estimators.unused_keys import find_unused_keys, with_notes
from replication.workflow.grid_summary import grid_summary

CALL = "Command line"


def specs_of(path: Path | None, keys: Mapping[str, Any], assigned: Sequence[str]) -> list[Spec]:
    """The specifications of a file, of options, or of a file with options in place of its keys.

    Parameters
    ----------
    path : a YAML file, or None
    keys : keys and values given as options
    assigned : further ``key=value``, the value in YAML, dots reaching into ``sample`` and ``inference``
    """
    further = assignments(assigned)
    if twice := [key for key in keys if key in further and keys[key] != further[key]]:
        key = twice[0]
        raise SpecError(
            f"{key!r} is given twice: --{key} {keys[key]} and --set {key}={further[key]}. Give it once."
        )
    given = {**keys, **further}
    if path is not None and not given:
        return load_specs(path)
    data: dict[str, Any] = {} if path is None else read_spec_file(path)
    for key, value in given.items():
        place = data
        *outer, last = key.split(".")
        for name in outer:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise SpecError(f"--set {key}: {name!r} of the specification contains no keys.")
        place[last] = value
    data.setdefault("estimator", "callaway_santanna")
    data.setdefault("id", str(data["estimator"]))
    if "outcome" not in data:
        raise SpecError("No outcome is named. Name a specification file, or the column: --outcome y.")
    source = CALL if path is None else str(path)
    return [parse_spec(variant, source) for variant in expand(data, source)]


def one_of(specs: Sequence[Spec], spec_id: str, path: Path | None) -> Spec:
    """One specification of a file by its id."""
    if path is None:
        raise SpecError(
            f"--only {spec_id} selects a specification of a file, and no file is named. Leave it out, or "
            f"name the file: `replication estimate SPEC.yaml --only {spec_id} ...`."
        )
    names = [spec.id for spec in specs]
    if spec_id not in names:
        raise SpecError(
            f"--only {spec_id}: the file has no specification of that id{nearest(spec_id, names)}. It has: "
            f"{', '.join(names[:12])}{', ...' if len(names) > 12 else ''}."
        )
    return specs[names.index(spec_id)]


def assignments(texts: Sequence[str]) -> dict[str, Any]:
    """The keys and values of ``--set``, a dot before keys of a block."""
    return dict(_assignment(text) for text in texts)


def _assignment(text: str) -> tuple[str, Any]:
    """A key and its value, written ``key=value``, or ``key: value`` as in a file and in messages."""
    found = re.match(r"\s*([\w.]+)\s*[=:](.*)", text, re.DOTALL)
    if found is None:
        file = " Name a specification file before the options." if text.endswith((".yaml", ".yml")) else ""
        raise SpecError(f"--set takes KEY=VALUE, such as --set 'window=[-5,5]'; got {text!r}.{file}")
    key, value = found.groups()
    try:
        return _whole_key(key), parse_yaml(value)
    except yaml.YAMLError:
        raise SpecError(
            f"--set {key}: {value!r} is not a value in YAML, such as 3, [a, b], or true."
        ) from None


def _whole_key(key: str) -> str:
    """A key with its block, which messages leave out: ``method`` is ``inference.method``."""
    known = schema()["properties"]
    blocks = [name for name, one in known.items() if key in one.get("properties", {})]
    return f"{blocks[0]}.{key}" if key not in known and len(blocks) == 1 else key


def estimate_file(
    specs: Sequence[Spec], panel_path: Path, out: Path, *, inputs: Sequence[Path] = (), pictures: bool = False
) -> list[Estimates]:
    """Estimate the specifications on a panel file and save the results.

    One specification is saved in ``out`` itself; a grid in one folder per specification below it, with
    ``summary.csv`` of one row per specification. Nothing is written before all are estimated.
    ``inputs`` are further files that may not be overwritten.
    """
    if out.exists() and not out.is_dir():
        raise SpecError(f"--out {out} is a file. Name a folder; it is created if it does not exist.")
    require_apart(out, (*inputs, panel_path))
    if len({spec.read for spec in specs}) > 1:
        raise SpecError(
            "The specifications of a grid read one panel file, and their 'read' differs. Write it once."
        )
    labels = [name for spec in specs for name in identifier_columns(spec)]
    frame = read_frame(panel_path, labels, specs[0].read, named_columns(specs[0]))
    unused, reading = find_unused_keys(specs), reading_notes(panel_path, specs[0].read)
    found = [(spec, estimate(build_panel(frame, spec), spec)) for spec in specs]
    results = [(spec, with_notes(result, [*reading, *unused.get(spec.id, [])])) for spec, result in found]
    for spec, result in results:
        folder = out if len(specs) == 1 else out / spec.id
        remove_temporary_files([folder])
        saved_results.save(result, spec, folder)
        if pictures:
            from replication.report.result_table import write_pictures

            write_pictures(result, spec, folder)
    if len(specs) > 1:
        write_csv(out / "summary.csv", grid_summary(results))
    return [result for _, result in results]


def require_apart(out: Path, inputs: tuple[Path, ...]) -> None:
    """Refuse a folder in which a result would overwrite the file that it is made from."""
    for path in inputs:
        if path.resolve().parent == out.resolve() and path.name in FILES:
            raise SpecError(
                f"--out {out} contains {path.name}, which the results would overwrite. Name another folder."
            )


def next_steps(out: Path, specs: Sequence[Spec]) -> str:
    """Location of the results, and commands that use them."""
    folder = out if len(specs) == 1 else out / specs[0].id
    other = f" {out / specs[1].id}" if len(specs) > 1 else ""
    written = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name[0] != ".")
    where = str(out) if len(specs) == 1 else f"{out}/<id> ({len(specs)} folders, and {out / 'summary.csv'})"
    steps = {f"table {folder}{other} -o table.docx": "a table (.md, .tex, .html, or .docx)"}
    if "event_study.png" in written:
        steps |= {
            f"plot {folder}{other} -o figure.pdf": "the event study as a figure (.png, .pdf, or .svg)",
            f"honest {folder}": "sensitivity to violations of parallel trends",
        }
    width = max(map(len, steps))
    lines = [f"  replication {step:<{width}}  {words}" for step, words in steps.items()]
    return "\n".join([f"Wrote to {where}: {', '.join(written)}.", "Next:", *lines])
