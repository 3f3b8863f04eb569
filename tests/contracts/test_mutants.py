"""Mutants of a module of a few lines, and a list of modules and tests that are there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from benchmarks.mutants import mutants_of
from benchmarks.mutated_modules import MODULES

ROOT = Path(__file__).parents[2]
SOURCE = '''"""Doc 1."""
LEVEL: int | None = 5


def f(x: int | str, *, keep: bool = True) -> float | None:
    """Doc < 2."""
    if not x and x <= 3:
        raise ValueError(f"{x + 1} is {x - 1}")
    x += 2
    return -x if keep else x * 0.5  # é and a comment
'''


def test_mutants_change_one_expression_and_no_annotation_text_or_message() -> None:
    found = [(mutant.line, mutant.before, mutant.after) for mutant in mutants_of(SOURCE.encode())]
    assert sorted(found) == sorted(
        [
            (2, "5", "6"),
            (5, "True", "False"),
            (7, "not x and x <= 3", "not x or x <= 3"),
            (7, "not x", "x"),
            (7, "x <= 3", "x < 3"),
            (7, "x <= 3", "x > 3"),
            (7, "3", "4"),
            (9, "x += 2", "x -= 2"),
            (9, "2", "3"),
            (10, "-x", "x"),
            (10, "x * 0.5", "x / 0.5"),
            (10, "0.5", "1.5"),
        ]
    )


def test_the_rest_of_the_source_stays_as_it_is() -> None:
    whole = ast.dump(ast.parse(SOURCE))
    for mutant in mutants_of(SOURCE.encode()):
        text = mutant.source.decode()
        lines, changed = SOURCE.splitlines(), text.splitlines()
        differing = [
            place for place, pair in enumerate(zip(lines, changed, strict=True)) if len(set(pair)) > 1
        ]
        assert differing == [mutant.line - 1]
        assert ast.dump(ast.parse(text)) != whole
        assert lines[mutant.line - 1].strip() == mutant.code
        assert mutant.code[mutant.place :].startswith(mutant.before.split()[0][:1])


@pytest.mark.parametrize("module", MODULES)
def test_the_modules_and_their_tests_are_there(module: str) -> None:
    assert mutants_of((ROOT / "replication" / module).read_bytes())
    assert all((ROOT / test).is_file() for test in MODULES[module])
