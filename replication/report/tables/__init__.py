"""One kind of table a file, each with ``build(entry, context) -> TableDocument``."""

from __future__ import annotations

import importlib

from replication.report.report_context import Context
from replication.report.study_config import Entry
from replication.report.table_document import TableDocument

TABLES = {
    "regression": "replication.report.tables.regression_table",
    "published": "replication.report.tables.published_table",
    "frame": "replication.report.tables.frame_table",
    "estimators": "replication.report.tables.estimators_table",
}


def build(entry: Entry, context: Context) -> TableDocument:
    """The table that an entry of ``study.yaml`` describes."""
    document: TableDocument = importlib.import_module(TABLES[entry.kind]).build(entry, context)
    return document
