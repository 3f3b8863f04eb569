"""Specifications: YAML files checked against a schema, with defaults filled in.

The schema (``spec_schema.json``) is the single definition of keys, allowed values, defaults and
their meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from replication.core.errors import SpecError
from replication.core.limits import require_portable
from replication.core.plain_data import as_tuple, plain_values
from replication.core.reading import AS_USUAL, Read, proposal
from replication.core.spec_grid import expand, read_spec_file
from replication.core.spec_schema import check, check_keys

REVERSIBLE = ("dcdh",)
"""Estimators whose estimand holds where treatment falls, so that nothing need be allowed."""
COMMON = ("twfe", "event_study", "imputation", "two_stage")
"""Estimators in which a covariate has one coefficient for all periods."""


@dataclass(frozen=True, slots=True)
class SampleRule:
    """Which rows of the panel are used."""

    years: tuple[int, int] | None = None
    periods: tuple[int, int] | None = None
    balanced: bool = False
    where: Mapping[str, list[Any]] = field(default_factory=dict)
    drop: Mapping[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Inference:
    """Options for standard errors, intervals, and tests; `replication explain` describes each field.

    Parameters
    ----------
    method, variance : method of inference, and the variance of a regression.
    draws, seed : draws of a bootstrap, permutation, or band, and the seed of the random numbers.
    level : confidence level.
    multiplier, interval, distribution, small_sample : bootstrap multipliers, type of bootstrap interval,
        distribution of critical values, and small-sample correction (``clusters`` for the factor G/(G-1)).
    strata, blocks, statistic : permutation: column within whose groups, or column across whose groups,
        adoption is permuted, and the test statistic.
    cutoff_km, coordinates, kernel, pairs : Conley standard errors: distance, columns of latitude and
        longitude, weights, and pairs of rows.

    Raises
    ------
    SpecError
        For a value that a specification would refuse.

    Examples
    --------
    >>> import replication as rp
    >>> inference = rp.Inference(method="wild", draws=199)
    >>> panel = rp.read_panel(rp.simulated_panel(seed=1), outcome="y", cluster="state")
    >>> print(rp.twfe(panel, inference=inference).table["n_clusters"][0])
    20
    """

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

    def __post_init__(self) -> None:
        if changed := self.changed():
            check_keys({"inference": changed}, "Inference()")

    def changed(self) -> dict[str, Any]:
        """The fields that differ from their defaults."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name)) != one.default}

    def __repr__(self) -> str:
        """The fields that differ from their defaults: signatures stay readable."""
        return f"Inference({', '.join(f'{name}={value!r}' for name, value in self.changed().items())})"

    @property
    def groups(self) -> list[str]:
        """Columns within or across whose values a permutation reassigns adoption."""
        return [name for name in (self.strata, self.blocks) if name]


ANALYTIC = Inference()
"""The default: standard errors from the scores, clustered, with 95% intervals."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One estimate, fully resolved. Keys and defaults: ``spec_schema.json``.

    Examples
    --------
    >>> import replication as rp
    >>> spec = rp.Spec(id="main", outcome="log_rate", estimator="twfe", cluster=("state",))
    >>> spec.fixed_effects
    ('unit', 'time')
    """

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
    cohort_from: str | None = None
    time_format: str | None = None
    never: tuple[str | int | float, ...] = ()
    duplicates: str = "refuse"
    read: Read = AS_USUAL
    sample: SampleRule = SampleRule()
    fixed_effects: tuple[str, ...] = ("unit", "time")
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
    normalized: bool = False
    switchers: str = "all"
    baseline_bins: int | None = None
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

    @property
    def reversible(self) -> bool:
        """Whether a treatment column may fall within a unit."""
        return self.reversals == "allow" or self.estimator in REVERSIBLE

    def resolved(self) -> dict[str, Any]:
        """Return the specification with every default filled in, as plain data for YAML."""
        return plain_values(self)  # type: ignore[no-any-return]


