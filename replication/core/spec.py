"""A specification is data: read a YAML file, check it against the schema, resolve its defaults.

The schema (``spec_schema.json``) is the one place where keys, allowed values, defaults and their
meaning are written; ``replication explain`` prints it.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from replication.core.errors import SpecError
from replication.core.files import parse_yaml
from replication.core.leavings import visible
from replication.core.limits import (
    MOST_CHARACTERS,
    MOST_SPECIFICATIONS,
    LimitError,
    require_portable,
    shortened,
)
from replication.core.schema_violations import explain_violation, listed, strict_validator, written

SCHEMA_FILE = Path(__file__).with_name("spec_schema.json")
ESTIMATORS = Path(__file__).parents[1] / "estimators"


@dataclass(frozen=True, slots=True)
class Sample:
    """Which rows of the panel are used."""

    years: tuple[int, int] | None = None
    periods: tuple[int, int] | None = None
    balanced: bool = False
    where: Mapping[str, list[Any]] = field(default_factory=dict)
    drop: Mapping[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inference:
    """Standard errors, intervals and tests; the meaning of each key is in the schema."""

    method: str = "analytic"
    variance: str = "cv1"
    draws: int = 999
    seed: int = 20141120
    level: float = 0.95
    multiplier: str = "rademacher"
    interval: str = "equal_tailed"
    distribution: str = "auto"
    small_sample: str = "clusters"
    strata: str | None = None
    blocks: str | None = None
    statistic: str = "t"
    cutoff_km: float = 200.0
    coordinates: tuple[str, str] = ("latitude", "longitude")
    kernel: str = "bartlett"
    pairs: str = "any_period"

    @property
    def groups(self) -> list[str]:
        """Columns within or between whose values a permutation exchanges adoption."""
        return [name for name in (self.strata, self.blocks) if name]


ANALYTIC = Inference()
"""The default: standard errors from the scores, clustered, with 95% intervals."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One estimate, fully resolved. Keys and defaults: ``spec_schema.json``."""

    id: str
    outcome: str
    estimator: str
    title: str | None = None
    study: str = "user"
    panel: str = "panel"
    family: str = "gaussian"
    treatment: str = "binary"
    reversals: str = "refuse"
    cohort_rule: str | None = None
    unit: str = "unit"
    time: str = "time"
    cohort: str = "cohort"
    sample: Sample = Sample()
    trends: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    offset: str | None = None
    weights: str | None = None
    cluster: tuple[str, ...] = ()
    control_group: str = "not_yet_treated"
    base_period: str = "universal"
    anticipation: int = 0
    adjustment: str = "doubly_robust"
    fix_weights: str = "none"
    unbalanced: str = "drop"
    window: tuple[int, int] | None = None
    endpoints: str = "bin"
    balance_e: int | None = None
    residual_groups: str = "cohort_event"
    leave_one_out: bool = False
    donor_errors: str = "placebo"
    shares: str = "fixed"
    reweight: bool = False
    clean_window: tuple[int, int] | None = None
    beta: str | int = "efficient"
    design_variance: str = "adjusted"
    repeated_cross_sections: bool = False
    eligible: str | None = None
    dose: str | None = None
    degree: int = 3
    knots: int = 0
    doses: tuple[float, ...] | None = None
    inference: Inference = Inference()
    note: str | None = None

    def resolved(self) -> dict[str, Any]:
        """The specification with every default filled in, as plain data for YAML."""
        return _plain(asdict(self))  # type: ignore[no-any-return]


def load_specs(path: Path) -> list[Spec]:
    """All specifications of a YAML file: one, or the grid that its ``vary`` spans.

    Raises
    ------
    SpecError
        For a file that cannot be read, and for unknown keys and values.

    """
    data = read_spec_file(path)
    return [parse_spec(variant, str(path)) for variant in expand(data, str(path))]


