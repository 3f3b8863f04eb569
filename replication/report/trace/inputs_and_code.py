"""What stands behind the numbers of a study: specifications, analyses, panels, recipes, raw files and code.

Each is described once and referred to by its id; ``trace_schema.json`` has the keys of every description.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from replication import __version__
from replication.analyses.kinds import module_of
from replication.cleaning.recipe import RECIPE
from replication.core.code_digest import code_digest, code_files
from replication.core.details_record import plain
from replication.core.fingerprints import file_digest
from replication.core.plain_data import texts_in
from replication.core.spec_words import specs_in
from replication.core.study_folder import STUDY
from replication.report import facts
from replication.report.report_context import Context
from replication.report.report_data import Saved
from replication.report.trace.equations import equation
from replication.report.trace.trace_records import analysis_summary, file_records, settings
from replication.sources.manifest import MANIFEST, Source, load_manifest, locate, of_study

KINDS = ("specifications", "analyses", "files", "panels", "raw", "recipes", "code")
TYPED = "typed"
"""Name under which the manifest lists the small tables that were entered by hand."""


@dataclass
class Provenance:
    """Descriptions of all that a study's numbers are made from, each made when it is first asked for.

    Attributes
    ----------
    root : the project's folder.
    folder : ``studies/<study>``.
    data : the study's description as plain data.
    """

    root: Path
    folder: Path
    data: Mapping[str, Any]
    context: Context
    found: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def shared(self, specifications: Iterable[str], sources: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Descriptions of these specifications and files, and of all that they refer to."""
        self.wanted: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
        for name in specifications:
            self.refer("specifications", name)
        for source in sources:
            self.file(source)
        return {kind: dict(sorted(entries.items())) for kind, entries in self.wanted.items()}

    def refer(self, kind: str, name: str) -> str:
        """The id, its description added to what is wanted."""
        if name not in self.wanted[kind]:
            self.wanted[kind][name] = {}
            makers: dict[str, Callable[[str], dict[str, Any]]] = {
                "specifications": self._specification,
                "analyses": self._analysis,
                "panels": self._panel,
                "recipes": self._recipe,
                "code": self._code,
            }
            # Some descriptions add others on the way, so they are made again for every table but for their
            # slow parts, which are kept.
            self.wanted[kind][name] = makers[kind](name)
        return name

    def file(self, source: str) -> str:
        """A file as entries name it, ``clean/rollout.csv``, by its path from the root on."""
        path = self.context.folders.source(source)
        name = self._relative(path)
        place, _, rest = source.partition("/")
        known = {file.path: id_ for id_, file in self._manifest.items()}
        if place == "analyses":
            made_by = f"analysis:{self.refer('analyses', Path(rest).stem)}"
        elif place == "clean":
            made_by = f"recipe:{self.refer('recipes', self._recipe_name(Path(rest).stem))}"
        elif place == "raw" and rest in known:
            made_by = f"raw:{self._raw(known[rest])}"
        else:
            made_by = "step:check" if rest == "second_engine.csv" else "step:tables"
        self.wanted["files"][name] = {"sha256": self._digest(path), "made_by": made_by}
        return name

    def _specification(self, name: str) -> dict[str, Any]:
        saved, study = self.context.results.get(name), self.context.study
        outcome = study.outcome(str(saved.spec["outcome"]))
        formula = equation(saved, study)
        found: dict[str, Any] = plain(
            {
                "file": self.spec_files.get(name, ""),
                "estimator": facts.estimator(saved, study),
                "estimator_key": saved.spec["estimator"],
                "outcome": {"name": saved.spec["outcome"], "label": outcome.label, "unit": outcome.unit},
                "equation": formula.words,
                "latex": formula.latex,
                "settings": settings(saved),
                "sample": self._sample(saved),
                "panel": self.refer("panels", str(saved.spec["panel"])),
                "code": self.refer("code", f"replication.estimators.{saved.spec['estimator']}"),
                "versions": saved.versions,
                "command": self.command(saved),
            }
        )
        return found

    def command(self, saved: Saved) -> str:
        """The command line that computes one specification from the cleaned panel."""
        file = self.spec_files.get(saved.spec_id, "")
        words = ["replication", "estimate", file]
        words += ["--only", saved.spec_id] if self.in_file[file] > 1 else []
        words += ["--panel", self._panel_file(str(saved.spec["panel"])), "--out", f"out/{saved.spec_id}"]
        return shlex.join(words)

    def _sample(self, saved: Saved) -> dict[str, Any]:
        first = saved.rows.record(0)
        rules = {key: value for key, value in (saved.spec.get("sample") or {}).items() if value}
        return {
            "observations": int(first["n_obs"]),
            "units": int(first["n_units"]),
            "clusters": int(first["n_clusters"]),
            "clustered_by": facts.clusters(saved, self.context.study),
            "rules": rules,
            "dropped": list(saved.details.notes),
        }

    def _analysis(self, name: str) -> dict[str, Any]:
        entry = next(entry for entry in self.data.get("analyses", []) if entry["id"] == name)
        options = {key: value for key, value in entry.items() if key not in ("id", "kind")}
        texts = sorted(set(texts_in(options, keys=True)))
        ids = [text for text in texts if text in self.spec_files]
        saved = set(self.context.results.ids)
        for one in ids:
            if one in saved:
                self.refer("specifications", one)
        kind = str(entry["kind"])
        return {
            "kind": kind,
            "summary": analysis_summary(kind, self.folder),
            "options": plain(options),
            "specifications": [*ids, *(text for text in texts if "*" in text and text not in ids)],
            "inputs": [self.file(text) for text in texts if self._names_a_file(text)],
            "panels": [self.refer("panels", panel) for panel in self.data["panels"]],
            "code": self.refer("code", module_of(kind, self.folder)),
            "command": f"replication step analyze {self.folder.name}",
        }

    def _panel(self, name: str) -> dict[str, Any]:
        file = self._panel_file(name)
        recipe = self.refer("recipes", self._recipe_name(name))
        return {"file": file, "sha256": self._digest(self.root / file), "recipe": recipe}

    def _recipe(self, name: str) -> dict[str, Any]:
        flow = self.context.folders.clean / f"{name.partition('/')[2] or 'sample_flow'}.csv"
        clean = self.folder / f"{RECIPE}.py"
        module = (
            f"studies.{self.folder.name}.{RECIPE}" if clean.is_file() else "replication.cleaning.ready_panel"
        )
        return {
            "file": self._relative(clean if clean.is_file() else self.folder / STUDY),
            "raw": self._raw_files(module if clean.is_file() else ""),
            "flow": self._kept("flow", str(flow), lambda: {"rows": file_records(flow)})["rows"],
            "code": self.refer("code", module),
            "command": f"replication step clean {self.folder.name}",
        }

    def _code(self, name: str) -> dict[str, Any]:
        chosen = name.startswith("replication.estimators.")
        digest = self._kept(
            "digest", name, lambda: {"digest": code_digest(name, root=self.root, every_choice=not chosen)}
        )
        return {"module": name, **digest, "package": f"replication {__version__}"}

    def _raw_files(self, recipe: str) -> list[str]:
        """Raw files of the study, and those tables entered by hand that its recipe names."""
        if not recipe:
            return [self._ready(path) for path in self._ready_files]
        return [self._raw(name) for name in self._kept("raw_names", recipe, lambda: self._sources(recipe))]

    def _sources(self, recipe: str) -> dict[str, Any]:
        every = list(self._manifest.values())
        studies = {study for source in every for study in source.studies}
        names = [name for name in self.data.get("sources", [self.folder.name]) if name in studies]
        chosen = [source.id for name in names for source in of_study(every, name)]
        # Readers in the package name every such table; the studies' own code names those that it takes.
        files = code_files(recipe, root=self.root, every_choice=False)
        own = [path for path in files if path.suffix == ".py" and path.is_relative_to(self.root / "studies")]
        code = "".join(path.read_text(encoding="utf-8") for path in own)
        typed = [one.id for one in every if TYPED in one.studies and f'"{Path(one.path).stem}' in code]
        return dict.fromkeys([*chosen, *typed])

    def _raw(self, name: str) -> str:
        source = self._manifest[name]
        about = {
            "git_blob": source.git_blob,
            "publisher": source.publisher,
            "doi": source.doi,
            "url": source.url,
        }
        self.wanted["raw"][name] = {
            "file": f"data_raw/{source.path}"
            if source.path
            else f"package {source.package} {source.version}",
            "sha256": source.sha256 or self._located_digest(source),
            "citation": source.citation,
            **{key: value for key, value in about.items() if value},
        }
        return name

    def _located_digest(self, source: Source) -> str | None:
        place = locate(source, self.root) if source.path else None
        return None if place is None else self._digest(place)

    def _ready(self, path: Path) -> str:
        name = self._relative(path)
        self.wanted["raw"][name] = {
            "file": name,
            "sha256": self._digest(path),
            "citation": "; ".join(self.data.get("references", [])) or str(self.data["title"]),
        }
        return name

    def _digest(self, path: Path) -> str | None:
        known = self._kept(
            "file", str(path), lambda: {"sha256": file_digest(path) if path.is_file() else None}
        )
        digest: str | None = known["sha256"]
        return digest

    def _kept(self, kind: str, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if (kind, name) not in self.found:
            self.found[kind, name] = make()
        return self.found[kind, name]

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _panel_file(self, name: str) -> str:
        return f"data_clean/{self.folder.name}/{name}.parquet"

    def _recipe_name(self, name: str) -> str:
        """The recipe, with the sample flow that a panel has of its own: ``<study>/sample_flow_<ending>``."""
        flows = [path.stem for path in self.context.folders.clean.glob("sample_flow_*.csv")]
        own = [flow for flow in flows if name.endswith(flow.removeprefix("sample_flow"))]
        return f"{self.folder.name}/{own[0]}" if own else self.folder.name

    def _names_a_file(self, text: str) -> bool:
        place = text.partition("/")[0]
        return place in ("clean", "analyses", "tables", "raw") and self.context.folders.source(text).is_file()

    @cached_property
    def _manifest(self) -> dict[str, Source]:
        there = (self.root / MANIFEST).is_file()
        return {source.id: source for source in load_manifest(self.root)} if there else {}

    @cached_property
    def _ready_files(self) -> list[Path]:
        panels = self.data["panels"]
        entries = panels.values() if isinstance(panels, dict) else []
        return [self.folder / entry["file"] for entry in entries if entry]

    @cached_property
    def spec_files(self) -> dict[str, str]:
        """Every specification of the study and the file that contains it."""
        return {str(spec.get("id")): self._relative(path) for path, spec in specs_in(self.folder)}

    @cached_property
    def in_file(self) -> Counter[str]:
        """The number of specifications of each file."""
        return Counter(self.spec_files.values())
