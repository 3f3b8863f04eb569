"""Input of an analysis: the cleaned panels of its study and the saved estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from replication.core import saved_results
from replication.core.errors import SpecError, nearest
from replication.core.estimates import Estimates
from replication.core.estimator_records import PermutationRecord
from replication.core.result_files import RECORDED
from replication.core.spec import Spec, parse_spec
from replication.core.temporary_files import visible_paths


@dataclass(frozen=True)
class AnalysisContext:
    """Files of one study.

    Attributes
    ----------
    clean : ``data_clean/<study>``.
    tables : ``tables/<study>``; estimates lie in ``specs/<spec_id>`` below it.
    folder : ``studies/<study>``, where a study keeps kinds of analysis of its own.
    """

    clean: Path
    tables: Path
    folder: Path | None = None
    _frames: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    def frame(self, name: str) -> pd.DataFrame:
        """A cleaned panel (``<name>.parquet``) or table (``<name>.csv``), read once."""
        if name not in self._frames:
            panel, table = (self.clean / f"{name}.{ending}" for ending in ("parquet", "csv"))
            if not (panel.is_file() or table.is_file()):
                raise SpecError(f"There is no cleaned file {name!r} in {self.clean}.")
            self._frames[name] = pd.read_parquet(panel) if panel.is_file() else pd.read_csv(table)
        return self._frames[name]

    def spec(self, spec_id: str) -> Spec:
        """A specification of the study as it was resolved."""
        return parse_spec(
            _without_empty(saved_results.load_record(self.specification_folder(spec_id))[0]["spec"]), spec_id
        )

    def estimates(self, spec_id: str) -> Estimates:
        """The saved estimates of a specification, with their covariance."""
        return saved_results.load(self.specification_folder(spec_id))[0]

    def permutation(self, spec_id: str) -> PermutationRecord:
        """The draws of a saved permutation test."""
        record = self.estimates(spec_id).details.permutation
        if record is None:
            raise SpecError(
                f"The specification {spec_id!r} has no permutation draws. Set its 'inference.method' "
                "to permutation."
            )
        return record

    def specification_folder(self, spec_id: str) -> Path:
        """The folder of a saved specification; refused if it has not been estimated."""
        folder = self.tables / "specs" / spec_id
        if not (folder / RECORDED).is_file():
            place = self.tables / "specs"
            known = [found.name for found in visible_paths(place.glob("*"), place)]
            raise SpecError(
                f"{spec_id!r} has not been estimated yet{nearest(spec_id, known)}. Run "
                f"`replication run --only {self.tables.name}` first, or correct the id in analyses.yaml."
            )
        return folder


def _without_empty(value: Any) -> Any:
    """Plain data without empty values, which the schema allows only as defaults."""
    if isinstance(value, Mapping):
        return {key: _without_empty(part) for key, part in value.items() if part not in (None, [])}
    return value
