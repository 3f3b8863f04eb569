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

import yaml

from replication.core.errors import SpecError
from replication.core.files import parse_yaml
from replication.leavings import visible
from replication.sources.manifest import Source, load_manifest, locate, of_study

PACKAGE = Path(__file__).parents[1]
MODEL = (
    "results.py",
    "subset.py",
    "columns.py",
    "selection.py",
    "tidy.py",
    "specs.py",
    "spec_schema.json",
    "inference",
    "estimators",
)
STAGES = {
    "clean": (
        "sources",
        "panel",
        "simulation",
        "pipeline/clean.py",
        "pipeline/county_files.py",
        "pipeline/monthly_files.py",
        "pipeline/simulated.py",
    ),
    "estimate": (*MODEL, "pipeline/estimate.py", "pipeline/store.py"),
    "analyse": (*MODEL, "analyses", "simulation"),
    "report": ("report", "pipeline/report.py", "results.py"),
}
TABLE_ENDINGS = ("tex", "html", "md", "csv")
FIGURE_ENDINGS = ("pdf", "png", "csv")


@dataclass(frozen=True, slots=True)
class Study:
    """One study: its description (``study.yaml``) and where its files are.

    Attributes
    ----------
    config : the parsed ``study.yaml``
    folder : ``specs/<study>``
    root : top folder of the project
    """

    id: str
    config: dict[str, Any]
    folder: Path
    root: Path

    @property
    def source_names(self) -> list[str]:
        """Names under which the manifest lists the study's raw files."""
        return [str(name) for name in self.config.get("sources", [self.id])]

    @property
    def fetch_command(self) -> str:
        """The command that fetches what may be fetched of the study's raw files."""
        return f"replication data fetch {self.config.get('fetch', ' '.join(self.source_names))}"

    @property
    def sources(self) -> list[Source]:
        """Raw files that the study cannot do without."""
        manifest = load_manifest(self.root)
        return [source for name in self.source_names for source in of_study(manifest, name)]

    @property
    def spec_files(self) -> list[Path]:
        """Specification files of the study, sorted by name."""
        files = visible(self.folder.rglob("*.yaml"), self.folder)
        return [path for path in files if path.name != "study.yaml"]

    @property
    def panels(self) -> list[str]:
        """Names of the cleaned panels."""
        return list(self.config["panels"])

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
        if "summary" not in self.config:
            return []
        return [f"report/{self.id}/summary.md", f"tables/{self.id}/summary_numbers.csv"]

    def table_outputs(self) -> list[str]:
        """Files that the tables end in."""
        return [f"tables/{self.id}/{t}.{end}" for t in self.tables for end in TABLE_ENDINGS]

    def figure_outputs(self) -> list[str]:
        """Files that the figures end in."""
        return [f"figures/{self.id}/{f}.{end}" for f in self.figures for end in FIGURE_ENDINGS]


def studies(root: Path) -> list[Study]:
    """Every study under ``specs/``, in the order of their ``order`` key."""
    found = []
    for path in visible((root / "specs").glob("*/study.yaml"), root / "specs"):
        try:
            config = parse_yaml(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise SpecError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
        found.append(Study(path.parent.name, config, path.parent, root))
    return sorted(found, key=lambda study: (study.config.get("order", 99), study.id))


def study(root: Path, name: str) -> Study:
    """One study by its id."""
    for candidate in studies(root):
        if candidate.id == name:
            return candidate
    known = ", ".join(candidate.id for candidate in studies(root))
    raise SpecError(f"There is no study {name!r}. Studies: {known}.")


def runnable(root: Path) -> list[Study]:
    """The studies whose raw files are all here."""
    return [candidate for candidate in studies(root) if not absent_files(candidate)]


def absent_files(candidate: Study) -> list[Source]:
    """Raw files that a study needs and that are not on this machine."""
    return [source for source in candidate.sources if locate(source, candidate.root) is None]


def raw_files(candidate: Study) -> list[str]:
    """Where the raw files of a study lie, the tables typed from publications, and what to draw."""
    root = candidate.root
    places = [locate(source, root) for source in candidate.sources if source.package is None]
    typed = root / "data_raw" / "typed"
    places += visible(typed.glob("*.csv"), typed)
    # What is simulated is said in the study's own description.
    places += [candidate.folder / "study.yaml"] if "simulation" in candidate.config else []
    return [os.path.relpath(place, root) for place in places if place is not None]


@cache
def code_digest(*stages: str) -> str:
    """Digest of the source code of some stages, so that changed code reruns what it made."""
    digest = hashlib.sha256()
    for stage in stages:
        for part in STAGES[stage]:
            place = PACKAGE / part
            files = visible(place.rglob("*"), place) if place.is_dir() else [place]
            for path in files:
                if path.suffix in {".py", ".json", ".css", ".mplstyle"}:
                    digest.update(path.relative_to(PACKAGE).as_posix().encode())
                    digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def find_root(start: Path | None = None) -> Path:
    """The project folder: the nearest one upwards that holds the Snakefile and the specs."""
    here = (start or Path(os.environ.get("REPLICATION_ROOT") or Path.cwd())).resolve()
    for folder in (here, *here.parents):
        if (folder / "Snakefile").is_file() and (folder / "specs").is_dir():
            return folder
    raise SpecError(
        f"{here} is not inside a replication project (no Snakefile with a specs folder here or "
        "above). Change into the project's folder, or set REPLICATION_ROOT to it."
    )
