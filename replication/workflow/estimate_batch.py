"""Estimating a batch of specifications in one process.

An estimate depends on the modules imported here: its fingerprint holds the digest of this module
and of its estimator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from replication.core import saved_results
from replication.core.errors import InputError
from replication.core.panel import Panel
from replication.core.panel_builder import build_panel
from replication.core.sample_selection import panel_inputs
from replication.core.spec import Spec
from replication.estimators.estimate_spec import estimate
from replication.estimators.unused_keys import with_notes


@dataclass(frozen=True, slots=True)
class Task:
    """One specification to estimate: its panel file, where it goes, and its fingerprint.

    Attributes
    ----------
    notes : keys of its file that have no effect.
    """

    spec: Spec
    panel: Path
    folder: Path
    fingerprint: str
    notes: tuple[str, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether the saved result has this fingerprint."""
        return saved_results.stored_fingerprint(self.folder) == self.fingerprint


def run_batch(tasks: Sequence[Task]) -> None:
    """Estimate and save a batch in this process."""
    for task, panel in with_panels(tasks):
        try:
            result = estimate(replace(panel, spec_id=task.spec.id), task.spec)
        except InputError as error:
            raise type(error)(f"{task.spec.id}: {error}") from None
        saved_results.save(with_notes(result, task.notes), task.spec, task.folder, task.fingerprint)


def with_panels(tasks: Sequence[Task]) -> Iterator[tuple[Task, Panel]]:
    """Each task with its panel, which neighbors in a grid often share."""
    inputs: Any = None
    for task in tasks:
        if inputs != (task.panel, panel_inputs(task.spec)):
            try:
                panel = build_panel(read_panel(task.panel), task.spec)
            except InputError as error:
                raise type(error)(f"{task.spec.id}: {error}") from None
            inputs = (task.panel, panel_inputs(task.spec))
        yield task, panel


@cache
def read_panel(path: Path) -> pd.DataFrame:
    """A cleaned panel, read once per process."""
    return pd.read_parquet(path)
