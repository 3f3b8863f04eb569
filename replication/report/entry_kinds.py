"""Kinds of tables and figures, and the schemas of their entries.

A kind of table is a module ``tables/<kind>_table.py``, a kind of figure ``figures/<kind>_figure.py``. Its
options are in the module as ``OPTIONS``, a plain dictionary with the ``properties`` and ``required`` of a
JSON schema, in which ``{"$ref": "#/$defs/source"}`` and the like are the shared definitions of
``study_schema.json``; ``shared`` names those that the kind has as they are. It is read from the module's
text, because options are checked before every run and the modules import matplotlib. Options of analyses are
read from the signatures of their functions.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from replication.analyses.kind_options import analysis_options, kind_files
from replication.core.temporary_files import visible_paths

HERE: Final = Path(__file__).parent
SCHEMA_FILE: Final = HERE / "study_schema.json"
ENDINGS: Final = {"tables": "_table", "figures": "_figure"}
REQUIRED: Final = {
    "analyses": ("id", "kind"),
    "tables": ("id", "title", "kind"),
    "figures": ("id", "title", "kind"),
}
DEFINITIONS: Final = {"x_label": "axis", "y_label": "axis", "y_labels": "axes"}
"""Names of shared definitions other than those of the options."""
SHARED: Final = {"analyses": (), "tables": ("notes",), "figures": ("notes", "figure")}


def result_kinds(part: str) -> dict[str, str]:
    """Kinds of ``tables`` or ``figures`` and the dotted name of the module of each."""
    ending = ENDINGS[part]
    names = [path.stem for path in visible_paths((HERE / part).glob(f"*{ending}.py"), HERE)]
    return {name.removesuffix(ending): f"replication.report.{part}.{name}" for name in names}


def known_kinds(part: str, folder: Path | None = None) -> list[str]:
    """Names that ``kind`` may have; ``folder`` is that of a study with kinds of analysis of its own."""
    return sorted(kind_files(folder) if part == "analyses" else result_kinds(part))


@cache
def study_schema() -> dict[str, Any]:
    """The JSON schema of ``study.yaml`` with the definitions that the entries share."""
    loaded: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return loaded


@cache
def kind_schema(part: str, folder: Path | None = None) -> dict[str, Any]:
    """The JSON schema of what every entry of a part has, whatever its kind."""
    defs = study_schema()["$defs"]
    shared = {name: defs[name] for name in REQUIRED[part]} | {"kind": {"enum": known_kinds(part, folder)}}
    return {"type": "object", "required": list(REQUIRED[part]), "properties": shared}


@cache
def entry_schema(part: str, kind: str, folder: Path | None = None) -> dict[str, Any]:
    """The JSON schema of the entries of one kind, its options included."""
    common = references([*REQUIRED[part], *SHARED[part]])
    options = analysis_options(kind_files(folder)[kind]) if part == "analyses" else _declared(part, kind)
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [*REQUIRED[part], *options.get("required", [])],
        "properties": common | references(options.get("shared", [])) | options.get("properties", {}),
        "$defs": study_schema()["$defs"],
    }


def references(names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Options that are defined in ``study_schema.json``, by their names."""
    return {name: {"$ref": f"#/$defs/{DEFINITIONS.get(name, name)}"} for name in names}


def _declared(part: str, kind: str) -> dict[str, Any]:
    path = HERE / part / f"{kind}{ENDINGS[part]}.py"
    for node in ast.parse(path.read_text(encoding="utf-8"), str(path)).body:
        if isinstance(node, ast.Assign) and [getattr(name, "id", "") for name in node.targets] == ["OPTIONS"]:
            found: dict[str, Any] = ast.literal_eval(node.value)
            return found
    raise AttributeError(f"{path} declares no OPTIONS.")