def read_spec_file(path: Path) -> dict[str, Any]:
    """The keys of a specification file, as they stand there."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_CHARACTERS + 1)
    except FileNotFoundError:
        raise SpecError(f"There is no specification file {path}. Check the path.") from None
    except (OSError, ValueError) as error:
        raise SpecError(f"The specification {path} cannot be read as UTF-8 text: {error}.") from None
    try:
        data = parse_yaml(text)
    except LimitError as error:
        raise SpecError(
            f"{path} is refused: {error}. No specification needs as much; check that this is the "
            "right file, and write out what aliases repeat."
        ) from None
    except yaml.YAMLError as error:
        where = " ".join(str(error).split())
        raise SpecError(
            f"{path} is not valid YAML: {where}. Correct that line; a value with a colon or a "
            "leading symbol needs quotation marks."
        ) from None
    if not isinstance(data, dict):
        raise SpecError(
            f"{path} holds {type(data).__name__ if data is not None else 'nothing'} where a "
            "specification (keys such as id, outcome, estimator) is needed."
        )
    return data


def parse_spec(data: Mapping[str, Any], source: str = "the specification") -> Spec:
    """Check plain data against the schema and fill in the defaults."""
    check(data, source)
    require_portable(data["id"], "id", source)
    values = dict(data)
    for key in ("trends", "cluster"):
        values[key] = _as_tuple(values.get(key))
    values["trends"] = tuple(trend for trend in values["trends"] if trend != "none")
    values["covariates"] = tuple(values.get("covariates") or ())
    values["doses"] = tuple(values["doses"]) if values.get("doses") else None
    for key in ("window", "clean_window"):
        if values.get(key) is not None:
            values[key] = _ordered_pair(values[key], key, source)
    values["sample"] = _sample(values.get("sample") or {}, source)
    inference = dict(values.get("inference") or {})
    if "coordinates" in inference:
        inference["coordinates"] = tuple(inference["coordinates"])
    values["inference"] = Inference(**inference)
    known = {entry.name for entry in fields(Spec)}
    return Spec(**{key: value for key, value in values.items() if key in known})


def check(data: Mapping[str, Any], source: str) -> None:
    """Refuse unknown keys and values with the allowed ones and the nearest spelling."""
    errors = sorted(
        strict_validator()(schema()).iter_errors(data),
        key=lambda error: (len(error.absolute_path), str(error.message)),
    )
    if errors:
        raise SpecError(f"{source}: {explain_violation(errors[0])}")


def expand(data: Mapping[str, Any], source: str = "the specification") -> Iterator[dict[str, Any]]:
    """Every combination of the lists under ``vary``; the ids get the values appended.

    Raises
    ------
    SpecError
        If ``vary`` is no mapping to lists, spans too many specifications, or gives two combinations one id,
        so that the second would overwrite the first.

    """
    vary = {} if data.get("vary") is None else data["vary"]
    if not isinstance(vary, Mapping) or not all(
        isinstance(key, str) and isinstance(values, list) and values for key, values in vary.items()
    ):
        raise SpecError(f"{source}: 'vary' maps keys to non-empty lists of values.")
    count = math.prod(len(values) for values in vary.values())
    if count > MOST_SPECIFICATIONS:
        raise SpecError(
            f"{source}: 'vary' spans {count:,} specifications, and {MOST_SPECIFICATIONS:,} are the "
            "most that one file may hold. Shorten its lists, or write several files."
        )
    base = {key: value for key, value in data.items() if key != "vary"}
    seen: dict[str, dict[Any, Any]] = {}
    for combination in itertools.product(*vary.values()):
        variant: dict[str, Any] = deepcopy(base)
        chosen = dict(zip(vary, combination, strict=True))
        for key, value in chosen.items():
            _assign(variant, key, value, source)
        if vary and "id" in base:
            name = "__".join([str(base["id"]), *(_slug(value) for value in combination)])
            if name in seen:
                raise SpecError(
                    f"{source}: the combinations {shortened(seen[name])} and {shortened(chosen)} of 'vary' "
                    f"both get the id {shortened(name)}, so that one would overwrite the other: in ids "
                    "other characters than letters, digits, '_', '.' and '-' become '-'. Rename the columns "
                    "or write two specifications."
                )
            seen[name] = chosen
            variant["id"] = name
        yield variant


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of a specification."""
    loaded: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    loaded["properties"]["estimator"]["enum"] = estimator_names()
    return loaded


@cache
def estimator_names() -> list[str]:
    """Names of the estimators: the modules that register a function of their own name.

    Found by reading, not by importing, so that a specification is checked before anything slow is loaded.
    """
    modules = [
        place / f"{place.name}.py" if place.is_dir() else place
        for place in visible(ESTIMATORS.iterdir(), ESTIMATORS)
    ]
    sources = {place.stem: place.read_text(encoding="utf-8") for place in modules if place.is_file()}
    return sorted(name for name, text in sources.items() if "\n@registered(" in text)


def explain() -> str:
    """Every key with its default, allowed values and meaning, as text."""
    lines = [f"Required: {', '.join(schema()['required'])}.", ""]
    lines += _explain_properties(schema()["properties"], "")
    return "\n".join(lines)


def _explain_properties(properties: Mapping[str, Any], prefix: str) -> list[str]:
    lines = []
    for key, entry in properties.items():
        default = "" if "default" not in entry else f" [default: {json.dumps(entry['default'])}]"
        allowed = "" if "enum" not in entry else f" One of: {listed(entry['enum'])}."
        examples = [f"`{written(key, value)}`" for value in entry.get("examples", [])]
        example = f" For example {' or '.join(examples)}." if examples else ""
        lines.append(f"{prefix}{key}{default}: {entry.get('description', '')}{allowed}{example}")
        if entry.get("type") == "object" and "properties" in entry:
            lines += _explain_properties(entry["properties"], f"{prefix}{key}.")
    return lines


def _sample(data: Mapping[str, Any], source: str) -> Sample:
    values = dict(data)
    for key in ("years", "periods"):
        if values.get(key) is not None:
            values[key] = _ordered_pair(values[key], f"sample.{key}", source)
    return Sample(**values)


def _ordered_pair(pair: list[int], key: str, source: str) -> tuple[int, int]:
    low, high = pair
    if low > high:
        raise SpecError(f"{source}: {key!r} is [{low}, {high}], which ends before it starts. Swap the two.")
    return low, high


def _assign(target: dict[str, Any], key: str, value: Any, source: str) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        inner = target.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise SpecError(
                f"{source}: 'vary' has the key {shortened(key)}, and {shortened(parent)} is "
                f"{shortened(inner)}, which holds no keys. Leave it out above, or write its keys "
                "there."
            )
        target = inner
    target[last] = value


def _slug(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "-".join(_slug(part) for part in value) or "none"
    if isinstance(value, Mapping):
        return "-".join(f"{key}-{_slug(part)}" for key, part in value.items()) or "all"
    text = "none" if value is None else str(value)
    return "".join(letter if letter.isalnum() or letter in "_-." else "-" for letter in text)


def _as_tuple(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
