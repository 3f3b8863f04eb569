"""The project: its studies, their specifications, files and outputs.

Read by the Snakefile at every start, so nothing slow is imported here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from replication.core.errors import SpecError
from replication.core.study_folder import STUDY, SUMMARY, description_files, read_description, study_folders
from replication.core.temporary_files import visible_paths
from replication.sources.manifest import MANIFEST, Source, load_manifest, locate, of_study

TABLE_ENDINGS = ("tex", "html", "md", "csv", "docx")
FIGURE_ENDINGS = ("pdf", "png", "csv", "svg")
LEDGERS = {
    "clean": "data_clean/{}/.clean.json",
    "analyze": "tables/{}/.analyses.json",
    "check": "tables/{}/.second_engine.json",
    "tables": "tables/{}/.tables.json",
    "figures": "figures/{}/.figures.json",
    "traces": "report/{}/.traces.json",
    "page": "report/{}/.page.json",
}


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """One study: its description and where its files are.

    Attributes
    ----------
    config : description of the study (``core.study_folder``)
    folder : ``studies/<study>``
    root : top folder of the project
    """

    id: str
    config: dict[str, Any]
    folder: Path
    root: Path

    @property
    def source_names(self) -> list[str]:
        """Names under which the manifest lists the study's raw files; none where every panel is ready."""
        usual = [] if self.ready_files else [self.id]
        return [str(name) for name in self.config.get("sources", usual)]

    @property
    def fetch_command(self) -> str:
        """The command that fetches what may be fetched of the study's raw files."""
        return f"replication data fetch {self.config.get('fetch', ' '.join(self.source_names))}"

    @property
    def sources(self) -> list[Source]:
        """Raw files that the study cannot do without."""
        if not self.source_names:
            return []
        manifest = _manifest(self.root, (self.root / MANIFEST).stat().st_mtime_ns)
        return [source for name in self.source_names for source in of_study(manifest, name)]

    @property
    def description(self) -> list[str]:
        """The files that describe the study, from the project's folder on."""
        return [path.relative_to(self.root).as_posix() for path in description_files(self.folder)]

    @property
    def summary(self) -> Path | None:
        """The template of the written summary, where the study has one."""
        place = self.folder / SUMMARY
        return place if place.is_file() else None

    @property
    def spec_files(self) -> list[Path]:
        """Specification files of the study, sorted by name."""
        return visible_paths((self.folder / "specs").rglob("*.yaml"), self.folder)

    @property
    def panels(self) -> list[str]:
        """Names of the cleaned panels."""
        return list(self.config["panels"])

    @property
    def ready_files(self) -> list[Path]:
        """Panel files that need no cleaning, named under ``panels``."""
        panels = self.config["panels"]
        if not isinstance(panels, dict):
            return []
        return [self.folder / entry["file"] for entry in panels.values() if entry]

    @property
    def tables(self) -> list[str]:
        """Ids of the tables."""
        return [entry["id"] for entry in self.config.get("tables", [])]

    @property
    def figures(self) -> list[str]:
        """Ids of the figures."""
        return [entry["id"] for entry in self.config.get("figures", [])]

    def ledger(self, step: str) -> str:
        """What a step notes: the files that it wrote, and what each was made from."""
        return LEDGERS[step].format(self.id)

    def part_output(self, part: int, parts: int) -> str:
        """Ledger of one of several parts of the estimates."""
        return f"tables/{self.id}/.parts/{part}-of-{parts}.json"

    def clean_outputs(self) -> list[str]:
        """Files that cleaning writes."""
        base = f"data_clean/{self.id}"
        fixed = [f"{base}/{name}" for name in ("codebook.md", "codebook.csv", "sample_flow.csv")]
        frames = [f"{base}/{name}.csv" for name in self.config.get("frames", [])]
        return [f"{base}/{panel}.parquet" for panel in self.panels] + fixed + frames

    def analysis_outputs(self) -> list[str]:
        """Files that the analyses write."""
        entries = self.config.get("analyses", [])
        return [f"tables/{self.id}/analyses/{entry['id']}.csv" for entry in entries]

    def summary_outputs(self) -> list[str]:
        """The written summary and the ledger of its numbers, where the study has one."""
        if self.summary is None:
            return []
        return [f"report/{self.id}/summary.md", f"tables/{self.id}/summary_numbers.csv"]

    def table_outputs(self) -> list[str]:
        """Files that the tables end in."""
        return [f"tables/{self.id}/{t}.{end}" for t in self.tables for end in TABLE_ENDINGS]

    def figure_outputs(self) -> list[str]:
        """Files that the figures end in."""
        return [f"figures/{self.id}/{f}.{end}" for f in self.figures for end in FIGURE_ENDINGS]


