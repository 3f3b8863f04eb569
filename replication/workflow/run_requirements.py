"""Requirements of a run: writable folders, room for temporary files, a cache."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from replication.core.errors import InputError
from replication.workflow.project import StudyFolder

OUTPUTS = ("data_clean", "tables", "figures", "report", "logs")
PROBE = b"0" * 65536
"""Test content written to check for free space."""


def complaint(folder: Path) -> str:
    """The reason why nothing can be written in a folder, empty if it can be. It is created if missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as handle:
            handle.write(PROBE)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def require_writable(root: Path) -> None:
    """Refuse a project in whose folders nothing can be written.

    Raises
    ------
    InputError
        Naming the folder and the message of the system.
    """
    for folder in (root / ".snakemake", *(root / name for name in OUTPUTS)):
        if why := complaint(folder):
            raise InputError(
                f"nothing can be written in {folder}: {why}. A run writes its results and its notes below "
                f"{root}: make that folder writable and see that its disk has room, or copy the project "
                "elsewhere."
            )


def unwritable(study: StudyFolder) -> str:
    """One paragraph about a study whose own folders cannot be written; empty if they can."""
    for name in OUTPUTS:
        folder = study.root / name / study.id
        # If it does not exist yet, the folder above has been checked already.
        if os.path.lexists(folder) and (why := complaint(folder)):
            return (
                f"nothing can be written in {name}/{study.id}: {why}. Make the folder writable or remove it, "
                "and run again; the other studies are not affected."
            )
    return ""


def replacements(root: Path) -> tuple[dict[str, str], list[str]]:
    """Folders inside the project for temporary files and caches, where the usual ones cannot be written.

    Returns
    -------
    (environment, notes) : variables to set, and a sentence about each.
    """
    found: dict[str, str] = {}
    notes = []
    temporary = Path(os.environ.get("TMPDIR") or "/tmp")
    if why := complaint(temporary) if temporary.is_dir() else "there is no such folder":
        found["TMPDIR"] = str(root / ".snakemake" / "tmp")
        notes.append(
            f"The temporary folder {temporary} cannot be used ({why}); .snakemake/tmp is used instead."
        )
    home = os.environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path(home) / ".cache")
    if why := complaint(cache):
        inside = root / ".snakemake" / "cache"
        found |= {"XDG_CACHE_HOME": str(inside), "MPLCONFIGDIR": str(inside / "matplotlib")}
        notes.append(
            f"The folder {cache} for caches cannot be used ({why}); .snakemake/cache is used instead."
        )
    for place in found.values():
        Path(place).mkdir(parents=True, exist_ok=True)
    return found, notes
