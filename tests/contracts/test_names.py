"""One name for one thing: no two public classes and no two files of the package share a name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]


def public_classes(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [n.name for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_")]


def test_no_two_public_classes_of_package_and_studies_share_a_name() -> None:
    found = defaultdict(list)
    for path in [*ROOT.glob("replication/**/*.py"), *ROOT.glob("studies/**/*.py")]:
        for name in public_classes(path):
            found[name].append(str(path.relative_to(ROOT)))
    assert len(found) > 100
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_no_two_files_of_the_package_share_a_name() -> None:
    found = defaultdict(list)
    for path in ROOT.glob("replication/**/*.py"):
        if path.name != "__init__.py":
            found[path.name].append(str(path.relative_to(ROOT)))
    assert len(found) > 200
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}
