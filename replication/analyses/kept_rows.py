"""Rows of an analysis that one specification alone decides, kept until that specification changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.core.code_digest import code_digest
from replication.core.estimates import Estimates
from replication.core.files import write_text
from replication.core.fingerprints import files_digest, fingerprint
from replication.core.saved_results import files_of

Rows = list[dict[str, Any]]


def rows_of(
    context: AnalysisContext, kind: str, spec_id: str, make: Callable[[Estimates], pd.DataFrame]
) -> Rows:
    """The rows that ``make`` finds for a specification, those of an earlier run if nothing changed.

    Robust intervals of one path take as long as the estimates of a whole study, and a description names many
    paths of which one was edited.

    Parameters
    ----------
    kind : the kind of analysis, a module of this folder; its code counts.

    Returns
    -------
    list of dict
        Column -> value, the same plain data whether made or kept.
    """
    place = context.tables / "analyses" / f".{kind}.json"
    folder = context.specification_folder(spec_id)
    found = fingerprint(code_digest(f"replication.analyses.{kind}"), files_digest(files_of(folder)))
    known = _read(place)
    if known.get(spec_id, {}).get("fingerprint") != found:
        made = make(context.estimates(spec_id)).to_dict("records")
        known[spec_id] = {"fingerprint": found, "rows": json.loads(json.dumps(made))}
        write_text(place, json.dumps(known) + "\n")
    rows: Rows = known[spec_id]["rows"]
    return rows


def _read(place: Path) -> dict[str, Any]:
    """What is kept; nothing if there is no such file or it is damaged."""
    try:
        found = json.loads(place.read_bytes())
    except (OSError, ValueError):
        return {}
    whole = isinstance(found, dict) and all(
        isinstance(one, dict) and isinstance(one.get("rows"), list) for one in found.values()
    )
    return found if whole else {}
