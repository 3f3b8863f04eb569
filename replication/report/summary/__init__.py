"""Written summaries of studies: sentences around numbers that the pipeline found, never typed."""

from replication.report.summary.summary_document import write_summary

__all__ = ["write_summary"]
