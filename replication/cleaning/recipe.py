"""A study's own cleaning recipe: ``studies/<id>/clean.py`` with ``clean(root) -> Cleaned``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from replication.cleaning.sample_flow import SampleFlow
from replication.core.errors import SpecError

RECIPE = "clean"
"""Name of the recipe's file and of the function in it."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Result of cleaning a study.

    Attributes
    ----------
    panels : the schema checks the panel and is its codebook.
    flow : losses by sample rule; none for a ready panel.
    frames : further tables, written as CSV beside the panels.
    """

    panels: Mapping[str, tuple[pd.DataFrame, Any]]
    flow: SampleFlow | None = None
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)


def recipe_of(folder: Path) -> Callable[[Path], Cleaned] | None:
    """The recipe of a study's folder; None if the study has none.

    Raises
    ------
    SpecError
        If the file is there and has no function ``clean``.
    """
    if not (folder / f"{RECIPE}.py").is_file():
        return None
    module = import_from_study(folder, RECIPE)
    recipe = getattr(module, RECIPE, None)
    if recipe is None:
        raise SpecError(
            f"{folder / RECIPE}.py has no function clean(root) -> Cleaned. Write one, or remove the file and "
            "name a ready panel file in study.yaml (panels: {panel: {file: panel.csv}})."
        )
    return recipe  # type: ignore[no-any-return]


def import_from_study(folder: Path, name: str) -> Any:
    """A Python module of a study's folder, such as ``clean`` or ``analyses.own_kind``."""
    root = str(folder.parents[1])
    if root not in sys.path:
        sys.path.insert(0, root)
    importlib.invalidate_caches()
    return importlib.import_module(f"{folder.parent.name}.{folder.name}.{name}")
