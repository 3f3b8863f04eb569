"""One kind of table a file, each with ``build(entry, context) -> TableDocument``."""

from __future__ import annotations

import importlib

from replication.report.config import Entry
from replication.report.context import Context
from replication.report.document import TableDocument

TABLES = {
    "regression": "replication.report.tables.regression",
    "published": "replication.report.tables.published",
    "frame": "replication.report.tables.frame",
    "estimators": "replication.report.tables.estimators",
}


def build(entry: Entry, context: Context) -> TableDocument:
    """The table that an entry of ``study.yaml`` describes."""
    document: TableDocument = importlib.import_module(TABLES[entry.kind]).build(entry, context)
    return document
