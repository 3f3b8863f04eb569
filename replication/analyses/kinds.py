"""Which function makes which kind of analysis."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.cleaning.recipe import import_from_study
from replication.core.errors import SpecError, nearest

HERE = Path(__file__).parent


def analyse(entry: Mapping[str, Any], context: AnalysisContext) -> pd.DataFrame:
    """The frame that one entry of a study's ``analyses`` asks for.

    Parameters
    ----------
    entry : mapping
        ``id`` (the file's name), ``kind``, and the options of that kind.
    """
    kind = str(entry["kind"])
    known = kinds(context.folder)
    if kind not in known:
        raise SpecError(
            f"The analysis {entry['id']!r} is of the kind {kind!r}{nearest(kind, known)}, which is "
            f"not known. Kinds: {', '.join(known)}. A study's own kind is a function {kind}(context, ...) in "
            f"analyses/{kind}.py of its folder."
        )
    module = known[kind]()
    options = {key: value for key, value in entry.items() if key not in ("id", "kind")}
    try:
        found: pd.DataFrame = getattr(module, kind)(context, **options)
    except TypeError as error:
        if "argument" not in str(error):
            raise
        raise SpecError(f"The analysis {entry['id']!r} ({kind}): {error}.") from None
    return found


def kinds(folder: Path | None = None) -> dict[str, Callable[[], Any]]:
    """Kinds of analysis and how the module of each is imported: those of the package, then the study's own.

    A kind is a module with a function of its own name.
    """
    found: dict[str, Callable[[], Any]] = {
        name: partial(importlib.import_module, f"replication.analyses.{name}") for name in _modules(HERE)
    }
    if folder is not None:
        found |= {
            name: partial(import_from_study, folder, f"analyses.{name}")
            for name in _modules(folder / "analyses")
        }
    return found


def module_of(kind: str, folder: Path) -> str:
    """Name of the module of a kind, the study's own before the package's; empty if there is none."""
    if kind in _modules(folder / "analyses"):
        return f"{folder.parent.name}.{folder.name}.analyses.{kind}"
    return f"replication.analyses.{kind}" if kind in _modules(HERE) else ""


def _modules(folder: Path) -> list[str]:
    """Modules of a folder that define a function of their own name."""
    return sorted(
        path.stem for path in folder.glob("[a-z]*.py") if f"\ndef {path.stem}(" in path.read_text("utf-8")
    )
