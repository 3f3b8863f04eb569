"""A study's folder read as one description, however its parts are split into files.

``study.yaml``
    The study itself: id, title, panels, sources, labels, outcomes, references.
``analyses.yaml``, ``tables.yaml``, ``figures.yaml``
    A list of entries each. A long list may be split: ``tables/1_main.yaml``, ``tables/2_more.yaml`` are read
    in the order of their names.
``specs/``, ``clean.py``, ``summary.md.j2``
    Specifications, cleaning recipe and written summary; read elsewhere, found by these names.

Everything that needs to know a study reads it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from replication.core.errors import SpecError, nearest
from replication.core.files import parse_yaml, yaml_fault
from replication.core.fingerprints import file_digest, fingerprint
from replication.core.kept_values import while_unchanged
from replication.core.limits import LimitError
from replication.core.temporary_files import visible_paths

STUDY: Final = "study.yaml"
PARTS: Final = ("analyses", "tables", "figures")
SUMMARY: Final = "summary.md.j2"
HIDDEN: Final = ("_", ".")
"""A folder with this prefix is not a study: the template that studies are copied from."""
KNOWN: Final = ("study", *PARTS)
EDITED: Final = (".yaml", ".yml", ".py")
"""Endings of the files of a study that say what it is: description, specifications, kinds of its own."""
RESULTS: Final = ("tables", "figures")
"""Parts whose ids must differ from each other: a reader finds both under one name."""


@dataclass(frozen=True, slots=True)
class Description:
    """The description of a study, with the file of each part.

    Attributes
    ----------
    folder : Path
        ``studies/<study>``.
    data : dict
        The keys of ``study.yaml``, and ``analyses``, ``tables`` and ``figures`` where there are such files.
    origins : mapping of part to file names
        The file of every entry of a part, in the order of the entries.
    """

    folder: Path
    data: dict[str, Any]
    origins: Mapping[str, tuple[str, ...]]

    def place(self, part: str | None = None, number: int = 0) -> str:
        """The file in which an entry of a part, or else the study itself, is described."""
        names = self.origins.get(part or "", ())
        return shown(self.folder, names[number] if number < len(names) else STUDY)


def study_folders(root: Path) -> list[Path]:
    """The folders below ``studies/`` that hold a study, sorted by name."""
    places = visible_paths((root / "studies").glob(f"*/{STUDY}"), root / "studies")
    return [place.parent for place in places if not place.parent.name.startswith(HIDDEN)]


def description_files(folder: Path) -> list[Path]:
    """The files that describe a study, in the order in which they are read."""
    parts = [path for part in PARTS for path in _part_files(folder, part)]
    return [folder / STUDY, *parts]


def study_digest(folder: Path) -> str:
    """Digest of the names and contents of the files that say what a study is."""
    paths = visible_paths((path for path in folder.rglob("*") if path.suffix in EDITED), folder)
    return fingerprint([(str(path), file_digest(path)) for path in paths if path.is_file()])


@while_unchanged(study_digest)
def read_description(folder: Path) -> Description:
    """Read a study's folder, once for as long as its files are the same.

    Raises
    ------
    SpecError
        If a file is missing, is not valid YAML, holds something else than it should, has the name of no part
        of a study, or if two entries have the same id.
    """
    data = _read(folder, STUDY, "There is no study description {}. Write one, or correct the path.")
    if not isinstance(data, dict):
        raise SpecError(
            f"{shown(folder, STUDY)} contains no keys; a study needs at least id, title, and panels. See "
            "studies/_template for an example."
        )
    for part in PARTS:
        if part in data:
            raise SpecError(
                f"{shown(folder, STUDY)} has the key {part!r}. The {part} of a study belong in a file of "
                f"their own: move the list to {part}.yaml, without the key."
            )
    _refuse_strays(folder)
    origins: dict[str, tuple[str, ...]] = {}
    for part in PARTS:
        entries, files = _read_part(folder, part)
        if files:
            data[part], origins[part] = entries, tuple(files)
    found = Description(folder, data, origins)
    _require_ids_once(found)
    # Few studies need it, and the Snakefile reads this module at every start.
    from replication.core.label_texts import fill_labels

    fill_labels(folder, data, PARTS)
    return found


def shown(folder: Path, name: str) -> str:
    """A file of a study as messages name it: ``studies/<study>/<file>``."""
    return Path(folder.parent.name, folder.name, name).as_posix()


def _part_files(folder: Path, part: str) -> list[Path]:
    whole = folder / f"{part}.yaml"
    pieces = visible_paths((folder / part).glob("*.yaml"), folder)
    if whole.is_file() and pieces:
        raise SpecError(
            f"{shown(folder, whole.name)} and the folder {shown(folder, part)} both list the {part} of the "
            f"study. Move the file into the folder, or put everything into the file."
        )
    return [whole] if whole.is_file() else pieces


def _read_part(folder: Path, part: str) -> tuple[list[Any], list[str]]:
    """The entries of a part, and the file of each."""
    entries: list[Any] = []
    files: list[str] = []
    for path in _part_files(folder, part):
        name = path.relative_to(folder).as_posix()
        listed = _read(folder, name)
        if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
            raise SpecError(
                f"{shown(folder, name)} contains no list of entries. Each of the {part} begins with '- id:', "
                "at the start of a line."
            )
        entries += listed
        files += [name] * len(listed)
    return entries, files


def _read(folder: Path, name: str, missing: str = "There is no file {}.") -> Any:
    text = ""
    try:
        text = (folder / name).read_text(encoding="utf-8")
        return parse_yaml(text)
    except FileNotFoundError:
        raise SpecError(missing.format(folder / name)) from None
    except LimitError as error:
        raise SpecError(
            f"{shown(folder, name)} is refused: {error}. No study needs as much; check that this is the "
            "right file, and write out what aliases repeat."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(yaml_fault(shown(folder, name), text, error)) from None


def _refuse_strays(folder: Path) -> None:
    """A part whose file name is misspelled would otherwise be ignored silently."""
    for path in visible_paths([*folder.glob("*.yaml"), *folder.glob("*.yml")], folder):
        if path.name not in {f"{name}.yaml" for name in KNOWN}:
            known = ", ".join(f"{name}.yaml" for name in KNOWN)
            raise SpecError(
                f"{shown(folder, path.name)} is not a file of a study{nearest(path.stem, KNOWN)}. The YAML "
                f"files of a study are {known}; its specifications lie in specs/."
            )


def _require_ids_once(found: Description) -> None:
    for parts in (RESULTS, ("analyses",)):
        seen: dict[Any, str] = {}
        for part in parts:
            for number, entry in enumerate(found.data.get(part, [])):
                name, place = entry.get("id"), found.place(part, number)
                if name is not None and name in seen:
                    where = f"twice in {place}" if seen[name] == place else f"in {seen[name]} and in {place}"
                    raise SpecError(
                        f"The id {name!r} is used {where}. Ids name files: give each of the "
                        f"{' and '.join(parts)} its own."
                    )
                seen[name] = place
