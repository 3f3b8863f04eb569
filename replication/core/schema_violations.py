"""Explanations of violations of a JSON schema: the key, the allowed values, an example."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from replication.core.errors import nearest
from replication.core.limits import LARGEST_INTEGER, shortened

KINDS: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping of keys to values",
    "null": "null (None in Python)",
}
ITEMS: Final = {"integer": "whole numbers", "number": "numbers", "string": "names"}
BOUNDS: Final = {
    "minimum": "of at least",
    "exclusiveMinimum": "above",
    "maximum": "of at most",
    "exclusiveMaximum": "below",
}
SHAPES: Final = {"type", "anyOf", "minItems", "maxItems", *BOUNDS}


@cache
def strict_validator() -> Any:
    """Class of validators for which 3.0 is not a whole number and NaN is not a number.

    JSON knows neither; a YAML file may hold both, and a calculation that asks for a count of draws
    or a level has no use for them.
    """
    import jsonschema

    draft = jsonschema.Draft202012Validator
    kinds = {
        "integer": lambda _, value: _is_whole(value) and abs(value) <= LARGEST_INTEGER,
        "number": lambda _, value: (
            (_is_whole(value) and abs(value) <= LARGEST_INTEGER)
            or (isinstance(value, float) and math.isfinite(value))
        ),
    }
    validators: Any = jsonschema.validators
    return validators.extend(draft, type_checker=draft.TYPE_CHECKER.redefine_many(kinds))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


ELSEWHERE: Final = {
    **dict.fromkeys(
        ("csdid", "did", "att_gt", "csdid2", "hdidregress", "xthdidregress"), "callaway_santanna"
    ),
    **dict.fromkeys(("reghdfe", "xtreg", "areg", "feols", "felm", "xtdidregress", "ols_fe"), "twfe"),
    **dict.fromkeys(("did_imputation", "didimputation", "bjs"), "imputation"),
    **dict.fromkeys(("sunab", "eventstudyinteract"), "sun_abraham"),
    **dict.fromkeys(("did_multiplegt", "did_multiplegt_dyn"), "dcdh"),
    **dict.fromkeys(("ppmlhdfe", "fepois", "xtpoisson"), "poisson"),
    **{"did2s": "two_stage", "jwdid": "etwfe", "lpdid": "local_projections", "sdid": "synthetic_did"},
    **{"stackedev": "stacked", "staggered": "roth_santanna", "bacondecomp": "goodman_bacon"},
}
"""Commands of Stata and functions of R, and the estimators that do the same."""


def first_violation(schema: Mapping[str, Any], data: Any, validator: Any = None) -> str:
    """The explanation of the violation nearest to the top of the data; an empty string if there is none."""
    errors = (validator or strict_validator())(schema).iter_errors(data)
    first = min(errors, key=lambda error: (len(error.absolute_path), str(error.message)), default=None)
    return "" if first is None else explain_violation(first)


def explain_violation(error: Any) -> str:
    """The explanation of a violation of a JSON schema, with the remedy."""
    where = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties":
        return _unknown_key(error, where)
    if error.validator == "required":
        return _missing_key(error, where)
    if error.validator == "enum":
        value, options = error.instance, error.validator_value
        if where == "estimator" and str(value).lower() in ELSEWHERE:
            ours = ELSEWHERE[str(value).lower()]
            return f"{value!r} is the name of a command of other software; here it is 'estimator: {ours}'."
        *above, last = error.absolute_path or [""]
        place = f"{where!r} is" if isinstance(last, str) else f"{'.'.join(map(str, above))!r} contains"
        return (
            f"{place} {shortened(value)}{nearest(value, options)}, which is not an allowed value. "
            f"Allowed values: {listed(options)}."
        )
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    complaint = _complaint(error, where, schema) + _example(error, schema)
    meaning = "" if " must be " in complaint else schema.get("description", "")
    return f"{complaint} {meaning}".strip()


def listed(options: Sequence[Any]) -> str:
    """Values one after the other, ``None`` as what it is in a file and punctuation in quotation marks."""
    words = ("empty" if option is None else str(option) for option in options)
    return ", ".join(word if word.strip(" .,'") else repr(word) for word in words)


def written(key: str, value: Any) -> str:
    """A line of YAML such as ``window: [-5, 3]``."""
    return f"{key}: {_flow(value)}"


def _unknown_key(error: Any, where: str) -> str:
    allowed = list(error.schema["properties"])
    unknown = sorted(set(error.instance) - set(allowed), key=str)
    return (
        f"{_at(where)}unknown key {shortened(unknown[0])}{nearest(unknown[0], allowed)}. "
        f"Allowed keys: {', '.join(allowed)}."
    )


def _missing_key(error: Any, where: str) -> str:
    """A misspelled key is a likelier cause than a missing one."""
    absent = [key for key in error.validator_value if key not in error.instance]
    known = error.schema.get("properties", {})
    for key in sorted(set(error.instance) - set(known), key=str):
        meant = [name for name in absent if known and nearest(key, [name])]
        if meant:
            return (
                f"{_at(where)}unknown key {shortened(key)}{nearest(key, meant)}, and the required "
                f"key {meant[0]!r} is missing. Correct the spelling."
            )
    return f"{_at(where)}the required key {absent[0]!r} is missing. Add it."


def _complaint(error: Any, where: str, schema: Mapping[str, Any]) -> str:
    place = f"{where!r}"
    if error.absolute_path and isinstance(error.absolute_path[-1], int):
        *above, number = error.absolute_path
        place = f"entry {number + 1} of {'.'.join(map(str, above))!r}"
    value = f"{place} is {shortened(error.instance)}"
    if _is_whole(error.instance) and abs(error.instance) > LARGEST_INTEGER:
        return f"{value}, and whole numbers reach from -2^53 to 2^53 here."
    if error.validator == "pattern" or (error.validator == "anyOf" and _is_text(error.instance)):
        return f"{value}, which is not an allowed value."
    if error.validator in SHAPES:
        meaning = re.split(r"[.;] |\.$", schema.get("description", ""))[0]
        meaning = f" ({meaning[:1].lower()}{meaning[1:]})" if meaning else ""
        return f"{place}{meaning} must be {_needed(schema)}; got {shortened(error.instance)}."
    return f"{value}, which is not possible there."


def _needed(schema: Mapping[str, Any]) -> str:
    *others, last = _forms(schema) or ["another value"]
    separator = "," if last == KINDS["null"] and others else ""
    return f"{', '.join(others)}{separator} or {last}" if others else last


def _forms(schema: Mapping[str, Any]) -> list[str]:
    if "anyOf" in schema:
        forms = [form for option in schema["anyOf"] for form in _forms(option)]
        return list(dict.fromkeys(forms))
    kinds = schema.get("type", [])
    return [_kind(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)]


def _kind(kind: str, schema: Mapping[str, Any]) -> str:
    if kind == "array":
        items = schema.get("items", {})
        count = "two " if schema.get("minItems") == schema.get("maxItems") == 2 else ""
        return f"a list of {count}{ITEMS.get(str(items.get('type')), 'values')}"
    if kind not in ("integer", "number"):
        return KINDS.get(kind, kind)
    if "minimum" in schema and "maximum" in schema:
        return f"{KINDS[kind]} between {schema['minimum']:,} and {schema['maximum']:,}"
    bounds = [f"{words} {schema[name]:,}" for name, words in BOUNDS.items() if name in schema]
    return f"{KINDS[kind]} {' and '.join(bounds)}".strip()


def _example(error: Any, schema: Mapping[str, Any]) -> str:
    key = str(error.absolute_path[-1]) if error.absolute_path else ""
    examples = [f"`{written(key, value)}`" for value in schema.get("examples", [])]
    if not examples and schema.get("type") == "array" and not isinstance(error.instance, list):
        examples = [f"`{written(key, [error.instance])}`"]
    return f" For example {' or '.join(examples)}." if examples else ""


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_flow(part) for part in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(written(key, part) for key, part in value.items())}}}"
    return value if isinstance(value, str) else json.dumps(value)


def _is_text(value: Any) -> bool:
    parts = value if isinstance(value, list) else [value]
    return bool(parts) and all(isinstance(part, str) for part in parts)


def _at(where: str) -> str:
    return f"in {where!r}, " if where else ""
