"""Rows of an analysis that one specification alone decides, kept until that specification changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.core.code_digest import code_digest
from replication.core.estimates import Estimates
from replication.core.files import write_text
from replication.core.fingerprints import files_digest, fingerprint
from replication.core.processes import in_processes, unused_cores
from replication.core.saved_results import files_of, load

Rows = list[dict[str, Any]]


def rows_of(
    context: AnalysisContext,
    kind: str,
    spec_ids: Iterable[str],
    make: Callable[[Estimates], pd.DataFrame],
) -> list[Rows]:
    """For each specification the rows that ``make`` finds, those of an earlier run if nothing changed.

    Robust intervals of one path take as long as the estimates of a whole study, and a description names many
    paths of which one was edited.

    Parameters
    ----------
    kind : the kind of analysis, a module of this folder; its code counts.
    make : a function of a module.

    Returns
    -------
    list of lists of dict
        Column -> value, the same plain data whether made or kept.
    """
    place, ids = context.tables / "analyses" / f".{kind}.json", list(spec_ids)
    folders = {spec_id: context.specification_folder(spec_id) for spec_id in ids}
    code = code_digest(f"replication.analyses.{kind}")
    found = {name: fingerprint(code, files_digest(files_of(folder))) for name, folder in folders.items()}
    known = _read(place)
    stale = [name for name in folders if known.get(name, {}).get("fingerprint") != found[name]]
    if stale:
        # The check of the study, which begins at the same time, mostly ends before.
        most = unused_cores(others=1)
        made = in_processes(partial(_made, make), [folders[name] for name in stale], most)
        known |= {
            name: {"fingerprint": found[name], "rows": rows} for name, rows in zip(stale, made, strict=True)
        }
        write_text(place, json.dumps(known) + "\n")
    return [known[name]["rows"] for name in ids]


def _made(make: Callable[[Estimates], pd.DataFrame], folder: Path) -> Rows:
    rows: Rows = json.loads(json.dumps(make(load(folder)[0]).to_dict("records")))
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
