"""Dispatch of analyses to the functions of their kinds."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from replication.analyses.analysis_context import AnalysisContext
from replication.analyses.kind_options import HERE, OWN, kind_file, kind_files
from replication.cleaning.recipe import import_from_study
from replication.core.errors import SpecError, nearest


def analyze(entry: Mapping[str, Any], context: AnalysisContext) -> pd.DataFrame:
    """The result of one entry of a study's ``analyses``.

    Parameters
    ----------
    entry : ``id`` (the file's name), ``kind``, and the options of that kind.
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
    found: dict[str, Callable[[], Any]] = {}
    for name, path in kind_files(folder).items():
        if path.parent == HERE:
            found[name] = partial(importlib.import_module, f"replication.analyses.{name}")
        elif folder is not None:
            found[name] = partial(import_from_study, folder, f"{OWN}.{name}")
    return found


def module_of(kind: str, folder: Path) -> str:
    """Name of the module of a kind, a study's own before the package's; empty if there is none."""
    place = kind_file(kind, folder)
    if place is None:
        return ""
    own = f"{folder.parent.name}.{folder.name}.{OWN}.{kind}"
    return f"replication.analyses.{kind}" if place.parent == HERE else own
