"""Names of the files of a saved specification; nothing slow is imported here."""

from __future__ import annotations

TABLE = "estimates.csv"
VCOV = "vcov.csv"
RECORDED = "spec.yaml"
FILES = (TABLE, VCOV, RECORDED)
"""Files of a saved specification, in the order in which they are written."""
COPY = ".spec.json"
"""The record of ``spec.yaml`` as JSON, which is read thirty times faster; it counts only beside the very text
that it was written with."""
