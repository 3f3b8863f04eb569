"""Written summaries of studies, whose numbers are taken from the results."""

from replication.report.summary.summary_document import write_summary

__all__ = ["write_summary"]
