"""Studies with few clusters, or few treated ones: one line each at the end of a run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from replication.core.result_files import RECORDED
from replication.core.temporary_files import visible_paths
from replication.core.wording import counted
from replication.report.folders import Folders
from replication.workflow.entry_inputs import named_specs
from replication.workflow.project import StudyFolder

CAUTIONS: Final = (
    re.compile(rb"There\s+(?:are|is)\s+only\s+\d+\s+(?:treated\s+|control\s+)?clusters?\b"),
    re.compile(rb"effective\s+number\s+of\s+clusters\s+is"),
)
"""Parts of the notes of ``inference.cautions``, which are folded over lines of a file.

They begin with a word: a pattern that begins with a choice takes ten times as long.
"""


def few_cluster_lines(root: Path, studies: Iterable[StudyFolder]) -> list[str]:
    """One line per study with such a note on a saved specification, and where the notes are printed."""
    return [line for study in studies for line in _line(root, study)]


def _line(root: Path, study: StudyFolder) -> list[str]:
    folders = Folders.under(root, study.id)
    place = folders.tables / "specs"
    records = visible_paths(place.glob(f"*/{RECORDED}"), place)
    # Loading a thousand files as YAML would take seconds.
    cautioned = {path.parent.name for path in records if _is_cautioned(path.read_bytes())}
    if not cautioned:
        return []
    tables = [
        str(entry["id"])
        for entry in study.config.get("tables", [])
        if cautioned & named_specs(entry, folders)
    ]
    more = f" and {counted(len(tables) - 1, 'more table')}" if len(tables) > 1 else ""
    folder = f"tables/{study.id}"
    where = f"the notes of {folder}/{tables[0]}.html{more}" if tables else f"{folder}/specs/"
    count = counted(len(cautioned), "specification")
    return [f"{study.id}: few effective or treated clusters in {count}; see {where}."]


def _is_cautioned(record: bytes) -> bool:
    return any(caution.search(record) for caution in CAUTIONS)
