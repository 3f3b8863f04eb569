"""The description of a study as the report uses it, checked before anything is drawn.

``study_schema.json`` has the keys of ``study.yaml`` and their meaning; the options of tables, figures and
analyses are beside the code of each kind (``entry_kinds``).

Examples
--------
``study.yaml``::

    id: castle_doctrine
    title: Castle doctrine laws
    panels: [state_year]
    outcomes:
      log_homicide: {label: "Homicide, log rate", unit: "log of homicides per 100,000 people"}
    labels: {sid: state, popwt: state population, n_units: States}

``tables.yaml``::

    - id: homicide
      title: Castle doctrine laws and homicide
      kind: regression
      columns:
        - heading: Weighted by population
          columns: [castle_homicide, {spec: castle_homicide_region, label: Region by year}]
      rows: [{row: att, label: Law in force}]

``figures.yaml``::

    - id: event_study_homicide
      title: Homicide before and after a castle doctrine law
      kind: event_study
      panels:
        - series: [{spec: castle_homicide_events, label: Two-way fixed effects}]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replication.core.errors import SpecError
from replication.core.kept_values import while_unchanged
from replication.core.label_claims import refuse_contradictions
from replication.core.limits import require_portable, shortened
from replication.core.schema_violations import first_violation
from replication.core.study_folder import PARTS, RESULTS, STUDY, read_description, study_digest
from replication.display.formatting import SIMULATED, typeset
from replication.display.media import MEDIA, Medium
from replication.report.entry_kinds import entry_schema, kind_schema, study_schema

SINGULAR = {"analyses": "analysis", "tables": "table", "figures": "figure"}
Place = Callable[[str | None, int], str]
"""Names the file in which an entry of a part stands; of the study itself for None."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One table or figure: its name, kind, and the options of that kind."""

    id: str
    title: str
    kind: str
    notes: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def medium(self) -> Medium:
        """Where a figure is to be shown; a page unless the entry says otherwise."""
        return MEDIA[self.options.get("figure", {}).get("width", "page")]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Label and unit of an outcome."""

    label: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class StudyConfig:
    """Description of a study for the report."""

    id: str
    title: str
    description: str = ""
    simulated: bool = False
    truth: float | None = None
    panels: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    tables: tuple[Entry, ...] = ()
    figures: tuple[Entry, ...] = ()

    def label(self, name: str) -> str:
        """The printed form of a name: its label, or the name with underscores as spaces."""
        if name in self.labels:
            return self.labels[name]
        return str(name).replace("_", " ").strip()

    def outcome(self, name: str) -> Outcome:
        """Label and unit of an outcome."""
        return self.outcomes.get(name, Outcome(self.label(name)))

    def heading(self, title: str) -> str:
        """A title as printed; simulated data are marked as such."""
        return typeset(f"{SIMULATED}: {title}" if self.simulated else title)


def parse_study(data: Mapping[str, Any], source: str = STUDY) -> StudyConfig:
    """Check the plain data of a study, tables and figures among them, and turn them into a ``StudyConfig``.

    Parameters
    ----------
    data : mapping
        The keys of ``study.yaml``, and lists under ``analyses``, ``tables`` and ``figures``.
    source : str
        Its name in messages.

    Raises
    ------
    SpecError
        For unknown keys and values, ids used twice, and simulated studies whose outputs do not
        have SIMULATED in their names.
    """
    return _study(data, lambda part, number: source, None)


@while_unchanged(study_digest)
def load_study(folder: Path) -> StudyConfig:
    """The study that a folder describes; refused as by ``parse_study`` and ``read_description``."""
    description = read_description(folder)
    found = _study(description.data, description.place, description.folder)
    refuse_contradictions(description.folder, description.data, description.place)
    if found.id != description.folder.name:
        raise SpecError(
            f"{description.place()} has the id {found.id!r}, but its folder is named "
            f"{description.folder.name!r}. Give both the same name."
        )
    return found


def _study(data: Mapping[str, Any], place: Place, folder: Path | None) -> StudyConfig:
    check(data, place, folder)
    entries = [(part, entry) for part in RESULTS for entry in data.get(part, [])]
    _require_names([entry["id"] for _, entry in entries], bool(data.get("simulated")), place(None, 0))
    for part in PARTS:
        for number, entry in enumerate(data.get(part, [])):
            require_portable(entry["id"], "id", place(part, number))
    return StudyConfig(
        id=data["id"],
        title=data["title"],
        description=data.get("description", "").strip(),
        simulated=bool(data.get("simulated", False)),
        truth=data.get("truth"),
        panels=tuple(data["panels"]),
        references=tuple(data.get("references", [])),
        labels=dict(data.get("labels", {})),
        outcomes={name: Outcome(**values) for name, values in data.get("outcomes", {}).items()},
        tables=tuple(_entry(entry) for entry in data.get("tables", [])),
        figures=tuple(_entry(entry) for entry in data.get("figures", [])),
    )


def check(data: Mapping[str, Any], place: Place, folder: Path | None = None) -> None:
    """Refuse keys and values outside the schemas, naming the file and the entry.

    Parameters
    ----------
    place : function of (part, number)
        Names the file of an entry; of the study itself for the part None.
    folder : Path, optional
        The study's folder, for kinds of analysis of its own.
    """
    if not isinstance(data, Mapping):
        raise SpecError(f"{place(None, 0)} contains no keys; a study needs at least id, title, and panels.")
    _refuse(study_schema(), {key: value for key, value in data.items() if key not in PARTS}, place(None, 0))
    for part in PARTS:
        entries = data.get(part, [])
        if not isinstance(entries, list):
            raise SpecError(
                f"{place(None, 0)}: {part!r} is {shortened(entries)} where a list of entries is needed."
            )
        for number, entry in enumerate(entries):
            known = isinstance(entry, Mapping) and "id" in entry
            named = shortened(entry["id"]) if known else f"number {number + 1}"
            where = f"{place(part, number)}, {SINGULAR[part]} {named}"
            _refuse(kind_schema(part, folder), entry, where)
            _refuse(entry_schema(part, entry["kind"], folder), entry, where)


def _refuse(schema: Mapping[str, Any], data: Any, where: str) -> None:
    if problem := first_violation(schema, data):
        raise SpecError(f"{where}: {problem}")


def _require_names(names: list[str], simulated: bool, source: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SpecError(
            f"{source}: the id {twice[0]!r} is used {names.count(twice[0])} times. Ids name files: "
            "give each table and figure its own."
        )
    silent = [name for name in names if SIMULATED not in name]
    if simulated and silent:
        raise SpecError(
            f"{source}: the study is simulated, and {len(silent)} of its {len(names)} tables and "
            f"figures are not marked as simulated in their file name, for example {silent[0]!r}. Call it "
            f"'{silent[0]}_{SIMULATED}'."
        )


def _entry(data: Mapping[str, Any]) -> Entry:
    common = ("id", "title", "kind", "notes")
    options = {key: value for key, value in data.items() if key not in common}
    return Entry(data["id"], data["title"], data["kind"], tuple(data.get("notes", [])), options)
