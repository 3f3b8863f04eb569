"""``config.yaml``: the settings of the pipeline, checked against their schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from replication.core.errors import SpecError, nearest
from replication.core.files import parse_yaml, yaml_fault
from replication.core.schema_violations import first_violation

CONFIG = "config.yaml"
SCHEMA_FILE = Path(__file__).with_name("config_schema.json")


def read_settings(root: Path) -> dict[str, Any]:
    """The settings in ``config.yaml``.

    Raises
    ------
    SpecError
        If the file is missing, is not YAML, or does not fit the schema.
    """
    path = root / CONFIG
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        data = parse_yaml(text)
    except FileNotFoundError:
        raise SpecError(f"{path} is missing. Restore it: `git checkout {CONFIG}`.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(yaml_fault(path, text, error)) from None
    return checked_settings(data, str(path))


def checked_settings(data: Any, source: str = CONFIG) -> dict[str, Any]:
    """The same data, refused in one paragraph where they do not fit the schema."""
    import jsonschema

    if not isinstance(data, Mapping):
        raise SpecError(f"{source} contains no keys; it needs at least tables and estimation.")
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    if problem := first_violation(schema, data, jsonschema.Draft202012Validator):
        raise SpecError(f"{source}: {problem}")
    return dict(data)


def requested_studies(settings: Mapping[str, Any], known: Sequence[str]) -> list[str]:
    """The studies that the settings name; all if they name none.

    Raises
    ------
    SpecError
        If there is no study of such a name.
    """
    requested = [str(name) for name in settings.get("studies") or known]
    for name in requested:
        if name not in known:
            raise SpecError(
                f"{CONFIG} names the study {name!r}{nearest(name, known)}, which is not there. Studies: "
                f"{', '.join(known)}."
            )
    return requested


def retyped(value: Any) -> Any:
    """Plain data in which numbers that became text are numbers again.

    Snakemake passes the settings to a job on another machine as one line of text.
    """
    if isinstance(value, Mapping):
        return {key: retyped(part) for key, part in value.items()}
    if isinstance(value, list):
        return [retyped(part) for part in value]
    return int(value) if isinstance(value, str) and value.isdecimal() else value
