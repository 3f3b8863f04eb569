"""One kind of table a file, each with ``OPTIONS`` and ``build(entry, context) -> TableDocument``."""

from __future__ import annotations

import importlib

from replication.report.entry_kinds import result_kinds
from replication.report.report_context import Context
from replication.report.study_config import Entry
from replication.report.table_document import TableDocument

TABLES = result_kinds("tables")
"""Kind of table -> its module."""


def build(entry: Entry, context: Context) -> TableDocument:
    """The table that an entry of ``tables.yaml`` describes."""
    document: TableDocument = importlib.import_module(TABLES[entry.kind]).build(entry, context)
    return document
