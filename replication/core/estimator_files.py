"""Names of the estimators, read from their files before any of them is imported."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from replication.core.temporary_files import visible_paths

ESTIMATORS = Path(__file__).parents[1] / "estimators"


@cache
def estimator_names() -> list[str]:
    """Names of the estimators: the modules that register a function of their own name.

    Found by reading, not by importing, so that a specification is checked before anything slow is loaded.
    """
    modules = [
        place / f"{place.name}.py" if place.is_dir() else place
        for place in visible_paths(ESTIMATORS.iterdir(), ESTIMATORS)
    ]
    sources = {place.stem: place.read_text(encoding="utf-8") for place in modules if place.is_file()}
    return sorted(name for name, text in sources.items() if "\n@registered(" in text)
