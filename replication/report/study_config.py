"""The description of a study: which tables and figures show it, checked before anything is drawn.

The schema (``study_schema.json``) is the one place where keys and their meaning are written.

Examples
--------
A study with one table and one figure::

    id: castle_doctrine
    title: Castle doctrine laws
    panels: [state_year]
    outcomes:
      log_homicide: {label: "Homicide, log rate", unit: "log of homicides per 100,000 people"}
    labels: {sid: state, popwt: state population, n_units: States}
    tables:
      - id: homicide
        title: Castle doctrine laws and homicide
        kind: regression
        columns:
          - heading: Weighted by population
            columns: [castle_homicide, {spec: castle_homicide_region, label: Region by year}]
        rows: [{row: att, label: Law in force}]
    figures:
      - id: event_study_homicide
        title: Homicide before and after a castle doctrine law
        kind: event_study
        panels:
          - series: [{spec: castle_homicide_events, label: Two-way fixed effects}]
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from replication.core.errors import SpecError
from replication.core.schema_violations import explain_violation, strict_validator
from replication.limits import require_portable

SCHEMA_FILE = Path(__file__).with_name("study_schema.json")
SIMULATED = "SIMULATED"
SIMULATED_WARNING = (
    f"{SIMULATED}: made-up data with a known truth; nothing here is a finding about the world."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One table or figure: its name, kind, and the options of that kind."""

    id: str
    title: str
    kind: str
    notes: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an outcome is called and measured."""

    label: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Study:
    """What the report says about one study."""

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
        """How a name is printed; spelled out from the name itself where nothing is said."""
        if name in self.labels:
            return self.labels[name]
        return str(name).replace("_", " ").strip()

    def outcome(self, name: str) -> Outcome:
        """Label and unit of an outcome."""
        return self.outcomes.get(name, Outcome(self.label(name)))

    def heading(self, title: str) -> str:
        """A title as printed; simulated data say so everywhere."""
        return f"{SIMULATED}: {title}" if self.simulated else title


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of ``study.yaml``."""
    loaded: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return loaded


def parse_study(data: Mapping[str, Any], source: str = "study.yaml") -> Study:
    """Check the plain data of a ``study.yaml`` and turn them into a ``Study``.

    Raises
    ------
    SpecError
        For unknown keys and values, ids used twice, and simulated studies whose outputs do not
        say SIMULATED in their names.

    """
    check(data, source)
    entries = [*data.get("tables", []), *data.get("figures", [])]
    _require_names(entries, bool(data.get("simulated")), source)
    for entry in data.get("analyses", []):
        require_portable(entry["id"], "id", source)
    return Study(
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


def load_study(path: Path) -> Study:
    """The study that a ``study.yaml`` describes."""
    import yaml

    from replication.core.files import parse_yaml

    try:
        data = parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SpecError(f"There is no study description {path}. Check the path.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = " ".join(str(error).split())
        raise SpecError(f"{path} is not valid YAML: {where}. Correct that line.") from None
    return parse_study(data, str(path))


def check(data: Any, source: str) -> None:
    """Refuse what the schema does not know, naming the table or figure where it stands."""
    if not isinstance(data, Mapping):
        raise SpecError(f"{source} holds no keys; a study needs at least id, title and panels.")
    errors = sorted(
        strict_validator()(schema()).iter_errors(data),
        key=lambda error: (len(error.absolute_path), str(error.message)),
    )
    if errors:
        raise SpecError(f"{source}{_place(data, errors[0])}: {explain_violation(errors[0])}")


def _place(data: Mapping[str, Any], error: Any) -> str:
    """Which table or figure a violation is in, by its id."""
    path = list(error.absolute_path)
    if len(path) < 2 or path[0] not in ("tables", "figures"):
        return ""
    entry = data[path[0]][path[1]]
    name = entry.get("id", f"number {path[1] + 1}") if isinstance(entry, Mapping) else entry
    return f", {path[0].removesuffix('s')} {name!r}"


def _require_names(entries: list[Mapping[str, Any]], simulated: bool, source: str) -> None:
    names = [entry["id"] for entry in entries]
    for name in names:
        require_portable(name, "id", source)
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
            f"figures do not say so in their file name, for example {silent[0]!r}. Call it "
            f"'{silent[0]}_{SIMULATED}'."
        )


def _entry(data: Mapping[str, Any]) -> Entry:
    common = ("id", "title", "kind", "notes")
    options = {key: value for key, value in data.items() if key not in common}
    return Entry(data["id"], data["title"], data["kind"], tuple(data.get("notes", [])), options)
