"""What there is to run: the studies, their specifications, files and outputs.

Read by the Snakefile at every start, so nothing slow is imported here.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from replication.core.errors import SpecError
from replication.core.study_folder import STUDY, SUMMARY, description_files, read_description, study_folders
from replication.sources.manifest import Source, load_manifest, locate, of_study

PACKAGE = Path(__file__).parents[1]
MODEL = ("core", "inference", "estimators")
STAGES = {
    "clean": ("sources", "cleaning", "workflow/clean_step.py"),
    "estimate": (*MODEL, "workflow/estimate_step.py"),
    "analyse": (*MODEL, "analyses"),
    "report": ("report", "workflow/report_step.py", "core/estimates.py"),
}
TABLE_ENDINGS = ("tex", "html", "md", "csv")
FIGURE_ENDINGS = ("pdf", "png", "csv")


@dataclass(frozen=True, slots=True)
class Study:
    """One study: its description and where its files are.

    Attributes
    ----------
    config : what the folder says (``core.study_folder``)
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
        manifest = load_manifest(self.root) if self.source_names else []
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
        return sorted((self.folder / "specs").rglob("*.yaml"))

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


def studies(root: Path) -> list[Study]:
    """Every study under ``studies/``, in the order of their ``order`` key."""
    found = [_read(folder, root) for folder in study_folders(root)]
    return sorted(found, key=lambda study: (study.config.get("order", 99), study.id))


def study(root: Path, name: str) -> Study:
    """One study by its id, its description checked."""
    for folder in study_folders(root):
        if folder.name == name:
            return checked(_read(folder, root))
    known = ", ".join(candidate.id for candidate in studies(root))
    raise SpecError(f"There is no study {name!r}. Studies: {known}.")


def checked(candidate: Study) -> Study:
    """The study, refused if it says what no table, figure or analysis understands."""
    from replication.report.study_config import checked_study

    checked_study(read_description(candidate.folder))
    return candidate


def _read(folder: Path, root: Path) -> Study:
    return Study(folder.name, read_description(folder).data, folder, root)


def runnable(root: Path) -> list[Study]:
    """The studies whose raw files are all here, each checked before anything runs."""
    return [checked(candidate) for candidate in studies(root) if not absent_files(candidate)]


def absent_files(candidate: Study) -> list[Source]:
    """Raw files that a study needs and that are not on this machine."""
    return [source for source in candidate.sources if locate(source, candidate.root) is None]


def raw_files(candidate: Study) -> list[str]:
    """Where the raw files of a study lie, the tables typed from publications, and what to draw."""
    root = candidate.root
    places = [locate(source, root) for source in candidate.sources if source.package is None]
    places += sorted((root / "data_raw" / "typed").glob("*.csv"))
    # What is simulated, and what the columns of a ready panel are, is said in the study's own description.
    places += [candidate.folder / STUDY] if "simulation" in candidate.config or candidate.ready_files else []
    places += candidate.ready_files
    return [os.path.relpath(place, root) for place in places if place is not None]


@cache
def code_digest(*stages: str) -> str:
    """Digest of the source code of some stages, so that changed code reruns what it made."""
    digest = hashlib.sha256()
    for stage in stages:
        for part in STAGES[stage]:
            place = PACKAGE / part
            files = sorted(place.rglob("*")) if place.is_dir() else [place]
            for path in files:
                if path.suffix in {".py", ".json", ".css", ".mplstyle"}:
                    digest.update(path.relative_to(PACKAGE).as_posix().encode())
                    digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def find_root(start: Path | None = None) -> Path:
    """The project folder: the nearest one upwards that holds the Snakefile and the studies."""
    here = (start or Path(os.environ.get("REPLICATION_ROOT") or Path.cwd())).resolve()
    for folder in (here, *here.parents):
        if (folder / "Snakefile").is_file() and (folder / "studies").is_dir():
            return folder
    raise SpecError(
        f"{here} is not inside a replication project (no Snakefile with a studies folder here or "
        "above). Change into the project's folder, or set REPLICATION_ROOT to it."
    )
