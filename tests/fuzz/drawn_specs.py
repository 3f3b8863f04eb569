"""Specifications: valid ones, and ones in which a few keys hold whatever can be drawn."""

from __future__ import annotations

from typing import Any

from fuzzing import NASTY
from hypothesis import strategies as st

from replication.core.spec_schema import schema

COLUMNS = ("y", "x", "w", "d", "cl", "time", "unit", "cohort", "absent", "region")
ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 5),
        st.sampled_from([10**6, -(10**12), 2**53, 2**63, 10**30, 1999, 2004]),
        st.floats(),
        st.sampled_from([*COLUMNS, *NASTY, "unit_linear", "region_by_time", "none", "binary"]),
        st.text(max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.text(max_size=4), st.integers()), inner, max_size=3),
    ),
    max_leaves=6,
)


def possible(entry: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the schema allows for a key, as far as they are few."""
    options = [st.sampled_from(entry["enum"])] if "enum" in entry else []
    options += [st.just(example) for example in entry.get("examples", [])]
    kinds = entry.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    by_kind = {
        "string": st.sampled_from(COLUMNS),
        "integer": st.integers(0, 6),
        "number": st.floats(0.01, 0.99),
        "boolean": st.booleans(),
        "null": st.none(),
        "array": st.lists(st.sampled_from(COLUMNS), max_size=2),
    }
    options += [by_kind[kind] for kind in kinds if kind in by_kind and "enum" not in entry]
    if "properties" in entry:
        options.append(mapping(entry["properties"]))
    if "anyOf" in entry:
        options += [possible(option) for option in entry["anyOf"]]
    return st.one_of(options or [ANYTHING])


def mapping(properties: dict[str, Any], most: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with a few of the keys of a schema."""
    pairs = st.sampled_from(sorted(set(properties) - {"vary", "id", "estimator", "outcome"}))
    return st.lists(pairs, max_size=most, unique=True).flatmap(
        lambda keys: st.fixed_dictionaries({key: possible(properties[key]) for key in keys})
    )


@st.composite
def valid(draw: st.DrawFn) -> dict[str, Any]:
    """A specification whose keys hold what the schema allows."""
    properties = schema()["properties"]
    return {
        "id": draw(st.sampled_from(["one", "a.b-c_1"])),
        "outcome": "y",
        "estimator": draw(st.sampled_from(properties["estimator"]["enum"])),
        **draw(mapping(properties)),
    }


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A valid specification with a few keys set to anything, and sometimes a grid over others."""
    spec = draw(valid())
    properties = schema()["properties"]
    for _ in range(draw(st.integers(1, 3))):
        key = draw(st.one_of(st.sampled_from(sorted(properties)), st.text(max_size=5)))
        if draw(st.booleans()) and isinstance(spec.get(key), dict):
            known = sorted(properties.get(key, {}).get("properties", {"a"}))
            inner = draw(st.one_of(st.sampled_from(known), st.text(max_size=4)))
            spec[key] = {**spec[key], inner: draw(ANYTHING)}
        elif draw(st.integers(0, 5)) == 0:
            spec.pop(key, None)
        else:
            spec[key] = draw(ANYTHING)
    if draw(st.integers(0, 3)) == 0:
        keys = st.one_of(
            st.sampled_from([*sorted(properties), "inference.level", "sample.years", "a.b.c"]),
            st.text(max_size=4),
        )
        values = st.lists(ANYTHING, max_size=3)
        spec["vary"] = draw(st.one_of(st.dictionaries(keys, values, max_size=3), ANYTHING))
    return spec
