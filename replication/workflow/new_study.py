"""``replication new``: a study of a panel file that runs as is, in this project or in one of its own."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from replication.checks.panel_check import check_panel
from replication.core.code_digest import PACKAGE
from replication.core.errors import OutputError, PanelError, SpecError
from replication.core.files import unwritable
from replication.core.frames import ending
from replication.core.limits import shortened, unportable
from replication.core.spec import load_specs
from replication.report.study_config import load_study
from replication.workflow.new_study_files import IGNORED, README, study_files
from replication.workflow.project import find_root

PROJECT: Final = ("Snakefile", "config.yaml")
"""Files of a project that a new one takes over as they are."""
ENVIRONMENT: Final = "# For conda.\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n      - replication\n"


def make_study(name: str, panel: Path, keys: Mapping[str, Any], title: str = "") -> str:
    """Make the folder of a study whose specifications, table and figure run as they are.

    Inside a project it is ``studies/<name>``; elsewhere a folder ``<name>`` that is a project of its own.

    Parameters
    ----------
    name : str
        Id of the study.
    panel : Path
        It is copied into the study's folder.
    keys : mapping
        Keys of a specification: ``outcome``, ``unit``, ``time``, ``cohort`` and others, those of ``read``
        with a dot.
    title : str
        Heading; the name if empty.

    Returns
    -------
    str
        What was made, and what to do next.

    Raises
    ------
    InputError
        If the name is not a valid study name or is taken, or the panel cannot be estimated with these keys.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_]*", name):
        raise SpecError(
            f"{name!r} is not a valid study name. Use letters, digits, and _, with a letter or digit first."
        )
    if reason := unportable(name):
        raise SpecError(
            f"{shortened(name)} is not a valid study name, because {reason}. Choose another name."
        )
    root = _project()
    place = (root / "studies" / name) if root else Path.cwd() / name
    if place.exists():
        raise SpecError(
            f"{place} already exists and was not overwritten. Choose another name, or remove the folder "
            "first."
        )
    found = check_panel(
        panel, {key: value for key, value in keys.items() if key != "outcome"}, [keys["outcome"]]
    )
    if found.refusal:
        raise PanelError(
            f"{found.refusal} No study was written. `replication check {panel}` with the same options lists "
            "everything that an estimate refuses, with the options that mend it."
        )
    with tempfile.TemporaryDirectory(dir=_writable(place.parent), prefix=".new-") as scratch:
        made = Path(scratch) / name
        _fill(made if root else made / "studies" / name, name, panel, keys, title)
        if root is None:
            _fill_project(made, name)
        made.rename(place)
    return closing_text(place, name, inside=root is not None)


def _project() -> Path | None:
    try:
        return find_root()
    except SpecError:
        return None


def _writable(folder: Path) -> Path:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise OutputError(unwritable(folder, error)) from None


def _fill(folder: Path, name: str, panel: Path, keys: Mapping[str, Any], title: str) -> None:
    """Write the files of a study, and see that it is one."""
    file = f"panel{ending(panel)}"
    for path, text in study_files(name, file, keys, title or name.replace("_", " ").capitalize()).items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8", newline="\n")
    shutil.copyfile(panel, folder / file)
    load_study(folder)
    load_specs(folder / "specs" / "main.yaml")


def _fill_project(folder: Path, name: str) -> None:
    for file in PROJECT:
        source = PACKAGE.parent / file
        if not source.is_file():
            raise SpecError(
                f"This installation has no {file}, which a project of its own needs. Get the package as a "
                "repository (git clone), install it with `pip install -e .`, and run the command again; or "
                f"run it inside the repository, which makes studies/{name} there."
            )
        shutil.copyfile(source, folder / file)
    for path, text in {"environment.yaml": ENVIRONMENT, ".gitignore": IGNORED, "README.md": README}.items():
        (folder / path).write_text(text.replace("STUDY", name), encoding="utf-8", newline="\n")


def closing_text(place: Path, name: str, *, inside: bool) -> str:
    """What was made, with the commands that follow."""
    study = place if inside else place / "studies" / name
    files = ", ".join(
        sorted(path.relative_to(study).as_posix() for path in study.rglob("*") if path.is_file())
    )
    enter = "" if inside else f"  cd {place.name}\n"
    return (
        f"Wrote {study}: {files}.\nNext:\n{enter}  replication run --only {name}          tables/{name}/ and "
        f"figures/{name}/\n  replication explain studies/{name}/specs/main.yaml "
        "  every key that can be changed"
    )
