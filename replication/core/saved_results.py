"""Estimates on disk: one folder per specification with its estimates, covariance and metadata."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from replication.core.details import Details
from replication.core.details_record import details_of, plain
from replication.core.estimates import LABELS, REALS, Estimates, with_written_periods
from replication.core.files import parse_yaml, write_csv, write_text
from replication.core.limits import RECORD
from replication.core.result_files import COPY, FILES, RECORDED, TABLE, VCOV
from replication.core.spec import Spec
from replication.core.versions import package_versions


def save(estimates: Estimates, spec: Spec, folder: Path, fingerprint: str = "") -> None:
    """Write ``estimates.csv``, ``vcov.csv`` and, last, ``spec.yaml``."""
    write_csv(folder / TABLE, with_written_periods(estimates.table, estimates.details.period))
    write_csv(folder / VCOV, estimates.vcov.rename_axis("row"), index=True)
    record: dict[str, Any] = {
        "spec": spec.resolved(),
        "details": plain(estimates.details),
        "versions": package_versions(),
    }
    if fingerprint:
        record["fingerprint"] = fingerprint
    text = yaml.dump(record, Dumper=_DUMPER, sort_keys=False, allow_unicode=True)
    if fingerprint:
        _write_copy(folder, text, record)
    write_text(folder / RECORDED, text)


def load(folder: Path) -> tuple[Estimates, dict[str, Any]]:
    """Estimates and the record (``spec``, ``details``, ``package_versions``) of one saved specification."""
    record, details = load_record(folder)
    vcov = pd.read_csv(folder / VCOV, index_col=0)
    return Estimates(load_table(folder), vcov, details), record


def load_record(folder: Path) -> tuple[dict[str, Any], Details]:
    """The record (``spec``, ``details``, ``package_versions``) of one saved specification, and its details.

    Raises
    ------
    SpecError
        If the details have fields that this version of the package does not know.
    """
    record = read_record(folder)
    return record, details_of(record.get("details"), str(folder / RECORDED))


def read_record(folder: Path) -> dict[str, Any]:
    """The record of one saved specification as plain data, its details included."""
    content = (folder / RECORDED).read_bytes()
    record: dict[str, Any] = _copied(folder, content) or parse_yaml(content.decode("utf-8"), RECORD)
    return record


def _write_copy(folder: Path, text: str, record: dict[str, Any]) -> None:
    """Write the copy, unless JSON would change the record."""
    copy = json.dumps(record)
    if repr(json.loads(copy)) == repr(record):
        digest = hashlib.sha256(text.encode()).hexdigest()
        write_text(folder / COPY, f'{{"sha256": "{digest}", "record": {copy}}}\n')


def _copied(folder: Path, content: bytes) -> dict[str, Any] | None:
    """The record of a ``spec.yaml`` with this content; None if there is no copy of it."""
    try:
        found = json.loads((folder / COPY).read_bytes())
        same = found["sha256"] == hashlib.sha256(content).hexdigest()
        return dict(found["record"]) if same else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def load_table(folder: Path) -> pd.DataFrame:
    """The rows of one saved specification, without labels that repeat its numbers."""
    return read_table(folder / TABLE)


def read_table(path: Path) -> pd.DataFrame:
    """The rows of a file of estimates, without labels that repeat its numbers."""
    return pd.read_csv(path, dtype=_TYPES, usecols=lambda column: column not in LABELS)


def stored_fingerprint(folder: Path) -> str:
    """Fingerprint of a saved specification; empty if there is none, or one of its files is gone."""
    if not all(path.is_file() for path in files_of(folder)):
        return ""
    last = (folder / RECORDED).read_text(encoding="utf-8").rstrip().rsplit("\n", 1)[-1]
    return last.removeprefix("fingerprint: ") if last.startswith("fingerprint: ") else ""


def files_of(folder: Path) -> list[Path]:
    """The files of one saved specification."""
    return [folder / name for name in FILES]


# Equal types whether one specification is read or many.
_TYPES: Any = {**dict.fromkeys(REALS, float), "spec_id": str, "study": str}
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
