"""Specifications made to exhaust the machine, to end a recursion, or to name files elsewhere."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from replication.cli import main
from replication.core.errors import SpecError
from replication.core.files import parse_yaml
from replication.core.limits import (
    DEEPEST,
    LARGEST_INTEGER,
    LONGEST_ID,
    MOST_CHARACTERS,
    MOST_DIGITS,
    MOST_NODES,
    MOST_SPECIFICATIONS,
    shortened,
)
from replication.core.spec import load_specs, parse_spec
from replication.report.study_config import parse_study

MINIMAL = {"id": "one", "outcome": "y", "estimator": "twfe"}
HEAD = "id: one\noutcome: y\nestimator: twfe\n"
SECONDS = 3.0
"""A bomb that goes off takes hours; one that is refused takes a tenth of a second, and the test
allows for a busy machine."""


def tenfold(first: str, entry: str) -> str:
    """Twelve lines, each of which stands for ten of the line above."""
    lines = [f"a0: &a0 {first}"]
    for level in range(1, 12):
        aliases = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} " + entry.format(aliases))
    return "\n".join(lines)


BOMBS = {
    "aliases": (tenfold("[x, x]", "[{}]"), f"more than {MOST_NODES:,} keys and values"),
    "merged keys": (tenfold("{x: 1}", "{{<<: [{}]}}"), f"more than {MOST_NODES:,} keys"),
    "an alias of itself": ("note: &a [*a]", "alias \\*a refers to itself"),
    "lists": ("note: " + "[" * 100_000, f"more than {DEEPEST} deep"),
    "mappings": ("note: " + "{a: " * 100_000, f"more than {DEEPEST} deep"),
    "width": ("covariates:\n" + "- a\n" * (MOST_NODES + 1), "keys and values"),
    "length": ("note: " + "x" * MOST_CHARACTERS, f"more than {MOST_CHARACTERS:,} characters"),
    "digits": ("anticipation: " + "9" * 5000, f"more than {MOST_DIGITS} characters"),
    "hexadecimal digits": ("anticipation: 0x" + "f" * 5000, f"more than {MOST_DIGITS} char"),
    "minutes and seconds": ("anticipation: 1" + ":59" * 5000, f"more than {MOST_DIGITS} char"),
    "a float of seconds": ("note: 1" + ":59" * 5000 + ".5", f"more than {MOST_DIGITS} char"),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content, words = BOMBS[kind]
    path = tmp_path / "spec.yaml"
    path.write_text(HEAD + content, encoding="utf-8")
    start = time.process_time()
    with pytest.raises(SpecError, match=words) as refusal:
        load_specs(path)
    assert main(["explain", str(path)]) == 2
    assert time.process_time() - start < SECONDS
    assert "Traceback" not in capsys.readouterr().err
    assert len(str(refusal.value)) < 600 + len(str(path))


@pytest.mark.parametrize(
    "value",
    [
        "2001-99-99",
        "0b_",
        "!!int abc",
        "!!float ''",
        "!!timestamp x",
        "!!bool x",
        "=",
        "!!python/object/apply:os.system [ls]",
        "!!omap [a]",
        "{? [a] : 1}",
        "!!binary é",
    ],
)
def test_a_value_that_is_none_is_a_mistake_of_yaml(tmp_path: Path, value: str) -> None:
    with pytest.raises(yaml.YAMLError):
        parse_yaml(f"note: {value}")
    path = tmp_path / "spec.yaml"
    path.write_text(f"{HEAD}note: {value}\n", encoding="utf-8")
    with pytest.raises(SpecError, match=r"spec\.yaml is not valid YAML"):
        load_specs(path)


def test_an_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(SpecError, match="more than 4,000,000 characters"):
        load_specs(Path("/dev/zero"))


def test_what_honest_files_hold_is_within_the_limits() -> None:
    aliases = "a: &a {x: [1, 2]}\nb: *a\nc: {<<: *a, y: 1.5e-300}\n"
    assert parse_yaml(aliases)["c"] == {"x": [1, 2], "y": 1.5e-300}
    deep: Any = "end"
    for _ in range(DEEPEST - 1):
        deep = [deep]
    assert parse_yaml(yaml.safe_dump({"a": deep}))["a"] == deep
    assert parse_yaml(f"a: {2**64}")["a"] == 2**64


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_grid_without_bound_is_refused_before_it_is_spanned(tmp_path: Path, count: int) -> None:
    path = tmp_path / "grid.yaml"
    values = [f"c{i}" for i in range(MOST_SPECIFICATIONS + 1 if count == 1 else 1000)]
    vary = dict(zip(["weights", "cluster", "offset"], [values] * count, strict=False))
    path.write_text(yaml.safe_dump({**MINIMAL, "vary": vary}))
    start = time.process_time()
    with pytest.raises(SpecError, match=r"'vary' spans [0-9,]+ specifications, and 20,000 are"):
        load_specs(path)
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize(
    ("vary", "words"),
    [
        ({1: ["a"]}, "maps keys to non-empty lists"),
        ([1], "maps keys to non-empty lists"),
        (False, "maps keys to non-empty lists"),
        ({"outcome.x": ["a"]}, "'outcome' is 'y', which contains no keys"),
        ({"id.a.b": ["a"]}, "'id' is 'one', which contains no keys"),
    ],
)
def test_a_grid_over_what_is_no_key_is_refused(tmp_path: Path, vary: Any, words: str) -> None:
    path = tmp_path / "grid.yaml"
    path.write_text(yaml.safe_dump({**MINIMAL, "vary": vary}))
    with pytest.raises(SpecError, match=words):
        load_specs(path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("one\n", "'id'"),
        ("one\n\n", "'id'"),
        ("../one", "'id'"),
        (".one", "'id'"),
        ("a\x00b", "'id'"),
        ("con", "Windows reserves it for a device"),
        ("Aux.v2", "Windows reserves it for a device"),
        ("lpt9", "Windows reserves it for a device"),
        ("one.", "'id'"),
        ("x" * (LONGEST_ID + 1), "201 characters"),
    ],
)
def test_an_id_is_a_file_name_on_every_system(name: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        parse_spec({**MINIMAL, "id": name})
    figure = {"id": name, "title": "t", "kind": "event_study", "panels": [{"series": [{"spec": "one"}]}]}
    with pytest.raises(SpecError, match="id'"):
        parse_study({"id": "s", "title": "t", "panels": ["p"], "figures": [figure]})


@pytest.mark.parametrize("name", ["console", "com10", "auxiliary", "x" * LONGEST_ID, "a.b_c-1"])
def test_names_that_only_look_like_a_device_are_good(name: str) -> None:
    assert parse_spec({**MINIMAL, "id": name}).id == name


@pytest.mark.parametrize("trends", ["unit_linear\n", ["region_by_time\n"], "none\n"])
def test_a_line_end_is_no_part_of_a_trend(trends: Any) -> None:
    with pytest.raises(SpecError, match="trends"):
        parse_spec({**MINIMAL, "trends": trends})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"anticipation": 1.0}, r"'anticipation' .* must be a whole number of at least 0; got 1\.0\."),
        (
            {"inference": {"draws": 999.0}},
            r"'inference.draws' .* must be a whole number between 1 and 100,000; got 999\.0\.",
        ),
        ({"inference": {"draws": 10**7}}, "must be a whole number between 1 and 100,000"),
        (
            {"inference": {"level": float("nan")}},
            "'inference.level' .* must be a number above 0 and below 1; got nan",
        ),
        (
            {"inference": {"cutoff_km": float("inf")}},
            "'inference.cutoff_km' .* must be a number above 0; got inf",
        ),
        ({"inference": {"seed": LARGEST_INTEGER + 1}}, r"from -2\^53 to 2\^53"),
        ({"window": [-(10**30), 3]}, r"entry 1 of 'window'.*from -2\^53 to 2\^53"),
        ({"sample": {"years": [1, 10**30]}}, r"from -2\^53 to 2\^53"),
    ],
)
def test_numbers_are_those_that_a_calculation_can_use(change: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        parse_spec({**MINIMAL, **change})


def test_a_refusal_of_something_long_is_short() -> None:
    for change in ({"estimator": "x" * 10**6}, {"outcome": ["y"] * 10**5}, {"k" * 10**6: 1}):
        with pytest.raises(SpecError) as refusal:
            parse_spec({**MINIMAL, **change})
        assert len(str(refusal.value)) < 1500
    assert shortened("abc") == "'abc'"
    assert shortened(10**5000) == "a int too large to be printed"
