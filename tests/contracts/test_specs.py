"""What a specification may say, and what is said back when it may not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from replication.core.errors import SpecError
from replication.core.reading import Read
from replication.core.schema_violations import written
from replication.core.spec import Inference, Spec, load_specs, parse_spec
from replication.core.spec_schema import check, explain, schema

MINIMAL = {"id": "one", "outcome": "y", "estimator": "twfe"}


def test_defaults_of_the_schema_are_those_of_the_dataclasses() -> None:
    spec = parse_spec(MINIMAL)
    for key, entry in schema()["properties"].items():
        if "default" in entry and key not in {"trends", "cluster", "sample", "inference", "read"}:
            found = getattr(spec, key)
            assert (list(found) if isinstance(found, tuple) else found) == entry["default"], key
    for block, fields in (("inference", Inference()), ("read", Read())):
        for key, entry in schema()["properties"][block]["properties"].items():
            found = getattr(fields, key)
            assert (list(found) if isinstance(found, tuple) else found) == entry["default"], key


def test_every_key_of_the_schema_is_a_field_and_is_explained() -> None:
    text = explain()
    for key in set(schema()["properties"]) - {"vary", "columns"}:
        assert key in Spec.__dataclass_fields__
        assert f"\n{key}" in text


def test_the_schema_judges_each_key_by_itself() -> None:
    """Values that have passed are therefore not judged again beside other values."""
    assert set(schema()) == {"$schema", "title", "type", "additionalProperties", "required", "properties"}


def test_a_value_that_has_passed_is_still_refused_under_another_key_and_in_another_form() -> None:
    check({**MINIMAL, "anticipation": 1, "window": [-2, 2]}, "a file")
    for change in ({"anticipation": True}, {"anticipation": 1.0}, {"anticipation": "1"}, {"weights": 1}):
        with pytest.raises(SpecError, match=next(iter(change))):
            check({**MINIMAL, **change}, "a file")
    with pytest.raises(SpecError, match="outcome"):
        check({"id": "one", "estimator": "twfe", "anticipation": 1}, "a file")


def test_a_resolved_specification_reads_back_as_itself() -> None:
    spec = parse_spec(
        {
            **MINIMAL,
            "cluster": "state",
            "window": [-3, 2],
            "sample": {"years": [2004, 2011], "drop": {"role": ["out"]}},
        }
    )
    resolved = {key: value for key, value in spec.resolved().items() if value is not None}
    resolved["sample"] = {k: v for k, v in resolved["sample"].items() if v is not None}
    resolved["inference"] = {k: v for k, v in resolved["inference"].items() if v is not None}
    assert parse_spec(resolved) == spec


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"estimator": "twfee"}, ["'twfee'", "did you mean 'twfe'", "callaway_santanna"]),
        ({"estimater": "twfe"}, ["unknown key 'estimater'", "did you mean 'estimator'"]),
        ({"outcome": None}, ["must be text; got None."]),
        ({"inference": {"draw": 9}}, ["'inference'", "'draw'", "did you mean 'draws'"]),
        ({"inference": {"draws": 0}}, ["inference.draws", "0"]),
        ({"inference": {"distribution": "boot"}}, ["inference.distribution", "bootstrap_t"]),
        ({"inference": {"level": 95}}, ["inference.level", "95"]),
        ({"sample": {"year": [1, 2]}}, ["'sample'", "'year'", "did you mean 'years'"]),
        ({"sample": {"years": [2012, 2004]}}, ["ends before it starts"]),
        ({"window": [3, -2]}, ["'window'", "ends before it starts"]),
        ({"window": [1]}, ["'window'"]),
        ({"trends": "unit_quadratic"}, ["'trends'", "unit_quadratic"]),
        ({"control_group": "never"}, ["'never'", "never_treated"]),
        ({"base_period": "short"}, ["universal", "varying"]),
        ({"anticipation": -1}, ["'anticipation'"]),
        ({"id": "a/b"}, ["'id'"]),
        ({"trends": "foo"}, ["'foo'", "unit_linear", "COLUMN_by_time", "`trends: unit_linear`"]),
        ({"trends": 3}, ["must be text or a list of names; got 3.", "[region_by_time]"]),
        (
            {"window": "-5, 3"},
            ["a list of two whole numbers, or null (None in Python); got '-5, 3'.", "`window: [-5, 3]`"],
        ),
        ({"window": ["a", 2]}, ["entry 1 of 'window' must be a whole number; got 'a'."]),
        ({"covariates": "x"}, ["must be a list of names; got 'x'.", "[income, age]"]),
        ({"cluster": 5}, ["must be text, a list of names, or null (None in Python); got 5."]),
        ({"anticipation": "two"}, ["must be a whole number of at least 0; got 'two'."]),
        ({"inference": {"level": 95}}, ["must be a number above 0 and below 1; got 95."]),
        ({"leave_one_out": "often"}, ["must be true or false; got 'often'."]),
        ({"sample": {"where": {"state": "s9"}}}, ["must be a list of values; got 's9'.", "`state: [s9]`"]),
    ],
)
def test_a_wrong_specification_is_refused_in_one_paragraph(change: dict, words: list[str]) -> None:
    with pytest.raises(SpecError) as refusal:
        parse_spec({**MINIMAL, **change}, "file.yaml")
    message = str(refusal.value)
    assert message.startswith("file.yaml: ")
    assert "\n" not in message
    for word in words:
        assert word in message
    assert "schema" not in message
    assert "is not of type" not in message


@pytest.mark.parametrize("key", ["id", "outcome", "estimator"])
def test_a_missing_key_is_named(key: str) -> None:
    with pytest.raises(SpecError, match=f"required key '{key}' is missing"):
        parse_spec({name: value for name, value in MINIMAL.items() if name != key})


@pytest.mark.parametrize(("wrong", "right"), [("outcom", "outcome"), ("estimater", "estimator")])
def test_a_misspelt_required_key_is_the_first_thing_said(wrong: str, right: str) -> None:
    data = {wrong if name == right else name: value for name, value in MINIMAL.items()}
    with pytest.raises(SpecError, match=f"unknown key '{wrong}' .did you mean '{right}'"):
        parse_spec(data)
    with pytest.raises(SpecError, match=f"the required key '{right}' is missing. Add it"):
        parse_spec({key: value for key, value in data.items() if key != wrong} | {"zzz": 1})


@pytest.mark.parametrize("key", sorted(schema()["properties"]))
def test_examples_of_the_schema_are_possible_and_explained(key: str) -> None:
    entry = schema()["properties"][key]
    inner = entry.get("properties", {})
    for name, part in [(key, entry), *inner.items()]:
        for example in part.get("examples", []):
            check({**MINIMAL, key: {name: example} if name in inner else example}, "example")
            assert f"`{written(name, example)}`" in explain()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("id: [unclosed", "not valid YAML"),
        ("", "is empty; a specification is a mapping"),
        ("- a\n- b\n", "contains a list; a specification is a mapping"),
        ("id: one\noutcome: y\nestimator: twfe\nvary: {outcome: y}\n", "non-empty lists"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(content)
    with pytest.raises(SpecError, match=words) as refusal:
        load_specs(path)
    assert str(path) in str(refusal.value)


def test_an_absent_and_a_binary_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no specification file"):
        load_specs(tmp_path / "absent.yaml")
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="cannot be read as UTF-8"):
        load_specs(path)


def test_vary_spans_the_grid_with_readable_ids(tmp_path: Path) -> None:
    path = tmp_path / "grid.yaml"
    data = {
        **MINIMAL,
        "vary": {"weights": ["people", None], "trends": ["none", "unit_linear"], "inference.level": [0.9]},
    }
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    specs = load_specs(path)
    assert [spec.id for spec in specs] == [
        "one__people__none__0.9",
        "one__people__unit_linear__0.9",
        "one__none__none__0.9",
        "one__none__unit_linear__0.9",
    ]
    assert specs[3].weights is None
    assert specs[3].trends == ("unit_linear",)
    assert all(spec.inference.level == 0.9 for spec in specs)


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path) -> None:
    """YAML itself would keep the last one, and a change of the one above would move nothing."""
    path = tmp_path / "twice.yaml"
    path.write_text("id: twice\noutcome: y\nestimator: twfe\noutcome: z\n", encoding="utf-8")
    with pytest.raises(
        SpecError, match=r"twice\.yaml, line 4: the key 'outcome' is given twice\. Remove one\."
    ):
        load_specs(path)
