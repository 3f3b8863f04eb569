"""Plain descriptions of a result, an analysis and a file, as a trace has them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pandas as pd

from replication.analyses.kind_options import kind_files
from replication.core.details_record import plain
from replication.core.spec import Spec
from replication.report.report_data import Saved

UNTOLD = ("id", "study", "title", "note", "outcome", "estimator", "panel", "sample")
"""Keys of a specification that a trace gives elsewhere."""
USUAL = Spec(id="", outcome="", estimator="").resolved()
"""A specification with its defaults."""


def settings(saved: Saved) -> dict[str, Any]:
    """Keys of a specification whose values are not the defaults."""
    return {
        key: value
        for key, value in saved.spec.items()
        if key not in UNTOLD and value != USUAL.get(key) and value is not None
    }


def analysis_summary(kind: str, folder: Path) -> str:
    """The first sentence of an analysis's docstring."""
    path = kind_files(folder)[kind]
    body = ast.parse(path.read_text(encoding="utf-8")).body
    function = next(node for node in body if isinstance(node, ast.FunctionDef) and node.name == kind)
    return " ".join((ast.get_docstring(function) or "").partition("\n\n")[0].split())


def file_records(path: Path) -> list[dict[str, Any]]:
    """Rows of a CSV without their empty cells; none if there is no file."""
    if not path.is_file():
        return []
    rows = pd.read_csv(path).to_dict("records")
    return [plain({str(key): one for key, one in row.items() if pd.notna(one)}) for row in rows]
