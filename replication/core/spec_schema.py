"""The schema of specifications: keys and values are checked against it, and explained by it.

``spec_schema.json`` is the single definition of keys, allowed values, defaults and their meaning;
``replication explain`` prints it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from replication.core.errors import SpecError
from replication.core.estimator_files import estimator_names
from replication.core.plain_data import plain_values
from replication.core.schema_violations import first_violation, listed, written

SCHEMA_FILE = Path(__file__).with_name("spec_schema.json")


def check(data: Mapping[str, Any], source: str) -> None:
    """Refuse unknown keys and values with the allowed ones and the nearest spelling.

    The schema judges each key by itself. A grid has a thousand specifications of a few values, and a
    bootstrap calls an estimator a thousand times: values that have passed are not judged again.
    """
    written_values = {key: repr(value) for key, value in data.items()}
    needed = schema()["required"]
    judged: Mapping[str, Any] = data
    if all(key in data for key in needed):
        judged = {
            key: value
            for key, value in data.items()
            if key in needed or (key, written_values[key]) not in _PASSED
        }
    if problem := first_violation(schema(), judged):
        raise SpecError(f"{source}: {problem}")
    _PASSED.update(written_values.items())


def check_keys(data: Mapping[str, Any], source: str) -> None:
    """Refuse values of single keys that the schema refuses, as Python or as YAML has them."""
    if any((key, repr(value)) not in _PASSED for key, value in data.items()):
        check({"id": "a", "outcome": "a", "estimator": "twfe", **plain_values(data)}, source)
        _PASSED.update((key, repr(value)) for key, value in data.items())


_PASSED: set[tuple[str, str]] = set()
"""Keys and values, as Python writes them, that the schema allows."""


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of a specification."""
    loaded: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    loaded["properties"]["estimator"]["enum"] = estimator_names()
    return loaded


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
