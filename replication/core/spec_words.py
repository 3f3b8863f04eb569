"""What a specification says, in words that labels may ask for: ``Clustered by {cluster}``.

Specifications are read as plain data without the schema, as a study is read at every start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from replication.core.estimator_files import ESTIMATORS
from replication.core.plain_data import as_tuple
from replication.core.spec_grid import expand, in_study, read_spec_file
from replication.core.temporary_files import visible_paths

ESTIMATOR_LABEL = re.compile(r"@registered\(\s*\"([^\"]+)\"")
LINEAR, BY_TIME = "_linear", "_by_time"


@dataclass(frozen=True, slots=True)
class SpecWords:
    """A specification with the labels of its study.

    Attributes
    ----------
    spec : its keys as written in the file, one combination of a grid.
    labels : column or estimator -> how it is printed.
    outcomes : outcome -> ``{label, unit}``.
    """

    spec: Mapping[str, Any]
    labels: Mapping[str, str]
    outcomes: Mapping[str, Mapping[str, str]]

    @property
    def id(self) -> str:
        """Id of the specification."""
        return str(self.spec.get("id", ""))

    @property
    def estimator(self) -> str:
        """Name of the estimator."""
        return str(self.spec.get("estimator", ""))

    @property
    def unit(self) -> str:
        """Column of the units."""
        return str(self.spec.get("unit", "unit"))

    @property
    def time(self) -> str:
        """Column of the periods."""
        return str(self.spec.get("time", "time"))

    @property
    def clusters(self) -> list[str]:
        """Columns by which standard errors are clustered; the units where none is named."""
        return list(as_tuple(self.spec.get("cluster"))) or [self.unit]

    @property
    def weights(self) -> str:
        """Column of the weights; empty if there are none."""
        return str(self.spec.get("weights") or "")

    @property
    def trends(self) -> list[str]:
        """Trends and effects by group beyond two-way effects."""
        return [name for name in as_tuple(self.spec.get("trends")) if name != "none"]

    @property
    def poisson(self) -> bool:
        """Whether coefficients are changes of a log mean."""
        return "poisson" in (self.estimator, self.spec.get("family"))

    @property
    def inference(self) -> Mapping[str, Any]:
        """Keys of ``inference``."""
        return self.spec.get("inference") or {}

    @property
    def years(self) -> tuple[int, int] | None:
        """First and last year of the sample, where the specification names them."""
        found = (self.spec.get("sample") or {}).get("years")
        return None if found is None else (int(found[0]), int(found[1]))

    def label(self, name: str) -> str:
        """A column as it is printed."""
        return str(self.labels.get(name, name.replace("_", " ")))

    def outcome(self) -> Mapping[str, str]:
        """Label and unit of the outcome."""
        name = str(self.spec.get("outcome", ""))
        return {"label": self.label(name), "unit": ""} | dict(self.outcomes.get(name, {}))

    def effects(self) -> str:
        """Fixed effects and trends: ``county and state-by-year fixed effects, county linear trends``."""
        time, by_time = self.label(self.time), [name for name in self.trends if name.endswith(BY_TIME)]
        crossed = [f"{self.label(name.removesuffix(BY_TIME))}-by-{time}" for name in by_time]
        fixed = f"{' and '.join([self.label(self.unit), *(crossed or [time])])} fixed effects"
        return ", ".join([fixed, *([f"{self.linear()} linear trends"] if self.linear() else [])])

    def linear(self) -> str:
        """Groups with a linear trend of their own."""
        stems = [name.removesuffix(LINEAR) for name in self.trends if name.endswith(LINEAR)]
        return " and ".join(self.label(self.unit if stem == "unit" else stem) for stem in stems)


@cache
def estimator_label(name: str) -> str:
    """The label that an estimator registers, read from its module's text."""
    place = ESTIMATORS / name / f"{name}.py" if (ESTIMATORS / name).is_dir() else ESTIMATORS / f"{name}.py"
    found = ESTIMATOR_LABEL.search(place.read_text(encoding="utf-8")) if place.is_file() else None
    return found[1] if found else name.replace("_", " ")


WORDS: Mapping[str, Callable[[SpecWords], str]] = {
    "cluster": lambda one: " and ".join(map(one.label, one.clusters)),
    "weights": lambda one: one.label(one.weights) if one.weights else "none",
    "weighting": lambda one: f"weighted by {one.label(one.weights)}" if one.weights else "unweighted",
    "outcome": lambda one: one.outcome()["label"],
    "estimator": lambda one: one.labels.get(one.estimator) or estimator_label(one.estimator),
    "control_group": lambda one: one.label(str(one.spec.get("control_group", "not_yet_treated"))),
    "fixed_effects": lambda one: one.effects(),
    "trends": lambda one: one.linear() or "no",
    "years": lambda one: "{}-{}".format(*one.years) if one.years else "all years",
    "unit": lambda one: one.label(one.unit),
    "time": lambda one: one.label(one.time),
    "treatment": lambda one: one.label(str(one.spec.get("treatment", "binary"))),
    "draws": lambda one: f"{one.inference.get('draws', 999):,}",
    "cutoff_km": lambda one: f"{one.inference.get('cutoff_km', 200):g}",
    "level": lambda one: f"{100 * one.inference.get('level', 0.95):g}%",
}
"""Placeholders of labels, headings, titles and notes."""


def study_words(folder: Path, data: Mapping[str, Any]) -> dict[str, SpecWords]:
    """Every specification of a study by its id, with the study's labels."""
    labels, outcomes = data.get("labels") or {}, data.get("outcomes") or {}
    return {str(spec.get("id")): SpecWords(spec, labels, outcomes) for _, spec in specs_in(folder)}


def specs_in(folder: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The specifications of a study's folder as they are written, unchecked, each with its file."""
    for path in visible_paths((folder / "specs").rglob("*.yaml"), folder):
        for spec in _expanded(path, path.stat().st_mtime_ns):
            yield path, spec


@cache
def _expanded(path: Path, _: int) -> Sequence[Mapping[str, Any]]:
    source = in_study(path)
    return list(expand(read_spec_file(path, source), source))
