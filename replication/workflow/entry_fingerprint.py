"""The fingerprint of a table or figure: it is made again when this changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replication.core.code_digest import code_digest
from replication.core.fingerprints import fingerprint
from replication.report.folders import Folders
from replication.workflow.entry_inputs import named_inputs
from replication.workflow.project import StudyFolder

LISTS = ("tables", "figures", "analyses")
"""Keys of a description that concern single entries; the rest is shared."""


def entry_fingerprint(
    entry: Mapping[str, Any],
    study: StudyFolder,
    folders: Folders,
    makers: Mapping[str, str],
    others: list[Any],
) -> str:
    """Digest of all that a table or figure depends on: its entry, the code, its results and its files."""
    shared = {key: value for key, value in study.config.items() if key not in LISTS}
    modules = [makers[entry["kind"]]] if entry.get("kind") in makers else []
    code = code_digest("replication.report.study_report", *modules, every_choice=False)
    return fingerprint(entry, shared, code, named_inputs(entry, folders), *others)
