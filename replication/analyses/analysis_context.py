"""Input of an analysis: the cleaned panels of its study and the saved estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from replication.core import saved_results
from replication.core.errors import SpecError, nearest
from replication.core.estimates import Estimates
from replication.core.spec import Spec, parse_spec
from replication.core.temporary_files import visible_paths


@dataclass(frozen=True)
class AnalysisContext:
    """Files of one study.

    Attributes
    ----------
    clean : Path
        ``data_clean/<study>``.
    tables : Path
        ``tables/<study>``; estimates lie in ``specs/<spec_id>`` below it.
    folder : Path or None
        ``studies/<study>``, where a study keeps kinds of analysis of its own.
    """

    clean: Path
    tables: Path
    folder: Path | None = None

    @cached_property
    def _frames(self) -> dict[str, pd.DataFrame]:
        return {}

    def frame(self, name: str) -> pd.DataFrame:
        """A cleaned panel (``<name>.parquet``) or table (``<name>.csv``), read once."""
        if name not in self._frames:
            for path, read in (
                (self.clean / f"{name}.parquet", pd.read_parquet),
                (self.clean / f"{name}.csv", pd.read_csv),
            ):
                if path.is_file():
                    self._frames[name] = read(path)
                    break
            else:
                raise SpecError(f"There is no cleaned file {name!r} in {self.clean}.")
        return self._frames[name]

    def spec(self, spec_id: str) -> Spec:
        """A specification of the study as it was resolved."""
        return parse_spec(
            _without_empty(saved_results.load_record(self._folder(spec_id))[0]["spec"]), spec_id
        )

    def estimates(self, spec_id: str) -> Estimates:
        """The saved estimates of a specification, with their covariance."""
        return saved_results.load(self._folder(spec_id))[0]

    def _folder(self, spec_id: str) -> Path:
        folder = self.tables / "specs" / spec_id
        if not (folder / "spec.yaml").is_file():
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