def studies(root: Path) -> list[StudyFolder]:
    """Every study under ``studies/``, in the order of their ``order`` key.

    Raises
    ------
    SpecError
        If the folder of one of them cannot be read.
    """
    found, refused = readable(root)
    if refused:
        raise next(iter(refused.values()))
    return found


def readable(root: Path) -> tuple[list[StudyFolder], dict[str, SpecError]]:
    """The studies whose folder can be read, in that order, and for the others the reason.

    A mistake in one study's folder does not keep the others from running.
    """
    found, refused = [], {}
    for folder in study_folders(root):
        try:
            found.append(read_study(folder, root))
        except SpecError as error:
            refused[folder.name] = error
    return sorted(found, key=lambda study: (study.config.get("order", 99), study.id)), refused


def study(root: Path, name: str) -> StudyFolder:
    """One study by its id, its description checked."""
    for folder in study_folders(root):
        if folder.name == name:
            return checked(read_study(folder, root))
    known = ", ".join(folder.name for folder in study_folders(root))
    raise SpecError(f"There is no study {name!r}. Studies: {known}.")


def checked(candidate: StudyFolder) -> StudyFolder:
    """The study, refused if an entry does not fit the schema of its kind."""
    from replication.report.study_config import load_study

    load_study(candidate.folder)
    return candidate


def read_study(folder: Path, root: Path) -> StudyFolder:
    """The study of a folder; its outputs can be named."""
    found = StudyFolder(folder.name, read_description(folder).data, folder, root)
    try:
        _ = (found.panels, found.clean_outputs(), found.analysis_outputs(), found.tables, found.figures)
    except (AttributeError, KeyError, TypeError):
        # The outputs cannot even be named; the schema gives the message.
        checked(found)
        raise
    return found


def runnable(root: Path) -> list[StudyFolder]:
    """The studies that can be read and whose raw files are all here."""
    return [candidate for candidate in readable(root)[0] if not absent_files(candidate)]


def absent_files(candidate: StudyFolder) -> list[Source]:
    """Raw files that a study needs and that are not on this machine."""
    return [source for source in candidate.sources if locate(source, candidate.root) is None]


def cleaned_panel(owner: StudyFolder, panel: str) -> Path:
    """The file of a cleaned panel.

    Raises
    ------
    SpecError
        If it has not been cleaned yet.
    """
    place = owner.root / "data_clean" / owner.id / f"{panel}.parquet"
    if not place.is_file():
        raise SpecError(
            f"{panel} of {owner.id} has not been cleaned yet. Run `replication run --only "
            f"data_clean/{owner.id}` first."
        )
    return place


def raw_files(candidate: StudyFolder) -> list[str]:
    """Where the raw files of a study lie, the tables typed from publications, and what to draw."""
    root = candidate.root
    places = [locate(source, root) for source in candidate.sources if source.package is None]
    typed = root / "data_raw" / "typed"
    places += visible_paths(typed.glob("*.csv"), typed)
    # The settings of a simulation and the columns of a ready panel are stated in the study's own description.
    places += [candidate.folder / STUDY] if "simulation" in candidate.config or candidate.ready_files else []
    places += candidate.ready_files
    return [os.path.relpath(place, root) for place in places if place is not None]


@cache
def _manifest(root: Path, _: int) -> list[Source]:
    return load_manifest(root)


def find_root() -> Path:
    """The project folder: the nearest one upward that holds the Snakefile and the studies."""
    here = Path(os.environ.get("REPLICATION_ROOT") or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "Snakefile").is_file() and (folder / "studies").is_dir():
            return folder
    raise SpecError(
        f"{here} is not inside a replication project (no Snakefile with a studies folder here or "
        "above). Change into the project's folder, or set REPLICATION_ROOT to it."
    )
