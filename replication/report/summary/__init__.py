"""Written summaries of studies, whose numbers are taken from the results."""

from replication.report.summary.template import write_summary

__all__ = ["write_summary"]
