"""What there is to run: the studies, their specifications, files and outputs.

Read by the Snakefile at every start, so nothing slow is imported here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from replication.core.errors import SpecError
from replication.core.files import parse_yaml
from replication.sources.manifest import MANIFEST, Source, load_manifest, locate, of_study

TABLE_ENDINGS = ("tex", "html", "md", "csv")
FIGURE_ENDINGS = ("pdf", "png", "csv")


@dataclass(frozen=True, slots=True)
class Study:
    """One study: its description (``study.yaml``) and where its files are.

    Attributes
    ----------
    config : the parsed ``study.yaml``
    folder : ``studies/<study>``
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
        manifest = _manifest(self.root, (self.root / MANIFEST).stat().st_mtime_ns)
        return [source for name in self.source_names for source in of_study(manifest, name)]

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

    @property
    def description_files(self) -> list[Path]:
        """The files that describe the study: ``study.yaml`` and others beside it."""
        return sorted(self.folder.glob("*.yaml"))

    @property
    def clean_ledger(self) -> str:
        """Where it is noted what cleaning wrote."""
        return f"data_clean/{self.id}/.clean.json"

    @property
    def analysis_ledger(self) -> str:
        """Where it is noted what each analysis was made from."""
        return f"tables/{self.id}/.analyses.json"

    @property
    def check_ledger(self) -> str:
        """Where it is noted what the second engine has checked."""
        return f"tables/{self.id}/.second_engine.json"

    @property
    def table_ledger(self) -> str:
        """Where it is noted what each table was made from."""
        return f"tables/{self.id}/.tables.json"

    @property
    def figure_ledger(self) -> str:
        """Where it is noted what each figure was made from."""
        return f"figures/{self.id}/.figures.json"

    def part_output(self, part: int, parts: int) -> str:
        """Where it is noted what one of several parts of the estimates holds."""
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
        if "summary" not in self.config:
            return []
        return [f"report/{self.id}/summary.md", f"tables/{self.id}/summary_numbers.csv"]

    def table_outputs(self) -> list[str]:
        """Files that the tables end in."""
        return [f"tables/{self.id}/{t}.{end}" for t in self.tables for end in TABLE_ENDINGS]

    def figure_outputs(self) -> list[str]:
        """Files that the figures end in."""
        return [f"figures/{self.id}/{f}.{end}" for f in self.figures for end in FIGURE_ENDINGS]

    def promised(self) -> list[str]:
        """Every file that the study ends in."""
        return [
            *self.clean_outputs(),
            *self.analysis_outputs(),
            *self.summary_outputs(),
            *self.table_outputs(),
            *self.figure_outputs(),
        ]


def studies(root: Path) -> list[Study]:
    """Every study under ``studies/``, in the order of their ``order`` key.

    Raises
    ------
    SpecError
        If a description cannot be read.
    """
    found, refused = described(root)
    if refused:
        raise next(iter(refused.values()))
    return found


def described(root: Path) -> tuple[list[Study], dict[str, SpecError]]:
    """The studies whose description can be read, and why the others' cannot."""
    found, refused = [], {}
    for path in sorted((root / "studies").glob("*/study.yaml")):
        try:
            found.append(read_study(path, root))
        except SpecError as error:
            refused[path.parent.name] = error
    return sorted(found, key=lambda study: (study.config.get("order", 99), study.id)), refused


def read_study(path: Path, root: Path) -> Study:
    """The study that a ``study.yaml`` describes.

    Raises
    ------
    SpecError
        If the file is no YAML, or does not name what the study makes.
    """
    try:
        config = parse_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(
            f"{path} is not valid YAML: {' '.join(str(error).split())}. Correct that line."
        ) from None
    try:
        candidate = Study(path.parent.name, config, path.parent, root)
        candidate.promised()
    except (AttributeError, KeyError, TypeError):
        # Whatever it is that cannot be read, the schema says it in words.
        from replication.report.study_config import check

        check(config, str(path))
        raise
    return candidate


def study(root: Path, name: str) -> Study:
    """One study by its id."""
    found, refused = described(root)
    if name in refused:
        raise refused[name]
    for candidate in found:
        if candidate.id == name:
            return candidate
    known = ", ".join(candidate.id for candidate in found)
    raise SpecError(f"There is no study {name!r}. Studies: {known}.")


def runnable(root: Path) -> list[Study]:
    """The studies that can be read and whose raw files are all here."""
    return [candidate for candidate in described(root)[0] if not absent_files(candidate)]


def absent_files(candidate: Study) -> list[Source]:
    """Raw files that a study needs and that are not on this machine."""
    return [source for source in candidate.sources if locate(source, candidate.root) is None]


def raw_files(candidate: Study) -> list[str]:
    """Where the raw files of a study lie, the tables typed from publications, and what to draw."""
    root = candidate.root
    places = [locate(source, root) for source in candidate.sources if source.package is None]
    places += sorted((root / "data_raw" / "typed").glob("*.csv"))
    # What is simulated is said in the study's own description.
    places += [candidate.folder / "study.yaml"] if "simulation" in candidate.config else []
    places += candidate.ready_files
    return [os.path.relpath(place, root) for place in places if place is not None]


@cache
def _manifest(root: Path, _: int) -> list[Source]:
    return load_manifest(root)


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