def load_specs(path: str | Path, source: str = "") -> list[Spec]:
    """Read all specifications of a YAML file: one, or the grid that its ``vary`` spans.

    Parameters
    ----------
    path : str or Path
        YAML file in UTF-8.
    source : str
        What messages call it; the path if empty.

    Returns
    -------
    list of Spec

    Raises
    ------
    SpecError
        For a file that cannot be read, and for unknown keys and values.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import replication as rp
    >>> text = "{id: a, outcome: y, estimator: twfe, vary: {trends: [[], [unit_linear]]}}"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = Path(folder) / "specs.yaml"
    ...     _ = place.write_text(text)
    ...     [spec.trends for spec in rp.load_specs(place)]
    [(), ('unit_linear',)]
    """
    source = source or str(path)
    return [parse_spec(variant, source) for variant in expand(read_spec_file(Path(path), source), source)]


def parse_spec(data: Mapping[str, Any], source: str = "the specification") -> Spec:
    """Check plain data against the schema and fill in the defaults."""
    data = _with_lists(data)
    check(data, source)
    require_portable(data["id"], "id", source)
    values = dict(data)
    values["cluster"] = as_tuple(values.get("cluster"))
    values["trends"] = tuple(trend for trend in as_tuple(values.get("trends")) if trend != "none")
    values["fixed_effects"] = tuple(values.get("fixed_effects", ("unit", "time")))
    values["covariates"] = tuple(values.get("covariates") or ())
    values["doses"] = tuple(values["doses"]) if values.get("doses") else None
    for key in ("window", "clean_window"):
        if values.get(key) is not None:
            values[key] = _ordered_pair(values[key], key, source)
    values["never"] = tuple(values.get("never") or ())
    values["read"] = parse_read(values.get("read") or {}, source)
    values["sample"] = _sample(values.get("sample") or {}, source)
    inference = dict(values.get("inference") or {})
    if "coordinates" in inference:
        inference["coordinates"] = tuple(inference["coordinates"])
    values["inference"] = Inference(**inference)
    known = {entry.name for entry in fields(Spec)}
    return Spec(**{key: value for key, value in values.items() if key in known})


def _with_lists(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data with a list of one code or mark where it is given alone: ``never: 9999``."""
    found = dict(data)
    if isinstance(found.get("never"), str | int | float):
        found["never"] = [found["never"]]
    read = found.get("read")
    if isinstance(read, Mapping) and isinstance(read.get("missing"), str | int | float):
        found["read"] = {**read, "missing": [read["missing"]]}
    return found


def checked_read(data: Mapping[str, Any]) -> Read:
    """The keys under ``read`` of a panel that is described outside a specification; refused as there."""
    check({"id": "read", "outcome": "read", "estimator": "twfe", "read": data}, "the panel")
    return parse_read(data)


def parse_read(data: Mapping[str, Any], source: str = "the panel") -> Read:
    """The keys under ``read``, checked already, with their defaults.

    Raises
    ------
    SpecError
        If the decimal mark is the separator of thousands as well.
    """
    read = Read(**{**data, "missing": tuple(str(mark) for mark in data.get("missing", ()))})
    if read.thousands == read.decimal:
        other = "," if read.decimal == "." else "."
        both = {"read.decimal": read.decimal, "read.thousands": other}
        swapped = {"read.decimal": other, "read.thousands": read.thousands}
        raise SpecError(
            f"{source}: 'read.decimal' and 'read.thousands' are both {read.decimal!r}"
            f"{'' if 'decimal' in data else ', the usual decimal mark'}, and one character cannot be the "
            f"decimal mark and separate thousands. Set {proposal(both)}, or {proposal(swapped)}."
        )
    return read


def _sample(data: Mapping[str, Any], source: str) -> SampleRule:
    values = dict(data)
    for key in ("years", "periods"):
        if values.get(key) is not None:
            values[key] = _ordered_pair(values[key], f"sample.{key}", source)
    return SampleRule(**values)


def _ordered_pair(pair: list[int], key: str, source: str) -> tuple[int, int]:
    low, high = pair
    if low > high:
        raise SpecError(f"{source}: {key!r} is [{low}, {high}], which ends before it starts. Swap the two.")
    return low, high
